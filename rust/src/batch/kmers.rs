//! Many sequences to k-mers, in parallel, in order.
//!
//! Each sequence is a list of *units*: its special tokens, and parts of about a quarter million letters that are
//! encoded alone (the essay of [`crate::kmer`] says where it may be cut). Their tokens are counted first, so that each unit
//! knows its place among all ids and writes them there. Counting is arithmetic, or as fast as runs of bases are found.

use std::borrow::Cow;
use std::ops::Range;

use rayon::prelude::*;

use super::{EncodeOptions, Encoded, Ids, Sequences};
use crate::alphabet::UnknownPolicy;
use crate::error::{Error, Result};
use crate::io::memory;
use crate::kmer::{IdWidth, Kmer, KmerOptions, UnknownCounts, symbols_of};
use crate::monitor::Monitor;
use crate::tokenizer::{Id, Template, Tokenizer};

/// Letters of a unit, about.
const PART: usize = 1 << 18;

/// Sequences on their way to ids.
struct Plan<'a> {
    tokenizer: &'a Tokenizer,
    kmer: &'a Kmer,
    kmer_options: KmerOptions,
    /// Letters outside the vocabulary are an error.
    refuses: bool,
    template: Template,
    sequences: Sequences<'a>,
    monitor: &'a Monitor,
}

/// What is encoded alone.
struct Unit {
    sequence: usize,
    /// Letters of the sequence before it.
    place: usize,
    what: What,
}

enum What {
    /// Letters, as bytes of all sequences; the first `own` of them belong to no other unit.
    Letters { bytes: Range<usize>, own: usize },
    /// A special token, and how many letters of the sequence it is.
    Token { id: Id, letters: usize },
}

/// [`Tokenizer::encode_batch`] for k-mers.
pub(super) fn encode(
    tokenizer: &Tokenizer,
    kmer: &Kmer,
    sequences: Sequences<'_>,
    options: EncodeOptions,
    monitor: &Monitor,
) -> Result<Encoded> {
    let plan = Plan::new(tokenizer, kmer, sequences, options, monitor)?;
    let units = plan.units()?;
    let counted = plan.count(&units)?;
    let counts = plan.census(&units)?;
    let ids = if tokenizer.vocab_size() <= 1 << 16 {
        Ids::Narrow(plan.fill(&units, &counted)?)
    } else {
        Ids::Wide(plan.fill(&units, &counted)?)
    };
    let offsets = plan.ends(&units, &counted).into_iter().map(u64::cast_signed).collect();
    let spans = options.spans.then(|| plan.spans(&units, &counted)).transpose()?;
    Ok(Encoded { ids, offsets, spans, unknown: counts.unknown, lower_case: counts.lower_case })
}

/// [`Tokenizer::count_tokens`] for k-mers.
pub(super) fn count_tokens(
    tokenizer: &Tokenizer,
    kmer: &Kmer,
    sequences: Sequences<'_>,
    options: EncodeOptions,
    monitor: &Monitor,
) -> Result<Vec<u64>> {
    let plan = Plan::new(tokenizer, kmer, sequences, options, monitor)?;
    let units = plan.units()?;
    let ends = plan.ends(&units, &plan.count(&units)?);
    Ok(ends.windows(2).map(|pair| pair[1] - pair[0]).collect())
}

impl<'a> Plan<'a> {
    fn new(
        tokenizer: &'a Tokenizer,
        kmer: &'a Kmer,
        sequences: Sequences<'a>,
        options: EncodeOptions,
        monitor: &'a Monitor,
    ) -> Result<Self> {
        sequences.check()?;
        let template = if options.add_special_tokens { tokenizer.template()? } else { Template::default() };
        let known = tokenizer.kmer_options(options.upper_case);
        let (unknown, refuses) = match (options.unknown, known.unknown) {
            (UnknownPolicy::Split, _) => (None, false),
            (UnknownPolicy::Token, Some(id)) => (Some(id), false),
            _ => (Some(0), true), // which id is all one: there will be no such letters
        };
        let kmer_options = KmerOptions { unknown, ..known };
        Ok(Self { tokenizer, kmer, kmer_options, refuses, template, sequences, monitor })
    }

    /// The units of all sequences; fails at letters that are refused.
    fn units(&self) -> Result<Vec<Unit>> {
        let add = |mut units, sequence| self.add_units(sequence, &mut units).map(|()| units);
        let lists = (0..self.sequences.len()).into_par_iter().try_fold(Vec::new, add);
        let mut lists = lists.collect::<Result<Vec<_>>>()?.into_iter();
        let mut units = lists.next().unwrap_or_default();
        lists.for_each(|list| units.extend(list));
        match self.refuses.then(|| units.par_iter().find_map_first(|unit| self.refusal(unit))).flatten() {
            Some(error) => Err(error),
            None => Ok(units),
        }
    }

    fn add_units(&self, sequence: usize, units: &mut Vec<Unit>) -> Result<()> {
        self.monitor.check()?;
        let start = self.sequences.offsets[sequence];
        let text = std::str::from_utf8(&self.sequences.bytes[start..self.sequences.offsets[sequence + 1]]);
        let text = text.map_err(|_| {
            Error::argument("sequences", &format_args!("sequence {sequence}"), "is not text in UTF-8")
        })?;
        let mut add = |place, what| units.push(Unit { sequence, place, what });
        self.template.before.iter().for_each(|&id| add(0, What::Token { id, letters: 0 }));
        let (mut done, mut place) = (0, 0);
        let specials = self.tokenizer.find_specials(text).map(|(from, to, id)| (from, to, Some(id)));
        for (from, to, id) in specials.chain([(text.len(), text.len(), None)]) {
            let plain = &text.as_bytes()[done..from];
            let mut add_part = |part: Range<usize>, own| {
                let bytes = start + done + part.start..start + done + part.end;
                add(place + part.start, What::Letters { bytes, own });
            };
            // A list of parts is dear where all sequences are short.
            if plain.len() > PART && plain.is_ascii() {
                self.cut(plain).into_iter().for_each(|(part, own)| add_part(part, own));
            } else {
                add_part(0..plain.len(), plain.len());
            }
            place += num_letters(plain);
            if let Some(id) = id {
                let letters = num_letters(&text.as_bytes()[from..to]);
                add(place, What::Token { id, letters });
                place += letters;
            }
            done = to;
        }
        self.template.after.iter().for_each(|&id| add(0, What::Token { id, letters: 0 }));
        Ok(())
    }

