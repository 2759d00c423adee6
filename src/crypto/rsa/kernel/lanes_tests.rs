//! Each operation on arrays against its definition, and on vectors against the same on arrays.

use super::portable::Portable;
use super::*;
use crate::crypto::rsa::test_numbers::Random;

fn both<R: PartialEq + std::fmt::Debug>(portable: impl Fn() -> R, native: impl Fn() -> R) -> R {
    let result = portable();
    assert_eq!(native(), result);
    result
}

/// Runs an operation on both kinds of lanes.
macro_rules! both {
    ($($name:ident = $lanes:expr),+; $operation:expr) => {
        both(
            || { $(let $name = Portable::new($lanes);)+ $operation },
            || { $(let $name = Native::new($lanes);)+ $operation },
        )
    };
}

/// Numbers of 16 bits: random ones and those at the ends.
fn halves(random: &mut Random) -> [i32; 8] {
    [(); 8].map(|()| match random.below(6) {
        0 => -0x8000,
        1 => 0x7fff,
        2 => 0,
        3 => -1,
        _ => i32::try_from(random.below(0x1_0000)).unwrap() - 0x8000,
    })
}

#[test]
fn pairs_are_multiplied_and_added() {
    let mut random = Random(5);
    for _ in 0..10_000 {
        let ([a, b, c, d, e, f, g, h], [i, j, k, l, m, n, o, p]) = (halves(&mut random), halves(&mut random));
        // -2^15 twice is the one sum that does not fit; the kernel's numbers are less.
        if [(a, b, i, j), (c, d, k, l), (e, f, m, n), (g, h, o, p)].contains(&(-0x8000, -0x8000, -0x8000, -0x8000)) {
            continue;
        }
        let dots = both!(w = [a, b, c, d], x = [e, f, g, h], y = [i, j, k, l], z = [m, n, o, p];
            w.narrow(x).dot(y.narrow(z)).to_array());
        assert_eq!(dots, [a * i + b * j, c * k + d * l, e * m + f * n, g * o + h * p]);
    }
}

#[test]
fn splits_round_to_the_nearest() {
    let ends = [0, 1, -1, 4095, 4096, 4097, -4095, -4096, -4097, 8191, 8192, i32::MAX - 4096, -i32::MAX, i32::MIN];
    let mut random = Random(6);
    let any = (0..10_000).map(|_| i32::try_from(random.next() >> 33).unwrap() - (1 << 30));
    for value in ends.into_iter().chain(any) {
        let lanes = [value, 0, 1, value];
        let ([low, ..], [high, ..]) = both!(x = lanes; {
            let split = x.split();
            (split.low.to_array(), split.high.to_array())
        });
        assert_eq!(i64::from(low) + (i64::from(high) << 13), i64::from(value));
        assert!((-4096..4096).contains(&low), "{value}: {low}");
    }
}

#[test]
fn lanes_move() {
    let (x, y) = ([1, -2, 0x0003_0004, 5], [-6, 7, -8, 0x1_0009]);
    assert_eq!(both!(x = x, y = y; x.up_one(y).to_array()), [0x1_0009, 1, -2, 0x0003_0004]);
    assert_eq!(both!(x = x, y = y; x.up_two(y).to_array()), [-8, 0x1_0009, 1, -2]);
    let splat = |lane| both(|| Portable::splat(lane).to_array(), || Native::splat(lane).to_array());
    assert_eq!(x.map(splat), x.map(|lane| [lane; 4]));
    assert_eq!(both!(x = x, y = y; x.add(y).to_array()), [-5, 5, 0x0002_fffc, 0x1_000e]);
    assert_eq!(both!(x = x, y = y; x.and(y).to_array()), [0, 6, 0x0003_0000, 1]);
    assert_eq!(both!(x = x, y = y; x.interleave(y).to_array()), [-0x5_ffff, 0x7_fffe, -0x7_fffc, 0x9_0005]);
}
