//! Many sequences to ids and back, in parallel, in order.
//!
//! # From bytes to ids
//!
//! 1. Sequences are divided into *tasks* (`tasks`): short ones in groups, long ones cut at seams that are token
//!    boundaries whatever stands on both sides.
//! 2. A task is read block by block, its sequences with a separator between them (`text`). Bytes go to the automaton as
//!    they are: each has a row of the transition table, a lower-case base the same one as its upper case where the file
//!    says so, all else a *mark* ([`crate::bpe::encode::marked`]), so that N, gaps and white space stay in the loops that
//!    bases run through.
//! 3. Eight lanes, one task each, run forward and are walked back ([`crate::bpe::encode::lanes`], which train with the same
//!    loops).
//! 4. Tokens become ids (`collect`): where no mark is in a block, by one addition or look-up each. Unknown symbols are
//!    counted by their marks, sequences end at theirs. The outputs of all tasks are joined as they come (`join`).
//!
//! All this is for *plain* sequences: ASCII, without a byte that an added token starts with, and such that the file's
//! normalizer would do nothing to them that the table of symbols does not say. All others, and all sequences where a
//! vocabulary has no automaton or a file says more of a text than a table holds, are encoded one by one, character by
//! character (`exact`). Each task is one or the other; both kinds may occur in one batch.
//!
//! # Cost
//!
//! Linear in time. On one core the loop forward takes about half of it (it waits for the L2 cache, which holds most of the
//! table at 4,096 tokens, and not at 32,000), the walk back a fifth, copying bytes in and ids out a seventh, and the check
//! that a text is plain a twenty-fifth. `docs/evidence/speed.md` has the speeds, `benches/encode.rs` measures them.
//!
//! Memory: input, ids, and some megabytes per thread. A block is not longer than the longest task, so that a
//! single short call does not fill large buffers.
//!
//! # Tried and dropped
//!
//! States in the order of how often a genome visits them (a little faster, for a sample to carry about); states
//! interleaved lane by lane; reading states back first and looking tokens up after; two bases per step through a table of
//! 16 entries per state (faster forward, but the walk back must look up the states between); both states of a step in one
//! entry (the table leaves the L2 cache); another allocator (mimalloc: faster for reads from Python, slower in training).

mod collect;
mod decode;
mod encoded;
mod exact;
mod join;
mod kmers;
mod lists;
mod local;
mod output;
mod tasks;
mod text;

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use self::collect::{Collector, IdRules};
pub use self::encoded::{EncodeOptions, EncodedBatch, Ids, SequenceEdit, Sequences};
use self::join::{Joined, Joiner};
use self::kmers::KmerJob;
use self::output::{IdCounter, IdStore};
use self::tasks::{BatchTask, TaskSizes, divide, find_cut};
use self::text::{BatchText, Suspects, code_or_mark};
use crate::bpe::encode::SegmentQueue;
use crate::bpe::encode::lanes::run;
use crate::bpe::encode::machine::{Machine, StateId, StateOutput};
use crate::bpe::encode::marked::AnyMarked;
use crate::error::Result;
use crate::io::fasta::text::is_symbol;
use crate::monitor::Monitor;
use crate::threads::LITTLE;
use crate::tokenizer::symbols::SymbolTable;
use crate::tokenizer::{Id, Template, Tokenizer};

impl Tokenizer {
    /// The ids of a text, without special tokens around it. Linear in time and memory.
    ///
    /// The first call builds the automaton, which takes up to seconds for a large vocabulary. Fails at a symbol outside the
    /// vocabulary if there is no unknown token.
    pub fn encode(&self, text: &str) -> Result<Vec<Id>> {
        if let Some(kmer) = self.kmers() {
            return self.encode_kmers(kmer, text);
        }
        let sequences = Sequences { bytes: text.as_bytes(), offsets: &[0, text.len()] };
        let job = Job::new(self, sequences, EncodeOptions::default(), TaskSizes::default())?;
        Ok(job.run::<Vec<u32>>(&Monitor::default())?.ids)
    }

    /// The ids of many sequences, in their order, on the threads of the present rayon pool. Linear in time and memory.
    ///
    /// The result does not depend on the number of threads. The first call builds the automaton. Fails at a symbol outside
    /// the vocabulary if there is no unknown token or the options say so, at offsets that do not rise or leave the bytes,
    /// and when `monitor` is cancelled.
    pub fn encode_batch(
        &self,
        sequences: Sequences<'_>,
        options: &EncodeOptions,
        monitor: &Monitor,
    ) -> Result<EncodedBatch> {
        if let Some(kmer) = self.kmers() {
            return KmerJob::new(self, kmer, sequences, *options, monitor)?.encode();
        }
        Job::new(self, sequences, *options, TaskSizes::default())?.encode(monitor)
    }

