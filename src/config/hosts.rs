//! Hosts: what may stand in `hosts`.

use super::{
    HostPattern,
    report::{Checked, Place, quoted},
};

/// The longest name (RFC 1035 section 2.3.4).
const MAX_NAME: usize = 253;

/// Validates one host, or all below a domain.
pub(super) fn host(text: &str, at: &Place<'_>) -> Checked<HostPattern> {
    let pattern = text.to_ascii_lowercase();
    let (below, rest) = pattern.strip_prefix("*.").map_or((false, pattern.as_str()), |domain| (true, domain));
    let (name, port) = rest.split_once(':').map_or((rest, None), |(name, port)| (name, Some(port)));
    if !is_name(name.as_bytes()) || name.len() > MAX_NAME {
        let example = "`api.example.com`, `*.example.com` (all below it) or `api.example.com:8443`";
        return at.mistake(format!("{} is not a host such as {example}", quoted(text)));
    }
    let port = match port {
        None => None,
        Some(digits) => Some(port_number(digits, at)?),
    };
    Ok(HostPattern { name: name.to_owned(), below, port })
}

fn port_number(digits: &str, at: &Place<'_>) -> Checked<u16> {
    let port = digits.parse().ok().filter(|port: &u16| port.to_string() == digits && *port > 0);
    port.ok_or_else(|| at.note(format!("{} is not a port", quoted(digits))))
}

/// Whether this is labels of letters, digits, `-` and `_` between single dots.
pub(crate) fn is_name(host: &[u8]) -> bool {
    let is_label = |label: &[u8]| {
        !label.is_empty() && label.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte))
    };
    host.split(|byte| *byte == b'.').all(is_label)
}
