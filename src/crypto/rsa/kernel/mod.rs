//! Powers modulo an odd number, by Montgomery multiplication on vectors of signed digits of 13 bits.
//!
//! Let N be the modulus, n its number of digits, B = 2^13 and R = B^n > 4N, and N' = -N^-1 mod R. From x and y,
//! [`Workspace`] makes a number that is xyR^-1 modulo N:
//!
//! ```text
//!     T = x y        q = T N' mod R        X = T + q N        X / R
//! ```
//!
//! where T + T N' N = 0 modulo R makes the division exact. Why the outcome is right, and fits:
//!
//! - Digits lie between -D and D, D = 2^12 + 2^8, as `product` shows. So the digits below some B^m make a number of at
//!   most D (B^m - 1) / (B - 1) < 0.54 B^m. Call this the tail bound.
//! - |x|, |y| <= N is kept: |T| <= N^2 < NR / 4 and |q| < 0.54 R, so |X / R| < 0.25 N + 0.54 N < N.
//! - The digits of T from B^2n on, which are dropped, are all zero: they make a multiple of B^2n = R^2, which differs
//!   from T by less than 0.54 R^2, while |T| < R^2 / 16. So it is with X / R, n digits, and |X / R| < N < R / 4.
//! - The digits of X below R need not be known to divide by R: they make a multiple of R, as X does, of less than
//!   0.54 R, and that is 0. So X / R is what its other digits make. What the columns below R carry into them comes from
//!   the two columns just below, as each of two rounds carries by one column; a chunk of eight is computed.
//!
//! The same argument makes dropping digits sound wherever a number that is known to be less than R / 4 is converted.
//! Everything here is public, so it may take variable time. Digits are stored from the least to the most significant.

#![allow(clippy::many_single_char_names, reason = "the lanes of a vector, and digits, have letters for names")]
#![allow(clippy::inline_always, reason = "the kernel is one loop, whatever the linker's limit for inlining")]

mod digits;
mod lanes;
mod product;

use self::digits::Digits;
use self::lanes::{DIGIT_BITS, Lanes, Native};
use self::product::{Pairs, Staggered};

/// The largest modulus, in bits, for which `product` keeps its bounds.
pub(super) const MAX_BITS: usize = 8192;

/// The digits that fill a chunk of pairs.
const CHUNK_DIGITS: usize = 8;
const CHUNK_BITS: usize = CHUNK_DIGITS * DIGIT_BITS as usize;

/// A modulus with what its multiplications need.
pub(super) struct Modulus<L = Native> {
    /// n / 8.
    chunks: usize,
    /// N, digit by digit.
    digits: Digits,
    /// N, to be multiplied.
    factor: Staggered<L>,
    /// N'.
    inverse: Staggered<L>,
    /// R^2 mod N.
    r_squared: Pairs,
}

impl<L: Lanes> Modulus<L> {
    /// Prepares for `modulus`: big-endian, odd, more than 1, without leading zero octets, of [`MAX_BITS`] at most.
    pub(super) fn new(modulus: &[u8]) -> Self {
        let bits = super::bits(modulus);
        let chunks = (bits + 2).div_ceil(CHUNK_BITS);
        let digits = Digits::from_octets(modulus, CHUNK_DIGITS * chunks);
        let blocks = blocks(&digits);
        let factor = Staggered::of(&blocks);
        let inverse = Staggered::of(&negated_inverse(&blocks, &factor));
        let mut kernel = Self { chunks, digits, factor, inverse, r_squared: Pairs::new(chunks) };
        kernel.r_squared = kernel.square_of_r(bits);
        kernel
    }

    /// `base`^`exponent` mod N, big-endian, as long as `base`; which is big-endian, as long as the modulus in octets
    /// and less than it. `exponent` is odd, more than 1.
    ///
    /// From left to right: x <- x^2, and x <- x·base for every 1 bit. The last bit is 1, and there the factor is the
    /// plain base instead of its Montgomery form, which takes the R out of x without a multiplication of its own.
    pub(super) fn power(&self, base: &[u8], exponent: u64) -> Vec<u8> {
        let digits = blocks(&Digits::from_octets(base, CHUNK_DIGITS * self.chunks));
        let plain = Pairs::of(&digits);
        let mut x = Workspace::new(&digits);
        x.multiply(&self.r_squared, self);
        let montgomery = Pairs::of(x.value());
        for position in (0..exponent.ilog2()).rev() {
            x.square(self);
            if exponent >> position & 1 == 1 {
                x.multiply(if position == 0 { &plain } else { &montgomery }, self);
            }
        }
        let signed = x.value().iter().flat_map(|block| block.to_array());
        Digits::from_signed(signed, &self.digits).to_octets(base.len())
    }

