//! The links and clusters against comparing all sequences on all diagonals.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::alphabet::{CODES, NOT_A_BASE};
use crate::error::Error;

/// A set in which few bases count, so that everything happens in short sequences.
const SHORT: LocusOptions = LocusOptions { min_overlap: 8, min_identity: 0.8, max_sequences: 1000 };

fn found(groups: &[Vec<String>], options: &LocusOptions) -> FoundLoci {
    let texts: Vec<&String> = groups.iter().flatten().collect();
    let bytes: Vec<u8> = texts.iter().flat_map(|text| text.bytes()).collect();
    let mut offsets = vec![0];
    offsets.extend(texts.iter().scan(0, |end, text| {
        *end += text.len();
        Some(*end)
    }));
    let sizes: Vec<usize> = groups.iter().map(Vec::len).collect();
    find_loci(&bytes, &offsets, &sizes, options, &Monitor::default()).expect("options are in range")
}

fn reversed(text: &str) -> String {
    let pairs = |symbol| match symbol {
        'A' => 'T',
        'C' => 'G',
        'G' => 'C',
        'T' => 'A',
        other => other,
    };
    text.chars().rev().map(pairs).collect()
}

fn code(text: &str, at: isize) -> Option<u8> {
    usize::try_from(at).ok().and_then(|at| text.as_bytes().get(at)).map(|&symbol| CODES[usize::from(symbol)])
}

/// Overlap, equal bases and the longest run of two sequences, base by base.
fn naive_agreement(row: &str, partner: &str, shift: isize) -> (u32, u32, u32) {
    let (mut overlap, mut equal, mut run, mut longest) = (0, 0, 0, 0);
    for at in 0..row.len().cast_signed() {
        let Some((one, other)) = code(row, at).zip(code(partner, at + shift)) else { continue };
        overlap += 1;
        let same = one == other && one != NOT_A_BASE;
        run = if same { run + 1 } else { 0 };
        equal += u32::from(same);
        longest = run.max(longest);
    }
    (overlap, equal, longest)
}

/// The canonical k-mers at positions that the index takes, with the position.
fn indexed(text: &str, options: &LocusOptions) -> Vec<(usize, String)> {
    let k = options.k();
    let at = (0..=text.len().saturating_sub(k)).step_by(options.min_overlap + 1 - k);
    at.filter_map(|at| text.get(at..at + k).map(|kmer| (at, kmer)))
        .filter(|(_, kmer)| !kmer.contains('N'))
        .map(|(at, kmer)| (at, kmer.to_owned().min(reversed(kmer))))
        .collect()
}

/// The best link of one row to the rows of a group that are before it.
fn naive_link(
    texts: &[&String],
    row: usize,
    partners: &[usize],
    options: &LocusOptions,
    frequent: &dyn Fn(&str) -> bool,
) -> Vec<Link> {
    let mut all = Vec::new();
    let number = |partner: usize| u32::try_from(partner).expect("few");
    for &partner in partners.iter().filter(|&&partner| partner < row) {
        let (own, other) = (texts[row], texts[partner]);
        let length = number(own.len());
        if own == other {
            all.push(Link { kind: LinkKind::Copy, partner: number(partner), shift: 0, overlap: length });
        }
        if *own == reversed(other) {
            all.push(Link {
                kind: LinkKind::ReverseCopy,
                partner: number(partner),
                shift: 0,
                overlap: length,
            });
        }
        for shift in -own.len().cast_signed()..=other.len().cast_signed() {
            for is_reverse in [false, true] {
                let text = if is_reverse { reversed(own) } else { own.clone() };
                let (overlap, equal, longest) = naive_agreement(&text, other, shift);
                let mut push = |kind| {
                    let shift = i32::try_from(shift).expect("short");
                    all.push(Link { kind, partner: number(partner), shift, overlap });
                };
                if !is_reverse && overlap as usize >= options.min_overlap && equal == overlap {
                    push(LinkKind::Window);
                }
                let is_met = indexed(other, options).iter().any(|(at, kmer)| {
                    let start = at.cast_signed() - shift;
                    let same = (0..options.k().cast_signed()).all(|step| {
                        code(&text, start + step).is_some_and(|one| one != NOT_A_BASE)
                            && code(&text, start + step) == code(other, at.cast_signed() + step)
                    });
                    same && !frequent(kmer)
                });
                if is_met
                    && longest as usize >= options.min_overlap
                    && f64::from(equal) >= options.min_identity * f64::from(overlap)
                {
                    push(if is_reverse { LinkKind::ReverseSimilar } else { LinkKind::Similar });
                }
            }
        }
    }
    all
}

fn rank(link: &Link) -> (LinkKind, i64, u32) {
    (link.kind.min(LinkKind::Similar), -i64::from(link.overlap), link.partner)
}

