//! The issuer's load over time, as an SVG.

use std::fmt::Write as _;

use crate::simulation::Account;

const WIDTH: usize = 900;
const PANEL: usize = 230;
const LEFT: f64 = 60.0;
const PLOT_WIDTH: f64 = 820.0;
const PLOT_HEIGHT: f64 = 150.0;
/// The top of the scale; what is higher is cut and labelled.
const CEILING: u32 = 400;
const TITLES: [&str; 2] = ["Tokens of the new key come with the traffic", "They reach every proxy within one second"];
/// Labels by the minute at which they stand.
const LABELS: [(f64, &str); 4] = [(0.5, "start"), (30.0, "rotation"), (45.0, "outage"), (55.0, "recovery")];

/// The drawing: one panel for each account.
pub fn svg(accounts: &[Account]) -> String {
    let height = PANEL * accounts.len();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for (index, (account, title)) in accounts.iter().zip(TITLES).enumerate() {
        writeln!(svg, "<g transform=\"translate(0 {})\">", index * PANEL).unwrap();
        panel(&mut svg, account, title);
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

fn panel(svg: &mut String, account: &Account, title: &str) {
    let minutes = u32::try_from(account.load.len() / 60).unwrap();
    let across = |minute: f64| LEFT + minute / f64::from(minutes) * PLOT_WIDTH;
    text(svg, LEFT, 18.0, &format!("{title}: fetches per second"));
    let outage = (across(45.0), across(55.0) - across(45.0));
    writeln!(
        svg,
        "<rect x=\"{:.1}\" y=\"40\" width=\"{:.1}\" height=\"{PLOT_HEIGHT}\" fill=\"#f4dddd\"/>",
        outage.0, outage.1
    )
    .unwrap();
    for load in (0..=CEILING).step_by(100) {
        line(svg, up(load), if load == 200 { "#c00000" } else { "#dddddd" });
        text(svg, 28.0, up(load) + 4.0, &load.to_string());
    }
    text(svg, LEFT + PLOT_WIDTH - 150.0, up(200) - 4.0, "2 % of the fleet per second");
    for minute in (0..=minutes).step_by(10) {
        text(svg, across(f64::from(minute)) - 6.0, 206.0, &format!("{minute} min"));
    }
    for (minute, label) in LABELS {
        text(svg, across(minute) + 4.0, 36.0, label);
    }
    curve(svg, account, &across);
}

fn curve(svg: &mut String, account: &Account, across: &dyn Fn(f64) -> f64) {
    svg.push_str("<polyline fill=\"none\" stroke=\"#1f4e9c\" stroke-width=\"1\" points=\"");
    for (second, load) in (0_u32..).zip(&account.load) {
        write!(svg, "{:.1},{:.1} ", across(f64::from(second) / 60.0), up(*load)).unwrap();
    }
    svg.push_str("\"/>\n");
    for (second, load) in (0_u32..).zip(&account.load).filter(|(_, load)| **load > 4 * CEILING) {
        text(svg, across(f64::from(second) / 60.0) + 4.0, 52.0, &format!("up to {load}"));
    }
}

fn up(load: u32) -> f64 {
    40.0 + PLOT_HEIGHT * (1.0 - f64::from(load.min(CEILING)) / f64::from(CEILING))
}

fn line(svg: &mut String, height: f64, colour: &str) {
    let right = LEFT + PLOT_WIDTH;
    writeln!(svg, "<path d=\"M{LEFT} {height:.1}H{right}\" stroke=\"{colour}\"/>").unwrap();
}

fn text(svg: &mut String, x: f64, y: f64, words: &str) {
    writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\">{words}</text>").unwrap();
}
