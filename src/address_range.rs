//! Ranges of IP addresses in CIDR notation (RFC 4632 section 3.1, RFC 4291 section 2.3).

use std::net::IpAddr;

/// Addresses that begin with the same bits. An IPv4 address within IPv6 (`::ffff:192.0.2.1`) counts as the IPv4 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressRange {
    base: IpAddr,
    prefix: u32,
}

/// What is wrong with the text of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeError {
    /// It is no address, or no address with a length of the prefix.
    Form,
    /// Bits behind the prefix are set: the range is not the one that was meant.
    HostBits,
}

impl AddressRange {
    /// Reads `10.0.0.0/8`, `2001:db8::/32`, or a single address.
    ///
    /// # Errors
    ///
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, RangeError> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let given: IpAddr = address.parse().map_err(|_| RangeError::Form)?;
        let prefix = prefix.map_or(Ok(width(given)), |digits| length(digits, width(given)))?;
        let canonical = given.to_canonical();
        let (base, prefix) = match prefix.checked_sub(width(given).saturating_sub(width(canonical))) {
            Some(rest) => (canonical, rest),
            None => (given, prefix),
        };
        let range = Self { base, prefix };
        if masked(base, prefix) == bits(base) { Ok(range) } else { Err(RangeError::HostBits) }
    }

    /// Whether this address, in its canonical form, is one of them.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.base.is_ipv4() == address.is_ipv4() && masked(address, self.prefix) == bits(self.base)
    }

    /// Whether these are all addresses of the family.
    #[must_use]
    pub const fn is_everything(&self) -> bool {
        self.prefix == 0
    }
}

/// The address without its last bits: what one subscriber has, who chooses freely among all addresses of an IPv6 `/64`
/// (RFC 6177).
#[must_use]
pub fn subscriber(address: IpAddr) -> u128 {
    if address.is_ipv4() { bits(address) } else { masked(address, 64) }
}

fn length(digits: &str, width: u32) -> Result<u32, RangeError> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    let length = digits.parse().ok().filter(|length| plain && *length <= width);
    length.ok_or(RangeError::Form)
}

const fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn masked(address: IpAddr, prefix: u32) -> u128 {
    let rest = width(address).saturating_sub(prefix);
    let bits = bits(address);
    bits.checked_shr(rest).and_then(|kept| kept.checked_shl(rest)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(range: &str, address: &str) -> bool {
        AddressRange::parse(range).unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn a_range_ends_where_its_prefix_says() {
        for (range, inside, outside) in [
            ("10.0.0.0/8", &["10.0.0.0", "10.255.255.255"][..], &["9.255.255.255", "11.0.0.0", "::10.0.0.0"][..]),
            ("192.0.2.7", &["192.0.2.7"], &["192.0.2.6", "192.0.2.8"]),
            ("192.0.2.128/25", &["192.0.2.128", "192.0.2.255"], &["192.0.2.127", "192.0.3.128"]),
            ("0.0.0.0/0", &["0.0.0.0", "255.255.255.255"], &["::", "::1"]),
            ("2001:db8::/32", &["2001:db8::1", "2001:db8:ffff::"], &["2001:db9::", "2001:db7:ffff::", "32.1.13.184"]),
            ("::1", &["::1"], &["::2", "0.0.0.1"]),
            ("::/0", &["::", "ffff::"], &["0.0.0.0"]),
            ("::ffff:10.0.0.0/104", &["10.1.2.3"], &["11.0.0.0"]),
            ("::ffff:10.0.0.1", &["10.0.0.1"], &["10.0.0.2"]),
        ] {
            assert!(inside.iter().all(|address| contains(range, address)), "{range}");
            assert!(outside.iter().all(|address| !contains(range, address)), "{range}");
        }
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in [
            "",
            "/",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "10.0.0.0/08",
            "10.0.0.0/8/8",
            "::/129",
            "10.0.0/8",
            "10.0.0.0.0/8",
            "localhost",
            "10.0.0.0 /8",
            "10.0.0.0/ 8",
            "[::1]",
            "010.0.0.0/8",
            "fe80::1%eth0",
        ] {
            assert_eq!(AddressRange::parse(text), Err(RangeError::Form), "{text:?}");
        }
        for text in ["10.0.0.1/8", "192.0.2.129/25", "0.0.0.1/0", "2001:db8::1/32", "::ffff:10.0.0.1/104"] {
            assert_eq!(AddressRange::parse(text), Err(RangeError::HostBits), "{text:?}");
        }
    }

    #[test]
    fn a_subscriber_has_a_whole_network_of_ipv6() {
        let subscriber = |text: &str| subscriber(text.parse().unwrap());
        assert_eq!(subscriber("2001:db8::1"), subscriber("2001:db8::ffff:ffff:ffff:ffff"));
        assert_ne!(subscriber("2001:db8::1"), subscriber("2001:db8:0:1::1"));
        assert_ne!(subscriber("192.0.2.1"), subscriber("192.0.2.2"));
    }
}