/// Compares what is found with what the definitions say.
fn check(groups: &[Vec<String>], options: &LocusOptions) -> std::result::Result<(), TestCaseError> {
    let texts: Vec<&String> = groups.iter().flatten().collect();
    let mut members: Vec<Vec<usize>> = Vec::new();
    let mut next = 0;
    for group in groups {
        members.push((next..next + group.len()).collect());
        next += group.len();
    }
    let mut holders: BTreeMap<String, Vec<&String>> = BTreeMap::new();
    for group in groups {
        let mut heads: Vec<&String> = Vec::new();
        for text in group {
            if heads.contains(&text) {
                continue;
            }
            heads.push(text);
            let mut kmers: Vec<String> = indexed(text, options).into_iter().map(|(_, kmer)| kmer).collect();
            kmers.sort();
            kmers.dedup();
            kmers.into_iter().for_each(|kmer| holders.entry(kmer).or_default().push(text));
        }
    }
    let frequent = |kmer: &str| holders.get(kmer).is_some_and(|rows| rows.len() > options.max_sequences);

    let loci = found(groups, options);
    let mut clusters: Vec<usize> = (0..texts.len()).collect();
    for row in 0..texts.len() {
        for (group, partners) in members.iter().enumerate() {
            let all = naive_link(&texts, row, partners, options, &frequent);
            let link = loci.links[row * groups.len() + group];
            match all.iter().min_by_key(|link| rank(link)) {
                None => prop_assert_eq!(link, Link::default()),
                Some(best) => {
                    prop_assert_eq!(rank(&link), rank(best), "row {} group {}", row, group);
                    prop_assert!(all.contains(&link), "{:?} of {:?}", link, all);
                }
            }
            for link in all {
                let (from, to) = (clusters[row], clusters[link.partner as usize]);
                clusters.iter_mut().filter(|one| **one == from).for_each(|one| *one = to);
            }
        }
    }
    for one in 0..texts.len() {
        for other in 0..one {
            let together = loci.clusters[one] == loci.clusters[other];
            prop_assert_eq!(together, clusters[one] == clusters[other], "{} and {}", one, other);
        }
    }
    prop_assert_eq!(loci.frequent_kmers, holders.keys().filter(|kmer| frequent(kmer)).count() as u64);
    Ok(())
}

/// Sequences cut from one short text with substitutions, some reversed: every relation is frequent among them.
fn related() -> impl Strategy<Value = Vec<Vec<String>>> {
    let cut = (0_usize..40, 4_usize..24, any::<bool>(), prop::option::of((0_usize..24, "[ACGTN]")));
    ("[ACGT]{64}", prop::collection::vec(prop::collection::vec(cut, 1..6), 1..4)).prop_map(
        |(text, groups)| {
            let row = |(start, length, is_reverse, edit): &(usize, usize, bool, Option<(usize, String)>)| {
                let mut row = text[*start..start + length].to_owned();
                if let Some((at, symbol)) = edit
                    && *at < row.len()
                {
                    row.replace_range(*at..=*at, symbol);
                }
                if *is_reverse { reversed(&row) } else { row }
            };
            groups.iter().map(|group| group.iter().map(row).collect()).collect()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn links_and_clusters_are_those_of_the_definitions(groups in related()) {
        check(&groups, &SHORT)?;
    }

    #[test]
    fn frequent_kmers_are_left_out(groups in related(), max_sequences in 1_usize..4) {
        check(&groups, &LocusOptions { max_sequences, ..SHORT })?;
    }

    #[test]
    fn sequences_of_two_bases_have_every_repeat(
        groups in prop::collection::vec(prop::collection::vec("[AT]{1,20}", 1..5), 1..3),
        min_overlap in 8_usize..14,
    ) {
        check(&groups, &LocusOptions { min_overlap, ..SHORT })?;
    }
}

#[test]
fn options_out_of_range_are_errors() {
    for options in [
        LocusOptions { min_overlap: 7, ..SHORT },
        LocusOptions { min_identity: 1.1, ..SHORT },
        LocusOptions { min_identity: f64::NAN, ..SHORT },
        LocusOptions { max_sequences: 0, ..SHORT },
    ] {
        assert!(find_loci(b"ACGT", &[0, 4], &[1], &options, &Monitor::default()).is_err(), "{options:?}");
    }
    assert!(find_loci(b"ACGT", &[0, 4], &[2], &SHORT, &Monitor::default()).is_err());
}

#[test]
fn a_cancelled_search_ends() {
    let monitor = Monitor::default();
    monitor.cancel();
    let found = find_loci(b"ACGTACGTACGT", &[0, 12], &[1], &SHORT, &monitor);
    assert!(matches!(found, Err(Error::Interrupted)));
}
