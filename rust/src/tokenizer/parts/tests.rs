use super::*;
use crate::bpe::MergeTable;
use crate::tokenizer::KmerSpecials;

fn merges() -> Tokenizer {
    // AC, CG, and ACG of AC and G.
    let table = MergeTable::from_merges([(0, 1), (1, 2), (4, 2)]).unwrap();
    Tokenizer::new(table, &["[UNK]".to_owned(), "[CLS]".to_owned()]).unwrap()
}

fn kmers(k: usize, overlap: bool, canonical: bool) -> Tokenizer {
    let kmer = Kmer::new(k, overlap, canonical).unwrap();
    Tokenizer::kmer(kmer, &KmerSpecials::published(&kmer), false).unwrap()
}

#[test]
fn boundaries_count_symbols() {
    let ids = merges().encode("ACGNTT").unwrap();
    assert_eq!(merges().boundaries(&ids).unwrap(), [0, 3, 4, 5, 6]);
    assert_eq!(merges().boundaries(&[1, 8]).unwrap(), [0, 0, 3]);
    assert_eq!(merges().boundaries(&[]).unwrap(), [0]);
    assert!(merges().boundaries(&[9]).is_err() && kmers(3, true, false).boundaries(&[]).is_err());
    let three = kmers(3, false, false);
    assert_eq!(three.boundaries(&three.encode("ACGTNR").unwrap()).unwrap(), [0, 3, 4, 5, 6]);
}

#[test]
fn substitutions_keep_the_row() {
    let id = |token: &str| merges().id_of_string(token).unwrap();
    let named = |ids: Vec<Id>| ids.into_iter().map(|id| merges().token(id).unwrap()).collect::<Vec<_>>();
    let of = |left: Option<&str>, token, right: Option<&str>| {
        named(merges().substitutions(left.map(id), id(token), right.map(id)).unwrap())
    };
    assert_eq!(of(None, "A", None), ["A", "C", "G", "T"]);
    assert_eq!(of(Some("A"), "A", Some("G")), ["A", "G", "T"]);
    assert_eq!(of(Some("A"), "T", Some("CG")), ["G", "T"]);
    assert_eq!(of(Some("A"), "AC", None), ["AC"]);
    // The unknown token ends words, and may be what is replaced.
    assert_eq!(of(Some("[UNK]"), "C", Some("G")), ["A", "G", "T"]);
    assert_eq!(of(Some("A"), "[UNK]", Some("G")), ["[UNK]", "A", "G", "T"]);
    assert!(merges().substitutions(None, 1, None).is_err() && merges().substitutions(None, 9, None).is_err());
}

#[test]
fn kmers_may_be_any_where_one_may_be() {
    for canonical in [false, true] {
        let three = kmers(3, false, canonical);
        let id = |token: &str| three.id_of_string(token).unwrap();
        let count = |left: Option<&str>, token, right: Option<&str>| {
            three.substitutions(left.map(id), id(token), right.map(id)).unwrap().len()
        };
        let (all, singles) = if canonical { (32, 2) } else { (64, 4) };
        assert_eq!(count(None, "AAA", Some("AAC")), all);
        assert_eq!(count(Some("N"), "AAA", Some("C")), all);
        assert_eq!(count(Some("A"), "AAA", None), 0);
        assert_eq!(count(Some("AAA"), "C", None), singles + 1);
        assert_eq!(count(Some("A"), "N", Some("C")), 1);
        assert_eq!(count(Some("AAA"), "C", Some("AAA")), 1);
    }
}
