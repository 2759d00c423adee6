//! Numbers to try the arithmetic with: extreme ones, and random ones.

use num_bigint::BigUint;

/// `SplitMix64`: a fixed sequence, so that a failure comes again.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    /// Digits that are mostly random, and otherwise 0, 1, 2^31 or 2^32 - 1: in runs, as carries like them.
    pub(super) fn digits(&mut self, length: usize) -> Vec<u32> {
        let mut digits = Vec::with_capacity(length);
        while digits.len() < length {
            let run = 1 + self.below(8);
            let kind = self.below(8);
            for _ in 0..run {
                digits.push(match kind {
                    0 => 0,
                    1 => 1,
                    2 => 1 << 31,
                    3 => u32::MAX,
                    _ => u32::try_from(self.next() >> 32).unwrap(),
                });
            }
        }
        digits.truncate(length);
        digits
    }

    /// An odd number of exactly so many bits.
    pub(super) fn modulus(&mut self, bits: usize) -> BigUint {
        let top = BigUint::from(1_u8) << (bits - 1);
        (number(&self.digits(bits.div_ceil(32))) % &top + top) | BigUint::from(1_u8)
    }

    pub(super) fn less_than(&mut self, modulus: &BigUint) -> BigUint {
        number(&self.digits(usize::try_from(modulus.bits().div_ceil(32)).unwrap())) % modulus
    }
}

/// How many random cases a test tries: more where the environment says so.
pub(super) fn random_cases() -> usize {
    #[allow(clippy::disallowed_methods, reason = "a test may be told to try harder")]
    std::env::var("JWT_WARDEN_RANDOM_CASES").ok().and_then(|count| count.parse().ok()).unwrap_or(20_000)
}

pub(super) fn number(digits: &[u32]) -> BigUint {
    BigUint::new(digits.to_vec())
}

/// Big-endian, with leading zeros up to so many octets.
pub(super) fn padded(value: &BigUint, length: usize) -> Vec<u8> {
    let octets = value.to_bytes_be();
    [vec![0; length - octets.len()], octets].concat()
}

/// Odd moduli of `bits` bits: all ones, one bit at either end, and patterns between.
pub(super) fn extreme_moduli(bits: usize) -> Vec<BigUint> {
    let one = BigUint::from(1_u8);
    let top = &one << (bits - 1);
    let ones = (&one << bits) - &one;
    let stripes = |mask: u32| (number(&vec![mask; bits.div_ceil(32)]) & &ones) | &top | &one;
    vec![
        ones.clone(),
        &top + &one,
        &top + &one + &one + &one,
        &ones - (&one << (bits / 2)),
        &ones - &one - &one,
        &top + (&one << (bits / 2)) + &one,
        stripes(0xaaaa_aaaa),
        stripes(0x5555_5555),
        stripes(0xffff_0000),
        stripes(0x8000_0001),
        number(&[vec![u32::MAX; bits / 64], vec![0; bits / 64]].concat()) | &top | &one,
        number(&[vec![0; bits / 64], vec![u32::MAX; bits / 64]].concat()) | &top | &one,
    ]
}

/// Numbers less than `modulus`, which has more than 34 bits: the least, the greatest, and patterns between.
pub(super) fn extreme_values(modulus: &BigUint) -> Vec<BigUint> {
    let one = BigUint::from(1_u8);
    let bits = modulus.bits();
    let mut values = vec![BigUint::ZERO, one.clone(), modulus - &one, modulus - &one - &one, modulus >> 1];
    for shift in [31, 32, 33, bits / 2, bits - 33, bits - 2, bits - 1] {
        values.push(&one << shift);
        values.push((&one << shift) - &one);
        values.push(modulus - (&one << shift));
    }
    let digits = usize::try_from(bits.div_ceil(32)).unwrap();
    values.push(number(&vec![u32::MAX; digits - 1]));
    values.push(number(&vec![0x8000_0000; digits]) % modulus);
    values.push(number(&vec![0xffff_fffe; digits]) % modulus);
    values.retain(|value| value < modulus);
    values
}
