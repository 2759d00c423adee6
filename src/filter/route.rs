//! What the host says about the route that it has chosen.

use super::{abi, pairs};
use crate::route::Route;

/// Where metadata may stand, the most specific place first.
const LEVELS: [&str; 3] = ["route_metadata", "virtual_host_metadata", "listener_metadata"];

/// The route of the request at hand, with its name and its metadata if those are wanted: each costs calls of the host.
pub(super) fn chosen(with_name: bool, with_metadata: bool) -> Route {
    let name = if with_name { name() } else { Ok(None) };
    let metadata = || LEVELS.into_iter().find_map(metadata);
    match name {
        Ok(name) => Route { name, metadata: with_metadata.then(metadata).flatten() },
        Err(_) => Route { name: None, metadata: Some(unreadable()) },
    }
}

/// The name of that route: `None` if it has none, or the host knows of none.
pub(super) fn name() -> Result<Option<Vec<u8>>, abi::Withheld> {
    abi::property(&["xds", "route_name"])
}

/// A member that nobody understands: what cannot be read must not count as absent.
fn unreadable() -> Vec<(Vec<u8>, Vec<u8>)> {
    vec![(b"unreadable".to_vec(), Vec::new())]
}

/// What cannot be read must not count as absent. (Envoy does not hand
/// over metadata with a `null` among them.)
fn metadata(level: &str) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let serialized = abi::property(&["xds", level, "filter_metadata", "jwt_warden"]).transpose()?;
    let owned = |(name, value): (&[u8], &[u8])| (name.to_vec(), value.to_vec());
    match serialized.as_deref().ok().and_then(pairs::parse_request) {
        Some(members) => Some(members.headers().map(owned).collect()),
        None => Some(unreadable()),
    }
}
