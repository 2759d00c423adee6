//! Who is believed, and what.

use super::*;

use crate::config::AddressRange;

#[derive(Default)]
struct Peer {
    address: Option<&'static str>,
    is_tls: bool,
    uri: Option<&'static str>,
    dns: Option<&'static str>,
    digest: Option<[u8; 32]>,
}

impl Connection for Peer {
    fn certificate_digest(&self) -> Option<[u8; 32]> {
        self.digest
    }

    fn is_tls(&self) -> bool {
        self.is_tls
    }

    fn peer_address(&self) -> Option<IpAddr> {
        self.address.map(|address| address.parse().unwrap())
    }

    fn uri_san(&self) -> Option<Vec<u8>> {
        self.uri.map(|name| name.as_bytes().to_vec())
    }

    fn dns_san(&self) -> Option<Vec<u8>> {
        self.dns.map(|name| name.as_bytes().to_vec())
    }
}

/// A peer of that address.
fn at(address: &'static str) -> Peer {
    Peer { address: Some(address), ..Peer::default() }
}

fn proxies() -> TrustedProxies {
    TrustedProxies {
        addresses: ["10.0.0.0/8", "2001:db8::/32"].map(|range| AddressRange::parse(range).unwrap()).to_vec(),
        certificates: vec![
            PeerCertificate::UriSan("spiffe://mesh/gateway".into()),
            PeerCertificate::DnsSan("gateway.example".into()),
        ],
        client_certificate: true,
    }
}

