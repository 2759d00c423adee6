//! The tables of `docs/configuration.md`: what the fields mean.

const REFERENCE: &str = include_str!("../../../../docs/configuration.md");

/// A field's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) kind: &'static str,
    pub(super) default: &'static str,
    pub(super) meaning: &'static str,
}

/// The row of the field in the table below the heading with this anchor. Several fields may share a row that says where
/// else they are told about.
pub(super) fn row(anchor: &str, field: &str) -> Option<Row> {
    let (names, row) = rows(anchor).find(|(names, _)| has(names, field))?;
    if names.contains(',')
        && let Some(elsewhere) = link(row.meaning)
        && elsewhere != anchor
    {
        return rows(elsewhere).find(|(names, _)| has(names, field)).map(|(_, row)| row);
    }
    Some(row)
}

fn has(names: &str, field: &str) -> bool {
    names.split(", ").any(|name| name.trim_matches('`') == field)
}

/// The anchor that the first link in a text leads to, within the document.
pub(super) fn link(text: &'static str) -> Option<&'static str> {
    text.split_once("](#")?.1.split(')').next()
}

fn rows(anchor: &str) -> impl Iterator<Item = (&'static str, Row)> {
    section(anchor).lines().filter_map(|line| {
        let cells = cells(line.strip_prefix('|')?);
        match cells.as_slice() {
            [names, kind, default, meaning, ..] if names.starts_with('`') => {
                Some((*names, Row { kind, default, meaning }))
            }
            _ => None,
        }
    })
}

/// The text between the heading and the next.
fn section(wanted: &str) -> &'static str {
    let mut rest = REFERENCE;
    while let Some((_, text)) = rest.split_once("\n#") {
        let (heading, below) = text.split_once('\n').unwrap_or((text, ""));
        if anchor(heading.trim_start_matches('#').trim_start()) == wanted {
            return below.split("\n#").next().unwrap_or_default();
        }
        rest = text;
    }
    ""
}

/// The anchor of a heading, as forges make it.
pub(super) fn anchor(heading: &str) -> String {
    let is_kept = |character: &char| character.is_alphanumeric() || "-_".contains(*character);
    heading.to_lowercase().replace(' ', "-").chars().filter(is_kept).collect()
}

/// The cells of a row; a bar within backquotes separates nothing.
fn cells(row: &'static str) -> Vec<&'static str> {
    let mut is_code = false;
    let cells = row.split(move |character| {
        is_code ^= character == '`';
        character == '|' && !is_code
    });
    cells.map(str::trim).collect()
}

/// Markdown as plain text: links are their words.
pub(super) fn plain(markdown: &str) -> String {
    let mut plain = String::new();
    let mut rest = markdown;
    while let Some((before, text, after)) = next_link(rest) {
        plain.push_str(before);
        plain.push_str(text);
        rest = after;
    }
    plain.push_str(rest);
    plain.replace("**", "")
}

/// What is before a link, its words, and what is behind it.
fn next_link(markdown: &str) -> Option<(&str, &str, &str)> {
    let (before, target) = markdown.split_once("](")?;
    let (before, text) = before.rsplit_once('[')?;
    let (_, after) = target.split_once(')')?;
    Some((before, text, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_where_they_are() {
        let audiences = row("provider", "audiences").unwrap();
        assert_eq!(audiences.kind, "list of strings");
        assert_eq!(audiences.default, "required");
        assert!(audiences.meaning.starts_with("`aud` has to hold one"));
        assert!(row("provider_and_audiences", "audiences").unwrap().default.starts_with("those of"));
        assert_eq!(row("discovery", "max_stale"), row("remote_jwks", "max_stale"));
        assert_eq!(row("claim_to_filter_state", "format"), row("claim_to_headers", "format"));
        assert_eq!(row("provider", "nonsense"), None);
        assert_eq!(row("nonsense", "audiences"), None);
    }

    #[test]
    fn links_are_their_words() {
        assert_eq!(plain("a [b](#c), **d** [`e`](f.md#g)."), "a b, d `e`.");
        assert_eq!(plain("at least `[1](2"), "at least `[1](2");
        assert_eq!(link("list of [rules](#rule)"), Some("rule"));
        assert_eq!(link("[elsewhere](envoy.md#x)"), None);
    }
}
