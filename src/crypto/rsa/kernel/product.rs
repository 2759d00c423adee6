//! Products of numbers whose digits lie in the lanes of vectors.
//!
//! With a and b of n digits, column k of their product is the sum of all `a_i b_k-i`. `dot` adds two of these in each of
//! four columns: two digits of a in every lane, [`Pairs`], times two digits of b that move up with the column,
//! [`Staggered`].
//!
//! ```text
//!     columns         4t              4t+1            4t+2            4t+3
//!     pair i          a_2i   a_2i+1 | a_2i   a_2i+1 | a_2i   a_2i+1 | a_2i   a_2i+1
//!     stagger 2t-i    b_2j   b_2j-1 | b_2j+1 b_2j   | b_2j+2 b_2j+1 | b_2j+3 b_2j+2       with j = 2t - i
//! ```
//!
//! So the block t of four columns is the sum of pair i · stagger 2t - i over all i. Pairs and staggers are taken in
//! chunks of four, which stand for eight digits, and blocks in groups of four: the group g begins with block 2g, and in
//! it chunk u of the pairs meets the chunks g-u-1, g-u and g-u+1 of the staggers.
//!
//! Bounds, for digits between -D and D with D = 2^12 + 2^8, and moduli of 8192 bits at most, which have 79 chunks:
//!
//! - A sum takes [`RUN`] = 14 chunks of pairs, 112 products: 112 D^2 is less than 2^31 - 2^12, so that it fits a lane, and
//!   may be rounded there. In a square, where a product is of twice the value, it takes [`RUN_OF_DOUBLED`] = 6 chunks, and
//!   the diagonal, which is as much as a seventh at most.
//! - [`Group`] splits each sum into low + 2^13 high with |low| <= 2^12 and |high| <= 2^18, and adds up to seven such, and
//!   for X = T + qN a digit of T: six runs of 14 for 79 chunks, or seven runs of 6 for the 40 chunks that a square takes
//!   at most.
//! - [`Carry`] adds to each column the high part of the one below: at most 7 (2^12 + 2^18) + D. It splits that again,
//!   with |low| <= 2^12 and |high| <= 228, and adds again: less than D, even with two more.

use std::ops::Range;

use super::lanes::{Lanes, Split};

/// Chunks of pairs in one sum.
const RUN: usize = 14;
/// The same of doubled pairs, where the diagonal has room too.
const RUN_OF_DOUBLED: usize = 6;

/// Chunks of zeros below and above the staggers of a number: as far as a group reaches.
const MARGIN: usize = 2;

/// The bounds above.
const _: () = {
    let digit = (1 << 12) + (1 << 8);
    assert!(8 * RUN * digit * digit < (1 << 31) - (1 << 12) && 2 * (RUN_OF_DOUBLED + 1) <= RUN);
    let chunks = (super::MAX_BITS + 2).div_ceil(super::CHUNK_BITS);
    assert!(chunks.div_ceil(RUN) <= 7 && chunks.div_ceil(2).div_ceil(RUN_OF_DOUBLED) <= 7);
    let column = 7 * ((1 << 12) + (1 << 18)) + digit;
    assert!((column + (1 << 12)) >> 13 <= (1 << 8) - 2);
};

/// A number as the left factor: chunks of pairs, each pair to be loaded into all lanes of a vector.
pub(super) struct Pairs(Vec<[i32; 4]>);

impl Pairs {
    #[inline(always)]
    pub(super) fn new(chunks: usize) -> Self {
        Self(vec![[0; 4]; chunks])
    }

    /// The number of these digits, four to a vector.
    pub(super) fn of<L: Lanes>(digits: &[L]) -> Self {
        let mut pairs = Self::new(digits.len() / 2);
        pairs.set(digits);
        pairs
    }

    /// Takes as many digits as there is room for.
    #[inline(always)]
    pub(super) fn set<L: Lanes>(&mut self, digits: &[L]) {
        for (chunk, [low, high]) in self.0.iter_mut().zip(digits.as_chunks().0) {
            *chunk = low.narrow(*high).to_array();
        }
    }

    /// Takes twice each digit.
    #[inline(always)]
    pub(super) fn set_doubled<L: Lanes>(&mut self, digits: &[L]) {
        for (chunk, [low, high]) in self.0.iter_mut().zip(digits.as_chunks().0) {
            *chunk = low.add(*low).narrow(high.add(*high)).to_array();
        }
    }

    /// The pairs of a chunk, each in a vector.
    #[inline(always)]
    fn chunk<L: Lanes>(&self, index: usize) -> [L; 4] {
        splats(self.0.get(index).unwrap_or(&[0; 4]))
    }
}

#[inline(always)]
fn splats<L: Lanes>(pairs: &[i32; 4]) -> [L; 4] {
    let [a, b, c, d] = pairs;
    [L::splat(*a), L::splat(*b), L::splat(*c), L::splat(*d)]
}

