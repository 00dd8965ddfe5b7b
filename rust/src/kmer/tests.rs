//! Fast against naive, and the published behaviours in small cases.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::testing::nasty;

const FIRST: u32 = 6;
const UNKNOWN: u32 = 1;

fn options(unknown: Option<u32>, upper_case: bool) -> KmerOptions {
    KmerOptions { upper_case, first: FIRST, unknown }
}

fn every_kind() -> impl Iterator<Item = Kmer> {
    let kinds = [(true, false), (false, false), (true, true), (false, true)];
    kinds
        .into_iter()
        .flat_map(|(overlap, canonical)| (1..=MAX_K).map(move |k| Kmer::new(k, overlap, canonical).unwrap()))
}

fn reverse_complement(word: &str) -> String {
    let pair = |base| match base {
        'A' => 'T',
        'T' => 'A',
        'C' => 'G',
        'G' => 'C',
        other => other,
    };
    word.chars().rev().map(pair).collect()
}

/// All words of `k` symbols, the last base changing fastest.
fn product(bases: &str, k: usize) -> Vec<String> {
    (0..k).fold(vec![String::new()], |words, _| {
        words.iter().flat_map(|word| bases.chars().map(move |base| format!("{word}{base}"))).collect()
    })
}

/// The vocabulary as the essay says it, from lists of strings.
fn naive_vocabulary(kmer: &Kmer) -> Vec<String> {
    let of_length = |k: usize| {
        if !kmer.is_canonical() {
            return product("ATCG", k);
        }
        let mut words = product("ACGT", k);
        words.retain(|word| *word <= reverse_complement(word));
        words.sort_by_key(|word| (reverse_complement(word)[..k / 2].to_owned(), word.clone()));
        words
    };
    let mut words = of_length(kmer.k());
    if !kmer.is_overlapping() {
        if kmer.k() > 1 {
            words.extend(of_length(1));
        }
        words.push("N".to_owned());
    }
    words
}

/// The tokens of a text and where they lie, symbol by symbol, as the essay says; `None` is unknown.
fn naive_tokens(
    kmer: &Kmer,
    text: &str,
    options: &KmerOptions,
) -> (Vec<Option<String>>, Vec<std::ops::Range<usize>>) {
    let read = |symbol: char| if options.upper_case { symbol.to_ascii_uppercase() } else { symbol };
    let symbols: Vec<char> = text.chars().map(read).collect();
    let is_base = |at: usize| "ACGT".contains(symbols[at]);
    let k = kmer.k();
    let mut found = Vec::new();
    let mut at = 0;
    while at < symbols.len() {
        let fits = at + k <= symbols.len();
        let length = match fits && (at..at + k).all(is_base) {
            true => k,
            false if kmer.is_overlapping() => 0,
            false => 1,
        };
        if length == 0 {
            if fits && options.unknown.is_some() {
                found.push((None, at..at + k));
            }
        } else {
            let word: String = symbols[at..at + length].iter().collect();
            let known = word.chars().all(|symbol| "ACGT".contains(symbol)) || word == "N";
            let word = if kmer.is_canonical() { reverse_complement(&word).min(word) } else { word };
            if known || options.unknown.is_some() {
                found.push((known.then_some(word), at..at + length));
            }
        }
        at += if kmer.is_overlapping() { 1 } else { length };
    }
    found.into_iter().unzip()
}

fn check(kmer: &Kmer, text: &str, options: &KmerOptions) {
    let (tokens, spans) = naive_tokens(kmer, text, options);
    let mut ids: Vec<u32> = Vec::new();
    kmer.encode_into(text.as_bytes(), options, &mut ids);
    let spelled: Vec<Option<String>> =
        ids.iter().map(|&id| (Some(id) != options.unknown).then(|| kmer.string(id - FIRST))).collect();
    assert_eq!(spelled, tokens, "{kmer:?} {text}");
    let symbols = symbols_of(text.as_bytes());
    assert_eq!(kmer.count(&symbols, options), ids.len());
    let mut found = Vec::new();
    kmer.spans(&symbols, options, |span| found.push(span));
    assert_eq!(found, spans, "{kmer:?} {text}");
    for size in [1, 7, 100] {
        let mut parts: Vec<u32> = Vec::new();
        for part in kmer.cut(&symbols, options.upper_case, size) {
            kmer.encode_into(&symbols[part], options, &mut parts);
        }
        assert_eq!(parts, ids, "{kmer:?} {text} in parts of {size}");
    }
    if kmer.num_tokens() + FIRST <= 1 << 16 {
        let mut narrow: Vec<u16> = Vec::new();
        kmer.encode_into(text.as_bytes(), options, &mut narrow);
        assert_eq!(narrow.iter().map(|&id| u32::from(id)).collect::<Vec<_>>(), ids);
    }
}

