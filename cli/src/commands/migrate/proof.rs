//! Whether the filter takes what came of the migration.

use jwt_warden::config::{indexed, parse};
use serde_json::Value;

use super::note::{Draft, Kind, Note};

/// A key set for variables of an environment that is not there yet.
const SOME_KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

/// Holds the configuration against the filter's own reader. Rules that no request falls under are left out; every other
/// mistake is a remark that nothing can be written.
pub(super) fn hold(draft: &mut Draft) {
    loop {
        let text = Value::Object(draft.configuration.clone()).to_string();
        let Err(error) = parse(text.as_bytes(), &|_| Some(SOME_KEYS.to_owned())) else { return };
        let mistakes: Vec<_> =
            error.mistakes().map(|(path, sentence)| (path.to_owned(), sentence.to_owned())).collect();
        let unreached = mistakes.iter().filter(|(_, sentence)| sentence.starts_with("never matches"));
        let mut positions: Vec<_> = unreached.filter_map(|(path, _)| position(path)).collect();
        positions.sort_unstable_by(|one, other| other.cmp(one));
        if positions.is_empty() {
            for (path, sentence) in mistakes {
                block(draft, path, sentence);
            }
            return;
        }
        for position in positions {
            remove_rule(draft, position);
        }
    }
}

fn block(draft: &mut Draft, path: String, sentence: String) {
    let note = Note { kind: Kind::Blocked, source: String::new(), path, sentence };
    draft.notes.push(note);
}

fn position(path: &str) -> Option<usize> {
    path.strip_prefix("rules[")?.strip_suffix(']')?.parse().ok()
}

/// Takes a rule out; what was said about it goes with it, and the rules behind it move up.
fn remove_rule(draft: &mut Draft, position: usize) {
    let Some(Value::Array(rules)) = draft.configuration.get_mut("rules") else { return };
    if position >= rules.len() {
        return;
    }
    rules.remove(position);
    let number = rules.len();
    let of = |path: &str, index: usize| path.strip_prefix(&indexed("rules", index)).map(str::to_owned);
    draft.notes.retain(|note| of(&note.path, position).is_none());
    for note in &mut draft.notes {
        let moved = (position + 1..=number).find_map(|index| Some((index - 1, of(&note.path, index)?)));
        if let Some((index, rest)) = moved {
            note.path = format!("{}{rest}", indexed("rules", index));
        }
    }
    let path = if position < number { indexed("rules", position) } else { "rules".to_owned() };
    let sentence = "a rule that stood here: an earlier one takes all of its requests".to_owned();
    draft.notes.push(Note { kind: Kind::Dropped, path, source: String::new(), sentence });
}
