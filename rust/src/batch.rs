//! Many sequences to ids and back, in parallel, in order.
//!
//! # From bytes to ids
//!
//! 1. Sequences are shared out in *tasks* (`tasks`): short ones in groups, long ones cut at seams that are true whatever
//!    stands on both sides.
//! 2. A task is read block by block, its sequences with a separator between them (`text`). Bytes go to the automaton as
//!    they are: each has a row of the transition table, letters one in common with their lower case where the file says
//!    so, all else a *mark* ([`crate::bpe::encode::marked`]), so that N, gaps and white space stay in the loops that letters run
//!    through.
//! 3. Eight lanes, one task each, run forward and are walked back ([`crate::bpe::encode::lanes`], which train with the same
//!    loops).
//! 4. Tokens become ids (`collect`): where no mark is in a block, by one addition or look-up each. Unknown letters are
//!    counted by their marks, sequences end at theirs. The parts of all tasks are put together as they come (`join`).
//!
//! All this is for *plain* sequences: ASCII, without a byte that an added token begins with, and such that the file's
//! normalizer would do nothing to them that the table of letters does not say; looking for that costs a thirtieth of
//! the encoding. All others, and all sequences where a vocabulary has no automaton or a file says more of a text than
//! a table holds, are encoded one by one, to the letter (`exact`).
//!
//! # Measured
//!
//! Human chromosome 20, 63 Mb with its N, 4,096 tokens, one core of a shared two-core machine: 0.50 Gb/s in one piece,
//! 0.50 in windows of 1 kb, 0.44 in reads of 150 bases; on both cores 1.1. Of the time on one core the loop forward takes
//! half (1 ns a base: it waits for the second cache, which holds most of the table), the walk back a fifth, copying bytes in
//! and ids out a seventh, looking whether the text is plain a twenty-fifth. With 32,000 tokens 0.16 to 0.20 Gb/s: the table
//! (5.6 MB) is larger than the second cache.
//!
//! Tried and dropped: states in the order of how often a genome visits them (1 to 5 % faster at 4,096 tokens, 10 to 20 %
//! at 32,000, for a sample to carry about); states interleaved lane by lane (slower); six lanes (a tenth faster with
//! buffers of fixed size, slower without), eight (slower); reading states back first and looking tokens up after
//! (5 % slower than packed outputs); two bases a step through a table of 16 entries a state (forward 1.0 to 0.7 ns a base,
//! but the walk back must look up the states between, 0.3 to 0.9 ns); both states of a step in one entry (the table leaves
//! the second cache: no gain); another allocator (mimalloc: reads a third faster from Python, training a fifth slower).
//!
//! Memory: input, ids, and some megabytes a thread. A block is not longer than the longest task, so that a
//! single short call does not fill large buffers.

mod collect;
mod decode;
mod encoded;
mod exact;
mod join;
mod kmers;
mod part;
mod tasks;
mod text;

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use self::collect::{Collector, Rules};
pub use self::encoded::{EncodeOptions, Encoded, Ids, Sequences};
use self::join::{Joined, Joiner};
use self::part::{Counter, Store};
use self::tasks::{Sizes, Task, find_cut, share_out};
use self::text::{Suspects, Text, symbol};
use crate::bpe::encode::SegmentQueue;
use crate::bpe::encode::lanes::run;
use crate::bpe::encode::machine::{Machine, StateId, StateOutput};
use crate::bpe::encode::marked::AnyMarked;
use crate::error::Result;
use crate::monitor::Monitor;
use crate::tokenizer::letters::Letters;
use crate::tokenizer::{Id, Template, Tokenizer};