    /// Parts of some letters, and how much of each belongs to it alone.
    fn cut(&self, letters: &[u8]) -> Vec<(Range<usize>, usize)> {
        let parts = self.kmer.cut(letters, self.kmer_options.upper_case, PART);
        let ends = parts.iter().skip(1).map(|next| next.start).chain([letters.len()]);
        parts.iter().zip(ends).map(|(part, end)| (part.clone(), end - part.start)).collect()
    }

    fn letters(&self, bytes: &Range<usize>) -> Cow<'_, [u8]> {
        symbols_of(&self.sequences.bytes[bytes.clone()])
    }

    /// The error for the first letter of a unit that is outside the vocabulary.
    fn refusal(&self, unit: &Unit) -> Option<Error> {
        let What::Letters { bytes, .. } = &unit.what else { return None };
        let letters = self.letters(bytes);
        let at = self.kmer.first_unknown(&letters, self.kmer_options.upper_case)?;
        Some(Error::Symbol {
            file: None,
            line: None,
            record: format!("sequence {}", unit.sequence),
            position: (unit.place + at) as u64,
            byte: letters[at],
            reason: "is not in the vocabulary".to_owned(),
        })
    }

    /// The tokens of each unit.
    fn count(&self, units: &[Unit]) -> Result<Vec<usize>> {
        let count = |unit: &Unit| {
            self.monitor.check()?;
            Ok(match &unit.what {
                What::Letters { bytes, .. } => self.kmer.count(&self.letters(bytes), &self.kmer_options),
                What::Token { .. } => 1,
            })
        };
        units.par_iter().map(count).collect()
    }

    /// What is not in the vocabulary.
    fn census(&self, units: &[Unit]) -> Result<UnknownCounts> {
        let count = |unit: &Unit| {
            self.monitor.check()?;
            let What::Letters { bytes, own } = &unit.what else { return Ok(UnknownCounts::default()) };
            let letters = self.letters(bytes);
            Ok(self.kmer.count_unknown(&letters[..letters.len().min(*own)], self.kmer_options.upper_case))
        };
        let sum = |a: UnknownCounts, b: UnknownCounts| {
            Ok(UnknownCounts { unknown: a.unknown + b.unknown, lower_case: a.lower_case + b.lower_case })
        };
        units.par_iter().map(count).try_reduce(UnknownCounts::default, sum)
    }

    /// Where the tokens of each sequence begin, and the last ends.
    fn ends(&self, units: &[Unit], counted: &[usize]) -> Vec<u64> {
        let mut ends = vec![0; self.sequences.len() + 1];
        for (unit, count) in units.iter().zip(counted) {
            ends[unit.sequence + 1] += *count as u64;
        }
        let mut sum = 0;
        for end in &mut ends {
            sum += *end;
            *end = sum;
        }
        ends
    }

    /// All ids.
    fn fill<W: IdWidth>(&self, units: &[Unit], counted: &[usize]) -> Result<Vec<W>> {
        self.write(units, counted, |unit, out: &mut [W]| match &unit.what {
            What::Letters { bytes, .. } => {
                self.kmer.fill(&self.letters(bytes), &self.kmer_options, out);
                self.monitor.add_bases(bytes.len() as u64);
            }
            What::Token { id, .. } => out.fill(W::of(*id)),
        })
    }

    /// The letters of its sequence that each token is.
    fn spans(&self, units: &[Unit], counted: &[usize]) -> Result<Vec<[i64; 2]>> {
        let span = |place: usize, range: Range<usize>| {
            [place + range.start, place + range.end].map(|letter| (letter as u64).cast_signed())
        };
        self.write(units, counted, |unit, out: &mut [[i64; 2]]| match &unit.what {
            What::Letters { bytes, .. } => {
                let mut out = out.iter_mut();
                self.kmer.spans(&self.letters(bytes), &self.kmer_options, |range| {
                    out.next().into_iter().for_each(|out| *out = span(unit.place, range.clone()));
                });
            }
            What::Token { letters, .. } => out.fill(span(unit.place, 0..*letters)),
        })
    }

    /// What `write` makes of each unit, each at its place.
    fn write<T: Clone + Default + Send>(
        &self,
        units: &[Unit],
        counted: &[usize],
        write: impl Fn(&Unit, &mut [T]) + Sync,
    ) -> Result<Vec<T>> {
        let mut all: Vec<T> = memory::defaults(counted.iter().sum());
        let mut rest = &mut all[..];
        let mut places = Vec::with_capacity(units.len());
        for count in counted {
            let (place, after) = std::mem::take(&mut rest).split_at_mut(*count);
            places.push(place);
            rest = after;
        }
        units.par_iter().zip(places).try_for_each(|(unit, place)| {
            self.monitor.check()?;
            write(unit, place);
            Ok(())
        })?;
        Ok(all)
    }
}

fn num_letters(text: &[u8]) -> usize {
    if text.is_ascii() { text.len() } else { symbols_of(text).len() }
}

#[cfg(test)]
mod tests;
