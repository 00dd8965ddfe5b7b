//! Sequences one by one, as their file says, whatever is in them.

use std::borrow::Cow;

use super::Job;
use super::collect::Rules;
use super::part::{Part, Store};
use super::tasks::Task;
use crate::alphabet::UnknownPolicy;
use crate::error::{Error, Result};
use crate::monitor::Monitor;
use crate::tokenizer::letters::UNKNOWN;

/// A sequence as text; bytes that are not UTF-8 become a character that no vocabulary has.
struct Sequence<'a> {
    text: Cow<'a, str>,
    /// Its characters, where they are not its bytes.
    characters: Option<Vec<char>>,
}

impl<'a> Sequence<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let characters = (!text.is_ascii()).then(|| text.chars().collect());
        Self { text, characters }
    }

    fn character(&self, at: usize) -> char {
        match &self.characters {
            Some(characters) => characters[at],
            None => char::from(self.text.as_bytes()[at]),
        }
    }
}

impl Job<'_> {
    /// The part of a task whose sequences are not plain.
    pub(super) fn exactly<I: Store>(
        &self,
        task: &Task,
        rules: &Rules<'_>,
        monitor: &Monitor,
    ) -> Result<Part<I>> {
        let mut part = Part { place: task.place, ..Part::default() };
        for number in task.sequences.clone() {
            monitor.check()?;
            let bytes = self.bytes_of(number);
            part.add_around(&rules.template.before, rules);
            let sequence = Sequence::new(bytes);
            self.tokenizer.tokens_exactly(&sequence.text, &self.letters, |id, range| {
                if id.is_none() {
                    part.unknown += range.len() as u64;
                    let is_lower = |at| {
                        u8::try_from(sequence.character(at))
                            .is_ok_and(|byte| self.letters.is_lower_case(byte))
                    };
                    part.lower_case += range.clone().filter(|&at| is_lower(at)).count() as u64;
                }
                if let Some(id) = id.or(rules.unknown) {
                    part.add_id(id, range, rules);
                }
                Ok(())
            })?;
            monitor.add_bases(bytes.len() as u64);
            part.add_around(&rules.template.after, rules);
            part.end_sequence();
        }
        Ok(part)
    }

    /// The bytes of a sequence.
    pub(super) fn bytes_of(&self, number: usize) -> &[u8] {
        &self.sequences.bytes[self.sequences.offsets[number]..self.sequences.offsets[number + 1]]
    }

    /// The error at the first letter outside the vocabulary.
    pub(super) fn first_unknown(&self) -> Error {
        let numbers = 0..self.sequences.len();
        let found = numbers.into_iter().find_map(|number| Some((number, self.first_unknown_of(number)?)));
        let (number, (position, byte)) = found.unwrap_or((0, (0, b'?')));
        let reason = match self.options.unknown {
            UnknownPolicy::Token => "is not in the vocabulary, which has no unknown token for such letters",
            _ => "is not in the vocabulary",
        };
        let is_single = self.sequences.len() == 1;
        Error::Symbol {
            file: None,
            line: None,
            record: if is_single { "sequence".to_owned() } else { format!("sequence {number}") },
            position: position as u64,
            byte,
            reason: reason.to_owned(),
        }
    }

    /// The first unknown letter of a sequence: its number among the characters, and its first byte.
    fn first_unknown_of(&self, number: usize) -> Option<(usize, u8)> {
        let bytes = self.bytes_of(number);
        if self.tokenizer.is_simple() && self.is_plain(bytes) {
            let at = bytes.iter().position(|&byte| self.letters.symbol(byte) == UNKNOWN);
            return at.map(|at| (at, bytes[at]));
        }
        let sequence = Sequence::new(bytes);
        let mut found = None;
        let looked = self.tokenizer.tokens_exactly(&sequence.text, &self.letters, |id, range| {
            if id.is_some() {
                return Ok(());
            }
            let mut bytes = [0; 4];
            sequence.character(range.start).encode_utf8(&mut bytes);
            found = Some((range.start, bytes[0]));
            Err(Error::Interrupted) // it is enough
        });
        looked.err().and(found)
    }
}
