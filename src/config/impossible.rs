//! Requirements that no request can meet.

use super::{
    Exemption, Provider, Requirement, TokenLocation,
    report::{Checked, Place, quoted},
};

/// All tokens of a place have to be good for each provider that is asked for and looks there. Where one provider looks
/// nowhere but where the other does too, its token has to have the issuers of both.
pub(super) fn check_possible(parts: &[Requirement], providers: &[Provider], at: &Place<'_>) -> Checked<()> {
    let mut asked = vec![false; providers.len()];
    mark_each(parts, &mut asked);
    let needed: Vec<_> =
        providers.iter().zip(asked).filter(|(_, asked)| *asked).map(|(provider, _)| provider).collect();
    for (index, one) in needed.iter().enumerate() {
        if let Some(other) = needed.iter().skip(index + 1).find(|other| exclude_each_other(one, other)) {
            return at.mistake(format!(
                "can never be fulfilled: tokens of {} and {} stand in the same places, and none has both issuers",
                quoted(&one.name),
                quoted(&other.name)
            ));
        }
    }
    Ok(())
}

/// Marks the providers of which each request that fulfils this has to bring a token.
fn mark_mandatory(requirement: &Requirement, asked: &mut [bool]) {
    match requirement {
        Requirement::Provider(leaf) => {
            if let Some(asked) = asked.get_mut(leaf.provider.0) {
                *asked = true;
            }
        }
        Requirement::All(parts) => mark_each(parts, asked),
        Requirement::Any(parts, Exemption::None) if parts.len() == 1 => mark_each(parts, asked),
        _ => {}
    }
}

fn mark_each(parts: &[Requirement], asked: &mut [bool]) {
    for part in parts {
        mark_mandatory(part, asked);
    }
}

fn exclude_each_other(one: &Provider, other: &Provider) -> bool {
    have_no_issuer_in_common(one, other)
        && (is_within(&one.locations, &other.locations) || is_within(&other.locations, &one.locations))
}

/// Whether that is certain: two patterns may well have one in common.
fn have_no_issuer_in_common(one: &Provider, other: &Provider) -> bool {
    match (one.issuer.exact(), other.issuer.exact()) {
        (Some(exact), _) => !other.issuer.accepts(Some(exact)),
        (None, Some(exact)) => !one.issuer.accepts(Some(exact)),
        (None, None) => false,
    }
}

fn is_within(places: &[TokenLocation], others: &[TokenLocation]) -> bool {
    places.iter().all(|place| others.contains(place))
}
