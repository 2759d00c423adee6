//! Many texts in little memory: to each its value, found by the text itself, so that no other text is ever taken for it.

use std::hash::BuildHasher as _;

use foldhash::fast::FixedState;

/// Texts with a number each: two bytes for its length, the text, eight bytes for the number, all in one block; and a table
/// of four bytes per place, at most half of which are taken.
#[derive(Debug, Default)]
pub(crate) struct TextTable {
    block: Vec<u8>,
    /// Where the entries begin, each plus one; zero is free. Its length is a power of two.
    places: Vec<u32>,
    entries: usize,
    hasher: FixedState,
}

const LENGTH: usize = 2;
const NUMBER: usize = 8;

impl TextTable {
    /// Adds a text, which is not there before [`TextTable::index`] is called. Says whether it fits.
    pub(crate) fn push(&mut self, text: &str, number: u64) -> bool {
        let Ok(length) = u16::try_from(text.len()) else { return false };
        self.block.extend(length.to_le_bytes());
        self.block.extend_from_slice(text.as_bytes());
        self.block.extend(number.to_le_bytes());
        self.entries += 1;
        u32::try_from(self.block.len()).is_ok_and(|end| end < u32::MAX)
    }

    /// Makes the texts known that were added; `seed` is a random number. Says whether each of them is there once.
    pub(crate) fn index(&mut self, seed: u64) -> bool {
        self.block.shrink_to_fit();
        self.hasher = FixedState::with_seed(seed);
        self.places = vec![0; self.entries.saturating_mul(2).next_power_of_two()];
        let (mut start, mut are_distinct) = (0, true);
        while let Some((text, _, end)) = self.entry(start) {
            let (place, is_taken) = self.place_of(text);
            are_distinct &= !is_taken;
            if let Some(place) = self.places.get_mut(place).filter(|_| !is_taken) {
                *place = u32::try_from(start).unwrap_or(u32::MAX).saturating_add(1);
            }
            start = end;
        }
        are_distinct
    }

    /// The number of this text.
    pub(crate) fn get(&self, text: &str) -> Option<u64> {
        let (place, is_taken) = self.place_of(text.as_bytes());
        if !is_taken {
            return None;
        }
        self.entry(self.start_at(place)?).map(|(_, number, _)| number)
    }

    /// How many texts were added.
    pub(crate) fn len(&self) -> usize {
        self.entries
    }

    /// How many bytes it takes.
    #[cfg(test)]
    pub(crate) fn size(&self) -> usize {
        self.block.capacity() + self.places.capacity() * 4
    }

    /// Where this text is, or the free place where it would be; and whether it is there.
    fn place_of(&self, text: &[u8]) -> (usize, bool) {
        let Some(mask) = self.places.len().checked_sub(1) else { return (0, false) };
        #[allow(clippy::cast_possible_truncation, reason = "only the low bits count")]
        let mut place = self.hasher.hash_one(text) as usize & mask;
        // At least half of the places are free, so this ends.
        while let Some(start) = self.start_at(place) {
            if self.entry(start).is_some_and(|(known, ..)| known == text) {
                return (place, true);
            }
            place = place.wrapping_add(1) & mask;
        }
        (place, false)
    }

    fn start_at(&self, place: usize) -> Option<usize> {
        let start = self.places.get(place)?.checked_sub(1)?;
        usize::try_from(start).ok()
    }

    /// Text, number and end of the entry that begins here.
    fn entry(&self, start: usize) -> Option<(&[u8], u64, usize)> {
        let rest = self.block.get(start..)?;
        let (length, rest) = rest.split_first_chunk::<LENGTH>()?;
        let length = usize::from(u16::from_le_bytes(*length));
        let (text, rest) = rest.split_at_checked(length)?;
        let number = rest.first_chunk::<NUMBER>()?;
        Some((text, u64::from_le_bytes(*number), start + LENGTH + length + NUMBER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_found_and_no_other() {
        let mut table = TextTable::default();
        assert_eq!(table.get(""), None);
        for number in 0..10_000_u64 {
            assert!(table.push(&format!("text-{number}"), number));
        }
        assert!(table.push("", 7));
        assert!(table.index(1));
        for number in 0..10_000 {
            assert_eq!(table.get(&format!("text-{number}")), Some(number));
        }
        assert_eq!((table.get(""), table.len()), (Some(7), 10_001));
        for number in 10_000..30_000 {
            assert_eq!(table.get(&format!("text-{number}")), None);
        }
        assert_eq!(table.get("text-"), None);
    }

    #[test]
    fn twins_are_noticed_and_the_first_counts() {
        let mut table = TextTable::default();
        assert!(table.push("a", 1) && table.push("b", 2) && table.push("a", 3));
        assert!(!table.index(1));
        assert_eq!((table.get("a"), table.get("b")), (Some(1), Some(2)));
    }

    #[test]
    fn a_text_has_64_kilobytes_at_most() {
        let mut table = TextTable::default();
        assert!(table.push(&"a".repeat(65_535), 1));
        assert!(!table.push(&"a".repeat(65_536), 1));
    }

    #[test]
    fn a_hundred_thousand_identifiers_take_six_megabytes() {
        let mut table = TextTable::default();
        for number in 0..100_000 {
            assert!(table.push(&format!("{number:036}"), 0));
        }
        assert!(table.index(1));
        assert!(table.size() < 6 << 20, "{}", table.size());
    }
}
