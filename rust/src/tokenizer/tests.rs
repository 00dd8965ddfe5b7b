//! A tokenizer against the rule, and its file against hands that changed it. Hugging Face is asked by the Python tests.

use serde_json::{Value, json};

use super::Tokenizer;
use crate::bpe::MergeTable;
use crate::error::Error;

mod files;

const SPECIALS: [&str; 3] = ["[UNK]", "[SEP]", "[S"];

/// AC, GT, ACGT, AA after the special tokens and the bases.
fn tokenizer(specials: &[&str]) -> Tokenizer {
    let table = MergeTable::from_merges([(0, 1), (2, 3), (4, 5), (0, 0)]).unwrap();
    let specials: Vec<String> = specials.iter().map(ToString::to_string).collect();
    Tokenizer::new(table, &specials).unwrap()
}

/// The file of [`tokenizer`] after a change.
fn changed(change: impl FnOnce(&mut Value)) -> Result<Tokenizer, Error> {
    let mut document: Value = serde_json::from_str(&tokenizer(&SPECIALS).to_json().unwrap()).unwrap();
    change(&mut document);
    Tokenizer::from_json(&document.to_string())
}

#[test]
fn ids_are_special_tokens_then_bases_then_merges() {
    let tokenizer = tokenizer(&SPECIALS);
    let vocab: Vec<String> = tokenizer.vocab().collect();
    assert_eq!(vocab, ["[UNK]", "[SEP]", "[S", "A", "C", "G", "T", "AC", "GT", "ACGT", "AA"]);
    assert_eq!((tokenizer.vocab_size(), tokenizer.alphabet()), (11, &b"ACGT"[..]));
    assert_eq!(tokenizer.merges().nth(2), Some(("AC".to_owned(), "GT".to_owned())));
}

#[test]
fn text_is_taken_apart_as_the_essay_says() {
    let tokenizer = tokenizer(&SPECIALS);
    let encode = |text| tokenizer.encode(text).unwrap();
    assert!(encode("").is_empty());
    assert_eq!(encode("acGTaaa"), [9, 10, 3]);
    assert_eq!(encode("AC[SEP]GT"), [7, 1, 8], "the longest of the special tokens that start there");
    assert_eq!(encode("[SAC[sep]"), [2, 7, 0, 0, 0, 0, 0]);
    assert_eq!(
        encode("A é🧬C"),
        [3, 0, 0, 0, 4],
        "one unknown token for a symbol, however many bytes it has"
    );
    assert_eq!(tokenizer.decode(&[9, 1, 0]).unwrap(), "ACGT[SEP][UNK]");
    assert!(matches!(tokenizer.decode(&[11]), Err(Error::Argument { .. })));
}

#[test]
fn special_tokens_around_a_sequence_are_those_of_the_file_or_the_usual_ones() {
    assert!(tokenizer(&SPECIALS).template().unwrap_err().to_string().contains("[CLS]"));
    let usual = tokenizer(&["[UNK]", "[SEP]", "[CLS]"]).template().unwrap();
    assert_eq!((usual.before, usual.after), (vec![2], vec![1]));
}

#[test]
fn of_a_sequence_of_post_processors_each_puts_its_tokens_around_those_before() {
    let around =
        |first: (&str, u32), last: (&str, u32)| json!({"type": "BertProcessing", "cls": first, "sep": last});
    let (inner, outer) = (around(("[SEP]", 1), ("[S", 2)), around(("[UNK]", 0), ("[SEP]", 1)));
    let offsets = json!({"type": "ByteLevel", "trim_offsets": true});
    let sequence = json!({"type": "Sequence", "processors": [offsets, inner, offsets, outer]});
    let found = changed(|document| document["post_processor"] = sequence).unwrap().template().unwrap();
    assert_eq!((found.before, found.after), (vec![0, 1], vec![2, 1]));
}

#[test]
fn a_post_processor_puts_in_a_thousand_tokens_at_most() {
    let one = json!({"type": "BertProcessing", "cls": ("[SEP]", 1), "sep": ("[UNK]", 0)});
    let of = |count| {
        let many = json!({"type": "Sequence", "processors": vec![one.clone(); count]});
        changed(|document| document["post_processor"] = many)
    };
    assert_eq!(of(500).unwrap().template().unwrap().after.len(), 500);
    assert!(of(501).is_err());
}

