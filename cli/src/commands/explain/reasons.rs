//! What README.md says about each reason: its cause and its cure.

use jwt_warden::reason::Reason;

const README: &str = include_str!("../../../../README.md");

/// Cause and cure.
pub(super) fn advice(reason: Reason) -> Option<(String, String)> {
    let begin = format!("| `{}` | ", reason.code());
    let (_, section) = README.split_once("\n## Reasons\n")?;
    let row = section.lines().find_map(|line| line.strip_prefix(&begin)?.strip_suffix(" |"))?;
    let mut cells = row.split(" | ").skip(1);
    Some((without_links(cells.next()?), without_links(cells.next()?)))
}

/// `[text](target)` as `text`.
fn without_links(markdown: &str) -> String {
    let mut text = String::new();
    let mut rest = markdown;
    while let Some((before, words, after)) = next_link(rest) {
        text.push_str(before);
        text.push_str(words);
        rest = after;
    }
    text.push_str(rest);
    text
}

fn next_link(text: &str) -> Option<(&str, &str, &str)> {
    let (head, tail) = text.split_once("](")?;
    let (before, words) = head.rsplit_once('[')?;
    let (_, after) = tail.split_once(')')?;
    Some((before, words, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_advice_for_every_reason() {
        for reason in Reason::ALL {
            let (cause, cure) = advice(*reason).unwrap_or_default();
            assert!(cause.ends_with(['.', ')']) && cure.len() > 4, "{reason:?}: {cause:?} {cure:?}");
            assert!(!format!("{cause}{cure}").contains("]("), "{cause} {cure}");
        }
    }
}
