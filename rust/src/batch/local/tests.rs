//! Against the comparison of whole encodings, which is the definition.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::batch::tests::{OTHERS, text, tokenizer, trained};
use crate::tokenizer::KmerSpecials;

/// What an edit is made of: two places and what goes between them.
type Draft = (Index, Index, String);

fn drafts() -> impl Strategy<Value = Vec<Draft>> {
    let new = prop_oneof![
        5 => "[ACGT]{0,3}",
        2 => proptest::sample::select(OTHERS).prop_map(str::to_owned),
        1 => text("ACGT", OTHERS),
    ];
    let near = (any::<Index>(), any::<Index>(), new);
    proptest::collection::vec(near, 0..12)
}

fn edits(sequence: &str, drafts: &[Draft]) -> Vec<SequenceEdit> {
    let length = sequence.chars().count();
    let of = |(a, b, new): &Draft| {
        let (a, b) = (a.index(length + 1), b.index(length + 1));
        let start = a.min(b);
        // One symbol often, many at times.
        let end = if new.len() % 2 == 1 { length.min(start + 1) } else { a.max(b) };
        SequenceEdit { start, end, replacement: new.clone() }
    };
    drafts.iter().map(of).collect()
}

fn check(tokenizer: &Tokenizer, sequence: &str, drafts: &[Draft]) -> Result<(), TestCaseError> {
    let edits = edits(sequence, drafts);
    let monitor = Monitor::default();
    let found = tokenizer.reencode(sequence, &edits, false, &monitor).unwrap();
    let all = LocalJob { tokenizer, sequence, edits: &edits, monitor: &monitor };
    let expected = all.by_comparison(&(0..edits.len()).collect::<Vec<_>>()).unwrap();
    prop_assert_eq!(&found, &expected, "{} {:?}", sequence, edits);
    // On the other strand of the other strand: the same edits of the same sequence.
    let strand = OtherStrand::of(tokenizer);
    let length = sequence.chars().count();
    let other: Vec<SequenceEdit> = edits.iter().map(|edit| strand.edit(edit, length)).collect();
    prop_assert_eq!(tokenizer.reencode(&strand.text(sequence), &other, true, &monitor).unwrap(), found);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn changes_are_those_of_whole_sequences(
        corpus in text("ACGT", &["A"]),
        merges in 0..80_usize,
        sequence in text("ACGT", OTHERS),
        drafts in drafts(),
    ) {
        check(&tokenizer(trained(b"ACGT", corpus.as_bytes(), merges)), &sequence, &drafts)?;
    }

    #[test]
    fn so_they_are_of_plain_sequences_and_several_threads(
        corpus in text("ACGT", &["A"]),
        merges in 0..80_usize,
        sequence in text("ACGT", &["N", "a", "-", " "]),
        drafts in proptest::collection::vec((any::<Index>(), any::<Index>(), "[ACGTNa -]{0,3}"), 0..700),
    ) {
        check(&tokenizer(trained(b"ACGT", corpus.as_bytes(), merges)), &sequence, &drafts)?;
    }

    #[test]
    fn so_they_are_of_kmers(
        k in 1..6_usize,
        canonical in any::<bool>(),
        upper_case in any::<bool>(),
        sequence in prop_oneof![text("ACGT", &["N", "R", "a", "acgt"]), text("ACGT", OTHERS)],
        drafts in drafts(),
    ) {
        let kmer = Kmer::new(k, false, canonical).unwrap();
        let tokenizer = Tokenizer::kmer(kmer, &KmerSpecials::published(&kmer), upper_case).unwrap();
        check(&tokenizer, &sequence, &drafts)?;
    }
}

#[test]
fn of_a_long_sequence_only_a_part_is_encoded() {
    let mut random = crate::testing::Random::new(7);
    let mut base = || char::from(b"ACGT"[usize::try_from(random.below(4)).unwrap()]);
    let corpus: String = (0..20_000).map(|_| base()).collect();
    let sequence: String = (0..1_000_000).map(|_| base()).collect();
    let tokenizer = tokenizer(trained(b"ACGT", corpus.as_bytes(), 200));
    let monitor = Monitor::default();
    for at in [0, 1, 100_000, 500_000, 999_000, 999_999, 1_000_000] {
        let insertion = SequenceEdit { start: at, end: at, replacement: "GATTACA".to_owned() };
        let deletion =
            SequenceEdit { start: at.min(999_990), end: at.min(999_990) + 9, replacement: String::new() };
        let edits = [insertion, deletion];
        let found = tokenizer.reencode(&sequence, &edits, false, &monitor).unwrap();
        let all = LocalJob { tokenizer: &tokenizer, sequence: &sequence, edits: &edits, monitor: &monitor };
        assert_eq!(found, all.by_comparison(&[0, 1]).unwrap(), "at {at}");
        if (100_000..900_000).contains(&at) {
            let Some(AnyMarked::Narrow(marked)) = tokenizer.model().automaton() else { panic!("wide") };
            let machine = marked.over(|byte| code_or_mark(tokenizer.symbols(), byte));
            assert!(all.part(&machine, &[0, 1]).len() < 150_000);
        }
    }
}

#[test]
fn what_cannot_be_is_refused_with_its_place() {
    let monitor = Monitor::default();
    let edit = |start, end, new: &str| [SequenceEdit { start, end, replacement: new.to_owned() }];
    let with = tokenizer(trained(b"ACGT", b"ACACGT", 2));
    for (start, end) in [(2, 1), (0, 5), (5, 5)] {
        let error = with.reencode("ACGT", &edit(start, end, ""), false, &monitor).unwrap_err();
        assert!(error.to_string().contains("edit 0: start <= end <= 4"), "{error}");
    }
    let without = Tokenizer::new(trained(b"ACGT", b"ACACGT", 2), &[]).unwrap();
    let error = |sequence: &str, new: &str| {
        without.reencode(sequence, &edit(1, 1, new), false, &monitor).unwrap_err().to_string()
    };
    assert!(error("ACNT", "A").contains("'N'"), "{}", error("ACNT", "A"));
    assert!(error("ACGT", "AN").contains("edit 0"), "{}", error("ACGT", "AN"));
    let kmer = Kmer::new(3, true, false).unwrap();
    let overlapping = Tokenizer::kmer(kmer, &KmerSpecials::published(&kmer), false).unwrap();
    let error = overlapping.reencode("ACGT", &[], false, &monitor).unwrap_err();
    assert!(error.to_string().contains("overlap=False"), "{error}");
    monitor.cancel();
    assert!(with.reencode("ACGT", &edit(1, 1, "A"), false, &monitor).unwrap_err().is_interrupt());
}
