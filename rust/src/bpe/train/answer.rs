//! The answers of shards, as bytes, and how answers add up.
//!
//! The answers to one question are numbers that are summed, lists that are joined, or islands that
//! are counted together; so they may be added in any order and any grouping, as a tree over
//! machines, and the sum of some is an answer again.
//!
//! | answer | what is in it |
//! |---|---|
//! | contents | records, words, bases and the rest of [`Contents`] |
//! | sample | words: their lengths, then their bases, four per byte |
//! | pass | the counts that are not 0, by entry, gaps between them; those of `S`; the boundary pairs; the islands |
//! | pairs | pairs with their counts |
//! | tokens | one number |
//!
//! A shard that found too many islands kept only the first part of `S` ([`super::islands`]): the
//! sum keeps the shortest part that any of them did, and the other islands are broken up as they
//! are added.
//!
//! The islands of a pass have no order, and their order in a sum depends on how they were added. All else is equal, byte
//! for byte.
//!
//! Nothing that arrives is trusted: tokens, entries and counts are checked against their limits,
//! and lists are read as far as the bytes reach.

use super::islands::IslandFinder;
use super::wire::{VarintReader, damaged, put_number};
use crate::alphabet::SymbolKind;
use crate::bpe::{NUM_BASES, Pair, Token};
use crate::corpus::Contents;
use crate::error::Result;

/// The first byte of an answer with contents.
pub(super) const CONTENTS: u8 = 1;
/// The first byte of a sample.
pub(crate) const SAMPLE: u8 = 2;
/// The first byte of a pass.
pub(super) const PASS: u8 = 3;
/// The first byte of pairs with counts.
pub(super) const PAIRS: u8 = 4;
/// The first byte of a number of tokens.
pub(super) const TOKENS: u8 = 5;

/// No corpus counts so much, all counts of a list together, or all tokens in islands: so no sum of them overflows.
const MAX_COUNT: u64 = 1 << 56;

/// The sum of all counts of a list, over all answers that are added.
#[derive(Debug, Default)]
struct TotalCount(u64);

impl TotalCount {
    /// Takes the next count of the list; fails if all of them reach [`MAX_COUNT`].
    fn take(&mut self, numbers: &mut VarintReader<'_>) -> Result<u64> {
        self.take_of(1, numbers)
    }

    /// The same of an island of so many tokens, which count each: broken up, it becomes many islands of this count.
    fn take_of(&mut self, tokens: usize, numbers: &mut VarintReader<'_>) -> Result<u64> {
        let count = numbers.below(MAX_COUNT)?;
        let all = count.checked_mul(tokens.max(1) as u64).and_then(|all| self.0.checked_add(all));
        self.0 = all.filter(|&all| all < MAX_COUNT).ok_or_else(damaged)?;
        Ok(count)
    }
}

/// The totals of the lists of a pass. Counts of a pair that has one of its own may end up in an entry.
#[derive(Debug, Default)]
struct PassTotals {
    counts: TotalCount,
    boundary_pairs: TotalCount,
    islands: TotalCount,
}

/// Adds answers to the same question.
///
/// Fails on bytes that are no answers, or answers to different questions. Time and memory: those of
/// the answers; of a pass that of a table of counts as well, up to 32 MiB.
pub fn add(answers: &[impl AsRef<[u8]>]) -> Result<Vec<u8>> {
    let first = answers.first().and_then(|answer| answer.as_ref().first()).ok_or_else(damaged)?;
    let kind = *first;
    let mut parts = Vec::new();
    for answer in answers {
        parts.push(body(answer.as_ref(), kind)?);
    }
    match kind {
        CONTENTS => {
            let mut sum = (Contents::default(), 0);
            for part in parts {
                let (contents, pieces) = read_contents(part)?;
                sum.0.add(&contents);
                sum.1 += pieces;
                read_contents(&self::contents(&sum.0, sum.1)[1..])?; // below the limits, like each part
            }
            Ok(contents(&sum.0, sum.1))
        }
        SAMPLE => Ok(parts.into_iter().fold(vec![SAMPLE], |mut all, part| {
            all.extend_from_slice(part);
            all
        })),
        PASS => add_passes(&parts),
        PAIRS => {
            let (mut sums, mut total) = (Vec::new(), TotalCount::default());
            for part in parts {
                sums.extend(read_pairs_within(part, &mut total)?);
            }
            Ok(pairs(summed(sums)))
        }
        TOKENS => {
            let mut sum = 0_u64;
            for part in parts {
                sum = sum.checked_add(read_tokens(part)?).ok_or_else(damaged)?;
            }
            Ok(tokens(sum))
        }
        _ => Err(damaged()),
    }
}

