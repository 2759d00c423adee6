//! The reference for `kernel`: powers modulo an odd number, by Montgomery multiplication on digits of 32 bits, the plain
//! way.
//!
//! Let N be the modulus, L its number of digits, W = 2^32 and R = W^L. For a, b < N, [`Montgomery::multiply`] gives
//! abR^-1 mod N, digit by digit of b (CIOS, "coarsely integrated operand scanning"): from t = 0, each digit d of b makes
//!
//! ```text
//!     t <- (t + a d + m N) / W      with m = (t + a d) n' mod W,  n' = -N^-1 mod W
//! ```
//!
//! where m makes the sum divisible by W, so that the division is exact. Bounds:
//!
//! - t < 2N is kept: (2N - 1 + (W-1)(N-1) + (W-1)N) / W < 2N. So t has L digits and one bit, `carry`; and one
//!   subtraction of N at the end makes it less than N.
//! - A step of the inner loop adds a digit, a product of two digits and a carried digit:
//!   (W-1) + (W-1)^2 + (W-1) = W^2 - 1, which just fits 64 bits. It does so twice, once for a d and once for m N.
//! - The two carries and the bit add up to at most 2(W-1) + 1; as t < 2N < 2R, what leaves the topmost digit is one bit.
//!
//! Everything here is public, so it may take variable time. Digits are stored from the least to the most significant.

/// A modulus with what its multiplications need.
pub(super) struct Montgomery {
    /// N, L digits.
    modulus: Vec<u32>,
    /// n' = -N^-1 mod W.
    negated_inverse: u32,
    /// R^2 mod N.
    r_squared: Vec<u32>,
}

impl Montgomery {
    /// Prepares for `modulus`: big-endian, odd, more than 1, without leading zero octets.
    pub(super) fn new(modulus: &[u8]) -> Self {
        let modulus = digits(modulus);
        let negated_inverse = negated_inverse(modulus.first().copied().unwrap_or(1));
        let mut kernel = Self { modulus, negated_inverse, r_squared: Vec::new() };
        kernel.r_squared = kernel.square_of_r();
        kernel
    }

    /// `base`^`exponent` mod N, big-endian, as long as `base`; which is big-endian, as long as the modulus in octets
    /// and less than it. `exponent` is odd, more than 1.
    ///
    /// From left to right: x <- x^2, and x <- x·base for every 1 bit. The last bit is 1, and there the factor is the
    /// plain base instead of its Montgomery form, which takes the R out of x without a multiplication of its own.
    pub(super) fn power(&self, base: &[u8], exponent: u64) -> Vec<u8> {
        let plain = digits(base);
        let mut scratch = self.zero();
        let mut inner = self.zero();
        self.multiply(&plain, &self.r_squared, &mut inner);
        let montgomery = inner.clone();
        for position in (0..exponent.ilog2()).rev() {
            self.multiply(&inner, &inner, &mut scratch);
            std::mem::swap(&mut inner, &mut scratch);
            if exponent >> position & 1 == 1 {
                self.multiply(&inner, if position == 0 { &plain } else { &montgomery }, &mut scratch);
                std::mem::swap(&mut inner, &mut scratch);
            }
        }
        octets(&inner, base.len())
    }

    /// R^2 mod N: from the Montgomery form of 1, which is R mod N, to that of 2^L by L doublings, and to that of
    /// (2^L)^32 = R by five squarings.
    fn square_of_r(&self) -> Vec<u32> {
        let mut power = self.r();
        for _ in 0..self.modulus.len() {
            self.double(&mut power);
        }
        let mut square = self.zero();
        for _ in 0..5 {
            self.multiply(&power, &power, &mut square);
            std::mem::swap(&mut power, &mut square);
        }
        power
    }

    /// R mod N, by doublings of the greatest power of two in N. That is less than N, as N is odd and not 1.
    fn r(&self) -> Vec<u32> {
        let mut power = self.zero();
        let leading_zeros = self.modulus.last().map_or(0, |digit| digit.leading_zeros());
        if let Some(top) = power.last_mut() {
            *top = (1 << 31) >> leading_zeros;
        }
        for _ in 0..=leading_zeros {
            self.double(&mut power);
        }
        power
    }

