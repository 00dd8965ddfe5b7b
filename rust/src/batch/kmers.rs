//! Many sequences to k-mers, in parallel, in order.
//!
//! Each sequence is a list of *units*: its special tokens, and parts of about a quarter million symbols that are
//! encoded alone (the essay of [`crate::kmer`] says where it may be cut). Their tokens are counted first, so that each unit
//! knows its place among all ids and writes them there: no thread waits for another, and nothing is copied. Counting is
//! arithmetic, or as fast as runs of bases are found.
//!
//! ```text
//! sequences   ACGTACGT                AC[MASK]GT
//! units       [CLS] ACGTACGT [SEP]    [CLS] AC [MASK] GT [SEP]
//! tokens      1     6        1        1     0  1      0  1         as overlapping 3-mers
//! places      0     1        7        8     9  9      10 10
//! ```

use std::borrow::Cow;
use std::ops::Range;

use rayon::prelude::*;

use super::lists::{offsets, places};
use super::{EncodeOptions, EncodedBatch, Ids, Sequences};
use crate::error::{Error, Result};
use crate::io::memory;
use crate::kmer::{IdWidth, Kmer, KmerOptions, UnknownCounts, symbols_of};
use crate::monitor::Monitor;
use crate::threads::{LITTLE, collect};
use crate::tokenizer::refusal::refused_symbol;
use crate::tokenizer::{Id, Template, Tokenizer};

/// Symbols of a unit, about.
const PART: usize = 1 << 18;

/// Sequences on their way to ids; lives for one call.
pub(super) struct KmerJob<'a> {
    tokenizer: &'a Tokenizer,
    kmer: &'a Kmer,
    kmer_options: KmerOptions,
    /// Symbols outside the vocabulary are an error.
    refuses: bool,
    with_spans: bool,
    template: Template,
    sequences: Sequences<'a>,
    monitor: &'a Monitor,
}

/// What is encoded alone.
struct JobUnit {
    sequence: usize,
    /// Symbols of the sequence before it.
    place: usize,
    content: UnitContent,
}

/// What a unit becomes tokens of.
enum UnitContent {
    /// Symbols, as a range of the bytes of all sequences; the first `own` of them belong to no other unit.
    Symbols { bytes: Range<usize>, own: usize },
    /// A special token, and how many symbols of the sequence it covers: 0 if it was put around it.
    Token { id: Id, symbols: usize },
}

impl<'a> KmerJob<'a> {
    /// Fails at offsets that do not rise, and where special tokens are asked for and there are none.
    pub(super) fn new(
        tokenizer: &'a Tokenizer,
        kmer: &'a Kmer,
        sequences: Sequences<'a>,
        options: EncodeOptions,
        monitor: &'a Monitor,
    ) -> Result<Self> {
        sequences.check()?;
        let template = options.template(tokenizer)?;
        let known = tokenizer.kmer_options(options.upper_case);
        let (unknown, refuses) = options.unknown_rule(known.unknown);
        // Where such symbols are refused it is all one which id they have: there will be none.
        let kmer_options = KmerOptions { unknown: if refuses { Some(0) } else { unknown }, ..known };
        let with_spans = options.spans;
        Ok(Self { tokenizer, kmer, kmer_options, refuses, with_spans, template, sequences, monitor })
    }

    /// [`Tokenizer::encode_batch`] for k-mers: units, their lengths, then ids and spans in places of these lengths.
    pub(super) fn encode(&self) -> Result<EncodedBatch> {
        let units = self.units()?;
        let counted = self.count(&units)?;
        let counts = self.count_unknown(&units)?;
        let ids = if self.tokenizer.vocab_size() <= 1 << 16 {
            Ids::Narrow(self.fill(&units, &counted)?)
        } else {
            Ids::Wide(self.fill(&units, &counted)?)
        };
        let starts = offsets(self.per_sequence(&units, &counted));
        let offsets = starts.into_iter().map(|start| (start as u64).cast_signed()).collect();
        let spans = self.with_spans.then(|| self.spans(&units, &counted)).transpose()?;
        Ok(EncodedBatch { ids, offsets, spans, unknown: counts.unknown, lower_case: counts.lower_case })
    }

