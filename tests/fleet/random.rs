//! Random numbers that are the same in every run.

/// `SplitMix64`.
pub struct Random(pub u64);

impl Random {
    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `limit`, without `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// Milliseconds that are exponentially distributed with this mean.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and not negative")]
    pub fn exponential_millis(&mut self, mean: f64) -> u64 {
        self.exponential(mean) as u64
    }

    /// A number that is exponentially distributed with this mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "53 bits fit")]
        let fraction = ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        -fraction.ln() * mean
    }
}
