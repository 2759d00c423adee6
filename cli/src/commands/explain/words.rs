//! Parts of the configuration in words.

use jwt_warden::config::{
    ClaimCondition, ClaimPath, ClaimValue, Config, Exemption, HeaderPrefix, Permission, ProviderId, Requirement,
    TokenLocation,
};

use super::report::{Mark, Step};

/// Where tokens are looked for.
pub(super) fn location(location: &TokenLocation) -> String {
    match location {
        TokenLocation::Header { name, prefix: HeaderPrefix::None } => format!("in the header {name}"),
        TokenLocation::Header { name, prefix: HeaderPrefix::Scheme(scheme) } => {
            format!("in the header {name}, under the scheme {scheme}")
        }
        TokenLocation::Header { name, prefix: HeaderPrefix::Literal(literal) } => {
            format!("in the header {name}, behind `{literal}`")
        }
        TokenLocation::Query(name) => format!("in the query, as {name}"),
        TokenLocation::Cookie(name) => format!("in the cookie {name}"),
    }
}

/// What is required, as a tree.
pub(super) fn requirement(step: &mut Step, depth: usize, requirement: &Requirement, config: &Config) {
    let names = |ids: &[ProviderId]| ids.iter().map(|id| provider(*id, config)).collect::<Vec<_>>().join(", ");
    let each = |step: &mut Step, parts: &[Requirement]| {
        for part in parts {
            self::requirement(step, depth + 1, part, config);
        }
    };
    let mut note = |text: String| step.add(Mark::Note, depth, text);
    let parts = match requirement {
        Requirement::Provider(leaf) => {
            note(format!("a token of {}", provider(leaf.provider, config)));
            if let Some(audiences) = &leaf.audiences {
                step.add(Mark::Note, depth + 1, format!("for one of the audiences {}", audiences.join(", ")));
            }
            return permission(step, depth + 1, &leaf.permission);
        }
        Requirement::AnyProvider(ids) => return note(format!("a token of any provider: {}", names(ids))),
        Requirement::AllowMissing(ids) => return note(format!("no token, or a good one of {}", names(ids))),
        Requirement::AllowMissingOrFailed(ids) => {
            return note(format!("nothing; good tokens are told to the upstream: of {}", names(ids)));
        }
        Requirement::Any(parts, exemption) => {
            note("any of these:".to_owned());
            let exempt = match exemption {
                Exemption::None => None,
                Exemption::Missing => Some("or no token at all (allow_missing)"),
                Exemption::MissingOrFailed => Some("or nothing good at all (allow_missing_or_failed)"),
            };
            each(step, parts);
            return exempt.into_iter().for_each(|text| step.add(Mark::Note, depth + 1, text));
        }
        Requirement::All(parts) => {
            note("all of these:".to_owned());
            parts
        }
    };
    each(step, parts);
}

fn permission(step: &mut Step, depth: usize, permission: &Permission) {
    let mut note = |text: String| step.add(Mark::Note, depth, text);
    if !permission.scopes.is_empty() {
        note(format!("with the scopes {}", permission.scopes.join(" ")));
    }
    if !permission.any_scopes.is_empty() {
        note(format!("with any scope of {}", permission.any_scopes.join(" ")));
    }
    permission.claims.iter().for_each(|condition| note(format!("with {}", claim(condition))));
}

fn claim(condition: &ClaimCondition) -> String {
    let name = match &condition.claim {
        ClaimPath::Dotted(name) => name.clone(),
        ClaimPath::Exact(names) => names.join(" > "),
    };
    let mut text = format!("the claim {name}");
    match condition.exists {
        Some(true) => text.push_str(" there"),
        Some(false) => text.push_str(" absent"),
        None => {}
    }
    let lists = [
        (&condition.any_of, "any of"),
        (&condition.all_of, "all of"),
        (&condition.not_any_of, "none of"),
        (&condition.not_all_of, "not all of"),
    ];
    for (values, words) in lists {
        if let Some(values) = values {
            text.extend([" ", words, " ", &values.iter().map(value).collect::<Vec<_>>().join(", ")]);
        }
    }
    text
}

fn value(value: &ClaimValue) -> String {
    match value {
        ClaimValue::Text(text) => format!("\"{text}\""),
        ClaimValue::Number(number) => number.to_string(),
        ClaimValue::Bool(truth) => truth.to_string(),
    }
}

/// A provider's name.
pub(super) fn provider(id: ProviderId, config: &Config) -> String {
    config.provider(id).map(|provider| provider.name.clone()).unwrap_or_default()
}

/// A number of things.
pub(super) fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}