    /// [`Tokenizer::count_tokens`] for k-mers.
    pub(super) fn count_tokens(&self) -> Result<Vec<u64>> {
        let units = self.units()?;
        let counted = self.count(&units)?;
        Ok(self.per_sequence(&units, &counted).into_iter().map(|count| count as u64).collect())
    }

    /// The units of all sequences, in order; fails at the first symbol that is refused, and at text that is not UTF-8.
    ///
    /// Threads make lists of consecutive sequences, which are joined in order: one list per thread, not one per sequence.
    fn units(&self) -> Result<Vec<JobUnit>> {
        let add = |mut units, sequence| self.add_units(sequence, &mut units).map(|()| units);
        let mut numbers = 0..self.sequences.len();
        if self.amount() <= LITTLE {
            let units = numbers.try_fold(Vec::new(), add)?;
            let refusal = self.refuses.then(|| units.iter().find_map(|unit| self.refusal(unit)));
            return refusal.flatten().map_or(Ok(units), Err);
        }
        let lists = numbers.into_par_iter().try_fold(Vec::new, add);
        let mut lists = lists.collect::<Result<Vec<_>>>()?.into_iter();
        let mut units = lists.next().unwrap_or_default();
        lists.for_each(|list| units.extend(list));
        let refusal = self.refuses.then(|| units.par_iter().find_map_first(|unit| self.refusal(unit)));
        refusal.flatten().map_or(Ok(units), Err)
    }

    /// Bytes of all sequences.
    fn amount(&self) -> usize {
        self.sequences.num_bytes()
    }

    /// Adds the units of one sequence: around each special token that stands in the text, what is plain is cut.
    ///
    /// `done` counts bytes and `place` symbols of the sequence; they differ where it has characters outside ASCII.
    fn add_units(&self, sequence: usize, units: &mut Vec<JobUnit>) -> Result<()> {
        self.monitor.check()?;
        let start = self.sequences.offsets[sequence];
        let text = std::str::from_utf8(&self.sequences.bytes[start..self.sequences.offsets[sequence + 1]]);
        let text = text.map_err(|_| {
            Error::argument("sequences", &format_args!("sequence {sequence}"), "is not text in UTF-8")
        })?;
        let mut add = |place, content| units.push(JobUnit { sequence, place, content });
        let around = |id: &Id| UnitContent::Token { id: *id, symbols: 0 };
        self.template.before.iter().for_each(|id| add(0, around(id)));
        let (mut done, mut place) = (0, 0);
        let specials = self.tokenizer.find_specials(text).map(|(from, to, id)| (from, to, Some(id)));
        for (from, to, id) in specials.chain([(text.len(), text.len(), None)]) {
            let plain = &text.as_bytes()[done..from];
            let mut add_part = |part: Range<usize>, own| {
                let bytes = start + done + part.start..start + done + part.end;
                add(place + part.start, UnitContent::Symbols { bytes, own });
            };
            // A list of parts is dear where all sequences are short.
            if plain.len() > PART && plain.is_ascii() {
                self.cut(plain).into_iter().for_each(|(part, own)| add_part(part, own));
            } else {
                add_part(0..plain.len(), plain.len());
            }
            place += num_symbols(plain);
            if let Some(id) = id {
                let symbols = num_symbols(&text.as_bytes()[from..to]);
                add(place, UnitContent::Token { id, symbols });
                place += symbols;
            }
            done = to;
        }
        self.template.after.iter().for_each(|id| add(0, around(id)));
        Ok(())
    }

    /// Parts of some symbols, and how much of each belongs to it alone: overlapping k-mers share k - 1 symbols with the
    /// next part, which must not be counted twice.
    fn cut(&self, symbols: &[u8]) -> Vec<(Range<usize>, usize)> {
        let parts = self.kmer.cut(symbols, self.kmer_options.upper_case, PART);
        let ends = parts.iter().skip(1).map(|next| next.start).chain([symbols.len()]);
        parts.iter().zip(ends).map(|(part, end)| (part.clone(), end - part.start)).collect()
    }

