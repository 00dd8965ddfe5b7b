//! Sequences one by one, as their file says, whatever is in them.
//!
//! Slower than the lanes by an order of magnitude and more, but it takes any text: characters outside ASCII, added
//! tokens, normalizers that do more than turn one character into another. Both ways must agree on what is plain; the tests
//! compare them.

use std::borrow::Cow;

use super::Job;
use super::collect::IdRules;
use super::output::{IdStore, TaskOutput};
use super::tasks::BatchTask;
use crate::alphabet::UnknownPolicy;
use crate::error::{Error, Result};
use crate::monitor::Monitor;
use crate::tokenizer::refusal::refused_symbol;
use crate::tokenizer::symbols::UNKNOWN;

/// A sequence as text; bytes that are not UTF-8 become a character that no vocabulary has.
struct TextSequence<'a> {
    text: Cow<'a, str>,
    /// Its characters, where they are not its bytes.
    characters: Option<Vec<char>>,
}

impl<'a> TextSequence<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let characters = (!text.is_ascii()).then(|| text.chars().collect());
        Self { text, characters }
    }

    /// The character at a position in characters; constant time.
    fn character(&self, at: usize) -> char {
        match &self.characters {
            Some(characters) => characters[at],
            None => char::from(self.text.as_bytes()[at]),
        }
    }
}

impl Job<'_> {
    /// The output of a task whose sequences are not plain; such a task holds whole sequences, so their spans need no moving.
    ///
    /// An unknown piece may be several characters that are one token: each of them counts as unknown.
    pub(super) fn exactly<I: IdStore>(
        &self,
        task: &BatchTask,
        rules: &IdRules<'_>,
        monitor: &Monitor,
    ) -> Result<TaskOutput<I>> {
        let mut output = TaskOutput { place: task.place, ..TaskOutput::default() };
        for number in task.sequences.clone() {
            monitor.check()?;
            let bytes = self.bytes_of(number);
            output.add_around(&rules.template.before, rules);
            let sequence = TextSequence::new(bytes);
            self.tokenizer.tokens_exactly(&sequence.text, &self.symbols, |id, range| {
                if id.is_none() {
                    output.unknown += range.len() as u64;
                    let is_lower = |at| {
                        u8::try_from(sequence.character(at))
                            .is_ok_and(|byte| self.symbols.is_lower_case(byte))
                    };
                    output.lower_case += range.clone().filter(|&at| is_lower(at)).count() as u64;
                }
                if let Some(id) = id.or(rules.unknown) {
                    output.add_id(id, range, rules);
                }
                Ok(())
            })?;
            monitor.add_bases(bytes.len() as u64);
            output.add_around(&rules.template.after, rules);
            output.end_sequence();
        }
        Ok(output)
    }

    /// The bytes of a sequence.
    pub(super) fn bytes_of(&self, number: usize) -> &[u8] {
        &self.sequences.bytes[self.sequences.offsets[number]..self.sequences.offsets[number + 1]]
    }

    /// The error at the first symbol outside the vocabulary, which is looked for in all sequences.
    pub(super) fn first_unknown(&self) -> Error {
        let numbers = 0..self.sequences.len();
        let found = numbers.into_iter().find_map(|number| Some((number, self.first_unknown_of(number)?)));
        let (number, (position, byte)) = found.unwrap_or((0, (0, b'?')));
        let reason = match self.options.unknown {
            UnknownPolicy::Token => "is not in the vocabulary, which has no unknown token for such symbols",
            _ => "is not in the vocabulary",
        };
        let is_single = self.sequences.len() == 1;
        let record = if is_single { "sequence".to_owned() } else { format!("sequence {number}") };
        refused_symbol(record, position, byte, reason)
    }

    /// The first unknown symbol of a sequence: its position in characters, and its first byte.
    fn first_unknown_of(&self, number: usize) -> Option<(usize, u8)> {
        let bytes = self.bytes_of(number);
        if self.tokenizer.is_simple() && self.is_plain(bytes) {
            let at = bytes.iter().position(|&byte| self.symbols.code(byte) == UNKNOWN);
            return at.map(|at| (at, bytes[at]));
        }
        let sequence = TextSequence::new(bytes);
        let mut found = None;
        let searched = self.tokenizer.tokens_exactly(&sequence.text, &self.symbols, |id, range| {
            if id.is_some() {
                return Ok(());
            }
            let mut bytes = [0; 4];
            sequence.character(range.start).encode_utf8(&mut bytes);
            found = Some((range.start, bytes[0]));
            Err(Error::Interrupted) // it is enough
        });
        searched.err().and(found)
    }
}