/// A number as the right factor: in each vector a stagger.
pub(super) struct Staggered<L>(Vec<L>);

impl<L: Lanes> Staggered<L> {
    #[inline(always)]
    pub(super) fn new(chunks: usize) -> Self {
        Self(vec![L::zero(); 4 * (chunks + 2 * MARGIN)])
    }

    /// The number of these digits, four to a vector.
    pub(super) fn of(digits: &[L]) -> Self {
        let mut staggered = Self::new(digits.len() / 2);
        staggered.set(digits);
        staggered
    }

    /// Takes as many digits as there were at first.
    #[inline(always)]
    pub(super) fn set(&mut self, digits: &[L]) {
        let (mut below, mut even_below) = (L::zero(), L::zero());
        // From stagger -1 to the one after the last: both hold a digit.
        let staggers = self.0.get_mut(4 * MARGIN - 1..).unwrap_or_default().as_chunks_mut().0;
        for (staggers, block) in staggers.iter_mut().zip(digits.iter().copied().chain([L::zero()])) {
            let even = block.interleave(block.up_one(below));
            *staggers = [even.up_two(even_below), even];
            (below, even_below) = (block, even);
        }
    }

    /// What the chunks `pairs` meet in a group.
    #[inline(always)]
    fn window(&self, group: usize, pairs: &Range<usize>) -> &[[L; 4]] {
        let first = (group + MARGIN).saturating_sub(pairs.end);
        let last = (group + MARGIN + 1).saturating_sub(pairs.start);
        self.0.as_chunks().0.get(first..=last).unwrap_or_default()
    }
}

/// `product` <- `left` · `right`, twice as many digits.
pub(super) fn multiply<L: Lanes>(left: &Pairs, right: &Staggered<L>, product: &mut [L]) {
    let chunks = left.0.len();
    let mut carry = Carry::new();
    for (group, blocks) in (0..2 * chunks).step_by(2).zip(product.as_chunks_mut().0) {
        *blocks = carry.digits(&Group::of_products(group, left, right));
    }
}

/// `product` <- `left` · `right` modulo R, and perhaps a chunk above that means nothing.
pub(super) fn multiply_low<L: Lanes>(left: &Pairs, right: &Staggered<L>, product: &mut [L]) {
    let chunks = left.0.len();
    let mut carry = Carry::new();
    for (group, blocks) in (0..chunks).step_by(2).zip(product.chunks_mut(4)) {
        let columns = Group::of_products(group, left, right);
        for (block, digits) in blocks.iter_mut().zip(carry.digits(&columns)) {
            *block = digits;
        }
    }
}

/// `sum` <- `addend` + `left` · `right`, from the topmost chunk below R on.
pub(super) fn multiply_add_high<L: Lanes>(left: &Pairs, right: &Staggered<L>, addend: &[L], sum: &mut [L]) {
    let chunks = left.0.len();
    let lowest = chunks.saturating_sub(1);
    let addends = addend.get(2 * lowest..).unwrap_or_default().as_chunks().0;
    let mut carry = Carry::new();
    for ((group, addend), blocks) in (lowest..2 * chunks).step_by(2).zip(addends).zip(sum.as_chunks_mut().0) {
        let mut columns = Group::of_products(group, left, right);
        columns.add_digits(addend);
        *blocks = carry.digits(&columns);
    }
}

/// `product` <- the square of the number of `pairs`, `doubled` and `staggered`: of the products of two different
/// digits, which come twice, one is taken and counts twice.
pub(super) fn square<L: Lanes>(pairs: &Pairs, doubled: &Pairs, staggered: &Staggered<L>, product: &mut [L]) {
    let chunks = pairs.0.len();
    let mut carry = Carry::new();
    for (group, blocks) in (0..2 * chunks).step_by(2).zip(product.as_chunks_mut().0) {
        let diagonal = diagonal(pairs, doubled, staggered, group / 2);
        let below = reach(group, chunks).start..group / 2;
        let columns = Group::of_runs(diagonal, group, doubled, below, staggered, RUN_OF_DOUBLED);
        *blocks = carry.digits(&columns);
    }
}

/// What the chunks below u leave to be added in the group 2u of a square. In block 4u + r, which is symmetric about pair
/// 4u + r, these are the pairs from 4u up to that one, and of that one, a a', with the digits b b' above it:
/// aa | 2aa' | 2ab + a'a' | 2ab' + 2a'b.
#[inline(always)]
fn diagonal<L: Lanes>(pairs: &Pairs, doubled: &Pairs, staggered: &Staggered<L>, chunk: usize) -> [L; 4] {
    let once = L::new([0xffff, 0, -1 << 16, 0]);
    let twice = L::new([0, 0xffff, 0xffff, -1]);
    let middle = |pair: L, doubled: L, stagger: L| pair.dot(stagger.and(once)).add(doubled.dot(stagger.and(twice)));
    let window = staggered.window(2 * chunk, &(chunk..chunk + 1));
    let [_, [e, f, g, h], [i, j, k, _]] = window else { return [L::zero(); 4] };
    let [a, b, c, d]: [L; 4] = pairs.chunk(chunk);
    let [aa, bb, cc, dd]: [L; 4] = doubled.chunk(chunk);
    [
        middle(a, aa, *e),
        middle(b, bb, *f).add(aa.dot(*g)),
        middle(c, cc, *g).add(bb.dot(*h)).add(aa.dot(*i)),
        middle(d, dd, *h).add(cc.dot(*i)).add(bb.dot(*j)).add(aa.dot(*k)),
    ]
}

