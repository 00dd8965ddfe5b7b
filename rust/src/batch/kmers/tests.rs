//! Batches of k-mers against one sequence at a time.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_possible_wrap)] // small numbers

use super::super::tests::joined;
use super::*;
use crate::alphabet::UnknownPolicy;
use crate::kmer::Kmer;
use crate::testing::{RandomGenome, nasty};
use crate::tokenizer::KmerSpecials;

fn kinds() -> impl Iterator<Item = Tokenizer> {
    let kinds = [(1, true, false), (3, true, false), (6, false, false), (5, false, true), (9, true, true)];
    kinds.into_iter().map(|(k, overlap, canonical)| {
        let kmer = Kmer::new(k, overlap, canonical).unwrap();
        Tokenizer::kmer(kmer, &KmerSpecials::published(&kmer), false).unwrap()
    })
}

fn texts() -> Vec<String> {
    let word = |seed| String::from_utf8(nasty(seed, 400)).unwrap();
    let mut texts: Vec<String> = (0..300)
        .map(|seed| word(seed) + ["", "N", "é", "[SEP]", "<mask>AC", "acgt"][seed as usize % 6])
        .collect();
    texts.extend(["", "A", "é", "[SEP][SEP]", "🧬NACGTRACGT"].map(str::to_owned));
    texts
}

#[test]
fn a_batch_is_its_sequences_one_by_one() {
    let texts = texts();
    let (bytes, offsets) = joined(&texts);
    let sequences = Sequences { bytes: &bytes, offsets: &offsets };
    for tokenizer in kinds() {
        let options = EncodeOptions { spans: true, ..EncodeOptions::default() };
        let batch = tokenizer.encode_batch(sequences, &options, &Monitor::default()).unwrap();
        let ids = batch.ids.to_vec();
        let counts = tokenizer.count_tokens(sequences, &options, &Monitor::default()).unwrap();
        for (number, text) in texts.iter().enumerate() {
            let range = batch.offsets[number] as usize..batch.offsets[number + 1] as usize;
            assert_eq!(ids[range.clone()], tokenizer.encode(text).unwrap(), "{text}");
            assert_eq!(counts[number], range.len() as u64);
            let symbols: Vec<char> = text.chars().collect();
            for (id, span) in ids[range.clone()].iter().zip(&batch.spans.as_ref().unwrap()[range]) {
                let part: String = symbols[span[0] as usize..span[1] as usize].iter().collect();
                let is_known = Some(*id) != tokenizer.kmer_options(false).unknown;
                if is_known && !tokenizer.kmers().unwrap().is_canonical() {
                    assert_eq!(tokenizer.decode(&[*id]).unwrap(), part);
                }
            }
        }
        assert_eq!(matches!(batch.ids, Ids::Wide(_)), tokenizer.vocab_size() > 1 << 16);
    }
}

#[test]
fn long_sequences_are_cut_without_a_trace() {
    let mut symbols = Vec::new();
    RandomGenome::new(5).with_n(true).bases(&mut symbols, 3 * PART + 12345);
    symbols[PART - 2] = b'n';
    let text = String::from_utf8(symbols).unwrap();
    let (bytes, offsets) = joined(&[text.clone(), "ACGT".to_owned(), text[..PART + 3].to_owned()]);
    for tokenizer in kinds() {
        for unknown in [UnknownPolicy::Token, UnknownPolicy::Split] {
            let options = EncodeOptions { unknown, spans: true, ..EncodeOptions::default() };
            let sequences = Sequences { bytes: &bytes, offsets: &offsets };
            let batch = tokenizer.encode_batch(sequences, &options, &Monitor::default()).unwrap();
            let spans = batch.spans.unwrap();
            assert_eq!((spans.len(), batch.offsets[3]), (batch.ids.len(), spans.len() as i64));
            if unknown == UnknownPolicy::Token {
                assert_eq!(batch.ids.to_vec()[..batch.offsets[1] as usize], tokenizer.encode(&text).unwrap());
            }
            let is_known = |symbol: &&u8| tokenizer.symbols().is_known(**symbol);
            assert_eq!(batch.unknown, bytes.iter().filter(|symbol| !is_known(symbol)).count() as u64);
            assert_eq!(batch.lower_case, if tokenizer.symbols().is_known(b'N') { 2 } else { 0 });
        }
    }
}

#[test]
fn options_are_those_of_every_tokenizer() {
    let (bytes, offsets) = joined(&["acGTRAC".to_owned(), "NACG".to_owned()]);
    let sequences = Sequences { bytes: &bytes, offsets: &offsets };
    let dnabert = kinds().nth(1).unwrap();
    let encode = |options: &EncodeOptions| dnabert.encode_batch(sequences, options, &Monitor::default());
    let upper = EncodeOptions { upper_case: true, ..EncodeOptions::default() };
    let split = encode(&EncodeOptions { unknown: UnknownPolicy::Split, ..upper }).unwrap();
    assert_eq!(dnabert.decode(&split.ids.to_vec()).unwrap(), "ACGTACG");
    assert_eq!((split.unknown, split.lower_case), (2, 0));
    let framed = encode(&EncodeOptions { add_special_tokens: true, spans: true, ..upper }).unwrap();
    assert_eq!(dnabert.decode(&framed.ids.to_vec()[..7]).unwrap(), "[CLS]ACGT[UNK][UNK][UNK][SEP]");
    assert_eq!(framed.spans.unwrap()[..2], [[0, 0], [0, 3]]);
    let refused = encode(&EncodeOptions { unknown: UnknownPolicy::Refuse, ..upper }).unwrap_err();
    assert!(matches!(refused, Error::Symbol { position: 4, byte: b'R', .. }), "{refused}");
    let broken = Sequences { bytes: b"AC\xffGT", offsets: &[0, 5] };
    let error = dnabert.encode_batch(broken, &upper, &Monitor::default()).unwrap_err();
    assert!(error.to_string().contains("UTF-8"), "{error}");
    let monitor = Monitor::default();
    monitor.cancel();
    assert!(dnabert.encode_batch(sequences, &upper, &monitor).unwrap_err().is_interrupt());
}
