//! Cutting a long text into segments that threads encode independently.
//!
//! To share one long word among threads it is cut at positions that are found without encoding what comes before: from
//! some base on, run *every* state of the automaton at once. The set of states shrinks to one after some tens of bases
//! of real DNA; from there on the state is the true one, whatever came before. (The work is that of reading the state
//! numbers once or twice.) Then find a boundary as for the end of a block ([`super::lanes`]). In a long run of one
//! letter the set may not shrink to one; then the search goes on further right, and if it fails the two segments stay one. The proof needs no luck, only the
//! speed does.

use rayon::prelude::*;

use super::automaton::Automaton;
use super::corpus_text::{CorpusText, Segment};
use super::lanes::final_boundary;
use super::machine::{Machine, StateId, StateOutput};
use crate::bpe::Pair;
use crate::corpus::Corpus;

/// Bases that all states are run for in the search for a seam, and bases encoded after that to find a boundary.
const SEAM_SEARCH: usize = 2048;

/// Cuts a text into segments of about `bases` bases for threads to share.
///
/// Cuts are at ends of words, or inside a word at a token boundary, verified, whose two neighbours `may_cut`
/// allows. Returns the segments, and of each cut inside a word the two tokens that it parts.
pub(super) fn segments<S: StateId>(
    automaton: &Automaton<S>,
    text: CorpusText<'_>,
    bases: u64,
    may_cut: impl Fn(Pair) -> bool + Sync,
) -> (Vec<Segment>, Vec<Pair>) {
    let spans = || text.corpora.iter().map(Corpus::span).enumerate();
    let wishes: Vec<(usize, u64)> = spans()
        .flat_map(|(number, span)| (1..span.div_ceil(bases)).map(move |cut| (number, cut * bases)))
        .collect();
    let find = |&(number, wish): &(usize, u64)| {
        find_cut(automaton, text, &text.corpora[number], wish, &may_cut).map(|cut| (number, cut))
    };
    let cuts: Vec<_> = wishes.par_iter().map(find).collect();
    let mut cuts = cuts.into_iter().flatten().peekable();
    let mut segments = Vec::new();
    let mut boundary_pairs = Vec::new();
    for (corpus, span) in spans() {
        let mut start = 0;
        let inner = std::iter::from_fn(|| cuts.next_if(|&(number, _)| number == corpus)).map(|(_, cut)| cut);
        for (cut, pair) in inner.chain([(span, None)]) {
            if cut > start {
                segments.push(Segment { corpus, range: start..cut });
                boundary_pairs.extend(pair);
                start = cut;
            }
        }
    }
    (segments, boundary_pairs)
}

/// A cut at or soon after `wish`: the end of the piece if that is near, else a seam; `None` if there is none.
fn find_cut<S: StateId>(
    automaton: &Automaton<S>,
    text: CorpusText<'_>,
    corpus: &Corpus,
    wish: u64,
    may_cut: &impl Fn(Pair) -> bool,
) -> Option<(u64, Option<Pair>)> {
    let piece = text.piece(corpus, corpus.word_after(wish), wish);
    if wish <= piece.start {
        return Some((piece.start, None));
    }
    let window = SEAM_SEARCH.max(8 * automaton.longest);
    let mut codes = vec![0; SEAM_SEARCH + window];
    for attempt in 0..8 {
        // In reading direction, counted from the end that is read first.
        let offset =
            (if text.reverse { piece.end - wish } else { wish - piece.start }) + attempt * codes.len() as u64;
        if offset + codes.len() as u64 >= piece.end - piece.start {
            break;
        }
        if text.reverse {
            corpus.unpack_complement(&piece, offset, &mut codes);
        } else {
            corpus.unpack(piece.start + offset, &mut codes);
        }
        let machine = automaton.over_codes();
        let part = |pair: Pair| pair.0 != automaton.separator && may_cut(pair);
        if let Some((cut, pair)) = seam(&machine, &codes, SEAM_SEARCH, part) {
            let offset = offset + cut as u64;
            let cut = if text.reverse { piece.end - offset } else { piece.start + offset };
            return Some((cut, Some(pair)));
        }
    }
    Some((piece.end, None)).filter(|_| piece.end - piece.start <= 1 << 20)
}

/// A token boundary that is true whatever precedes `bytes` and follows them, with the tokens on both sides. All states
/// are run over `search` bytes at most.
pub(crate) fn seam<S: StateId, O: StateOutput>(
    machine: &Machine<'_, S, O>,
    bytes: &[u8],
    search: usize,
    may_cut: impl Fn(Pair) -> bool,
) -> Option<(usize, Pair)> {
    let (known, state) = synchronize(machine, &bytes[..search.min(bytes.len())])?;
    let mut states = vec![state];
    let mut rest = &bytes[known..];
    // A boundary is near as a rule, and each step waits for the one before.
    let mut boundary = loop {
        let more = rest.split_off(..rest.len().min(3 * states.len() + 4 * machine.longest))?;
        states.extend(more.iter().scan(*states.last()?, |state, &byte| {
            *state = machine.after(*state, byte);
            Some(*state)
        }));
        match final_boundary(machine, &states, 0, &mut Vec::new()) {
            Some(boundary) => break boundary,
            None if rest.is_empty() => return None,
            None => {}
        }
    };
    loop {
        let right = machine.outputs[states[boundary].index()];
        boundary = boundary.checked_sub(right.length())?;
        let pair = (machine.outputs[states[boundary].index()].token().into(), right.token().into());
        if may_cut(pair) {
            return Some((known + boundary, pair));
        }
    }
}

/// Runs every state over `bytes` until they are one: after how many, and which.
fn synchronize<S: StateId, O>(machine: &Machine<'_, S, O>, bytes: &[u8]) -> Option<(usize, S)> {
    let mut seen = vec![0; machine.outputs.len()];
    let mut states: Vec<S> = (0..).zip(&seen).filter_map(|(state, _)| S::try_from(state).ok()).collect();
    for (round, &byte) in (1..).zip(bytes) {
        let mut single = None;
        let mut kept = 0;
        for at in 0..states.len() {
            let state = machine.after(states[at], byte);
            single = Some(state);
            if seen[state.index()] != round {
                seen[state.index()] = round;
                states[kept] = state;
                kept += 1;
            }
        }
        states.truncate(kept);
        if kept == 1 {
            return single.map(|state| (round, state));
        }
    }
    None
}
