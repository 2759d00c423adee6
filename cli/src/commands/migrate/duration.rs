//! Durations, as Envoy and Kubernetes write them.

use serde_json::Value;

use super::note::{Kind, Scribe};
use crate::yaml::Node;

/// The duration as the filter writes it, within what it takes; `None` for none, and for zero.
pub(super) fn within(node: &Node, least: f64, most: f64, path: &str, scribe: &mut Scribe) -> Option<Value> {
    let Some(seconds) = seconds(node) else {
        scribe.note(Kind::Blocked, path, node.at, "is no duration such as `300s`");
        return None;
    };
    if seconds == 0.0 {
        return None;
    }
    let bounded = seconds.clamp(least, most);
    let text = written(bounded);
    if bounded < seconds {
        scribe.note(
            Kind::Stricter,
            path,
            node.at,
            format!("{} was allowed to be longer: {text} is the most", name(path)),
        );
    } else if bounded > seconds {
        scribe.note(Kind::Dropped, path, node.at, format!("a shorter {}: {text} is the least", name(path)));
    }
    Some(text.into())
}

fn name(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

fn written(seconds: f64) -> String {
    let milliseconds = (seconds * 1000.0).ceil();
    if milliseconds % 1000.0 == 0.0 { format!("{}s", milliseconds / 1000.0) } else { format!("{milliseconds}ms") }
}

/// `300s`, `1h30m`, or `seconds` and `nanos`.
fn seconds(node: &Node) -> Option<f64> {
    if let Some(text) = node.text() {
        return in_text(text);
    }
    let whole = node.get("seconds").map(|node| node.value());
    let nanos = node.get("nanos").and_then(|node| node.value().as_f64()).unwrap_or(0.0);
    let whole = match whole? {
        Value::String(digits) => digits.parse().ok()?,
        number => number.as_f64()?,
    };
    (whole >= 0.0).then_some(whole + nanos / 1e9)
}

fn in_text(text: &str) -> Option<f64> {
    let (mut total, mut rest) = (0.0, text);
    while !rest.is_empty() {
        let end = rest.find(|byte: char| !byte.is_ascii_digit() && byte != '.')?;
        let (number, unit_on) = rest.split_at_checked(end)?;
        let unit_end = unit_on.find(|byte: char| byte.is_ascii_digit()).unwrap_or(unit_on.len());
        let (unit, behind) = unit_on.split_at_checked(unit_end)?;
        let scale = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * scale;
        rest = behind;
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_come_in_many_forms() {
        let read = |text: &str| seconds(crate::yaml::parse(text).unwrap().documents.first().unwrap());
        for (text, expected) in [
            ("300s", Some(300.0)),
            ("0.25s", Some(0.25)),
            ("1h30m", Some(5400.0)),
            ("250ms", Some(0.25)),
            ("{seconds: 5, nanos: 500000000}", Some(5.5)),
            ("{seconds: '5'}", Some(5.0)),
            ("5", None),
            ("s", None),
            ("5d", None),
            ("-5s", None),
            ("{nanos: 5}", None),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        assert_eq!(written(0.0004), "1ms");
        assert_eq!(written(1.5), "1500ms");
        assert_eq!(written(5400.0), "5400s");
    }
}
