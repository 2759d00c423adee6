//! Powers, on vectors and on arrays, against the reference and `num-bigint`: extreme digit patterns, and random numbers.

use num_bigint::BigUint;

use super::lanes::NATIVE_DIFFERS;
use super::lanes::portable::Portable;
use super::*;
use crate::crypto::rsa::montgomery::Montgomery;
use crate::crypto::rsa::test_numbers::{Random, extreme_moduli, extreme_values, padded, random_cases};

/// A modulus, prepared in every way there is.
struct Kernels {
    modulus: BigUint,
    length: usize,
    reference: Montgomery,
    portable: Modulus<Portable>,
    native: Option<Modulus<Native>>,
}

impl Kernels {
    fn new(modulus: &BigUint) -> Self {
        let octets = modulus.to_bytes_be();
        Self {
            modulus: modulus.clone(),
            length: octets.len(),
            reference: Montgomery::new(&octets),
            portable: Modulus::new(&octets),
            native: NATIVE_DIFFERS.then(|| Modulus::new(&octets)),
        }
    }

    fn check(&self, base: &BigUint, exponent: u64) {
        let octets = padded(base, self.length);
        let expected = padded(&base.modpow(&BigUint::from(exponent), &self.modulus), self.length);
        let case = || format!("{base:x}^{exponent} mod {:x}", self.modulus);
        assert_eq!(self.reference.power(&octets, exponent), expected, "reference: {}", case());
        assert_eq!(self.portable.power(&octets, exponent), expected, "portable: {}", case());
        if let Some(native) = &self.native {
            assert_eq!(native.power(&octets, exponent), expected, "native: {}", case());
        }
    }
}

/// Odd numbers whose digits between -2^12 and 2^12 are as large as can be, of either sign.
fn extreme_digits(bits: usize) -> Vec<BigUint> {
    let length = bits.div_ceil(13);
    let top = BigUint::from(1_u8) << (bits - 1);
    let repeated = |digits: &[u32]| {
        let digit = |index: usize| BigUint::from(digits[index % digits.len()]) << (13 * index);
        ((0..length).map(digit).sum::<BigUint>() % &top + &top) | BigUint::from(1_u8)
    };
    // 4095 is the largest that stays, 4096 the least that becomes negative; 4095 with a carry becomes -4096.
    [&[4095][..], &[4096], &[4096, 4095], &[4097], &[4095, 4096], &[0, 4096], &[8191, 0], &[4096, 4094], &[1, 8191]]
        .into_iter()
        .map(repeated)
        .collect()
}

#[test]
fn extreme_patterns_agree() {
    let mut cases = 0;
    // 2078 bits are the most for 160 digits, and 2079 and 2080 take 168; 1038 and 1142: an even and an odd number of chunks.
    for bits in [35, 64, 102, 103, 104, 1038, 1142, 2048, 2055, 2078, 2079, 2080, 3072, 3118, 3119, 3120, 4096, 4158] {
        for modulus in extreme_moduli(bits).into_iter().chain(extreme_digits(bits)) {
            let kernels = Kernels::new(&modulus);
            let digits = extreme_digits(bits).into_iter().map(|value| value % &modulus);
            for base in extreme_values(&modulus).into_iter().chain(digits) {
                kernels.check(&base, 3);
                cases += 1;
            }
            for exponent in [5, 17, 65_537, 0xffff_ffff, 0x1_ffff_ffff, 0x1_0000_0001] {
                kernels.check(&(&modulus - 2_u8), exponent);
                cases += 1;
            }
        }
    }
    println!("kernel: {cases} powers of extreme patterns");
}

#[test]
fn the_largest_moduli_agree() {
    for bits in [8191, 8192] {
        for modulus in extreme_moduli(bits).into_iter().chain(extreme_digits(bits)) {
            let kernels = Kernels::new(&modulus);
            let digits = extreme_digits(bits).into_iter().map(|value| value % &modulus);
            for base in digits.chain([&modulus - 1_u8, &modulus - 2_u8, BigUint::from(2_u8), &modulus >> 1]) {
                kernels.check(&base, 5);
            }
        }
    }
}

/// Every odd modulus of a few bits, which shows what a rare bound would hide.
#[test]
fn small_moduli_agree() {
    for modulus in (3..400_u32).step_by(2) {
        let kernels = Kernels::new(&BigUint::from(modulus));
        for base in 0..modulus {
            kernels.check(&BigUint::from(base), 3);
        }
    }
}

#[test]
fn random_powers_agree() {
    let mut random = Random(3);
    let cases = random_cases();
    for case in 0..cases / 10 {
        let bits = match case % 10 {
            0 => 2048 + random.below(6145),
            1..4 => 2048,
            _ => 2 + random.below(1000),
        };
        let modulus = random.modulus(bits);
        let kernels = Kernels::new(&modulus);
        for _ in 0..10 {
            let exponent = if case % 10 == 2 { 65_537 } else { [3, 5, 7, 11][random.below(4)] };
            kernels.check(&random.less_than(&modulus), exponent);
        }
    }
    println!("kernel: {cases} random powers");
}

#[test]
fn inverses_are_inverses() {
    for odd in (-4095..=4095).step_by(2) {
        assert_eq!((odd * negated_inverse_of_digit(odd)) & 0x1fff, 0x1fff, "{odd}");
    }
}
