//! Whether records of a file have the same name.
//!
//! Only hashes of names are kept, in the order of the records, and sorted at the end, on all threads. A set would be asked
//! for each record, by the one thread that knows their order, and miss the cache each time.

use rayon::prelude::*;

use super::report::MAX_NAMES;

/// The names of the first [`MAX_NAMES`] records, eight bytes each.
#[derive(Debug, Default)]
pub(super) struct NameHashes {
    hashes: Vec<u64>,
}

impl NameHashes {
    /// Adds the hashes of names.
    pub(super) fn add(&mut self, hashes: impl IntoIterator<Item = u64>) {
        let capacity = MAX_NAMES - self.hashes.len();
        self.hashes.extend(hashes.into_iter().take(capacity));
    }

    /// How many records have the name of an earlier one. Forgets the names. Cost: a sort.
    pub(super) fn duplicates(&mut self) -> u64 {
        let mut hashes = std::mem::take(&mut self.hashes);
        hashes.par_sort_unstable();
        hashes.windows(2).map(|pair| u64::from(pair[0] == pair[1])).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_but_the_first_of_a_name_are_duplicates() {
        let duplicates = |hashes: &[u64]| {
            let mut names = NameHashes::default();
            hashes.chunks(2).for_each(|part| names.add(part.iter().copied()));
            names.duplicates()
        };
        assert_eq!(duplicates(&[]), 0);
        assert_eq!(duplicates(&[5]), 0);
        assert_eq!(duplicates(&[5, 1, 5, 2, 5, 1]), 3);
    }

    #[test]
    fn no_more_names_are_kept_than_said() {
        let mut names = NameHashes::default();
        names.add(0..MAX_NAMES as u64 + 10);
        names.add([0]);
        assert_eq!(names.hashes.len(), MAX_NAMES);
        assert_eq!(names.duplicates(), 0);
    }
}