#[test]
fn the_file_names_the_usual_special_tokens_and_an_old_one_stays_as_it_was() {
    let tokenizer = tokenizer(&["[UNK]", "[SEP]", "[CLS]"]);
    let text = tokenizer.to_json().unwrap();
    let mut document: Value = serde_json::from_str(&text).unwrap();
    let special = |name, kind| json!({"SpecialToken": {"id": name, "type_id": kind}});
    let sequence = |name, kind| json!({"Sequence": {"id": name, "type_id": kind}});
    let one = [special("[CLS]", 0), sequence("A", 0), special("[SEP]", 0)];
    assert_eq!(document["post_processor"]["single"], json!(one));
    let other = [sequence("B", 1), special("[SEP]", 1)];
    assert_eq!(document["post_processor"]["pair"], json!([one.as_slice(), other.as_slice()].concat()));
    assert_eq!(document["post_processor"]["special_tokens"]["[CLS]"]["ids"], json!([2]));
    let again = Tokenizer::from_json(&text).unwrap();
    assert_eq!((again.to_json().unwrap(), again.own_template().is_some()), (text.clone(), true));

    document["post_processor"] = Value::Null;
    let old = Tokenizer::from_json(&document.to_string()).unwrap();
    assert!(old.own_template().is_none());
    assert_eq!(old.template().unwrap(), tokenizer.template().unwrap());
    assert_eq!(old.post_processor(), tokenizer.post_processor());
    let old_text = old.to_json().unwrap();
    assert!(old_text.contains("\"post_processor\": null"));
    assert_eq!(old.to_hugging_face_json().unwrap(), text);
    assert_eq!(old.to_json_in_other_form().unwrap(), Some(text));
    assert_eq!(tokenizer.to_json_in_other_form().unwrap(), Some(old_text));
    assert!(old.truncate(9).unwrap().own_template().is_none());

    document["decoder"] = Value::Null; // somebody else's, which puts nothing around a sequence
    let foreign = Tokenizer::from_json(&document.to_string()).unwrap();
    assert_eq!(foreign.template().unwrap(), super::Template::default());
    assert_eq!(
        (foreign.post_processor(), foreign.to_json_in_other_form().unwrap()),
        ("null".to_owned(), None)
    );
}

#[test]
fn without_an_unknown_token_a_symbol_is_an_error_with_its_place() {
    let error = tokenizer(&["[SEP]"]).encode("AC[SEP]éGT").unwrap_err();
    assert!(matches!(error, Error::Symbol { position: 7, byte: 0xc3, .. }), "{error}");
}

#[test]
fn steps_go_by_rank_and_then_from_the_left() {
    let steps = tokenizer(&SPECIALS).explain("GTNACGT").unwrap();
    let ranks: Vec<Option<usize>> = steps.iter().map(|step| step.rank).collect();
    assert_eq!(ranks, [None, Some(0), Some(1), Some(1), Some(2)]);
    assert_eq!(steps[0].ids, [5, 6, 0, 3, 4, 5, 6]);
    assert_eq!(steps[2].ids, [8, 0, 7, 5, 6]);
    assert_eq!(steps[4].ids, [8, 0, 9]);
}

#[test]
fn steps_are_shown_of_up_to_5000_bytes() {
    let tokenizer = tokenizer(&["[UNK]"]);
    assert_eq!(tokenizer.explain(&"N".repeat(5000)).unwrap().len(), 1);
    for length in [5001, 6000] {
        let error = tokenizer.explain(&"N".repeat(length)).unwrap_err().to_string();
        assert!(error.contains("at most 5000 bytes"), "{error}");
    }
}

#[test]
fn special_tokens_must_be_tellable_from_sequence() {
    for specials in [&["ACGT"][..], &["a"], &[""], &["[X]", "[X]"]] {
        let specials: Vec<String> = specials.iter().map(ToString::to_string).collect();
        let error = Tokenizer::new(MergeTable::new(), &specials).unwrap_err();
        assert!(error.to_string().starts_with("special_tokens="), "{error}");
    }
    let many: Vec<String> = (0..10_001).map(|number| format!("[{number}]")).collect();
    assert!(Tokenizer::new(MergeTable::new(), &many).is_err());
}

#[test]
fn a_file_is_the_same_after_reading_it() {
    let text = tokenizer(&SPECIALS).to_json().unwrap();
    assert!(text.ends_with("}\n"));
    assert!(text.contains("\n      [\"AC\", \"GT\"],\n"), "a merge is one line: {text}");
    assert_eq!(Tokenizer::from_json(&text).unwrap().to_json().unwrap(), text);
}

#[test]
fn truncating_takes_the_last_merges_away() {
    let whole = tokenizer(&SPECIALS);
    let small = whole.truncate(9).unwrap();
    assert_eq!(small.vocab().last().unwrap(), "GT");
    assert_eq!(small.encode("ACGT").unwrap(), [7, 8]);
    for size in [6, 12] {
        assert!(matches!(whole.truncate(size), Err(Error::Argument { name: "vocab_size", .. })));
    }
}