fn seen<T>(peer: &Peer, headers: &[(&str, &str)], see: impl Fn(Front<'_>) -> T) -> T {
    let headers = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    see(Front { proxies: Some(&proxies()), request: &Request::new(headers), connection: peer })
}

#[test]
fn a_proxy_is_known_by_its_address_or_by_the_very_name_in_its_certificate() {
    let named = |uri, dns| Peer { uri, dns, ..at("192.0.2.1") };
    for (peer, expected) in [
        (at("10.255.0.1"), true),
        (at("11.0.0.1"), false),
        (at("2001:db8::1"), true),
        (Peer::default(), false),
        (named(Some("spiffe://mesh/gateway"), None), true),
        (named(Some("spiffe://mesh/gateway2"), None), false),
        (named(Some("spiffe://mesh/Gateway"), None), false),
        (named(Some("gateway.example"), None), false),
        (named(None, Some("gateway.example")), true),
        (named(None, Some("spiffe://mesh/gateway")), false),
        (named(None, Some("a.gateway.example")), false),
    ] {
        assert_eq!(seen(&peer, &[], |front| front.is_trusted()), expected, "{:?} {:?}", peer.uri, peer.dns);
    }
    let nobody = Front { proxies: None, request: &Request::new(Vec::new()), connection: &at("10.0.0.1") };
    assert!(!nobody.is_trusted());
}

#[test]
fn only_a_trusted_proxy_says_https_and_only_in_one_word() {
    let scheme = |peer: &Peer, values: &[&str]| {
        let headers: Vec<_> = values.iter().map(|value| ("x-forwarded-proto", *value)).collect();
        seen(peer, &headers, |front| front.scheme().name())
    };
    assert_eq!(scheme(&at("10.0.0.1"), &["https"]), "https");
    assert_eq!(scheme(&at("11.0.0.1"), &["https"]), "http");
    assert_eq!(scheme(&Peer { is_tls: true, ..at("11.0.0.1") }, &["http"]), "https");
    for values in [&["http"][..], &["https,http"], &["https, https"], &["https", "https"], &["https", "http"], &[""]] {
        for is_tls in [false, true] {
            assert_eq!(scheme(&Peer { is_tls, ..at("10.0.0.1") }, values), "http", "{values:?}");
        }
    }
    for value in ["HTTPS", " https", "https ", "wss", "http s"] {
        assert_eq!(scheme(&at("10.0.0.1"), &[value]), "http", "{value:?}");
    }
    assert_eq!(scheme(&Peer { is_tls: true, ..at("10.0.0.1") }, &[]), "http");
}

#[test]
fn the_client_is_the_last_address_that_is_no_proxy() {
    let client = |peer: &Peer, values: &[&str]| {
        let headers: Vec<_> = values.iter().map(|value| ("x-forwarded-for", *value)).collect();
        seen(peer, &headers, |front| front.client_address()).map(|address| address.to_string())
    };
    let proxy = at("10.0.0.1");
    for (values, expected) in [
        (&["192.0.2.1"][..], "192.0.2.1"),
        (&["198.51.100.1, 192.0.2.1"], "192.0.2.1"),
        (&["198.51.100.1, 192.0.2.1, 10.0.0.2,10.0.0.3"], "192.0.2.1"),
        (&["198.51.100.1", "192.0.2.1,10.0.0.2"], "192.0.2.1"),
        (&["192.0.2.1, 10.0.0.1"], "192.0.2.1"),
        (&["192.0.2.1:4711"], "192.0.2.1"),
        (&["[2001:db9::1]:4711"], "2001:db9::1"),
        (&["2001:db9::1, 2001:db8::1"], "2001:db9::1"),
        (&["::ffff:192.0.2.1"], "192.0.2.1"),
        (&["::ffff:10.0.0.7"], "10.0.0.7"),
        (&["10.0.0.9, 10.0.0.8"], "10.0.0.9"),
        (&[], "10.0.0.1"),
        (&[""], "10.0.0.1"),
        (&["unknown"], "10.0.0.1"),
        (&["192.0.2.1, unknown, 10.0.0.5"], "10.0.0.5"),
        (&["192.0.2.1,"], "10.0.0.1"),
    ] {
        assert_eq!(client(&proxy, values).as_deref(), Some(expected), "{values:?}");
    }
    assert_eq!(client(&at("192.0.2.9"), &["198.51.100.1"]).as_deref(), Some("192.0.2.9"));
    assert_eq!(client(&Peer::default(), &["198.51.100.1"]), None);
    let by_certificate = Peer { uri: Some("spiffe://mesh/gateway"), ..at("192.0.2.9") };
    assert_eq!(client(&by_certificate, &["198.51.100.1, 192.0.2.9"]).as_deref(), Some("198.51.100.1"));
    let long = format!("192.0.2.1{}", ",10.0.0.2".repeat(MAX_HOPS));
    assert_eq!(client(&proxy, &[&long]).as_deref(), Some("10.0.0.2"));
    assert_eq!(client(&proxy, &[&long.replacen(",10.0.0.2", "", 1)]).as_deref(), Some("192.0.2.1"));
}

#[test]
fn behind_a_trusted_proxy_the_forwarded_certificate_counts_and_no_other() {
    let hash = format!("Hash={}", "ab".repeat(32));
    let forwarded = |peer: &Peer, values: &[&str]| {
        let headers: Vec<_> = values.iter().map(|value| ("x-forwarded-client-cert", *value)).collect();
        seen(peer, &headers, |front| front.certificate_digest().map(|digest| digest[0]))
    };
    let proxy = Peer { digest: Some([7; 32]), ..at("10.0.0.1") };
    let own = Peer { digest: Some([7; 32]), ..at("192.0.2.1") };
    assert_eq!(forwarded(&proxy, &[&hash]), Ok(0xab));
    assert_eq!(forwarded(&proxy, &[]), Err("the trusted proxy has forwarded no client certificate"));
    assert_eq!(forwarded(&proxy, &[""]), Err("x-forwarded-client-cert is not understood"));
    assert_eq!(forwarded(&proxy, &[&hash, &hash]), Err("x-forwarded-client-cert came twice"));
    let proxys = format!("Hash={}", "07".repeat(32));
    assert_eq!(forwarded(&proxy, &[&proxys]), Err("x-forwarded-client-cert has the trusted proxy's own certificate"));
    assert_eq!(forwarded(&at("10.0.0.1"), &[&proxys]), Ok(7));
    assert_eq!(forwarded(&own, &[&hash]), Ok(7));
    assert_eq!(forwarded(&at("192.0.2.1"), &[&hash]), Err("x-forwarded-client-cert came from an untrusted peer"));
    assert_eq!(forwarded(&at("192.0.2.1"), &[]), Err("the client has shown no certificate"));
    let off = TrustedProxies { client_certificate: false, ..proxies() };
    let request = Request::new(vec![(b"x-forwarded-client-cert", hash.as_bytes())]);
    let shown = |connection| Front { proxies: Some(&off), request: &request, connection }.certificate_digest();
    assert_eq!(shown(&proxy), Ok([7; 32]));
    assert_eq!(shown(&at("10.0.0.1")), Err("the client has shown no certificate"));
}

#[test]
fn a_header_counts_once_and_from_a_trusted_proxy() {
    let told =
        |peer: &Peer, headers: &[(&str, &str)]| seen(peer, headers, |front| front.trusted_header("x-client").is_some());
    assert!(told(&at("10.0.0.1"), &[("x-client", "a")]));
    assert!(!told(&at("11.0.0.1"), &[("x-client", "a")]));
    assert!(!told(&at("10.0.0.1"), &[("x-client", "")]));
    assert!(!told(&at("10.0.0.1"), &[("x-client", "a"), ("x-client", "a")]));
    assert!(!told(&at("10.0.0.1"), &[]));
}
