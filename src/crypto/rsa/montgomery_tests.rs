//! The kernel against `num-bigint`: extreme digit patterns, and random numbers.

use num_bigint::BigUint;

use super::*;
use crate::crypto::rsa::test_numbers::{Random, extreme_moduli, extreme_values, number, padded, random_cases};

fn check_power(modulus: &BigUint, base: &BigUint, exponent: u64) {
    let kernel = Montgomery::new(&modulus.to_bytes_be());
    let length = modulus.to_bytes_be().len();
    let expected = base.modpow(&BigUint::from(exponent), modulus);
    assert_eq!(
        kernel.power(&padded(base, length), exponent),
        padded(&expected, length),
        "{base:x}^{exponent} mod {modulus:x}"
    );
}

/// Whether the product times R is the product of the factors, and less than the modulus.
fn check_product(kernel: &Montgomery, left: &[u32], right: &[u32]) {
    let mut product = kernel.zero();
    kernel.multiply(left, right, &mut product);
    let modulus = number(&kernel.modulus);
    assert!(number(&product) < modulus);
    let with_r = (number(&product) << (32 * kernel.modulus.len())) % &modulus;
    assert_eq!(with_r, number(left) * number(right) % modulus, "{left:x?} * {right:x?} mod {:x?}", kernel.modulus);
}

#[test]
fn extreme_patterns_agree() {
    let mut cases = 0;
    for bits in [2048, 2049, 2050, 2055, 2056, 2057, 2063, 2064, 2079, 2080, 2081, 3071, 3072, 3073, 4095, 4096] {
        for modulus in extreme_moduli(bits) {
            for base in extreme_values(&modulus) {
                check_power(&modulus, &base, 3);
                cases += 1;
            }
            for exponent in [5, 17, 65_537, 0xffff_ffff, 0x1_ffff_ffff, 0x1_0000_0001] {
                check_power(&modulus, &(&modulus - 2_u8), exponent);
                cases += 1;
            }
        }
    }
    println!("montgomery: {cases} powers of extreme patterns");
}

#[test]
fn the_largest_moduli_agree() {
    for bits in [8191, 8192] {
        for modulus in extreme_moduli(bits) {
            for base in [&modulus - 1_u8, &modulus - 2_u8, BigUint::from(2_u8), &modulus >> 1] {
                check_power(&modulus, &base, 65_537);
            }
        }
    }
}

#[test]
fn products_of_extreme_digits_agree() {
    let mut cases = 0;
    for length in 1..=5 {
        for modulus in extreme_moduli(32 * length).into_iter().chain(extreme_moduli(32 * length + 1)) {
            let kernel = Montgomery::new(&modulus.to_bytes_be());
            let values: Vec<Vec<u32>> = extreme_values_of_any(&modulus, kernel.modulus.len());
            for left in &values {
                for right in &values {
                    check_product(&kernel, left, right);
                    cases += 1;
                }
            }
        }
    }
    println!("montgomery: {cases} products of extreme digits");
}

/// Every number below the modulus whose digits are 0, 1, 2^31 or 2^32 - 1; the modulus less 1; up to three digits vary.
fn extreme_values_of_any(modulus: &BigUint, length: usize) -> Vec<Vec<u32>> {
    let choices = [0, 1, 1 << 31, u32::MAX];
    let varied = (0..64).map(|choice| {
        let digit = |index: usize| choices[choice >> (2 * (index % 3)) & 3];
        (0..length).map(digit).collect::<Vec<u32>>()
    });
    let mut last = (modulus - 1_u8).to_u32_digits();
    last.resize(length, 0);
    varied.filter(|digits| number(digits) < *modulus).chain([last]).collect()
}

#[test]
fn random_products_agree() {
    let mut random = Random(1);
    let cases = random_cases();
    for _ in 0..cases {
        let length = 1 + random.below(72);
        let mut modulus = random.digits(length);
        modulus[0] |= 1;
        if modulus[length - 1] == 0 || length == 1 {
            modulus[length - 1] |= 3;
        }
        let kernel = Montgomery::new(&number(&modulus).to_bytes_be());
        let below = |random: &mut Random| {
            let mut digits = (number(&random.digits(length)) % number(&modulus)).to_u32_digits();
            digits.resize(length, 0);
            digits
        };
        let left = below(&mut random);
        let right = below(&mut random);
        check_product(&kernel, &left, &right);
        assert_eq!(number(&kernel.r_squared), (BigUint::from(1_u8) << (64 * length)) % number(&modulus));
    }
    println!("montgomery: {cases} random products");
}

#[test]
fn random_powers_agree() {
    let mut random = Random(2);
    let cases = random_cases() / 20;
    for _ in 0..cases {
        let beyond = if random.below(10) == 0 { 2049 } else { 65 };
        let bits = 2048 + random.below(beyond);
        let modulus = random.modulus(bits);
        let base = random.less_than(&modulus);
        let exponent = [3, 17, 65_537, (random.next() >> 31) | 3][random.below(4)];
        check_power(&modulus, &base, exponent);
    }
    println!("montgomery: {cases} random powers");
}

#[test]
fn inverses_are_inverses() {
    for odd in (0..10_000).map(|half| 2 * half + 1).chain([u32::MAX, u32::MAX - 2, 0x8000_0001, 0x5555_5555]) {
        assert_eq!(odd.wrapping_mul(negated_inverse(odd)), u32::MAX);
    }
}