#[test]
fn ids_in_another_order_are_kept() {
    let foreign = changed(|document| {
        document["added_tokens"] = json!([{"id": 10, "content": "[UNK]", "special": true}]);
        document["model"]["vocab"] = json!({
            "T": 0, "AC": 1, "G": 2, "C": 3, "GT": 4, "A": 5, "ACGT": 6, "AA": 7, "CC": 8, "GG": 9, "[UNK]": 10
        });
        document["model"]["merges"] = json!(["A C", "G T", "AC GT", "A A", "C C", "G G"]);
    });
    let foreign = foreign.unwrap();
    assert_eq!(foreign.encode("ACGTTAAN").unwrap(), [6, 0, 7, 10]);
    assert_eq!(foreign.decode(&[6, 0, 7, 10]).unwrap(), "ACGTTAA[UNK]");
    assert!(foreign.truncate(8).unwrap_err().to_string().contains("order"));
    assert_eq!(Tokenizer::from_json(&foreign.to_json().unwrap()).unwrap().encode("ACGTT").unwrap(), [6, 0]);
}

#[test]
fn unknown_symbols_are_fused_unless_merges_join_the_unknown_token() {
    let fused = changed(|document| document["model"]["fuse_unk"] = json!(true)).unwrap();
    assert_eq!(fused.encode("ACNNGTX").unwrap(), [7, 0, 8, 0]);
    let joined = changed(|document| {
        document["model"]["fuse_unk"] = json!(true);
        document["model"]["unk_token"] = json!("A");
    });
    assert!(joined.unwrap_err().to_string().contains("joined by merges"));
}

#[test]
fn white_space_vanishes_where_the_file_says_so_and_lower_case_is_unknown_without_a_normalizer() {
    let foreign = changed(|document| {
        document["pre_tokenizer"] = json!({"type": "Whitespace"});
        document["normalizer"] = Value::Null;
        document["post_processor"] = json!({"type": "ByteLevel", "trim_offsets": true});
        document["something"] = json!([1.5, {"new": [true]}]);
    });
    let foreign = foreign.unwrap();
    assert_eq!(foreign.encode("AC gt\u{2003}\nACGT").unwrap(), [7, 0, 0, 9]);
    let kept: Value = serde_json::from_str(&foreign.to_json().unwrap()).unwrap();
    assert_eq!(kept["post_processor"]["type"], "ByteLevel");
    assert_eq!(kept["something"], json!([1.5, {"new": [true]}]));
}

#[test]
fn tokens_that_no_merge_makes_keep_their_ids() {
    let foreign = changed(|document| {
        document["model"]["vocab"]["N"] = json!(11);
        document["model"]["vocab"]["GATTACA"] = json!(12);
        document["model"]["vocab"]["é"] = json!(13);
    });
    let foreign = foreign.unwrap();
    assert_eq!(foreign.encode("ACNGATTACAéX").unwrap(), [7, 11, 5, 3, 6, 6, 7, 3, 13, 0]);
    assert_eq!(foreign.decode(&[12, 13]).unwrap(), "GATTACAé");
    let again = Tokenizer::from_json(&foreign.to_json().unwrap()).unwrap();
    assert_eq!(again.vocab().collect::<Vec<_>>(), foreign.vocab().collect::<Vec<_>>());
}

#[test]
fn merges_that_no_training_makes_are_replayed_by_rank() {
    let shuffled = changed(|document| {
        document["model"]["merges"].as_array_mut().unwrap().swap(0, 2);
    });
    let shuffled = shuffled.unwrap();
    assert_eq!(shuffled.encode("ACGTAC").unwrap(), [9, 7]);
    assert!(shuffled.truncate(9).is_err());
    let kept: Value = serde_json::from_str(&shuffled.to_json().unwrap()).unwrap();
    assert_eq!(kept["model"]["merges"], json!([["AC", "GT"], ["G", "T"], ["A", "C"], ["A", "A"]]));
    let doubled = changed(|document| {
        document["model"]["merges"].as_array_mut().unwrap().push(json!(["A", "C"]));
    });
    assert_eq!(doubled.unwrap().explain("AACGT").unwrap()[1].rank, Some(1), "AC has rank 4 now");
}

#[test]
fn a_file_is_read_as_its_text_and_errors_name_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some.json");
    let text = tokenizer(&SPECIALS).to_json().unwrap();
    std::fs::write(&path, &text).unwrap();
    assert_eq!(Tokenizer::from_file(&path).unwrap().to_json().unwrap(), text);
    for content in [&b"{"[..], b"\xff\xfe", b"[]", b"{\"model\": {}}"] {
        std::fs::write(&path, content).unwrap();
        assert!(Tokenizer::from_file(&path).unwrap_err().to_string().starts_with(path.to_str().unwrap()));
    }
}

