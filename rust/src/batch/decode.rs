//! Many lists of ids back to text.

use std::ops::Range;

use super::lists::{offsets, places};
use crate::error::{Error, Result};
use crate::monitor::Monitor;
use crate::threads::collect;
use crate::tokenizer::{Id, Tokenizer};

/// Ids between two looks at the monitor.
const STRETCH: usize = 1 << 16;

/// The strings of the ids that occur, spelled once: a batch has many ids, but few different ones.
struct Spelled {
    text: Vec<u8>,
    /// Of each id one more than its place in `bounds`; 0 for ids that do not occur.
    places: Vec<u32>,
    /// Where in `text` each string starts, and the last ends.
    bounds: Vec<usize>,
}

impl Spelled {
    /// Fails at an id that the vocabulary does not have; afterwards every id of `ids` has its place.
    fn new(tokenizer: &Tokenizer, ids: &[Id], monitor: &Monitor) -> Result<Self> {
        let places = vec![0; tokenizer.vocab_size()];
        let mut this = Self { text: Vec::new(), places, bounds: vec![0] };
        for ids in ids.chunks(STRETCH) {
            monitor.check()?;
            for &id in ids {
                if this.places.get(id as usize).is_none_or(|&place| place == 0) {
                    this.text.extend_from_slice(tokenizer.token(id)?.as_bytes());
                    this.places[id as usize] = u32::try_from(this.bounds.len()).unwrap_or(u32::MAX);
                    this.bounds.push(this.text.len());
                }
            }
        }
        Ok(this)
    }

    /// The string of an id that occurs.
    fn of(&self, id: Id) -> &[u8] {
        let place = self.places[id as usize] as usize;
        &self.text[self.bounds[place - 1]..self.bounds[place]]
    }
}

impl Tokenizer {
    /// The text of many lists of ids, number `i` being `ids[offsets[i]..offsets[i + 1]]`, on the threads of the present
    /// pool; returns all text, back to back, and where that of each list starts, and the last ends.
    ///
    /// Linear in time and in the length of the text. Fails at an id that the vocabulary does not have, and at offsets that
    /// do not rise or leave the ids.
    pub fn decode_batch(
        &self,
        ids: &[Id],
        offsets: &[i64],
        monitor: &Monitor,
    ) -> Result<(Vec<u8>, Vec<usize>)> {
        let lists = checked_lists(ids, offsets)?;
        if self.decodes_as_a_whole() {
            return self.decode_lists(ids, &lists, monitor);
        }
        self.copy_strings(ids, lists, monitor)
    }

    /// The same without special tokens; what stood on either side of one is not joined by more than it was: overlapping k-mers
    /// on both sides stay two sequences.
    pub fn decode_batch_without_special(
        &self,
        ids: &[Id],
        offsets: &[i64],
        monitor: &Monitor,
    ) -> Result<(Vec<u8>, Vec<usize>)> {
        // Each run between special tokens is decoded as a list of its own; `runs_before` says with which run a list starts.
        let skipped = self.skipped_ids();
        let (mut plain, mut run_offsets, mut runs_before) = (Vec::new(), vec![0_i64], vec![0]);
        for list in checked_lists(ids, offsets)? {
            monitor.check()?;
            for run in ids[list].split(|id| skipped.contains(id)).filter(|run| !run.is_empty()) {
                plain.extend_from_slice(run);
                run_offsets.push(i64::try_from(plain.len()).unwrap_or(i64::MAX));
            }
            runs_before.push(run_offsets.len() - 1);
        }
        let (text, ends) = self.decode_batch(&plain, &run_offsets, monitor)?;
        Ok((text, runs_before.into_iter().map(|run| ends[run]).collect()))
    }

    /// Where the text of a list is the strings of its ids: their lengths say where everything goes, so that threads write
    /// into one piece of memory.
    fn copy_strings(
        &self,
        ids: &[Id],
        lists: Vec<Range<usize>>,
        monitor: &Monitor,
    ) -> Result<(Vec<u8>, Vec<usize>)> {
        let amount = ids.len();
        let used = lists.first().zip(lists.last()).map_or(0..0, |(first, last)| first.start..last.end);
        let spelled = Spelled::new(self, &ids[used], monitor)?;
        let length =
            |list: &Range<usize>| ids[list.clone()].iter().map(|&id| spelled.of(id).len()).sum::<usize>();
        let lengths: Vec<usize> = collect(&lists, amount, length);
        let ends = offsets(lengths.iter().copied());
        let mut text = vec![0; ends[lengths.len()]];
        let places: Vec<_> = lists.into_iter().zip(places(&mut text, lengths)).collect();
        collect::<_, _, _, Result<()>>(places, amount, |(list, mut place)| {
            for ids in ids[list].chunks(STRETCH) {
                monitor.check()?;
                for &id in ids {
                    let token = spelled.of(id);
                    let (here, after) = place.split_at_mut(token.len());
                    here.copy_from_slice(token);
                    place = after;
                }
            }
            Ok(())
        })?;
        Ok((text, ends))
    }

    /// Where the text of a list is more than the strings of its ids: each is decoded by itself.
    fn decode_lists(
        &self,
        ids: &[Id],
        lists: &[Range<usize>],
        monitor: &Monitor,
    ) -> Result<(Vec<u8>, Vec<usize>)> {
        let decode = |list: &Range<usize>| {
            monitor.check()?;
            self.decode(&ids[list.clone()])
        };
        let texts: Vec<String> = collect::<_, _, _, Result<_>>(lists, ids.len(), decode)?;
        let ends = offsets(texts.iter().map(String::len));
        Ok((texts.concat().into_bytes(), ends))
    }
}

/// Where each list lies; fails unless all do so within the ids.
fn checked_lists(ids: &[Id], offsets: &[i64]) -> Result<Vec<Range<usize>>> {
    let list = |pair: &[i64]| {
        let (start, end) = (usize::try_from(pair[0]).ok()?, usize::try_from(pair[1]).ok()?);
        (start <= end && end <= ids.len()).then_some(start..end)
    };
    let lists = offsets.windows(2).map(list).collect::<Option<_>>();
    lists.ok_or_else(|| {
        let rule = format!("must rise and stay within the {} ids", ids.len());
        Error::argument("offsets", &"list offsets", rule)
    })
}
