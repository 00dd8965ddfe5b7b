//! Tokens become ids, or their number, and unknown symbols are counted.
//!
//! What lanes hand over are tokens and marks, as numbers in one list. With 4,096 tokens, for the end of one sequence and the
//! start of the next one, which has two N, with special tokens asked for and ids from 5 on:
//!
//! ```text
//! tokens   ... 17 4095 | 4096 | 4098 4098 | 5 ...        4096 is Mark::End, 4098 Mark::Unknown
//! ids      ... 22 4100 | [SEP], end, [CLS] | [UNK] [UNK] | 10 ...
//! ```

use super::join::Joiner;
use super::output::{IdStore, TaskOutput};
use super::tasks::BatchTask;
use crate::bpe::Token;
use crate::bpe::encode::marked::{MARKS, Mark};
use crate::bpe::encode::{LANES, TokenSink};
use crate::tokenizer::{Id, Template};

/// How tokens become ids.
pub(super) struct IdRules<'a> {
    /// The id of each token.
    pub(super) ids: &'a [Id],
    /// The id of the first token, if those of the others follow it in order; then `ids` need not be looked up.
    pub(super) shift: Option<Id>,
    /// The unknown token for unknown symbols, or nothing.
    pub(super) unknown: Option<Id>,
    /// What goes around each sequence.
    pub(super) template: Template,
    /// How many symbols each token has, if spans are wanted.
    pub(super) lengths: Option<&'a [u32]>,
    /// The tasks of plain text, in the order of the queue.
    pub(super) tasks: &'a [BatchTask],
}

/// Takes the tokens of one thread's lanes, each of which fills the output of one task.
pub(super) struct Collector<'a, I> {
    rules: &'a IdRules<'a>,
    open: [TaskOutput<I>; LANES],
    joiner: &'a Joiner<I>,
}

impl<'a, I: IdStore> Collector<'a, I> {
    pub(super) fn new(rules: &'a IdRules<'a>, joiner: &'a Joiner<I>) -> Self {
        Self { rules, open: std::array::from_fn(|_| TaskOutput::default()), joiner }
    }
}

impl<I: IdStore> TaskOutput<I> {
    /// Adds tokens of the model; no mark may be among them.
    fn add<T: Copy + Into<Token>>(&mut self, tokens: &[T], rules: &IdRules<'_>) {
        match rules.shift {
            Some(shift) => self.ids.add_ids(tokens.iter().map(|&token| token.into() + shift)),
            None => self.ids.add_ids(tokens.iter().map(|&token| rules.ids[token.into() as usize])),
        }
        for &token in rules.lengths.map_or(&[][..], |_| tokens) {
            let length = rules.lengths.map_or(0, |lengths| lengths[token.into() as usize]);
            self.add_span(i64::from(length));
        }
    }

    /// Adds special tokens that are not in the sequence; their spans are empty.
    pub(super) fn add_around(&mut self, ids: &[Id], rules: &IdRules<'_>) {
        self.ids.add_ids(ids.iter().copied());
        if rules.lengths.is_some() {
            self.spans.extend(ids.iter().map(|_| [0, 0]));
        }
    }

    /// Adds a token of a sequence that is not plain; `from` are the characters it comes from.
    pub(super) fn add_id(&mut self, id: Id, from: std::ops::Range<usize>, rules: &IdRules<'_>) {
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

    /// The span of the next `length` characters of the sequence.
    fn add_span(&mut self, length: i64) {
        self.spans.push([self.characters, self.characters + length]);
        self.characters += length;
    }

    /// Adds what a mark that comes several times stands for: a gap of an assembly is millions of the same.
    fn add_marks(&mut self, mark: Mark, times: usize, rules: &IdRules<'_>) {
        if !matches!(mark, Mark::Unknown | Mark::LowerCase) || rules.lengths.is_some() {
            return (0..times).for_each(|_| self.add_mark(mark, rules));
        }
        self.unknown += times as u64;
        self.lower_case += if mark == Mark::LowerCase { times as u64 } else { 0 };
        if let Some(id) = rules.unknown {
            self.ids.add_ids(std::iter::repeat_n(id, times));
        }
    }

    /// Adds what a mark stands for. Each mark but [`Mark::End`] is one character of the sequence, whether it becomes a token
    /// or not; so spans count on.
    fn add_mark(&mut self, mark: Mark, rules: &IdRules<'_>) {
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

impl<I: IdStore, T: Copy + Into<Token>> TokenSink<T> for Collector<'_, I> {
    /// A quarter of an id per byte is more than most vocabularies make; if it is less, the list grows.
    fn start(&mut self, lane: usize, number: usize) {
        let task = &self.rules.tasks[number];
        let ids = self.joiner.spare();
        let mut output: TaskOutput<I> =
            TaskOutput { place: task.place, is_ended: task.is_ended, ids, ..TaskOutput::default() };
        output.ids.reserve(task.bytes.len() / 4);
        if task.is_started {
            output.add_around(&self.rules.template.before, self.rules);
        }
        self.open[lane] = output;
    }

    /// Takes the tokens of a block, several sequences perhaps.
    ///
    /// A mark is a number from `num_tokens` on ([`Mark`]). Most blocks have none, and one pass over them, for the maximum,
    /// shows it. Otherwise the block is cut into runs: of one and the same mark, or of tokens; each pass takes one run from
    /// the front, so the work is linear and ends.
    #[allow(clippy::cast_possible_truncation)] // tokens are u32
    fn tokens(&mut self, lane: usize, mut tokens: &[T], _: bool) {
        let (output, rules) = (&mut self.open[lane], self.rules);
        let num_tokens = rules.ids.len() as Token;
        if tokens.iter().fold(0, |most, &token| most.max(token.into())) < num_tokens {
            return output.add(tokens, rules);
        }
        while let Some(&first) = tokens.first() {
            if let Some(mark) = first.into().checked_sub(num_tokens) {
                let run = tokens.iter().position(|&token| token.into() != first.into());
                let run = run.unwrap_or(tokens.len());
                output.add_marks(MARKS[mark as usize], run, rules);
                tokens = &tokens[run..];
                continue;
            }
            let run = tokens.iter().position(|&token| token.into() >= num_tokens).unwrap_or(tokens.len());
            output.add(&tokens[..run], rules);
            tokens = &tokens[run..];
        }
    }

    /// A task that ends within a sequence leaves it open: the next one has its end, and the joiner moves its spans.
    fn end(&mut self, lane: usize) {
        let mut output = std::mem::take(&mut self.open[lane]);
        if output.is_ended {
            output.add_around(&self.rules.template.after, self.rules);
            output.end_sequence();
        }
        self.joiner.add(output);
    }
}