    fn zero(&self) -> Vec<u32> {
        vec![0; self.modulus.len()]
    }

    /// `value` <- 2 `value` mod N, for a value < N.
    fn double(&self, value: &mut [u32]) {
        let mut carry = 0;
        for digit in value.iter_mut() {
            (*digit, carry) = (*digit << 1 | carry, *digit >> 31);
        }
        self.reduce(value, carry);
    }

    /// `product` <- `left` · `right` · R^-1 mod N, for factors < N of L digits each.
    fn multiply(&self, left: &[u32], right: &[u32], product: &mut [u32]) {
        product.fill(0);
        let carry = right.iter().fold(0, |carry, digit| self.multiply_step(left, *digit, product, carry));
        self.reduce(product, carry);
    }

    /// `total` <- (`total` + `left` · `digit` + m N) / W, where `carry` is the bit above `total`; gives the new one.
    fn multiply_step(&self, left: &[u32], digit: u32, total: &mut [u32], carry: u32) -> u32 {
        let mut factors = left.iter().zip(&self.modulus);
        let mut cells = total.iter_mut();
        let (Some((first, modulus)), Some(mut below)) = (factors.next(), cells.next()) else { return 0 };
        let (low, mut carry_left) = multiply_add(*first, digit, *below, 0);
        let m = low.wrapping_mul(self.negated_inverse);
        let (_zero, mut carry_modulus) = multiply_add(*modulus, m, low, 0);
        for ((left, modulus), cell) in factors.zip(cells) {
            let sum;
            (sum, carry_left) = multiply_add(*left, digit, *cell, carry_left);
            (*below, carry_modulus) = multiply_add(*modulus, m, sum, carry_modulus);
            below = cell;
        }
        let top;
        (*below, top) = halves(u64::from(carry_left) + u64::from(carry_modulus) + u64::from(carry));
        top
    }

    /// `value` <- `value` mod N, where `carry` is the bit above `value`, and both together are less than 2N.
    fn reduce(&self, value: &mut [u32], carry: u32) {
        if carry == 0 && value.iter().rev().lt(self.modulus.iter().rev()) {
            return;
        }
        let mut borrow = false;
        for (digit, modulus) in value.iter_mut().zip(&self.modulus) {
            let (difference, first) = digit.overflowing_sub(*modulus);
            let (difference, second) = difference.overflowing_sub(u32::from(borrow));
            (*digit, borrow) = (difference, first || second);
        }
    }
}

/// `left` · `right` + `addend` + `carry`, as its low and its high digit: (W-1)^2 + 2(W-1) = W^2 - 1.
#[inline]
fn multiply_add(left: u32, right: u32, addend: u32, carry: u32) -> (u32, u32) {
    halves(u64::from(left) * u64::from(right) + u64::from(addend) + u64::from(carry))
}

/// The low and the high digit.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "the low half is what is asked for, and the high one fits")]
const fn halves(value: u64) -> (u32, u32) {
    (value as u32, (value >> 32) as u32)
}

/// -`odd`^-1 mod 2^32. Every odd number is its own inverse modulo 8, and each step of Newton's method doubles the number
/// of bits that are right: 3, 6, 12, 24, 48.
fn negated_inverse(odd: u32) -> u32 {
    let refine = |inverse: u32, _| inverse.wrapping_mul(2_u32.wrapping_sub(odd.wrapping_mul(inverse)));
    (0..4).fold(odd, refine).wrapping_neg()
}

/// The digits of a big-endian number.
fn digits(octets: &[u8]) -> Vec<u32> {
    octets.rchunks(4).map(|chunk| chunk.iter().fold(0, |digit, octet| digit << 8 | u32::from(*octet))).collect()
}

/// The `length` lowest octets of a number, big-endian.
fn octets(digits: &[u32], length: usize) -> Vec<u8> {
    let mut octets: Vec<u8> = digits.iter().flat_map(|digit| digit.to_le_bytes()).take(length).collect();
    octets.reverse();
    octets
}

#[cfg(test)]
#[path = "montgomery_tests.rs"]
mod tests;
