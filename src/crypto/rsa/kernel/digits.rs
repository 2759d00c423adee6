//! Numbers as digits of 13 bits, from 0 to 2^13 - 1, from the least to the most significant; digit by digit.

use super::lanes::DIGIT_BITS;

const RADIX: i32 = 1 << DIGIT_BITS;

/// A number below the radix to the power of its length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Digits(Vec<i32>);

impl Digits {
    /// `length` digits of a big-endian number, which has to fit.
    pub(super) fn from_octets(octets: &[u8], length: usize) -> Self {
        let mut octets = octets.iter().rev();
        let mut bits = Bits::default();
        let digits = (0..length).map(|_| {
            while bits.count < DIGIT_BITS {
                bits.push(octets.next().copied().map_or(0, u32::from), 8);
            }
            bits.pop(DIGIT_BITS).cast_signed()
        });
        Self(digits.collect())
    }

    /// The lowest `length` octets, big-endian.
    pub(super) fn to_octets(&self, length: usize) -> Vec<u8> {
        let mut digits = self.0.iter();
        let mut bits = Bits::default();
        let octet = |_| {
            while bits.count < 8 {
                bits.push(digits.next().map_or(0, |digit| digit.cast_unsigned()), DIGIT_BITS);
            }
            bits.pop(8).to_le_bytes()[0]
        };
        let mut octets: Vec<u8> = (0..length).map(octet).collect();
        octets.reverse();
        octets
    }

    /// Two to the power of `exponent`, which has to fit.
    pub(super) fn power_of_two(exponent: usize, length: usize) -> Self {
        let mut digits = vec![0; length];
        let bits = DIGIT_BITS as usize;
        if let Some(digit) = digits.get_mut(exponent / bits) {
            *digit = 1 << (exponent % bits);
        }
        Self(digits)
    }

    /// The number of `digits`, each of either sign and less than 2^30, modulo `modulus`, if it lies between plus and
    /// minus the modulus.
    pub(super) fn from_signed(digits: impl Iterator<Item = i32>, modulus: &Self) -> Self {
        let mut number = Self(digits.collect());
        if number.carry() < 0 {
            number.add(modulus);
        }
        number
    }

    pub(super) fn as_slice(&self) -> &[i32] {
        &self.0
    }

    /// Twice the number modulo `modulus`, for a number less than that, which is less than half of what fits.
    pub(super) fn double(&mut self, modulus: &Self) {
        for digit in &mut self.0 {
            *digit *= 2;
        }
        self.carry();
        if self.0.iter().rev().ge(modulus.0.iter().rev()) {
            for (digit, modulus) in self.0.iter_mut().zip(&modulus.0) {
                *digit -= modulus;
            }
            self.carry();
        }
    }

    fn add(&mut self, other: &Self) {
        for (digit, other) in self.0.iter_mut().zip(&other.0) {
            *digit += other;
        }
        self.carry();
    }

    /// Brings every digit back to 0 to 2^13 - 1; gives what leaves the topmost one: -1 for a negative number.
    fn carry(&mut self) -> i32 {
        let mut carry = 0;
        for digit in &mut self.0 {
            let sum = *digit + carry;
            *digit = sum & (RADIX - 1);
            carry = sum >> DIGIT_BITS;
        }
        carry
    }
}

/// Bits on their way from one width to another, the lowest first.
#[derive(Default)]
struct Bits {
    value: u32,
    count: u32,
}

impl Bits {
    fn push(&mut self, value: u32, count: u32) {
        self.value |= value << self.count;
        self.count += count;
    }

    fn pop(&mut self, count: u32) -> u32 {
        let low = self.value & ((1 << count) - 1);
        self.value >>= count;
        self.count -= count;
        low
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::{BigInt, BigUint};

    use super::*;
    use crate::crypto::rsa::test_numbers::{Random, padded};

    fn digits(number: &BigUint, length: usize) -> Digits {
        Digits::from_octets(&number.to_bytes_be(), length)
    }

    #[test]
    fn octets_become_digits_and_back() {
        let mut random = Random(7);
        for bits in 2..600 {
            let number = random.modulus(bits);
            let digits = digits(&number, bits.div_ceil(13));
            assert!(digits.0.iter().all(|digit| (0..RADIX).contains(digit)));
            let sum = digits.0.iter().rev().fold(BigUint::ZERO, |sum, digit| (sum << 13) + digit.cast_unsigned());
            assert_eq!(sum, number);
            let length = bits.div_ceil(8) + random.below(3);
            assert_eq!(digits.to_octets(length), padded(&number, length));
        }
    }

    #[test]
    fn powers_of_two_double() {
        let mut random = Random(8);
        for bits in 2..300 {
            let modulus = random.modulus(bits);
            let length = (bits + 2).div_ceil(13);
            let mut power = Digits::power_of_two(bits - 1, length);
            for exponent in bits - 1..2 * bits {
                assert_eq!(power, digits(&((BigUint::from(1_u8) << exponent) % &modulus), length));
                power.double(&digits(&modulus, length));
            }
        }
    }

    #[test]
    fn signed_digits_become_the_least_number() {
        let mut random = Random(9);
        let modulus = random.modulus(128);
        for _ in 0..1000 {
            let signed: Vec<i32> =
                (0..10).map(|_| i32::try_from(random.below(9001)).unwrap() - 4500).chain([0]).collect();
            let sum = signed.iter().rev().fold(BigInt::ZERO, |sum, digit| (sum << 13) + digit);
            if sum.magnitude() >= &modulus {
                continue;
            }
            let least = sum.modpow(&BigInt::from(1), &modulus.clone().into());
            let expected = digits(least.magnitude(), 11);
            assert_eq!(Digits::from_signed(signed.into_iter(), &digits(&modulus, 11)), expected);
        }
    }
}
