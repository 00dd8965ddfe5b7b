//! Cutting a long text into segments that threads encode independently.
//!
//! To share one long word among threads it is cut at positions that are found without encoding what
//! comes before: from some base on, run *every* state of the automaton at once. The set of states
//! shrinks to one after some tens of bases of real DNA; from there on the state is the true one,
//! whatever came before. (The work is that of reading the state numbers once or twice.) Then find a
//! boundary as for the end of a block ([`super::lanes`]).
//!
//! In a long run of one base the set may not shrink to one. Then the search goes on further right,
//! and if it fails there too the two segments stay one. The proof needs no luck; only the speed
//! does.

use rayon::prelude::*;

use super::automaton::Automaton;
use super::corpus_text::{CorpusText, Segment};
use super::lanes::final_boundary;
use super::machine::{Machine, StateId, StateOutput};
use crate::bpe::Pair;
use crate::corpus::Corpus;

/// Bases over which all states are run in the search for a seam, and bases encoded after that to
/// find a boundary.
const SEAM_SEARCH: usize = 2048;
/// How often the search starts again further right.
const MAX_ATTEMPTS: u64 = 8;
/// Bases in a piece up to which its end serves as the cut where no seam is found.
const MAX_UNCUT: u64 = 1 << 20;

/// Cuts a text into segments of about `bases` bases for threads to share.
///
/// Cuts are at ends of pieces, or inside a piece at a token boundary, verified, whose two
/// neighbours `may_cut` allows. Returns the segments, in the order of the text, and the *boundary
/// pairs*: of each cut inside a piece the tokens before and after it, whose adjacency no segment
/// contains. Runs on the threads of the present pool; time per cut: that of some thousand bases.
///
/// Invariant: the segments of a corpus are consecutive and together its span; a cut that is not
/// found, or that lies before the last one, only makes a segment longer.
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

/// A cut at or soon after `wish`: the end of the piece if that is near, else a seam; `None` if
/// there is none.
///
/// `offset` counts in reading direction, from the end of the piece that is read first; a cut comes
/// back as a base of the arena. On the reverse strand the token before the cut in reading direction
/// lies after it in the arena.
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
    for attempt in 0..MAX_ATTEMPTS {
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
    Some((piece.end, None)).filter(|_| piece.end - piece.start <= MAX_UNCUT)
}

/// A token boundary that is true whatever precedes `bytes` and follows them, with the tokens on
/// both sides. All states are run over `search` bytes at most.
///
/// Invariant of the first loop: `states[i]` is the true state after `known + i` bytes. Any state is
/// a state of some preceding text, so where all have become one, that one is right for every text.
/// `final_boundary` then gives a place that holds however the text goes on. The second loop walks
/// back over further true boundaries, until the pair around one may be cut; it stops where the
/// token before is not known any more, and there is no seam then.
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
///
/// Invariant: `states[..kept]` is the set of states that some preceding text can lead to, each
/// once; `seen[state]` is the last round in which it was put there, so the set needs no clearing.
/// Time: the sum of the sizes of the sets.
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