/// What stands behind the first byte of an answer of this kind; fails on another kind.
pub(super) fn body(answer: &[u8], kind: u8) -> Result<&[u8]> {
    answer.strip_prefix(&[kind]).ok_or_else(damaged)
}

/// The answer with contents, and the number of words after they were cut.
pub(super) fn contents(contents: &Contents, pieces: u64) -> Vec<u8> {
    let Contents { records, empty_records, words, bases, skipped, fingerprint } = contents;
    let mut bytes = vec![CONTENTS];
    for &number in [*records, *empty_records, *words, *bases].iter().chain(skipped).chain([&pieces]) {
        put_number(&mut bytes, number);
    }
    bytes.extend(fingerprint.to_le_bytes());
    bytes
}

/// Reads the answer with contents.
pub(super) fn read_contents(body: &[u8]) -> Result<(Contents, u64)> {
    let mut numbers = VarintReader(body);
    let mut next = || numbers.below(MAX_COUNT);
    let (records, empty_records, words, bases) = (next()?, next()?, next()?, next()?);
    let mut skipped = [0; SymbolKind::SKIPPED.len()];
    for count in &mut skipped {
        *count = next()?;
    }
    let pieces = next()?;
    let mut fingerprint = [0; 16];
    fingerprint.copy_from_slice(numbers.bytes(16)?);
    numbers.end()?;
    let fingerprint = u128::from_le_bytes(fingerprint);
    Ok((Contents { records, empty_records, words, bases, skipped, fingerprint }, pieces))
}

/// The answer with pairs, each once.
pub(super) fn pairs(counts: impl IntoIterator<Item = (Pair, u64)>) -> Vec<u8> {
    let mut bytes = vec![PAIRS];
    for ((left, right), count) in counts {
        put_number(&mut bytes, u64::from(left));
        put_number(&mut bytes, u64::from(right));
        put_number(&mut bytes, count);
    }
    bytes
}

/// Reads the answer with pairs. Their tokens are whatever was sent: the caller knows how many there
/// are.
pub(super) fn read_pairs(body: &[u8]) -> Result<Vec<(Pair, u64)>> {
    read_pairs_within(body, &mut TotalCount::default())
}

/// The same, of one of several answers whose counts come to `total`.
fn read_pairs_within(body: &[u8], total: &mut TotalCount) -> Result<Vec<(Pair, u64)>> {
    let mut numbers = VarintReader(body);
    let mut found = Vec::new();
    while !numbers.0.is_empty() {
        found.push(((numbers.token(u32::MAX)?, numbers.token(u32::MAX)?), total.take(&mut numbers)?));
    }
    Ok(found)
}

/// The same counts, sorted, each pair once.
pub(super) fn summed(mut counts: Vec<(Pair, u64)>) -> Vec<(Pair, u64)> {
    counts.sort_unstable();
    counts.dedup_by(|next, first| {
        let is_same = next.0 == first.0;
        first.1 += if is_same { next.1 } else { 0 };
        is_same
    });
    counts
}

/// The answer with a number of tokens.
pub(super) fn tokens(count: u64) -> Vec<u8> {
    let mut bytes = vec![TOKENS];
    put_number(&mut bytes, count);
    bytes
}

/// Reads the answer with a number of tokens.
pub(super) fn read_tokens(body: &[u8]) -> Result<u64> {
    let mut numbers = VarintReader(body);
    let count = numbers.take()?;
    numbers.end().map(|()| count)
}

/// The answer with what some threads found in a pass; all of them keep the same part of `S` then.
///
/// `boundary_pairs` are the pairs across cuts, which the finders have counted too. The bytes are
/// numbers, one after the other:
///
/// 1. the number of tokens, the number of pairs in `S`, and how many of these are kept; then `S`;
/// 2. for each entry that is not 0 the distance to the one before and the count; then a 0;
/// 3. for each kept pair the count that it has apart from the entries, or 0;
/// 4. the number of boundary pairs, and these with their counts;
/// 5. each island as its length, its tokens and its count, to the end.
///
/// Without a finder there is nothing behind the kind.
pub(super) fn pass(finders: &mut [IslandFinder], boundary_pairs: &[(Pair, u64)]) -> Vec<u8> {
    let kept = finders.iter().map(|finder| finder.kept).min().unwrap_or(0);
    finders.iter_mut().for_each(|finder| finder.keep(kept));
    let mut bytes = vec![PASS];
    let Some(first) = finders.first() else { return bytes };
    let guess = first.guess().to_vec();
    for number in [u64::from(first.counts.separator()), guess.len() as u64, kept as u64] {
        put_number(&mut bytes, number);
    }
    for &(left, right) in &guess {
        put_number(&mut bytes, u64::from(left));
        put_number(&mut bytes, u64::from(right));
    }
    put_counts(&mut bytes, finders);
    for &pair in &guess[..kept] {
        put_number(&mut bytes, finders.iter().filter_map(|finder| finder.counts.exact(pair)).sum());
    }
    put_number(&mut bytes, boundary_pairs.len() as u64);
    for &((left, right), count) in boundary_pairs {
        for number in [u64::from(left), u64::from(right), count] {
            put_number(&mut bytes, number);
        }
    }
    for finder in finders {
        finder.islands.for_each(|island, count| put_island(&mut bytes, island, count));
    }
    bytes
}

