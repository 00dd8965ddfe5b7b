//! What becomes of the tokens: ids, or their number, and the account of unknown letters.

use super::join::Joiner;
use super::part::{Part, Store};
use super::tasks::Task;
use crate::alphabet::UnknownPolicy;
use crate::bpe::Token;
use crate::bpe::encode::marked::{MARKS, Mark};
use crate::bpe::encode::{LANES, TokenSink};
use crate::tokenizer::{Id, Template};

/// How tokens become ids.
pub(super) struct Rules<'a> {
    /// The id of each token.
    pub(super) ids: &'a [Id],
    /// The id of the first token, if those of the others follow it in order.
    pub(super) shift: Option<Id>,
    /// The unknown token for unknown letters, or nothing.
    pub(super) unknown: Option<Id>,
    /// What goes around each sequence.
    pub(super) template: Template,
    /// The letters in each token, if spans are wanted.
    pub(super) lengths: Option<&'a [u32]>,
    /// The tasks of plain text.
    pub(super) tasks: &'a [Task],
}

impl Rules<'_> {
    /// The rules for unknown letters: their id, and whether they are refused.
    pub(super) fn of_unknown(unknown: UnknownPolicy, id: Option<Id>) -> (Option<Id>, bool) {
        match unknown {
            UnknownPolicy::Token => (id, id.is_none()),
            UnknownPolicy::Split => (None, false),
            UnknownPolicy::Refuse => (None, true),
        }
    }
}

/// Takes the tokens of one thread's lanes.
pub(super) struct Collector<'a, I> {
    rules: &'a Rules<'a>,
    open: [Part<I>; LANES],
    joiner: &'a Joiner<I>,
}

impl<'a, I: Store> Collector<'a, I> {
    pub(super) fn new(rules: &'a Rules<'a>, joiner: &'a Joiner<I>) -> Self {
        Self { rules, open: std::array::from_fn(|_| Part::default()), joiner }
    }
}

impl<I: Store> Part<I> {
    /// Adds tokens of the scheme.
    fn add<T: Copy + Into<Token>>(&mut self, tokens: &[T], rules: &Rules<'_>) {
        match rules.shift {
            Some(shift) => self.ids.add_ids(tokens.iter().map(|&token| token.into() + shift)),
            None => self.ids.add_ids(tokens.iter().map(|&token| rules.ids[token.into() as usize])),
        }
        for &token in rules.lengths.map_or(&[][..], |_| tokens) {
            let length = rules.lengths.map_or(0, |lengths| lengths[token.into() as usize]);
            self.add_span(i64::from(length));
        }
    }

    /// Adds special tokens that are not in the sequence.
    pub(super) fn add_around(&mut self, ids: &[Id], rules: &Rules<'_>) {
        self.ids.add_ids(ids.iter().copied());
        if rules.lengths.is_some() {
            self.spans.extend(ids.iter().map(|_| [0, 0]));
        }
    }

    /// Adds a token of a sequence that is not plain.
    pub(super) fn add_id(&mut self, id: Id, from: std::ops::Range<usize>, rules: &Rules<'_>) {
        self.ids.add_ids([id].into_iter());
        if rules.lengths.is_some() {
            // Places in memory: far below 2^63.
            self.spans.push([from.start, from.end].map(|place| i64::try_from(place).unwrap_or(i64::MAX)));
        }
    }

    /// Ends a sequence.
    pub(super) fn end_sequence(&mut self) {
        self.ends.push(self.ids.len());
        self.characters = 0;
    }

    fn add_span(&mut self, length: i64) {
        self.spans.push([self.characters, self.characters + length]);
        self.characters += length;
    }

    /// Adds what a mark that comes several times stands for.
    fn add_marks(&mut self, mark: Mark, times: usize, rules: &Rules<'_>) {
        if !matches!(mark, Mark::Unknown | Mark::LowerCase) || rules.lengths.is_some() {
            return (0..times).for_each(|_| self.add_mark(mark, rules));
        }
        self.unknown += times as u64;
        self.lower_case += if mark == Mark::LowerCase { times as u64 } else { 0 };
        if let Some(id) = rules.unknown {
            self.ids.add_ids(std::iter::repeat_n(id, times));
        }
    }

    /// Adds what a mark stands for.
    fn add_mark(&mut self, mark: Mark, rules: &Rules<'_>) {
        match mark {
            Mark::Dropped => self.characters += 1,
            Mark::End => {
                self.add_around(&rules.template.after, rules);
                self.end_sequence();
                self.add_around(&rules.template.before, rules);
            }
            Mark::Unknown | Mark::LowerCase => {
                self.unknown += 1;
                self.lower_case += u64::from(mark == Mark::LowerCase);
                match rules.unknown {
                    Some(id) => {
                        self.ids.add_ids([id].into_iter());
                        if rules.lengths.is_some() {
                            self.add_span(1);
                        }
                    }
                    None => self.characters += 1,
                }
            }
        }
    }
}

impl<I: Store, T: Copy + Into<Token>> TokenSink<T> for Collector<'_, I> {
    fn start(&mut self, lane: usize, number: usize) {
        let task = &self.rules.tasks[number];
        let ids = self.joiner.spare();
        let mut part: Part<I> = Part { place: task.place, is_ended: task.is_ended, ids, ..Part::default() };
        part.ids.reserve(task.bytes.len() / 4);
        if task.is_begun {
            part.add_around(&self.rules.template.before, self.rules);
        }
        self.open[lane] = part;
    }

    #[allow(clippy::cast_possible_truncation)] // tokens are u32
    fn tokens(&mut self, lane: usize, mut tokens: &[T], _: bool) {
        let (part, rules) = (&mut self.open[lane], self.rules);
        let num_tokens = rules.ids.len() as Token;
        if tokens.iter().fold(0, |most, &token| most.max(token.into())) < num_tokens {
            return part.add(tokens, rules);
        }
        while let Some(&first) = tokens.first() {
            if let Some(mark) = first.into().checked_sub(num_tokens) {
                let run = tokens.iter().position(|&token| token.into() != first.into());
                let run = run.unwrap_or(tokens.len());
                part.add_marks(MARKS[mark as usize], run, rules);
                tokens = &tokens[run..];
                continue;
            }
            let run = tokens.iter().position(|&token| token.into() >= num_tokens).unwrap_or(tokens.len());
            part.add(&tokens[..run], rules);
            tokens = &tokens[run..];
        }
    }

    fn end(&mut self, lane: usize) {
        let mut part = std::mem::take(&mut self.open[lane]);
        if part.is_ended {
            part.add_around(&self.rules.template.after, self.rules);
            part.end_sequence();
        }
        self.joiner.add(part);
    }
}