    /// R^2 mod N: by doublings to R 2^j mod N, the Montgomery form of 2^j, and by k squarings to that of
    /// (2^j)^(2^k) = R.
    fn square_of_r(&self, bits: usize) -> Pairs {
        let r_bits = CHUNK_BITS * self.chunks;
        let squarings = r_bits.trailing_zeros();
        // The greatest power of two in N is less than N, as N is odd and not 1.
        let mut power = Digits::power_of_two(bits - 1, CHUNK_DIGITS * self.chunks);
        for _ in bits - 1..r_bits + (r_bits >> squarings) {
            power.double(&self.digits);
        }
        let mut x = Workspace::new(&blocks(&power));
        for _ in 0..squarings {
            x.square(self);
        }
        Pairs::of(x.value())
    }
}

/// A number x, |x| <= N, and the room for its multiplications.
struct Workspace<L> {
    chunks: usize,
    /// X in the end: a chunk of digits below R, which stand for 0, and x above.
    sum: Vec<L>,
    /// T, and a chunk of zeros above.
    product: Vec<L>,
    pairs: Pairs,
    doubled: Pairs,
    staggered: Staggered<L>,
}

impl<L: Lanes> Workspace<L> {
    fn new(value: &[L]) -> Self {
        let chunks = value.len() / 2;
        let zeros = |chunks| vec![L::zero(); 2 * chunks];
        Self {
            chunks,
            sum: [&zeros(1), value, &zeros(1)].concat(),
            product: zeros(2 * chunks + 1),
            pairs: Pairs::new(chunks),
            doubled: Pairs::new(chunks),
            staggered: Staggered::new(chunks),
        }
    }

    #[inline(always)]
    fn value(&self) -> &[L] {
        value(&self.sum, self.chunks)
    }

    /// x <- x^2 R^-1 modulo N.
    #[inline(always)]
    fn square(&mut self, modulus: &Modulus<L>) {
        let value = value(&self.sum, self.chunks);
        self.pairs.set(value);
        self.doubled.set_doubled(value);
        self.staggered.set(value);
        product::square(&self.pairs, &self.doubled, &self.staggered, &mut self.product);
        self.reduce(modulus);
    }

    /// x <- x · `factor` · R^-1 modulo N.
    #[inline(always)]
    fn multiply(&mut self, factor: &Pairs, modulus: &Modulus<L>) {
        self.staggered.set(value(&self.sum, self.chunks));
        product::multiply(factor, &self.staggered, &mut self.product);
        self.reduce(modulus);
    }

    /// From T to X.
    #[inline(always)]
    fn reduce(&mut self, modulus: &Modulus<L>) {
        self.pairs.set(&self.product);
        product::multiply_low(&self.pairs, &modulus.inverse, &mut self.sum);
        self.pairs.set(&self.sum);
        product::multiply_add_high(&self.pairs, &modulus.factor, &self.product, &mut self.sum);
    }
}

/// The blocks of x in those of X.
#[inline(always)]
fn value<L>(sum: &[L], chunks: usize) -> &[L] {
    sum.get(2..).and_then(|upper| upper.get(..2 * chunks)).unwrap_or_default()
}

/// N' = -N^-1 mod R. Each step of Newton's method doubles the number of digits that are right: with Nx = -1 + e,
/// Nx (2 + Nx) = -1 + e^2.
fn negated_inverse<L: Lanes>(digits: &[L], modulus: &Staggered<L>) -> Vec<L> {
    let mut inverse = vec![L::zero(); digits.len()];
    let mut factor = inverse.clone();
    set_lowest(&mut inverse, |_| negated_inverse_of_digit(lowest(digits)));
    let mut right = 1;
    while right < 4 * digits.len() {
        let pairs = Pairs::of(&inverse);
        product::multiply_low(&pairs, modulus, &mut factor);
        set_lowest(&mut factor, |digit| digit + 2);
        product::multiply_low(&pairs, &Staggered::of(&factor), &mut inverse);
        right *= 2;
    }
    inverse
}

fn lowest<L: Lanes>(digits: &[L]) -> i32 {
    digits.first().map_or(0, |block| block.to_array()[0])
}

fn set_lowest<L: Lanes>(digits: &mut [L], change: impl FnOnce(i32) -> i32) {
    if let Some(block) = digits.first_mut() {
        let [lowest, a, b, c] = block.to_array();
        *block = L::new([change(lowest), a, b, c]);
    }
}

/// -`odd`^-1 mod B, from -2^12 to 2^12 - 1. Every odd number is its own inverse modulo 8, and each step of Newton's
/// method doubles the number of bits that are right: 3, 6, 12, 24.
fn negated_inverse_of_digit(odd: i32) -> i32 {
    let refine = |inverse: i32, _| inverse.wrapping_mul(2_i32.wrapping_add(odd.wrapping_mul(inverse)));
    let inverse = (0..3).fold(odd.wrapping_neg(), refine);
    let unused = i32::BITS - DIGIT_BITS;
    inverse << unused >> unused
}

/// The digits of a number less than R / 4, moved to -2^12 to 2^12.
fn blocks<L: Lanes>(digits: &Digits) -> Vec<L> {
    let mut below = L::zero();
    let balanced = |lanes: &[i32; 4]| {
        let split = L::new(*lanes).split();
        let block = split.low.add(split.high.up_one(below));
        below = split.high;
        block
    };
    digits.as_slice().as_chunks().0.iter().map(balanced).collect()
}

#[cfg(test)]
mod tests;
