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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::automaton::AnyAutomaton;
    use super::super::heap::HeapEncoder;
    use super::*;
    use crate::alphabet::CODES;
    use crate::bpe::{MergeTable, Token};
    use crate::corpus::from_words;
    use crate::testing::RandomGenome;
    use crate::testing::naive::{TrainingLimits, reverse_complement, train};

    fn genome(seed: u64, bases: usize) -> Vec<u8> {
        let mut text = Vec::new();
        RandomGenome::new(seed).bases(&mut text, bases);
        text
    }

    fn automaton(table: &MergeTable) -> Automaton<u16> {
        let AnyAutomaton::Narrow(automaton) = AnyAutomaton::build(table).unwrap() else { panic!("wide") };
        automaton
    }

    /// A vocabulary of 64 tokens.
    fn trained() -> MergeTable {
        let limits = TrainingLimits { merges: 60, min_frequency: 0, max_length: u32::MAX };
        train(&[(genome(1, 4000), 1)], &limits)
    }

    fn codes(text: &[u8]) -> Vec<u8> {
        text.iter().map(|&symbol| CODES[usize::from(symbol)]).collect()
    }

    /// The tokens on both sides of a boundary of an encoding; none if there is no boundary.
    fn pair_at(table: &MergeTable, tokens: &[Token], boundary: u64) -> Option<Pair> {
        let mut end = 0;
        tokens.windows(2).find_map(|pair| {
            end += u64::from(table.length(pair[0]));
            (end == boundary).then_some((pair[0], pair[1]))
        })
    }

    fn ends(corpus: &Corpus, table: &MergeTable, word_length: Option<u64>, bases: u64) -> Vec<u64> {
        let text = CorpusText { corpora: std::slice::from_ref(corpus), word_length, reverse: false };
        let (segments, _) = segments(&automaton(table), text, bases, |_| true);
        assert!(segments.iter().zip(&segments[1..]).all(|(one, next)| one.range.end == next.range.start));
        segments.iter().map(|segment| segment.range.end).collect()
    }

    #[test]
    fn a_long_word_is_cut_near_each_wish_where_its_encoding_has_a_boundary() {
        let (bases, table) = (genome(2, 50_000), trained());
        let corpus = from_words([&bases]).unwrap();
        let may_cut = |pair: Pair| pair.0 > 8 && pair.1 > 8;
        for reverse in [false, true] {
            let text = CorpusText { corpora: std::slice::from_ref(&corpus), word_length: None, reverse };
            let (segments, pairs) = segments(&automaton(&table), text, 10_000, may_cut);
            assert_eq!((segments.len(), pairs.len()), (5, 4));
            let strand = if reverse { reverse_complement(&bases) } else { bases.clone() };
            let tokens = HeapEncoder::new(&table).encode(&codes(&strand));
            for ((segment, pair), wish) in segments.iter().zip(pairs).zip((10_000..).step_by(10_000)) {
                let cut = segment.range.end;
                let (from, boundary) = if reverse { (wish - cut, 50_000 - cut) } else { (cut - wish, cut) };
                assert!(from < 1000, "{from} bases after the wish");
                assert_eq!(pair_at(&table, &tokens, boundary), Some(pair));
                assert!(may_cut(pair));
            }
        }
    }

    #[test]
    fn pieces_are_cut_at_their_ends() {
        let corpus = from_words([genome(3, 1000), genome(4, 99)]).unwrap();
        assert_eq!(ends(&corpus, &trained(), Some(100), 250), [300, 500, 800, 1000, 1099]);
        assert_eq!(ends(&corpus, &trained(), None, 250), [1000, 1099]);
    }

    #[test]
    fn a_seam_is_looked_for_where_the_piece_goes_on_behind_the_window() {
        let window = 2 * SEAM_SEARCH;
        for (rest, segments) in [(window, 1), (window + 1, 2)] {
            let corpus = from_words([genome(5, 10_000 + rest)]).unwrap();
            assert_eq!(ends(&corpus, &trained(), None, 10_000).len(), segments);
        }
    }

    #[test]
    fn behind_a_run_the_search_goes_on() {
        let run = [genome(6, 1000), vec![b'A'; 20_000], genome(7, 30_000)].concat();
        let ends = ends(&from_words([run]).unwrap(), &trained(), None, 17_000);
        assert!(ends.len() > 2 && (21_000..22_500).contains(&ends[0]), "{ends:?}");
    }

    #[test]
    fn without_a_seam_the_end_of_a_piece_serves_unless_it_is_far() {
        let table = MergeTable::from_merges([(0, 0)]).unwrap();
        let word = usize::try_from(MAX_UNCUT).unwrap();
        for (run, expected) in [(word, vec![MAX_UNCUT + 8, MAX_UNCUT + 16]), (word + 4, vec![MAX_UNCUT + 20])]
        {
            let corpus = from_words([b"ACGTACGT", &vec![b'A'; run][..], b"ACGTACGT"]).unwrap();
            assert_eq!(ends(&corpus, &table, None, MAX_UNCUT / 2 + 100_000), expected);
        }
    }

    #[test]
    fn a_seam_lies_soon_after_the_states_are_one() {
        // Behind C only one state is left; the longest token has 32 bases.
        let table = MergeTable::from_merges([(0, 3), (4, 4), (5, 5), (6, 6), (7, 7)]).unwrap();
        let text = [b"C".repeat(20), b"AT".repeat(16), b"G".repeat(1000)].concat();
        let machine = automaton(&table);
        let (cut, _) = seam(&machine.over_codes(), &codes(&text), 100, |_| true).unwrap();
        assert!(cut < 20 + 32 + 4 * 32, "at {cut}");
    }
}