/// An island as its length, its tokens and its count.
fn put_island(bytes: &mut Vec<u8>, island: &[Token], count: u64) {
    put_number(bytes, island.len() as u64);
    island.iter().for_each(|&token| put_number(bytes, u64::from(token)));
    put_number(bytes, count);
}

/// The counts by entry: the distance to the entry before and the count; then a 0.
fn put_counts(bytes: &mut Vec<u8>, finders: &[IslandFinder]) {
    let mut before = 0;
    let size = finders.first().map_or(0, |finder| finder.counts.table_size());
    for entry in 0..size {
        let total: u64 = finders.iter().map(|finder| finder.counts.total_of(entry)).sum();
        if total > 0 {
            put_number(bytes, (entry + 1 - before) as u64);
            put_number(bytes, total);
            before = entry + 1;
        }
    }
    put_number(bytes, 0);
}

/// The head of an answer with a pass for `S`, and what is still to be read of it.
#[derive(Debug)]
struct Pass<'a> {
    num_tokens: u32,
    guess: Vec<Pair>,
    kept: usize,
    rest: VarintReader<'a>,
}

impl<'a> Pass<'a> {
    /// Reads the head: the number of tokens, `S`, and how much of it was kept.
    fn read(body: &'a [u8]) -> Result<Self> {
        let mut rest = VarintReader(body);
        let num_tokens = rest.token(u32::MAX)?;
        if num_tokens < NUM_BASES {
            return Err(damaged());
        }
        let length = rest.count()?;
        let kept = rest.below(length as u64 + 1)?;
        let mut guess = Vec::with_capacity(length);
        for _ in 0..length {
            guess.push((rest.token(num_tokens)?, rest.token(num_tokens)?));
        }
        #[allow(clippy::cast_possible_truncation)] // not more than the length of a list
        Ok(Self { num_tokens, guess, kept: kept as usize, rest })
    }

    /// Adds everything to what `finder` has; returns the boundary pairs.
    ///
    /// Fails if the finder has started another pass. Counts come before islands, and the part of
    /// `S` that both kept before either: so an island that is added is one of that part.
    fn add_to(mut self, finder: &mut IslandFinder, totals: &mut PassTotals) -> Result<Vec<(Pair, u64)>> {
        if self.num_tokens != finder.counts.separator() || self.guess != finder.guess() {
            return Err(damaged());
        }
        finder.keep(self.kept);
        let mut next = 0;
        loop {
            let gap = self.rest.below(finder.counts.table_size() as u64 + 1)?;
            if gap == 0 {
                break;
            }
            #[allow(clippy::cast_possible_truncation)] // an entry of a table in memory
            let entry = next + gap as usize - 1;
            if entry >= finder.counts.table_size() {
                return Err(damaged());
            }
            finder.counts.add(entry, totals.counts.take(&mut self.rest)?);
            next = entry + 1;
        }
        for &pair in &self.guess[..self.kept] {
            let count = totals.counts.take(&mut self.rest)?;
            if count > 0 {
                finder.counts.add_exact(pair, count);
            }
        }
        let mut boundary_pairs = Vec::new();
        for _ in 0..self.rest.count()? {
            let pair = (self.rest.token(self.num_tokens)?, self.rest.token(self.num_tokens)?);
            boundary_pairs.push((pair, totals.boundary_pairs.take(&mut self.rest)?));
        }
        self.add_islands(finder, &mut totals.islands)?;
        Ok(boundary_pairs)
    }

