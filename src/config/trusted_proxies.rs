//! Who may speak for the client.

use super::{
    AddressRange,
    raw::{RawPeerCertificate, RawTrustedProxies},
    report::{Checked, Place, quoted},
};
use crate::address_range::RangeError;

/// Requests may be held against all of them.
const MAX_ENTRIES: usize = 64;

/// The proxies in front of this one that are believed what they say of the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedProxies {
    /// Where they connect from.
    pub addresses: Vec<AddressRange>,
    /// What certificates they show.
    pub certificates: Vec<PeerCertificate>,
    /// Whether `x-forwarded-client-cert` of theirs is the client's certificate.
    pub client_certificate: bool,
}

/// A name in the certificate of a proxy, compared exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerCertificate {
    /// Its first `uniformResourceIdentifier`.
    UriSan(String),
    /// Its first `dNSName`.
    DnsSan(String),
}

/// Validates who may speak for the client.
pub(super) fn trusted_proxies(raw: RawTrustedProxies, at: &Place<'_>) -> Checked<TrustedProxies> {
    let (addresses, certificates) = (raw.addresses.unwrap_or_default(), raw.certificates.unwrap_or_default());
    let given = addresses.len().saturating_add(certificates.len());
    if !(1..=MAX_ENTRIES).contains(&given) {
        return at.mistake(format!("has to hold 1 to {MAX_ENTRIES} `addresses` and `certificates`"));
    }
    let addresses = at.field("addresses").each(addresses, |text, at| address(&text, at));
    let certificates = at.field("certificates").each(certificates, certificate);
    let client_certificate = raw.client_certificate.unwrap_or(false);
    Ok(TrustedProxies { addresses: addresses?, certificates: certificates?, client_certificate })
}

fn address(text: &str, at: &Place<'_>) -> Checked<AddressRange> {
    match AddressRange::parse(text) {
        Ok(range) => {
            if range.is_everything() {
                at.warn("everybody may say who the client is");
            }
            Ok(range)
        }
        Err(RangeError::Form) => at.mistake("has to be an address or a range, such as `10.0.0.0/8` or `2001:db8::1`"),
        Err(RangeError::HostBits) => at.mistake(format!("{} has bits behind its prefix", quoted(text))),
    }
}

fn certificate(raw: RawPeerCertificate, at: &Place<'_>) -> Checked<PeerCertificate> {
    let named = match (raw.uri_san, raw.dns_san) {
        (Some(name), None) => PeerCertificate::UriSan(name),
        (None, Some(name)) => PeerCertificate::DnsSan(name),
        _ => return at.mistake("has to have one of `uri_san` and `dns_san`"),
    };
    let (PeerCertificate::UriSan(name) | PeerCertificate::DnsSan(name)) = &named;
    if name.is_empty() || name.contains('*') || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return at.mistake("has to be a whole name, which is compared exactly");
    }
    Ok(named)
}
