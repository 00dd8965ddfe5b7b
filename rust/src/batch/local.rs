//! Many edits of one sequence, each by itself: what each changes in the tokens.
//!
//! The sequence is encoded once, then each edit on one of the threads, with the tokens around it
//! ([`crate::bpe::encode::local`]). There are three kinds of sequences:
//!
//! - *Plain* ones are read symbol by symbol, so a part between two boundaries is encoded alone. With an automaton only the
//!   part of the sequence around the edits is encoded: from a seam before the first to a seam behind the last, which are
//!   boundaries whatever stands between them (`seams`). One edit of a chromosome then costs a seam on each side and not the
//!   chromosome.
//! - Of *k-mers* the affected part is known beforehand ([`crate::kmer`]), so that nothing else is encoded.
//! - In all *other* texts (characters outside ASCII, added tokens in the text or in an edit, normalizers that look at more
//!   than a character) a change may reach anywhere. They are encoded whole for each edit, and compared.
//!
//! Positions are characters. On the other strand the sequence is reversed and complemented first, and so is every edit.

use std::ops::Range;

use rayon::prelude::*;

use super::tasks::{TaskSizes, find_cut};
use super::{EDITS, EncodeOptions, Ids, Job, LAST_CUT_WINDOWS, SequenceEdit, Sequences, code_or_mark};
use crate::alphabet::complement_symbol;
use crate::bpe::encode::local::{ByteEdit, Change, PlacedToken, Surroundings, reencode};
use crate::bpe::encode::machine::{Machine, StateId, StateOutput};
use crate::bpe::encode::marked::{AnyMarked, Mark};
use crate::error::{Error, Result};
use crate::kmer::{BaseRuns, Kmer};
use crate::monitor::Monitor;
use crate::tokenizer::symbols::UNKNOWN;
use crate::tokenizer::{Id, Tokenizer};

impl Tokenizer {
    /// What each of `edits` changes in the tokens of `sequence`, without special tokens around it.
    ///
    /// On the reverse strand edits count on the sequence as it is given and are read from the other strand like it; changes
    /// count on the reverse complement. Fails at an edit outside the sequence, at a symbol that is unknown where there is no
    /// unknown token, for tokens that are no parts of a sequence, and when `monitor` is cancelled.
    ///
    /// Time: that of encoding the part of the sequence between the first and the last edit, and of the tokens near
    /// each edit. Memory: 40 bytes for each token of that part.
    pub fn reencode(
        &self,
        sequence: &str,
        edits: &[SequenceEdit],
        reverse: bool,
        monitor: &Monitor,
    ) -> Result<Vec<Change>> {
        self.check_parts()?;
        let length = if sequence.is_ascii() { sequence.len() } else { sequence.chars().count() };
        for (number, SequenceEdit { start, end, .. }) in edits.iter().enumerate() {
            if start > end || *end > length {
                let rule = format!("edit {number}: start <= end <= {length}, the length, is expected");
                return Err(Error::argument("edits", &format_args!("{start} to {end}"), rule));
            }
        }
        if !reverse {
            return LocalJob { tokenizer: self, sequence, edits, monitor }.changes();
        }
        let strand = OtherStrand::of(self);
        let edits: Vec<SequenceEdit> = edits.iter().map(|edit| strand.edit(edit, length)).collect();
        LocalJob { tokenizer: self, sequence: &strand.text(sequence), edits: &edits, monitor }.changes()
    }
}

/// Edits of a sequence; lives for one call.
struct LocalJob<'a> {
    tokenizer: &'a Tokenizer,
    sequence: &'a str,
    edits: &'a [SequenceEdit],
    monitor: &'a Monitor,
}

