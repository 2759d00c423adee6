//! Products digit by digit: with the largest digits that there may be, and with random ones.

use num_bigint::BigInt;

use super::*;
use crate::crypto::rsa::kernel::lanes::portable::Portable;
use crate::crypto::rsa::kernel::lanes::{NATIVE_DIFFERS, Native};
use crate::crypto::rsa::test_numbers::{Random, random_cases};

const LARGEST: i32 = (1 << 12) + (1 << 8);

fn vectors<L: Lanes>(digits: &[i32]) -> Vec<L> {
    digits.as_chunks().0.iter().map(|lanes| L::new(*lanes)).collect()
}

/// The digits, which have to be within their bound.
fn digits<L: Lanes>(vectors: &[L]) -> Vec<i32> {
    let digits: Vec<i32> = vectors.iter().flat_map(|vector| vector.to_array()).collect();
    assert!(digits.iter().all(|digit| digit.abs() <= LARGEST));
    digits
}

/// The number that these columns or digits make.
fn value(columns: impl DoubleEndedIterator<Item = i64>) -> BigInt {
    columns.rev().fold(BigInt::ZERO, |value, column| (value << 13) + column)
}

fn value_of_digits<L: Lanes>(vectors: &[L]) -> BigInt {
    value(digits(vectors).into_iter().map(i64::from))
}

/// Column by column, as at school.
fn columns(left: &[i32], right: &[i32]) -> Vec<i64> {
    let mut columns = vec![0; left.len() + right.len()];
    for (index, left) in left.iter().enumerate() {
        for (column, right) in columns[index..].iter_mut().zip(right) {
            *column += i64::from(*left) * i64::from(*right);
        }
    }
    columns
}

/// Whether the numbers agree in so many digits.
fn assert_congruent(left: &BigInt, right: &BigInt, digits: usize) {
    assert_eq!((left - right) % (BigInt::from(1) << (13 * digits)), BigInt::ZERO);
}

fn check<L: Lanes>(left: &[i32], right: &[i32], addend: &[i32]) {
    let length = left.len();
    let columns = columns(left, right);
    let expected = value(columns.iter().copied());
    let (pairs, staggered) = (Pairs::of(&vectors::<L>(left)), Staggered::of(&vectors::<L>(right)));

    let mut product = vec![L::zero(); length / 2];
    multiply(&pairs, &staggered, &mut product);
    assert_congruent(&value_of_digits(&product), &expected, 2 * length);

    let mut low = vec![L::zero(); length / 4];
    multiply_low(&pairs, &staggered, &mut low);
    assert_congruent(&value_of_digits(&low), &expected, length);

    let mut sum = vec![L::zero(); length / 4 + 4];
    multiply_add_high(&pairs, &staggered, &vectors::<L>(&[addend, &[0; 8]].concat()), &mut sum);
    let total = expected + value(addend.iter().copied().map(i64::from));
    check_high(&value_of_digits(&sum[2..2 + length / 4]), &total, length);
}

/// Whether `high` R lies within the tail bound of `total`, modulo R^2.
fn check_high(high: &BigInt, total: &BigInt, length: usize) {
    let r = BigInt::from(1) << (13 * length);
    let r_squared = &r * &r;
    let bound = &r * 54 / 100;
    let tail: BigInt = total - high * &r + &bound;
    // `modpow` gives the least number that is not negative.
    assert!(tail.modpow(&BigInt::from(1), &r_squared) <= bound * 2);
}

fn check_square<L: Lanes>(root: &[i32]) {
    let vectors = vectors::<L>(root);
    let mut doubled = Pairs::new(root.len() / 8);
    doubled.set_doubled(&vectors);
    let mut product = vec![L::zero(); root.len() / 2];
    square(&Pairs::of(&vectors), &doubled, &Staggered::of(&vectors), &mut product);
    assert_congruent(&value_of_digits(&product), &value(columns(root, root).into_iter()), 2 * root.len());
}

fn check_all<L: Lanes>(left: &[i32], right: &[i32], addend: &[i32]) {
    check::<L>(left, right, addend);
    check_square::<L>(left);
    check_square::<L>(right);
}

fn check_everywhere(left: &[i32], right: &[i32], addend: &[i32]) {
    check_all::<Portable>(left, right, addend);
    if NATIVE_DIFFERS {
        check_all::<Native>(left, right, addend);
    }
}

/// Digits at their bound, of every length that a modulus may have.
#[test]
fn the_largest_digits_fit() {
    let patterns: [fn(usize) -> i32; 6] = [
        |_| LARGEST,
        |_| -LARGEST,
        |index| if index % 2 == 0 { LARGEST } else { -LARGEST },
        |index| if index % 3 == 0 { LARGEST } else { -LARGEST },
        |index| if index % 16 < 8 { LARGEST } else { 0 },
        |index| i32::from(index == 0),
    ];
    for chunks in 1..=79 {
        for left in patterns {
            for right in patterns {
                let digits = |pattern: fn(usize) -> i32, length: usize| (0..length).map(pattern).collect::<Vec<i32>>();
                let addend = digits(right, 16 * chunks);
                check_everywhere(&digits(left, 8 * chunks), &digits(right, 8 * chunks), &addend);
            }
        }
    }
}

#[test]
fn random_products_agree() {
    let mut random = Random(4);
    let cases = random_cases();
    for _ in 0..cases {
        let chunks = 1 + random.below(6);
        let mut digits = |length: usize| -> Vec<i32> {
            let any = |_| match random.below(4) {
                0 => LARGEST,
                1 => -LARGEST,
                _ => i32::try_from(random.below(8705)).unwrap() - LARGEST,
            };
            (0..length).map(any).collect()
        };
        check_everywhere(&digits(8 * chunks), &digits(8 * chunks), &digits(16 * chunks));
    }
    println!("kernel: {cases} random products");
}
