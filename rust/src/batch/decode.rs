//! Many lists of ids back to text.

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::monitor::Monitor;
use crate::tokenizer::{Id, Tokenizer};

/// Ids between two looks at the monitor.
const STRETCH: usize = 1 << 16;

/// The strings of the ids that occur, spelled once.
struct Spelled {
    text: Vec<u8>,
    /// Of each id one more than its place in `bounds`; 0 for ids that do not occur.
    places: Vec<u32>,
    bounds: Vec<usize>,
}

impl Spelled {
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

    fn of(&self, id: Id) -> &[u8] {
        let place = self.places[id as usize] as usize;
        &self.text[self.bounds[place - 1]..self.bounds[place]]
    }
}

impl Tokenizer {
    /// The text of many lists of ids, number `i` being `ids[offsets[i]..offsets[i + 1]]`, on the threads of the present
    /// pool; returns all text, end to end, and where that of each list begins, and the last ends.
    ///
    /// Fails at an id that the vocabulary does not have, and at offsets that do not rise or leave the ids.
    pub fn decode_batch(
        &self,
        ids: &[Id],
        offsets: &[i64],
        monitor: &Monitor,
    ) -> Result<(Vec<u8>, Vec<usize>)> {
        let lists = lists(ids, offsets)?;
        if self.decodes_as_a_whole() {
            return self.decode_lists(ids, &lists, monitor);
        }
        let used = lists.first().zip(lists.last()).map_or(0..0, |(first, last)| first.start..last.end);
        let spelled = Spelled::new(self, &ids[used], monitor)?;
        let length = |list: &std::ops::Range<usize>| {
            ids[list.clone()].iter().map(|&id| spelled.of(id).len()).sum::<usize>()
        };
        let lengths: Vec<usize> = lists.par_iter().with_min_len(64).map(length).collect();
        let mut ends = vec![0];
        ends.extend(lengths.iter().scan(0, |end, length| {
            *end += length;
            Some(*end)
        }));
        let mut text = vec![0; ends[lengths.len()]];
        let mut rest = &mut text[..];
        let mut places = Vec::with_capacity(lists.len());
        for (list, length) in lists.into_iter().zip(lengths) {
            let (place, after) = rest.split_at_mut(length);
            places.push((list, place));
            rest = after;
        }
        places.into_par_iter().with_min_len(64).try_for_each(|(list, mut place)| {
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

    /// The same without special tokens; what stood on either side of one is not joined by more than it was.
    pub fn decode_batch_without_special(
        &self,
        ids: &[Id],
        offsets: &[i64],
        monitor: &Monitor,
    ) -> Result<(Vec<u8>, Vec<usize>)> {
        let skipped = self.skipped_ids();
        let (mut plain, mut run_offsets, mut runs_before) = (Vec::new(), vec![0_i64], vec![0]);
        for list in lists(ids, offsets)? {
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

    fn decode_lists(
        &self,
        ids: &[Id],
        lists: &[std::ops::Range<usize>],
        monitor: &Monitor,
    ) -> Result<(Vec<u8>, Vec<usize>)> {
        let decode = |list: &std::ops::Range<usize>| {
            monitor.check()?;
            self.decode(&ids[list.clone()])
        };
        let texts: Vec<String> = lists.par_iter().with_min_len(16).map(decode).collect::<Result<_>>()?;
        let mut ends = vec![0];
        ends.extend(texts.iter().scan(0, |end, text| {
            *end += text.len();
            Some(*end)
        }));
        Ok((texts.concat().into_bytes(), ends))
    }
}

/// Where each list lies, checked.
fn lists(ids: &[Id], offsets: &[i64]) -> Result<Vec<std::ops::Range<usize>>> {
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