    /// Adds the islands, which are all that is left. Memory is bounded after each 4,096 of them, as
    /// in a local pass.
    fn add_islands(&mut self, finder: &mut IslandFinder, total: &mut TotalCount) -> Result<()> {
        let mut island = Vec::new();
        let mut number = 0_u32;
        while !self.rest.0.is_empty() {
            island.clear();
            for _ in 0..self.rest.count()? {
                island.push(self.rest.token(self.num_tokens)?);
            }
            finder.add_parts(&island, total.take_of(island.len(), &mut self.rest)?);
            number = number.wrapping_add(1);
            if number.is_multiple_of(1 << 12) {
                finder.bound();
            }
        }
        finder.bound();
        Ok(())
    }
}

/// Takes an answer into a finder that has started the same pass; returns the boundary pairs.
pub(super) fn absorb(finder: &mut IslandFinder, answer: &[u8]) -> Result<Vec<(Pair, u64)>> {
    Pass::read(body(answer, PASS)?)?.add_to(finder, &mut PassTotals::default())
}

/// The sum of passes: a finder takes them all in, without a limit of its own on islands, and
/// answers like a thread.
fn add_passes(parts: &[&[u8]]) -> Result<Vec<u8>> {
    let mut finder = IslandFinder::default();
    let (mut boundary_pairs, mut totals) = (Vec::new(), PassTotals::default());
    for (number, part) in parts.iter().enumerate() {
        let pass = Pass::read(part)?;
        if number == 0 {
            finder.start(pass.num_tokens, &pass.guess, usize::MAX);
        }
        boundary_pairs.extend(pass.add_to(&mut finder, &mut totals)?);
    }
    Ok(pass(std::slice::from_mut(&mut finder), &summed(boundary_pairs)))
}

/// An answer with its islands in order, for what compares sums.
#[cfg(feature = "fuzzing")]
pub(crate) fn ordered(answer: &[u8]) -> Result<Vec<u8>> {
    let Ok(body) = body(answer, PASS) else { return Ok(answer.to_vec()) };
    let mut finder = IslandFinder::default();
    let read = Pass::read(body)?;
    finder.start(read.num_tokens, &read.guess, usize::MAX);
    let boundary_pairs = read.add_to(&mut finder, &mut PassTotals::default())?;
    let mut islands = Vec::new();
    std::mem::take(&mut finder.islands).for_each(|island, count| islands.push((island.to_vec(), count)));
    islands.sort_unstable();
    let mut bytes = pass(std::slice::from_mut(&mut finder), &boundary_pairs);
    islands.iter().for_each(|(island, count)| put_island(&mut bytes, island, *count));
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn contents_add_up_with_their_pieces() {
        let one = Contents { records: 1, words: 2, bases: 300, fingerprint: 7, ..Contents::default() };
        let other = Contents { records: 3, words: 5, bases: 1, fingerprint: 9, ..Contents::default() };
        let sum = add(&[contents(&one, 11), contents(&other, 200), contents(&one, 1)]).unwrap();
        let expected = Contents { records: 5, words: 9, bases: 601, fingerprint: 23, ..Contents::default() };
        assert_eq!(read_contents(body(&sum, CONTENTS).unwrap()).unwrap(), (expected, 212));
        assert!(add(&[contents(&one, MAX_COUNT - 1)]).is_ok() && add(&[contents(&one, MAX_COUNT)]).is_err());
        assert!(add(&[contents(&one, MAX_COUNT - 1), contents(&one, 1)]).is_err());
    }

    #[test]
    fn numbers_and_pairs_add_up_below_a_limit() {
        assert_eq!(add(&[tokens(3), tokens(4), tokens(0)]).unwrap(), tokens(7));
        assert!(add(&[tokens(u64::MAX), tokens(1)]).is_err());
        let sum = add(&[pairs([((5, 1), 2), ((0, 7), 1)]), pairs([((0, 7), 9)])]).unwrap();
        assert_eq!(sum, pairs([((0, 7), 10), ((5, 1), 2)]));
        let half = pairs([((0, 1), MAX_COUNT / 2)]);
        let less = pairs([((2, 3), MAX_COUNT / 2 - 1)]);
        assert!(add(&[half.clone(), less]).is_ok() && add(&[half.clone(), half]).is_err());
    }

    #[test]
    fn answers_of_different_kinds_do_not_add_up() {
        assert!(add(&[tokens(3), pairs([])]).is_err() && add(&[[9, 1]]).is_err());
        let none: [Vec<u8>; 0] = [];
        assert!(add(&[b""]).is_err() && add(&none).is_err());
        assert_eq!(add(&[[SAMPLE, 1, 4, 0], [SAMPLE, 1, 3, 9]]).unwrap(), [SAMPLE, 1, 4, 0, 1, 3, 9]);
    }
}