impl LocalJob<'_> {
    fn changes(&self) -> Result<Vec<Change>> {
        let offsets = [0, self.sequence.len()];
        let sequences = Sequences { bytes: self.sequence.as_bytes(), offsets: &offsets };
        let job = Job::new(self.tokenizer, sequences, EncodeOptions::default(), TaskSizes::default())?;
        let is_plain = |text: &str| !job.suspects.any(text.as_bytes());
        if !self.tokenizer.is_by_symbol() || !is_plain(self.sequence) {
            return self.by_comparison(&(0..self.edits.len()).collect::<Vec<_>>());
        }
        let (mut plain, others): (Vec<usize>, Vec<usize>) =
            (0..self.edits.len()).partition(|&number| is_plain(&self.edits[number].replacement));
        self.refuse_unknown(&job, &plain)?;
        // From left to right, so that what lies near each is in the cache: three times as fast.
        plain.sort_by_key(|&number| self.edits[number].start);
        let symbol = |byte| code_or_mark(&job.symbols, byte);
        let automaton = self.tokenizer.model().automaton().filter(|_| self.tokenizer.is_simple());
        let found = match (self.tokenizer.kmers(), automaton) {
            (Some(kmer), _) => self.of_kmers(kmer, &plain),
            (None, Some(AnyMarked::Narrow(marked))) => self.by_machine(&marked.over(symbol), &plain),
            (None, Some(AnyMarked::Wide(marked))) => self.by_machine(&marked.over(symbol), &plain),
            (None, None) => self.by_symbol(&plain),
        }?;
        let mut all: Vec<(usize, Change)> = plain.into_iter().zip(found).collect();
        let compared = self.by_comparison(&others)?;
        all.extend(others.into_iter().zip(compared));
        all.sort_unstable_by_key(|&(number, _)| number);
        Ok(all.into_iter().map(|(_, change)| change).collect())
    }

    /// Fails at an unknown symbol, where there is no token for it.
    fn refuse_unknown(&self, job: &Job<'_>, plain: &[usize]) -> Result<()> {
        if self.tokenizer.unknown_id().is_some() {
            return Ok(());
        }
        let unknown = |text: &str| text.bytes().position(|byte| job.symbols.code(byte) == UNKNOWN);
        if unknown(self.sequence).is_some() {
            return Err(job.first_unknown());
        }
        let edits = plain.iter().map(|&number| (number, &self.edits[number].replacement[..]));
        let mut found = edits.filter_map(|(number, text)| Some((number, text, unknown(text)?)));
        found.next().map_or(Ok(()), |(number, text, _)| {
            let offsets = [0, text.len()];
            let sequences = Sequences { bytes: text.as_bytes(), offsets: &offsets };
            let job = Job::new(self.tokenizer, sequences, EncodeOptions::default(), TaskSizes::default())?;
            Err(in_edit(number, job.first_unknown()))
        })
    }

    /// What each of the edits `numbers` changes, by `change`, which gets a work space of each thread.
    fn each<W>(
        &self,
        numbers: &[usize],
        space: impl Fn() -> W + Sync + Send,
        change: impl Fn(&mut W, usize) -> Result<Change> + Sync + Send,
    ) -> Result<Vec<Change>> {
        let one = |space: &mut W, &number: &usize| {
            self.monitor.check()?;
            change(space, number)
        };
        if numbers.len() < EDITS {
            let mut space = space();
            return numbers.iter().map(|number| one(&mut space, number)).collect();
        }
        numbers.par_iter().with_min_len(EDITS).map_init(space, one).collect()
    }

    /// With an automaton, which encodes what is taken and finds the part to be encoded at first.
    fn by_machine<S: StateId, O: StateOutput>(
        &self,
        machine: &Machine<'_, S, O>,
        numbers: &[usize],
    ) -> Result<Vec<Change>> {
        let marks = self.tokenizer.model().num_tokens();
        let unknown = self.tokenizer.unknown_id();
        let encode = |states: &mut Vec<S>, text: &[u8], tokens: &mut Vec<PlacedToken>| {
            states.clear();
            states.push(S::default());
            let mut state = S::default();
            states.extend(text.iter().map(|&byte| {
                state = machine.after(state, byte);
                state
            }));
            let mut end = text.len();
            while end > 0 {
                let output = machine.outputs[states[end].index()];
                let (token, length) = (output.token().into(), output.length());
                end -= length;
                let id = match token.checked_sub(marks) {
                    None => Some(self.tokenizer.id_of(token)),
                    Some(mark) if mark == Mark::Dropped as u32 => None,
                    Some(_) => unknown,
                };
                tokens.extend(id.map(|token| placed(token, end..end + length)));
            }
            tokens.reverse();
            Ok(())
        };
        let part = self.part(machine, numbers);
        self.by_surroundings(part, numbers, Vec::new, encode)
    }

    /// Without an automaton.
    fn by_symbol(&self, numbers: &[usize]) -> Result<Vec<Change>> {
        let encode = |(): &mut (), text: &[u8], tokens: &mut Vec<PlacedToken>| {
            let text = String::from_utf8_lossy(text);
            self.tokenizer.tokens_exactly(&text, self.tokenizer.symbols(), |id, range| {
                tokens.extend(id.or(self.tokenizer.unknown_id()).map(|id| placed(id, range)));
                Ok(())
            })
        };
        self.by_surroundings(0..self.sequence.len(), numbers, || (), encode)
    }

    /// The part of the sequence from a boundary at or before all edits to one at or behind them, which are boundaries
    /// whatever stands between. All of it where that is not much shorter.
    fn part<S: StateId, O: StateOutput>(
        &self,
        machine: &Machine<'_, S, O>,
        numbers: &[usize],
    ) -> Range<usize> {
        let bytes = self.sequence.as_bytes();
        let edits = numbers.iter().map(|&number| &self.edits[number]);
        let first = edits.clone().map(|edit| edit.start).min().unwrap_or(0);
        let last = edits.map(|edit| edit.end).max().unwrap_or(0);
        let search = TaskSizes::default().search;
        let reach = LAST_CUT_WINDOWS * search.max(4 * machine.longest);
        let start = match first.checked_sub(reach) {
            Some(wish) if wish > 0 => find_cut(machine, bytes, search, wish, first).unwrap_or(0),
            _ => 0,
        };
        let end = match bytes.len().checked_sub(reach) {
            Some(latest) if last < latest => find_cut(machine, bytes, search, last, bytes.len()),
            _ => None,
        };
        start..end.unwrap_or(bytes.len())
    }

    /// By the tokens around each edit, of those of the part `part`, which is encoded first; `encode` encodes some of it.
    fn by_surroundings<W>(
        &self,
        part: Range<usize>,
        numbers: &[usize],
        space: impl Fn() -> W + Sync + Send,
        encode: impl Fn(&mut W, &[u8], &mut Vec<PlacedToken>) -> Result<()> + Sync + Send,
    ) -> Result<Vec<Change>> {
        let text = &self.sequence[part.clone()];
        let row = self.row(text)?;
        self.each(
            numbers,
            || (Surroundings::default(), space()),
            |(taken, space), number| {
                let SequenceEdit { start, end, replacement } = &self.edits[number];
                let (start, end) = (start - part.start, end - part.start);
                let edit = ByteEdit { start, end, replacement: replacement.as_bytes() };
                let encode = |text: &[u8], tokens: &mut Vec<PlacedToken>| encode(space, text, tokens);
                let change = reencode(text.as_bytes(), &row, &edit, taken, encode)?;
                Ok(Change { start: change.start + part.start, end: change.end + part.start, ..change })
            },
        )
    }

    /// The tokens of a text with their places, in characters.
    fn row(&self, text: &str) -> Result<Vec<PlacedToken>> {
        let sequences = Sequences { bytes: text.as_bytes(), offsets: &[0, text.len()] };
        let options = EncodeOptions { spans: true, ..EncodeOptions::default() };
        let encoded = self.tokenizer.encode_batch(sequences, &options, self.monitor)?;
        let spans = encoded.spans.unwrap_or_default();
        let at = |place: i64| usize::try_from(place).unwrap_or(0);
        let ranges = spans.into_iter().map(|[start, end]| at(start)..at(end));
        Ok(match encoded.ids {
            Ids::Narrow(ids) => ids.iter().zip(ranges).map(|(&id, range)| placed(id.into(), range)).collect(),
            Ids::Wide(ids) => ids.iter().zip(ranges).map(|(&id, range)| placed(id, range)).collect(),
        })
    }

    /// Of k-mers that do not overlap.
    fn of_kmers(&self, kmer: &Kmer, numbers: &[usize]) -> Result<Vec<Change>> {
        let bytes = self.sequence.as_bytes();
        let known = self.tokenizer.kmer_options(false);
        // Unknown symbols without a token were refused before.
        let options = crate::kmer::KmerOptions { unknown: known.unknown.or(Some(0)), ..known };
        let runs = BaseRuns::of(bytes, options.upper_case);
        let tokens = |text: &[u8], start: usize| {
            let (mut ids, mut tokens): (Vec<Id>, _) = (Vec::new(), Vec::new());
            kmer.encode_into(text, &options, &mut ids);
            let mut ids = ids.into_iter();
            kmer.spans(text, &options, |range| {
                tokens.extend(ids.next().map(|id| placed(id, start + range.start..start + range.end)));
            });
            tokens
        };
        self.each(numbers, Vec::new, |changed: &mut Vec<u8>, number| {
            let SequenceEdit { start, end, replacement } = &self.edits[number];
            let edit = ByteEdit { start: *start, end: *end, replacement: replacement.as_bytes() };
            let part = kmer.affected(&runs, *start..*end, edit.replacement, options.upper_case);
            edit.apply(bytes, (part.start, part.end), changed);
            let before = tokens(&bytes[part.clone()], part.start);
            let after = tokens(changed, part.start);
            Ok(Change::between(&edit, &before, &after, (part.start, part.end)))
        })
    }

    /// By encoding the whole sequence with each edit.
    fn by_comparison(&self, numbers: &[usize]) -> Result<Vec<Change>> {
        if numbers.is_empty() {
            return Ok(Vec::new()); // nothing is encoded for nothing
        }
        let before = self.row(self.sequence)?;
        let mut bounds: Vec<usize> = self.sequence.char_indices().map(|(at, _)| at).collect();
        bounds.push(self.sequence.len());
        let length = bounds.len() - 1;
        self.each(numbers, Vec::new, |changed: &mut Vec<u8>, number| {
            let SequenceEdit { start, end, replacement } = &self.edits[number];
            let in_bytes =
                ByteEdit { start: bounds[*start], end: bounds[*end], replacement: replacement.as_bytes() };
            in_bytes.apply(self.sequence.as_bytes(), (0, self.sequence.len()), changed);
            let after =
                self.row(&String::from_utf8_lossy(changed)).map_err(|error| in_edit(number, error))?;
            // What replaces, in characters: only its length matters from here on.
            let count = vec![0; replacement.chars().count()];
            let edit = ByteEdit { start: *start, end: *end, replacement: &count };
            Ok(Change::between(&edit, &before, &after, (0, length)))
        })
    }
}