/// The chunks of pairs that contribute to a group, if both factors have so many chunks.
#[inline(always)]
fn reach(group: usize, chunks: usize) -> Range<usize> {
    group.saturating_sub(chunks)..chunks.min(group + 2)
}

/// Four blocks of columns on their way to be digits: low + 2^13 high.
struct Group<L> {
    low: [L; 4],
    high: [L; 4],
}

impl<L: Lanes> Group<L> {
    /// All that the product of `pairs` and `staggered` has in these columns.
    #[inline(always)]
    fn of_products(group: usize, pairs: &Pairs, staggered: &Staggered<L>) -> Self {
        Self::of_runs([L::zero(); 4], group, pairs, reach(group, pairs.0.len()), staggered, RUN)
    }

    /// `first`, and what some chunks of pairs contribute, at most `run` of them in a sum. Mostly one sum has room for all.
    #[inline(always)]
    fn of_runs(
        first: [L; 4],
        group: usize,
        pairs: &Pairs,
        reach: Range<usize>,
        staggered: &Staggered<L>,
        run: usize,
    ) -> Self {
        let sums_from = |first, start| {
            let chunks = start..reach.end.min(start + run);
            sums(first, pairs.0.get(chunks.clone()).unwrap_or_default(), staggered.window(group, &chunks))
        };
        let mut columns = Self::of(sums_from(first, reach.start));
        let mut start = reach.start + run;
        while start < reach.end {
            columns.add(sums_from([L::zero(); 4], start));
            start += run;
        }
        columns
    }

    #[inline(always)]
    fn of(sums: [L; 4]) -> Self {
        let splits = sums.map(L::split);
        Self { low: splits.each_ref().map(|split| split.low), high: splits.each_ref().map(|split| split.high) }
    }

    #[inline(always)]
    fn add(&mut self, sums: [L; 4]) {
        for ((low, high), sum) in self.low.iter_mut().zip(&mut self.high).zip(sums) {
            let split = sum.split();
            *low = low.add(split.low);
            *high = high.add(split.high);
        }
    }

    #[inline(always)]
    fn add_digits(&mut self, digits: &[L; 4]) {
        for (low, digits) in self.low.iter_mut().zip(digits) {
            *low = low.add(*digits);
        }
    }
}

/// The sums, in the four blocks of a group, of the products of chunks of pairs with the chunks of staggers they meet.
#[inline(always)]
fn sums<L: Lanes>(first: [L; 4], pairs: &[[i32; 4]], staggers: &[[L; 4]]) -> [L; 4] {
    let mut sums = first;
    for (pairs, window) in pairs.iter().rev().zip(staggers.windows(3)) {
        let [[_, a, b, c], [d, e, f, g], [h, i, j, _]] = window else { continue };
        let pairs = splats(pairs);
        let [block0, block1, block2, block3] = sums;
        sums = [
            add_dots(block0, pairs, [*d, *c, *b, *a]),
            add_dots(block1, pairs, [*f, *e, *d, *c]),
            add_dots(block2, pairs, [*h, *g, *f, *e]),
            add_dots(block3, pairs, [*j, *i, *h, *g]),
        ];
    }
    sums
}

#[inline(always)]
fn add_dots<L: Lanes>(sum: L, pairs: [L; 4], staggers: [L; 4]) -> L {
    let ([a, b, c, d], [e, f, g, h]) = (pairs, staggers);
    sum.add(a.dot(e)).add(b.dot(f)).add(c.dot(g)).add(d.dot(h))
}

/// Makes digits of columns, block after block from the lowest, in two rounds: each column keeps what is left of it, and
/// hands the rest to the one above.
struct Carry<L> {
    first: L,
    second: L,
}

impl<L: Lanes> Carry<L> {
    #[inline(always)]
    fn new() -> Self {
        Self { first: L::zero(), second: L::zero() }
    }

    #[inline(always)]
    fn digits(&mut self, group: &Group<L>) -> [L; 4] {
        let mut blocks = group.low;
        for (block, first) in blocks.iter_mut().zip(group.high) {
            let Split { low, high: second } = block.add(first.up_one(self.first)).split();
            *block = low.add(second.up_one(self.second));
            *self = Self { first, second };
        }
        blocks
    }
}

#[cfg(test)]
#[path = "product_tests.rs"]
mod tests;