/// Nasty words with other symbols between them, some in lower case.
fn texts() -> impl Strategy<Value = String> {
    let word = (any::<u64>(), any::<bool>()).prop_map(|(seed, lower)| {
        let word = String::from_utf8(nasty(seed, 600)).unwrap();
        if lower { word.to_ascii_lowercase() } else { word }
    });
    let gap =
        prop::sample::select(vec!["", "N", "NNNNNNNNNNNNNNNNNNNNNNNN", "n", "R", "\n", "é", "🧬N", "-A-"]);
    prop::collection::vec((word, gap), 0..6)
        .prop_map(|parts| parts.into_iter().map(|(word, gap)| word + gap).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_text_is_encoded_as_the_definitions_say(text in texts(), upper_case: bool, keep: bool) {
        for kmer in every_kind() {
            check(&kmer, &text, &options(keep.then_some(UNKNOWN), upper_case));
        }
    }

    #[test]
    fn symbols_come_back_from_plain_kmers(text in texts()) {
        for kmer in every_kind().filter(|kmer| !kmer.is_canonical()) {
            let mut ids: Vec<u32> = Vec::new();
            kmer.encode_into(text.as_bytes(), &options(Some(UNKNOWN), true), &mut ids);
            let decoded = decode(&kmer, &ids);
            prop_assert_eq!(decoded, expected_back(&kmer, &text));
        }
    }

    #[test]
    fn both_strands_have_the_same_canonical_kmers(seed: u64) {
        let text = String::from_utf8(nasty(seed, 300)).unwrap();
        for kmer in every_kind().filter(|kmer| kmer.is_canonical() && kmer.is_overlapping()) {
            let ids = [text.clone(), reverse_complement(&text)].map(|text| {
                let mut ids: Vec<u32> = Vec::new();
                kmer.encode_into(text.as_bytes(), &options(Some(UNKNOWN), true), &mut ids);
                ids
            });
            prop_assert!(ids[0].iter().eq(ids[1].iter().rev()));
        }
    }
}

fn decode(kmer: &Kmer, ids: &[u32]) -> String {
    let symbol = |&id: &u32| match id {
        UNKNOWN => KmerMeaning::Unknown,
        2 => KmerMeaning::Special("[SEP]"),
        id => KmerMeaning::Token(id - FIRST),
    };
    let mut text = Vec::new();
    kmer.decode(ids.iter().map(symbol), "?", &mut text);
    String::from_utf8(text).unwrap()
}

/// The text with a question mark for every symbol that no token holds.
fn expected_back(kmer: &Kmer, text: &str) -> String {
    let symbols: Vec<char> = text.chars().map(|symbol| symbol.to_ascii_uppercase()).collect();
    let (tokens, spans) = naive_tokens(kmer, text, &options(Some(UNKNOWN), true));
    let mut back = vec!['?'; if tokens.is_empty() { 0 } else { symbols.len() }];
    for (token, span) in tokens.iter().zip(spans) {
        if token.is_some() {
            back[span.clone()].copy_from_slice(&symbols[span]);
        }
    }
    back.into_iter().collect()
}

#[test]
fn vocabularies_are_as_defined_and_names_lead_back() {
    for kmer in every_kind().filter(|kmer| kmer.k() <= 7) {
        let words = naive_vocabulary(&kmer);
        assert_eq!(words.len(), kmer.num_tokens() as usize, "{kmer:?}");
        for (word, token) in words.iter().zip(0..) {
            assert_eq!(kmer.string(token), *word, "{kmer:?}");
            assert_eq!(kmer.token(word.as_bytes()), Some(token), "{kmer:?}");
        }
        let seen: BTreeMap<&String, usize> = words.iter().zip(0..).collect();
        assert_eq!(seen.len(), words.len());
    }
    for kmer in every_kind().filter(|kmer| kmer.k() > 7) {
        for token in (0..kmer.num_tokens()).step_by(9973).chain([kmer.num_kmers() - 1]) {
            assert_eq!(kmer.token(kmer.string(token).as_bytes()), Some(token), "{kmer:?}");
        }
    }
}

#[test]
fn what_is_no_token_has_no_name() {
    let kmer = Kmer::new(3, false, true).unwrap();
    for word in ["", "AA", "AAN", "TTT", "aaa", "T", "G", "R", "AAAA"] {
        assert_eq!(kmer.token(word.as_bytes()), None, "{word}");
    }
    assert_eq!(kmer.string(kmer.token(b"N").unwrap()), "N");
    assert_eq!(Kmer::new(3, true, false).unwrap().token(b"N"), None);
    for k in [0, 13, usize::MAX] {
        assert!(Kmer::new(k, true, false).unwrap_err().to_string().starts_with("k="));
    }
}

#[test]
fn block_borders_do_not_show() {
    for kmer in every_kind() {
        for length in (0..20).chain(230..260).chain(470..500).chain([5000]) {
            let text = String::from_utf8(nasty(length, 6000)).unwrap().repeat(3000);
            check(
                &kmer,
                &text[..text.len().min(usize::try_from(length).unwrap())],
                &options(Some(UNKNOWN), true),
            );
        }
    }
}

/// The first lines of the `vocab.txt` for 3-mers of DNABERT, and the ends of `seq2kmer` and of its tokenizer.
#[test]
fn dnabert() {
    let kmer = Kmer::new(3, true, false).unwrap();
    let words: Vec<String> = (0..9).map(|token| kmer.string(token)).collect();
    assert_eq!(words, ["AAA", "AAT", "AAC", "AAG", "ATA", "ATT", "ATC", "ATG", "ACA"]);
    assert_eq!(kmer.string(63), "GGG");
    assert_eq!(kmer.num_tokens() + 5, 69);
    let ids = |text: &str| {
        let mut ids: Vec<u16> = Vec::new();
        let options = KmerOptions { upper_case: false, first: 5, unknown: Some(1) };
        kmer.encode_into(text.as_bytes(), &options, &mut ids);
        ids
    };
    assert_eq!(ids("AAATA"), [5, 6, 9], "AAA AAT ATA");
    assert_eq!(ids("AAANAAA"), [5, 1, 1, 1, 5], "a k-mer that holds N is unknown, at each of its positions");
    assert_eq!(ids("AAaAAA"), [1, 1, 1, 5], "so is one that holds a lower-case base");
    assert!(ids("AA").is_empty() && ids("").is_empty(), "nothing is shorter than a k-mer");
}

/// The two examples in `NucleotidesKmersTokenizer.tokenize` of Nucleotide Transformer, and its vocabulary.
#[test]
fn nucleotide_transformer() {
    let tokens = |text: &str| {
        let kmer = Kmer::new(5, false, false).unwrap();
        let mut ids: Vec<u16> = Vec::new();
        let options = KmerOptions { upper_case: false, first: 4, unknown: Some(0) };
        kmer.encode_into(text.as_bytes(), &options, &mut ids);
        let name = |id: &u16| if *id == 0 { "?".to_owned() } else { kmer.string(u32::from(*id) - 4) };
        ids.iter().map(name).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(tokens("ATCGAATGGCGATGCAC"), "ATCGA ATGGC GATGC A C");
    assert_eq!(tokens("ATCGAATNGGCGATGCAC"), "ATCGA A T N GGCGA TGCAC");
    assert_eq!(
        tokens("NNACGTACGR"),
        "N N ACGTA C G ?",
        "here an unknown symbol is one token, there an error"
    );
    let kmer = Kmer::new(6, false, false).unwrap();
    let names: Vec<String> =
        [0, 1, 4095, 4096, 4097, 4098, 4099, 4100].map(|token| kmer.string(token)).into();
    assert_eq!(names, ["AAAAAA", "AAAAAT", "GGGGGG", "A", "T", "C", "G", "N"]);
    assert_eq!(kmer.num_tokens() + 6, 4107);
}

#[test]
fn chains_that_contradict_themselves_are_parted() {
    let kmer = Kmer::new(3, true, false).unwrap();
    let id = |word: &str| kmer.token(word.as_bytes()).unwrap() + FIRST;
    let back = |words: &[&str]| {
        let ids: Vec<u32> = words
            .iter()
            .map(|&word| match word {
                "?" => UNKNOWN,
                "S" => 2,
                word => id(word),
            })
            .collect();
        decode(&kmer, &ids)
    };
    assert_eq!(back(&["ACG", "CGT", "GTT"]), "ACGTT");
    assert_eq!(back(&["ACG", "CCC"]), "ACGCCC");
    assert_eq!(back(&["ACG", "S", "CGT"]), "ACG[SEP]CGT");
    assert_eq!(back(&["ACG", "?", "?", "?", "TTT"]), "ACG?TTT");
    assert_eq!(back(&["ACG", "?", "GTA"]), "ACGTA", "the k-mers on both sides say what it must be");
    assert_eq!(back(&["ACG", "?", "AAA"]), "ACG?AAA");
    assert_eq!(back(&["?", "ACG", "?"]), "?ACG?");
    assert_eq!(back(&["?", "?"]), "????");
    assert_eq!(back(&[]), "");
}

#[test]
fn canonical_tokens_are_named() {
    let back = |overlap, text: &str| {
        let kmer = Kmer::new(3, overlap, true).unwrap();
        let mut ids: Vec<u32> = Vec::new();
        kmer.encode_into(text.as_bytes(), &options(Some(UNKNOWN), true), &mut ids);
        decode(&kmer, &ids)
    };
    assert_eq!(back(true, "TTTGN"), "AAA CAA ?");
    assert_eq!(back(false, "TTTGGANGT"), "AAAGGANCA");
}

#[test]
fn what_the_vocabulary_lacks_is_counted() {
    let text = b"ACGTNNacgtnRr.";
    let counts = |overlap, upper_case| {
        let kmer = Kmer::new(3, overlap, false).unwrap();
        let UnknownCounts { unknown, lower_case } = kmer.count_unknown(text, upper_case);
        (unknown, lower_case, kmer.first_unknown(text, upper_case))
    };
    assert_eq!(counts(true, false), (10, 4, Some(4)));
    assert_eq!(counts(true, true), (6, 0, Some(4)));
    assert_eq!(counts(false, false), (8, 5, Some(6)));
    assert_eq!(counts(false, true), (3, 0, Some(11)));
}