    /// The symbols of a unit; a copy only where there are characters outside ASCII.
    fn symbols(&self, bytes: &Range<usize>) -> Cow<'_, [u8]> {
        symbols_of(&self.sequences.bytes[bytes.clone()])
    }

    /// The error for the first symbol of a unit that is outside the vocabulary.
    fn refusal(&self, unit: &JobUnit) -> Option<Error> {
        let UnitContent::Symbols { bytes, .. } = &unit.content else { return None };
        let symbols = self.symbols(bytes);
        let at = self.kmer.first_unknown(&symbols, self.kmer_options.upper_case)?;
        let record = format!("sequence {}", unit.sequence);
        Some(refused_symbol(record, unit.place + at, symbols[at], "is not in the vocabulary"))
    }

    /// How many tokens each unit has.
    fn count(&self, units: &[JobUnit]) -> Result<Vec<usize>> {
        let count = |unit: &JobUnit| {
            self.monitor.check()?;
            Ok(match &unit.content {
                UnitContent::Symbols { bytes, .. } => {
                    self.kmer.count(&self.symbols(bytes), &self.kmer_options)
                }
                UnitContent::Token { .. } => 1,
            })
        };
        collect(units, self.amount(), count)
    }

    /// How many symbols are not in the vocabulary.
    fn count_unknown(&self, units: &[JobUnit]) -> Result<UnknownCounts> {
        let count = |unit: &JobUnit| {
            self.monitor.check()?;
            let UnitContent::Symbols { bytes, own } = &unit.content else {
                return Ok(UnknownCounts::default());
            };
            let symbols = self.symbols(bytes);
            let own = &symbols[..symbols.len().min(*own)];
            Ok(self.kmer.count_unknown(own, self.kmer_options.upper_case))
        };
        let counts: Vec<UnknownCounts> = collect::<_, _, _, Result<_>>(units, self.amount(), count)?;
        let unknown = counts.iter().map(|one| one.unknown).sum();
        let lower_case = counts.iter().map(|one| one.lower_case).sum();
        Ok(UnknownCounts { unknown, lower_case })
    }

    /// How many tokens each sequence has.
    fn per_sequence(&self, units: &[JobUnit], counted: &[usize]) -> Vec<usize> {
        let mut counts = vec![0; self.sequences.len()];
        for (unit, count) in units.iter().zip(counted) {
            counts[unit.sequence] += count;
        }
        counts
    }

    /// All ids.
    fn fill<W: IdWidth>(&self, units: &[JobUnit], counted: &[usize]) -> Result<Vec<W>> {
        self.write(units, counted, |unit, out: &mut [W]| match &unit.content {
            UnitContent::Symbols { bytes, .. } => {
                self.kmer.fill(&self.symbols(bytes), &self.kmer_options, out);
                self.monitor.add_bases(bytes.len() as u64);
            }
            UnitContent::Token { id, .. } => out.fill(W::of(*id)),
        })
    }

    /// The symbols of its sequence that each token is.
    fn spans(&self, units: &[JobUnit], counted: &[usize]) -> Result<Vec<[i64; 2]>> {
        let span = |place: usize, range: Range<usize>| {
            [place + range.start, place + range.end].map(|symbol| (symbol as u64).cast_signed())
        };
        self.write(units, counted, |unit, out: &mut [[i64; 2]]| match &unit.content {
            UnitContent::Symbols { bytes, .. } => {
                let mut out = out.iter_mut();
                self.kmer.spans(&self.symbols(bytes), &self.kmer_options, |range| {
                    out.next().into_iter().for_each(|out| *out = span(unit.place, range.clone()));
                });
            }
            UnitContent::Token { symbols, .. } => out.fill(span(unit.place, 0..*symbols)),
        })
    }

    /// What `write` makes of each unit, each at its place in one piece of memory; `counted` says how long each is.
    fn write<T: Clone + Default + Send>(
        &self,
        units: &[JobUnit],
        counted: &[usize],
        write: impl Fn(&JobUnit, &mut [T]) + Sync,
    ) -> Result<Vec<T>> {
        let mut all: Vec<T> = memory::defaults(counted.iter().sum());
        let places: Vec<_> = units.iter().zip(places(&mut all, counted.iter().copied())).collect();
        collect::<_, _, _, Result<()>>(places, self.amount(), |(unit, place)| {
            self.monitor.check()?;
            write(unit, place);
            Ok(())
        })?;
        Ok(all)
    }
}

/// How many characters a text has.
fn num_symbols(text: &[u8]) -> usize {
    if text.is_ascii() { text.len() } else { symbols_of(text).len() }
}

#[cfg(test)]
mod tests;