    /// The last place, nearly, where `symbols` may be cut: the encodings of both parts, one after the other, are that of the
    /// whole, whatever follows. None where there is none, or where a file says more of a text than a table holds.
    pub(crate) fn last_cut(&self, symbols: &[u8], options: EncodeOptions) -> Option<usize> {
        let offsets = [0, symbols.len()];
        let sequences = Sequences { bytes: symbols, offsets: &offsets };
        let job = Job::new(self, sequences, options, TaskSizes::default()).ok()?;
        let is_plain = self.is_simple() && options.only_symbols && job.all_plain();
        let symbol = |byte| code_or_mark(&job.symbols, byte);
        match self.model().automaton().filter(|_| is_plain && self.kmers().is_none())? {
            AnyMarked::Narrow(marked) => job.last_cut(&marked.over(symbol)),
            AnyMarked::Wide(marked) => job.last_cut(&marked.over(symbol)),
        }
    }

    /// How many tokens each sequence has: [`encode_batch`](Self::encode_batch) without the ids, and without the memory
    /// for them.
    pub fn count_tokens(
        &self,
        sequences: Sequences<'_>,
        options: &EncodeOptions,
        monitor: &Monitor,
    ) -> Result<Vec<u64>> {
        if let Some(kmer) = self.kmers() {
            return KmerJob::new(self, kmer, sequences, *options, monitor)?.count_tokens();
        }
        let options = EncodeOptions { spans: false, ..*options };
        let joined: Joined<IdCounter> =
            Job::new(self, sequences, options, TaskSizes::default())?.run(monitor)?;
        Ok(joined.offsets.windows(2).map(|pair| pair[1].abs_diff(pair[0])).collect())
    }
}

/// How far before the end of a text a cut is looked for, in lengths of what is searched.
const LAST_CUT_WINDOWS: usize = 18;

/// Edits that a thread takes at a time. The thread that calls does fewer alone, as [`LITTLE`] explains.
pub const EDITS: usize = 256;
/// Bytes below which it is not worth waking other threads.
const SMALL: usize = 1 << 17;

/// Sequences and how to encode them; lives for one call.
struct Job<'a> {
    tokenizer: &'a Tokenizer,
    sequences: Sequences<'a>,
    options: EncodeOptions,
    /// What each byte is, with the upper-casing that the options ask for.
    symbols: Cow<'a, SymbolTable>,
    template: Template,
    suspects: Suspects,
    sizes: TaskSizes,
}

impl<'a> Job<'a> {
    fn new(
        tokenizer: &'a Tokenizer,
        sequences: Sequences<'a>,
        options: EncodeOptions,
        sizes: TaskSizes,
    ) -> Result<Self> {
        sequences.check()?;
        let template = options.template(tokenizer)?;
        let symbols = if options.upper_case {
            Cow::Owned(tokenizer.symbols().clone().upper_cased())
        } else {
            Cow::Borrowed(tokenizer.symbols())
        };
        let suspects = Suspects::new(tokenizer.first_bytes_of_added().chain(symbols.unsure_bytes()));
        Ok(Self { tokenizer, sequences, options, symbols, template, suspects, sizes })
    }

    /// The ids in the narrowest type that holds all of the vocabulary.
    fn encode(&self, monitor: &Monitor) -> Result<EncodedBatch> {
        if self.tokenizer.vocab_size() <= 1 << 16 {
            Ok(self.run::<Vec<u16>>(monitor)?.finish(self.options.spans, Ids::Narrow))
        } else {
            Ok(self.run::<Vec<u32>>(monitor)?.finish(self.options.spans, Ids::Wide))
        }
    }

    /// The outputs of all tasks, in order; chooses the automaton's type, so that the loops know it when compiled.
    fn run<I: IdStore>(&self, monitor: &Monitor) -> Result<Joined<I>> {
        let marked = if self.tokenizer.is_simple() { self.tokenizer.model().automaton() } else { None };
        let symbol = |byte| code_or_mark(&self.symbols, byte);
        match marked {
            Some(AnyMarked::Narrow(marked)) => self.run_machine(&marked.over(symbol), monitor),
            Some(AnyMarked::Wide(marked)) => self.run_machine(&marked.over(symbol), monitor),
            None => {
                let tasks = divide(self.sequences, &self.sizes, self.threads(), |_| false, |_, _| None);
                self.collect(tasks, monitor, &|_, _, _| Ok(()))
            }
        }
    }

    /// The threads that work.
    fn threads(&self) -> usize {
        if self.sequences.num_bytes() <= LITTLE { 1 } else { rayon::current_num_threads() }
    }

