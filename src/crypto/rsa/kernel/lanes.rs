//! Four lanes of 32 bits, each a digit, a sum, or two digits of 16 bits: as a vector of WebAssembly's `simd128`, and as
//! an array, in code for any machine that does the same.

/// The number of bits of a digit.
pub(super) const DIGIT_BITS: u32 = 13;
/// Half of B = 2^13, which makes a shift round to the nearest.
const HALF: i32 = 1 << (DIGIT_BITS - 1);

/// The operations of the kernel. `product` shows that no sum overflows; where it did, an array would panic in tests.
pub(in crate::crypto::rsa) trait Lanes: Copy {
    fn new(lanes: [i32; 4]) -> Self;

    fn to_array(self) -> [i32; 4];

    fn add(self, other: Self) -> Self;

    fn and(self, other: Self) -> Self;

    /// In each lane, the product of the low halves plus that of the high halves, as signed numbers of 16 bits.
    fn dot(self, other: Self) -> Self;

    /// Each lane in two: -2^12 <= low < 2^12.
    fn split(self) -> Split<Self>;

    /// The lanes of `self` and then of `other` as eight numbers of 16 bits, which they have to be.
    fn narrow(self, other: Self) -> Self;

    /// In each lane, the low half of `self` below the low half of `other`.
    fn interleave(self, other: Self) -> Self;

    /// The topmost lane of `below`, and the lower three of `self`.
    fn up_one(self, below: Self) -> Self;

    /// The upper two lanes of `below`, and the lower two of `self`.
    fn up_two(self, below: Self) -> Self;

    /// The same in each lane.
    fn splat(lane: i32) -> Self;

    fn zero() -> Self {
        Self::new([0; 4])
    }
}

/// `low` + 2^13 `high`.
pub(in crate::crypto::rsa) struct Split<L> {
    pub(super) low: L,
    pub(super) high: L,
}

/// The kernel's lanes on this machine.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(in crate::crypto::rsa) type Native = simd::Simd;
/// The kernel's lanes on this machine.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub(in crate::crypto::rsa) type Native = portable::Portable;

/// Whether there are two kinds of lanes to test.
#[cfg(test)]
pub(in crate::crypto::rsa) const NATIVE_DIFFERS: bool = cfg!(all(target_arch = "wasm32", target_feature = "simd128"));

#[cfg(any(test, not(all(target_arch = "wasm32", target_feature = "simd128"))))]
pub(super) mod portable {
    use super::{DIGIT_BITS, HALF, Lanes, Split};

    /// An array, for machines without `simd128`.
    #[derive(Clone, Copy)]
    pub(in crate::crypto::rsa) struct Portable([i32; 4]);

    impl Portable {
        fn map(self, other: Self, operation: impl Fn(i32, i32) -> i32) -> Self {
            let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
            Self([operation(a, e), operation(b, f), operation(c, g), operation(d, h)])
        }
    }

    /// The low half of a lane, as a signed number.
    const fn low_half(lane: i32) -> i32 {
        lane << 16 >> 16
    }

    impl Lanes for Portable {
        fn new(lanes: [i32; 4]) -> Self {
            Self(lanes)
        }

        fn to_array(self) -> [i32; 4] {
            self.0
        }

        fn add(self, other: Self) -> Self {
            self.map(other, |left, right| left + right)
        }

        fn and(self, other: Self) -> Self {
            self.map(other, |left, right| left & right)
        }

        fn dot(self, other: Self) -> Self {
            self.map(other, |left, right| low_half(left) * low_half(right) + (left >> 16) * (right >> 16))
        }

        fn split(self) -> Split<Self> {
            let high = self.0.map(|lane| (lane + HALF) >> DIGIT_BITS);
            let low = self.map(Self(high), |lane, high| lane - (high << DIGIT_BITS));
            Split { low, high: Self(high) }
        }

        fn narrow(self, other: Self) -> Self {
            let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
            Self([a, c, e, g]).interleave(Self([b, d, f, h]))
        }

        fn interleave(self, other: Self) -> Self {
            self.map(other, |low, high| low & 0xffff | high << 16)
        }

        fn up_one(self, below: Self) -> Self {
            let ([.., last], [a, b, c, _]) = (below.0, self.0);
            Self([last, a, b, c])
        }

        fn up_two(self, below: Self) -> Self {
            let ([.., c, d], [a, b, ..]) = (below.0, self.0);
            Self([c, d, a, b])
        }

        fn splat(lane: i32) -> Self {
            Self([lane; 4])
        }
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd {
    use std::arch::wasm32::{
        i16x8_narrow_i32x4, i32x4, i32x4_add, i32x4_dot_i16x8, i32x4_extract_lane, i32x4_shl, i32x4_shr, i32x4_shuffle,
        i32x4_splat, i32x4_sub, v128, v128_and, v128_or,
    };

    use super::{DIGIT_BITS, HALF, Lanes, Split};

    /// A vector of `simd128`.
    #[derive(Clone, Copy)]
    pub(in crate::crypto::rsa) struct Simd(v128);

    impl Lanes for Simd {
        fn new([a, b, c, d]: [i32; 4]) -> Self {
            Self(i32x4(a, b, c, d))
        }

        fn to_array(self) -> [i32; 4] {
            [
                i32x4_extract_lane::<0>(self.0),
                i32x4_extract_lane::<1>(self.0),
                i32x4_extract_lane::<2>(self.0),
                i32x4_extract_lane::<3>(self.0),
            ]
        }

        fn add(self, other: Self) -> Self {
            Self(i32x4_add(self.0, other.0))
        }

        fn and(self, other: Self) -> Self {
            Self(v128_and(self.0, other.0))
        }

        fn dot(self, other: Self) -> Self {
            Self(i32x4_dot_i16x8(self.0, other.0))
        }

        fn split(self) -> Split<Self> {
            let high = i32x4_shr(i32x4_add(self.0, i32x4_splat(HALF)), DIGIT_BITS);
            Split { low: Self(i32x4_sub(self.0, i32x4_shl(high, DIGIT_BITS))), high: Self(high) }
        }

        fn narrow(self, other: Self) -> Self {
            Self(i16x8_narrow_i32x4(self.0, other.0))
        }

        fn interleave(self, other: Self) -> Self {
            Self(v128_or(v128_and(self.0, i32x4_splat(0xffff)), i32x4_shl(other.0, 16)))
        }

        fn up_one(self, below: Self) -> Self {
            Self(i32x4_shuffle::<3, 4, 5, 6>(below.0, self.0))
        }

        fn up_two(self, below: Self) -> Self {
            Self(i32x4_shuffle::<2, 3, 4, 5>(below.0, self.0))
        }

        fn splat(lane: i32) -> Self {
            Self(i32x4_splat(lane))
        }
    }
}

#[cfg(test)]
#[path = "lanes_tests.rs"]
mod tests;