#[test]
fn tokens_know_the_characters_they_come_from() {
    let foreign = changed(|document| {
        document["normalizer"] = json!({"type": "Sequence", "normalizers": [
            {"type": "Strip", "strip_left": true, "strip_right": true},
            {"type": "Replace", "pattern": {"Regex": "N{10,}"}, "content": "-"},
            {"type": "Replace", "pattern": {"String": "\n"}, "content": ""},
        ]});
        document["model"]["vocab"]["-"] = json!(11);
    })
    .unwrap();
    let mut found = Vec::new();
    let text = "é[S ACG\nTNNNNNNNNNNNNAX";
    let take = |id, range: std::ops::Range<usize>| {
        found.push((id, range.start, range.end));
        Ok(())
    };
    foreign.tokens_exactly(text, foreign.symbols(), take).unwrap();
    // As Hugging Face has it: what a replacement puts in stands at the last symbol it took out.
    let expected = [
        (None, 0, 1),
        (Some(2), 1, 3),
        (Some(9), 4, 9),
        (Some(11), 20, 21),
        (Some(3), 21, 22),
        (None, 22, 23),
    ];
    assert_eq!(found, expected);
    let plain = |text| foreign.symbols().is_plain(text);
    assert!(plain("ACGTX") && !plain(" ACGT") && !plain("AC\nG") && !plain("é"));
}

/// A file that looks words up, cut by `pre_tokenizer`.
fn of_words(words: &[&str], pre_tokenizer: &Value) -> Tokenizer {
    let vocab = SPECIALS.iter().chain(words).zip(0..);
    let vocab: serde_json::Map<String, Value> =
        vocab.map(|(word, id)| ((*word).to_owned(), json!(id))).collect();
    let found = changed(|document| {
        document["normalizer"] = Value::Null;
        document["pre_tokenizer"] = pre_tokenizer.clone();
        document["model"] = json!({"type": "WordLevel", "unk_token": "[UNK]", "vocab": vocab});
    });
    found.unwrap()
}

fn pairs() -> Tokenizer {
    of_words(&["AC", "GT"], &json!({"type": "FixedLength", "length": 2}))
}

#[test]
fn text_is_read_character_by_character_unless_neighbours_matter() {
    assert!(tokenizer(&SPECIALS).is_by_symbol());
    assert!(!pairs().is_by_symbol(), "words are looked up whole");
    let strip = json!({"type": "Strip", "strip_left": true, "strip_right": true});
    let strips = changed(|document| document["normalizer"] = strip);
    assert!(!strips.unwrap().is_by_symbol(), "a blank goes only at the end");
    let normalized = changed(|document| document["added_tokens"][2]["normalized"] = json!(true));
    assert!(!normalized.unwrap().is_by_symbol(), "a token is looked for in what the normalizer made");
}

#[test]
fn why_there_is_no_automaton_is_said_where_there_could_be_one() {
    assert_eq!(tokenizer(&SPECIALS).why_no_automaton(), None);
    let shuffled =
        changed(|document| document["model"]["merges"].as_array_mut().unwrap().swap(0, 2)).unwrap();
    assert_eq!(shuffled.why_no_automaton(), Some("its merges are in an order that no training makes"));
    assert_eq!(pairs().why_no_automaton(), Some("its words are looked up one by one"));
    let doubling =
        MergeTable::from_merges([(0, 0)].into_iter().chain((4..30).map(|token| (token, token)))).unwrap();
    let long = Tokenizer::new(doubling, &[]).unwrap();
    assert!(long.why_no_automaton().is_some_and(|reason| reason.starts_with("its longest token has")));
}

#[test]
fn the_table_says_all_of_a_character_that_always_stands_alone() {
    let each = json!({"type": "Split", "pattern": {"Regex": "."}, "behavior": "Isolated", "invert": false});
    let unsure = |words: &[&str]| of_words(words, &each).symbols().unsure_bytes().collect::<Vec<_>>();
    assert_eq!(
        unsure(&["A", "C", "G", "T"]),
        b"\n",
        "of line ends, those that follow each other are one piece"
    );
    assert_eq!(unsure(&["A", "C", "AC", "?"]), b"\n?", "`?` is a word, and no symbol");
    assert_eq!(pairs().symbols().unsure_bytes().count(), 128);
    assert_eq!(tokenizer(&SPECIALS).symbols().unsure_bytes().count(), 0);
}