    /// See [`Tokenizer::last_cut`].
    fn last_cut<S: StateId, O: StateOutput>(&self, machine: &Machine<'_, S, O>) -> Option<usize> {
        let (bytes, search) = (self.sequences.bytes, self.sizes.search);
        let from = bytes.len().checked_sub(LAST_CUT_WINDOWS * search.max(4 * machine.longest))?;
        find_cut(machine, bytes, search, from, bytes.len())
    }

    fn run_machine<S: StateId, O: StateOutput<Token = u16>, I: IdStore>(
        &self,
        machine: &Machine<'_, S, O>,
        monitor: &Monitor,
    ) -> Result<Joined<I>> {
        let cut = |wish, end| find_cut(machine, self.sequences.bytes, self.sizes.search, wish, end);
        let all_plain = self.all_plain();
        let is_plain = |number| all_plain || self.is_plain(self.bytes_of(number));
        let mut tasks = divide(self.sequences, &self.sizes, self.threads(), is_plain, cut);
        let [continues, goes_on] = self.options.parts;
        tasks.first_mut().into_iter().for_each(|task| task.is_started &= !continues);
        tasks.last_mut().into_iter().for_each(|task| task.is_ended &= !goes_on);
        // Lanes of short texts need not be long: with the separators, as long as the longest task.
        let longest = tasks.iter().map(|task| task.bytes.len() + task.sequences.len() + 1).max();
        let block = self.sizes.block.max(4 * machine.longest).min(longest.unwrap_or(0));
        self.collect(tasks, monitor, &|text, queue, collector| {
            run(machine, text, queue, collector, monitor, block)
        })
    }

    /// Whether a sequence is plain, in a file that is simple.
    fn is_plain(&self, bytes: &[u8]) -> bool {
        !self.suspects.any(bytes) && self.symbols.leaves(bytes)
    }

    /// Whether all sequences are plain, found in one pass over all bytes; false if each must be asked by itself.
    fn all_plain(&self) -> bool {
        if self.options.only_symbols && !self.suspects.has(is_symbol) {
            return self.symbols.leaves_all();
        }
        let is_free = |bytes: &[u8]| !self.suspects.any(bytes);
        let bytes = self.sequences.offsets.first().zip(self.sequences.offsets.last());
        let bytes = bytes.map_or(&[][..], |(&first, &last)| &self.sequences.bytes[first..last]);
        let all_free =
            if bytes.len() > SMALL { bytes.par_chunks(SMALL).all(is_free) } else { is_free(bytes) };
        all_free && self.symbols.leaves_all()
    }

    /// Does the tasks, on one thread or all of them: those of plain text by `work`, the others by [`Self::exactly`].
    ///
    /// Every thread runs the same closure: it empties the queue of plain tasks, then that of the others, and hands each
    /// output to the joiner, which puts them in order of `task.place`; so it does not matter which thread takes which task.
    /// Refused symbols are counted like unknown ones and looked for once, at the end: the error then names the first.
    fn collect<I: IdStore>(
        &self,
        tasks: Vec<BatchTask>,
        monitor: &Monitor,
        work: &(impl Fn(&BatchText<'_>, &SegmentQueue<BatchTask>, &mut Collector<'_, I>) -> Result<()> + Sync),
    ) -> Result<Joined<I>> {
        let (num_tasks, bytes) = (tasks.len(), tasks.iter().map(|task| task.bytes.len()).sum());
        let (plain, other): (Vec<BatchTask>, Vec<BatchTask>) =
            tasks.into_iter().partition(|task| task.is_plain);
        let (queue, others) = (SegmentQueue::new(plain), SegmentQueue::new(other));
        let (unknown, refuses) = self.options.unknown_rule(self.tokenizer.unknown_id());
        let lengths: Option<Vec<u32>> = self.options.spans.then(|| self.tokenizer.model().lengths());
        let rules = IdRules {
            ids: self.tokenizer.ids(),
            shift: self.tokenizer.shift(),
            unknown,
            template: self.template.clone(),
            lengths: lengths.as_deref(),
            tasks: queue.segments(),
        };
        let text = BatchText::new(self.sequences);
        let joiner = Joiner::new(self.sequences.len(), num_tasks, bytes);
        let failed = Mutex::new(None);
        let work_through = || {
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
        if num_tasks <= 1 || bytes < SMALL || self.threads() == 1 {
            work_through();
        } else {
            rayon::broadcast(|_| work_through());
        }
        if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        let mut joined = joiner.finish();
        if self.options.parts[1] {
            joined.end_part();
        }
        if refuses && joined.unknown > 0 { Err(self.first_unknown()) } else { Ok(joined) }
    }
}

#[cfg(test)]
mod tests;