/// A token at a place. A token has fewer than 2^32 symbols.
#[allow(clippy::cast_possible_truncation)]
fn placed(token: Id, range: Range<usize>) -> PlacedToken {
    PlacedToken { token, length: range.len() as u32, start: range.start }
}

/// The same error, with the number of the edit in place of the sequence.
fn in_edit(number: usize, error: Error) -> Error {
    match error {
        Error::Symbol { file, line, position, byte, reason, .. } => {
            Error::Symbol { file, line, record: format!("edit {number}"), position, byte, reason }
        }
        other => other,
    }
}

/// How a text is read from the other strand, with the symbols of a vocabulary.
struct OtherStrand([u8; 256]);

impl OtherStrand {
    fn of(tokenizer: &Tokenizer) -> Self {
        let is_known = |byte| tokenizer.symbols().is_known(byte);
        Self(std::array::from_fn(|byte| complement_symbol(u8::try_from(byte).unwrap_or(0), is_known)))
    }

    /// The characters backwards, those of nucleotides as their complements.
    fn text(&self, text: &str) -> String {
        let other = |character: char| match u8::try_from(character) {
            Ok(byte) if byte.is_ascii() => char::from(self.0[usize::from(byte)]),
            _ => character,
        };
        text.chars().rev().map(other).collect()
    }

    /// The edit of the other strand, of a sequence of `length` characters.
    fn edit(&self, edit: &SequenceEdit, length: usize) -> SequenceEdit {
        let SequenceEdit { start, end, replacement } = edit;
        SequenceEdit { start: length - end, end: length - start, replacement: self.text(replacement) }
    }
}

#[cfg(test)]
mod tests;