impl Tokenizer {
    /// The ids of a text, without special tokens around it. Linear in time and memory.
    ///
    /// The first call builds the encoder. Fails at a letter outside the vocabulary if there is no unknown token.
    pub fn encode(&self, text: &str) -> Result<Vec<Id>> {
        if let Some(kmer) = self.kmers() {
            return self.encode_kmers(kmer, text);
        }
        let sequences = Sequences { bytes: text.as_bytes(), offsets: &[0, text.len()] };
        let job = Job::new(self, sequences, EncodeOptions::default(), Sizes::default())?;
        Ok(job.run::<Vec<u32>>(&Monitor::default())?.ids)
    }

    /// The ids of many sequences, on the threads of the present pool. Linear in time and memory.
    ///
    /// The first call builds the encoder. Fails at a letter outside the vocabulary if there is no unknown token or
    /// the options say so.
    pub fn encode_batch(
        &self,
        sequences: Sequences<'_>,
        options: &EncodeOptions,
        monitor: &Monitor,
    ) -> Result<Encoded> {
        if let Some(kmer) = self.kmers() {
            return kmers::encode(self, kmer, sequences, *options, monitor);
        }
        Job::new(self, sequences, *options, Sizes::default())?.encode(monitor)
    }

    /// How many tokens each sequence has: [`encode_batch`](Self::encode_batch) without the ids.
    pub fn count_tokens(
        &self,
        sequences: Sequences<'_>,
        options: &EncodeOptions,
        monitor: &Monitor,
    ) -> Result<Vec<u64>> {
        if let Some(kmer) = self.kmers() {
            return kmers::count_tokens(self, kmer, sequences, *options, monitor);
        }
        let options = EncodeOptions { spans: false, ..*options };
        let joined: Joined<Counter> = Job::new(self, sequences, options, Sizes::default())?.run(monitor)?;
        Ok(joined.offsets.windows(2).map(|pair| pair[1].abs_diff(pair[0])).collect())
    }
}

/// Bytes below which it is not worth waking other threads.
const SMALL: usize = 1 << 17;

/// Sequences and how to encode them.
struct Job<'a> {
    tokenizer: &'a Tokenizer,
    sequences: Sequences<'a>,
    options: EncodeOptions,
    letters: Cow<'a, Letters>,
    template: Template,
    suspects: Suspects,
    sizes: Sizes,
}

impl<'a> Job<'a> {
    fn new(
        tokenizer: &'a Tokenizer,
        sequences: Sequences<'a>,
        options: EncodeOptions,
        sizes: Sizes,
    ) -> Result<Self> {
        sequences.check()?;
        let template = if options.add_special_tokens { tokenizer.template()? } else { Template::default() };
        let letters = if options.upper_case {
            Cow::Owned(tokenizer.letters().clone().upper_cased())
        } else {
            Cow::Borrowed(tokenizer.letters())
        };
        let suspects = Suspects::new(tokenizer.first_bytes_of_added().chain(letters.unsure_bytes()));
        Ok(Self { tokenizer, sequences, options, letters, template, suspects, sizes })
    }

    fn encode(&self, monitor: &Monitor) -> Result<Encoded> {
        if self.tokenizer.vocab_size() <= 1 << 16 {
            Ok(self.run::<Vec<u16>>(monitor)?.finish(self.options.spans, Ids::Narrow))
        } else {
            Ok(self.run::<Vec<u32>>(monitor)?.finish(self.options.spans, Ids::Wide))
        }
    }

    /// The parts of all tasks, in order.
    fn run<I: Store>(&self, monitor: &Monitor) -> Result<Joined<I>> {
        let marked = if self.tokenizer.is_simple() { self.tokenizer.scheme().automaton() } else { None };
        let symbol = |byte| symbol(&self.letters, byte);
        match marked {
            Some(AnyMarked::Narrow(marked)) => self.run_machine(&marked.over(symbol), monitor),
            Some(AnyMarked::Wide(marked)) => self.run_machine(&marked.over(symbol), monitor),
            None => {
                let tasks = share_out(self.sequences, &self.sizes, threads(), |_| false, |_, _| None);
                self.collect(tasks, monitor, &|_, _, _| Ok(()))
            }
        }
    }

