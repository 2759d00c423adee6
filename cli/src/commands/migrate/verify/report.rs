//! What is said of a comparison.

use super::super::yaml_text::wrapped;
use super::comparison::{Comparison, Difference, Group};

/// Lines longer than this are hard to read.
const WIDTH: usize = 118;

/// Tells what came of it; whether nobody has to look.
pub(super) fn report<'a>(version: &str, told: impl Iterator<Item = (&'a Comparison, &'a [String])>) -> bool {
    let mut is_well = true;
    for (number, (comparison, gaps)) in told.enumerate() {
        let (lines, well) = lines(comparison, gaps);
        let heading = format!("configuration {} in Envoy {version}: {}", number + 1, summary(comparison));
        tell("", &heading);
        for (mark, line) in &lines {
            tell(mark, line);
        }
        is_well &= well;
    }
    anstream::eprintln!(
        "not verified: the issuers' own keys and how they are fetched (keys that were made for this took their place), \
         and what routes ask for"
    );
    if !is_well {
        anstream::eprintln!("jwt-warden: look at the differences marked with `!` before you use it");
    }
    is_well
}

fn summary(comparison: &Comparison) -> String {
    let Comparison { passed, refused, .. } = comparison;
    let (alike, differing) = (passed + refused, comparison.differing());
    let all = alike + differing;
    format!("{all} samples: {alike} decided alike ({passed} pass, {refused} are refused), {differing} differ")
}

/// A line for each difference and gap, and whether nobody has to look.
fn lines(comparison: &Comparison, gaps: &[String]) -> (Vec<(&'static str, String)>, bool) {
    let judged: Vec<_> = comparison
        .differences
        .iter()
        .map(|((difference, cause), group)| judged(difference, cause.as_deref(), group))
        .collect();
    let is_well = judged.iter().all(|(_, is_well)| *is_well);
    let gaps = gaps.iter().map(|gap| ("  ", format!("not verified: {gap}")));
    let lines = judged.into_iter().map(|(line, is_well)| (if is_well { "  " } else { "! " }, line));
    (lines.chain(gaps).collect(), is_well)
}

fn tell(mark: &str, line: &str) {
    for (index, part) in wrapped(line, WIDTH).iter().enumerate() {
        anstream::eprintln!("{}{part}", if index == 0 { mark } else { "      " });
    }
}

/// The line about a difference, and whether nobody has to look: it is explained, and neither opens nor hits good tokens.
fn judged(difference: &Difference, cause: Option<&str>, group: &Group) -> (String, bool) {
    let Group { number, example, is_good } = group;
    let why = cause.unwrap_or("nothing explains it");
    let (what, is_harmless) = match difference {
        Difference::Stricter(code) => (format!("{number} stricter, refused here as {code}: {why}"), !is_good),
        Difference::Told(header) => (format!("{number} pass, but the upstream is told another {header}: {why}"), true),
        Difference::Looser(details) => (format!("{number} looser, refused there as {details}: {why}"), false),
        Difference::Failed(details) => {
            (format!("{number} answered by Envoy in the place of a filter, {details}: {why}"), false)
        }
        Difference::Neither(details) => {
            return (format!("{number} not verified, Envoy itself refuses them ({details}): {example}"), true);
        }
    };
    (format!("{what}; such as {example}"), is_harmless && cause.is_some())
}