    fn run_machine<S: StateId, O: StateOutput<Token = u16>, I: Store>(
        &self,
        machine: &Machine<'_, S, O>,
        monitor: &Monitor,
    ) -> Result<Joined<I>> {
        let cut = |wish, end| find_cut(machine, self.sequences.bytes, self.sizes.search, wish, end);
        let all_plain = self.all_plain();
        let is_plain = |number| all_plain || self.is_plain(self.bytes_of(number));
        let tasks = share_out(self.sequences, &self.sizes, threads(), is_plain, cut);
        // Lanes of short texts need not be long: with the separators, as long as the longest task.
        let longest = tasks.iter().map(|task| task.bytes.len() + task.sequences.len() + 1).max();
        let block = self.sizes.block.max(4 * machine.longest).min(longest.unwrap_or(0));
        self.collect(tasks, monitor, &|text, queue, collector| {
            run(machine, text, queue, collector, monitor, block)
        })
    }

    /// Whether a sequence is plain, in a file that is simple.
    fn is_plain(&self, bytes: &[u8]) -> bool {
        !self.suspects.any(bytes) && self.letters.leaves(bytes)
    }

    /// Whether all sequences are plain; false if that would have to be asked of each.
    fn all_plain(&self) -> bool {
        let is_free = |bytes: &[u8]| !self.suspects.any(bytes);
        let bytes = self.sequences.offsets.first().zip(self.sequences.offsets.last());
        let bytes = bytes.map_or(&[][..], |(&first, &last)| &self.sequences.bytes[first..last]);
        let all_free =
            if bytes.len() > SMALL { bytes.par_chunks(SMALL).all(is_free) } else { is_free(bytes) };
        all_free && self.letters.leaves_all()
    }

    /// Has tasks done, by one thread or all of them: those of plain text by `work`.
    fn collect<I: Store>(
        &self,
        tasks: Vec<Task>,
        monitor: &Monitor,
        work: &(impl Fn(&Text<'_>, &SegmentQueue<Task>, &mut Collector<'_, I>) -> Result<()> + Sync),
    ) -> Result<Joined<I>> {
        let (num_tasks, bytes) = (tasks.len(), tasks.iter().map(|task| task.bytes.len()).sum());
        let (plain, other): (Vec<Task>, Vec<Task>) = tasks.into_iter().partition(|task| task.is_plain);
        let (queue, others) = (SegmentQueue::new(plain), SegmentQueue::new(other));
        let (unknown, refuses) = Rules::of_unknown(self.options.unknown, self.tokenizer.unknown_id());
        let lengths: Option<Vec<u32>> = self.options.spans.then(|| self.tokenizer.scheme().lengths());
        let rules = Rules {
            ids: self.tokenizer.ids(),
            shift: self.tokenizer.shift(),
            unknown,
            template: self.template.clone(),
            lengths: lengths.as_deref(),
            tasks: queue.segments(),
        };
        let text = Text::new(self.sequences);
        let joiner = Joiner::new(self.sequences.len(), num_tasks, bytes);
        let failed = Mutex::new(None);
        let share = || {
            let mut collector = Collector::new(&rules, &joiner);
            let result = work(&text, &queue, &mut collector).and_then(|()| {
                while let Some((_, task)) = others.take() {
                    monitor.check()?;
                    joiner.add(self.exactly(task, &rules, monitor)?);
                }
                Ok(())
            });
            if let Err(error) = result {
                failed.lock().unwrap_or_else(PoisonError::into_inner).replace(error);
            }
        };
        if num_tasks <= 1 || bytes < SMALL || threads() == 1 {
            share();
        } else {
            rayon::broadcast(|_| share());
        }
        if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        let joined = joiner.finish();
        if refuses && joined.unknown > 0 { Err(self.first_unknown()) } else { Ok(joined) }
    }
}

fn threads() -> usize {
    rayon::current_num_threads()
}

#[cfg(test)]
mod tests;
