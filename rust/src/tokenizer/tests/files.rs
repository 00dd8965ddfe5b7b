//! What of a file is read and what is refused: each part of it, one after another.

use serde_json::{Value, json};

use super::{SPECIALS, changed, tokenizer};
use crate::bpe::MergeTable;
use crate::error::Error;
use crate::tokenizer::Tokenizer;

#[test]
fn what_is_not_supported_is_refused_by_name() {
    let split = |pattern: Value, behavior| json!({"type": "Split", "pattern": pattern, "behavior": behavior, "invert": false});
    let cases: Vec<(&str, Value, &str)> = vec![
        ("/version", json!("2.0"), "version"),
        ("/truncation", json!({"max_length": 5}), "truncation"),
        ("/padding", json!({"strategy": "BatchLongest"}), "padding"),
        ("/normalizer", json!({"type": "Precompiled"}), "Precompiled"),
        ("/normalizer", json!({"type": "Replace", "pattern": {"Regex": "(A|C)"}, "content": ""}), "(A|C)"),
        ("/normalizer", json!({"type": "Replace", "pattern": {"String": ""}, "content": "A"}), "empty"),
        ("/normalizer", json!({"type": "Strip"}), "strip_left"),
        ("/pre_tokenizer", json!({"type": "Metaspace"}), "Metaspace"),
        // In Hugging Face it loses spaces in front of a text.
        ("/pre_tokenizer", json!({"type": "UnicodeScripts"}), "UnicodeScripts"),
        ("/pre_tokenizer", json!({"type": "FixedLength", "length": 3}), "FixedLength"),
        ("/pre_tokenizer", json!({"type": "ByteLevel", "add_prefix_space": true}), "add_prefix_space"),
        ("/pre_tokenizer", split(json!({"String": "A"}), "MergedWithNext"), "'A' and its neighbours"),
        ("/pre_tokenizer", split(json!({"Regex": "[AC]+"}), "Isolated"), "'A' and 'G'"),
        ("/pre_tokenizer", split(json!({"String": "AC"}), "Removed"), "several characters"),
        ("/post_processor", json!({"type": "TemplateProcessing", "single": []}), "leaves it out"),
        (
            "/post_processor",
            json!({"type": "BertProcessing", "cls": ["[CLS]", 99], "sep": ["[SEP]", 1]}),
            "99",
        ),
        ("/model/type", json!("Unigram"), "Unigram"),
        ("/model/dropout", json!(0.1), "dropout is \"0.1\""),
        ("/model/fuse_unk", json!(7), "fuse_unk"),
        ("/model/continuing_subword_prefix", json!("##"), "##"),
        ("/model/end_of_word_suffix", json!("</w>"), "</w>"),
        ("/model/unk_token", json!("[X]"), "[X]"),
        ("/added_tokens/0/single_word", json!(true), "single_word"),
        ("/added_tokens/0/id", json!(1), "the id 1"),
        ("/added_tokens/0/content", json!("GATTACA"), "string of bases"),
    ];
    for (place, value, part) in cases {
        let error = changed(|document| *document.pointer_mut(place).unwrap() = value).unwrap_err();
        assert!(matches!(error, Error::Vocabulary { .. }));
        assert!(error.to_string().contains(part) && !error.to_string().contains('\n'), "{part}: {error}");
    }
}

#[test]
fn a_vocab_that_does_not_fit_its_merges_is_refused() {
    let refused = |change: &dyn Fn(&mut Value), part: &str| {
        let error = changed(|document| change(&mut document["model"])).unwrap_err().to_string();
        assert!(error.contains(part) && !error.contains('\n'), "{error}");
    };
    refused(&|model| model["vocab"]["AA"] = json!(11), "gap");
    refused(&|model| model["vocab"]["AA"] = json!(9), "twice");
    refused(&|model| model["vocab"]["AA"] = json!(-1), "\"AA\"");
    refused(&|model| model["vocab"]["AA"] = json!("1".repeat(1_000_000)), "\"AA\"");
    refused(&|model| model["merges"][3] = json!(["A", "T"]), "\"AT\", which is not in the vocab");
    refused(&|model| model["merges"][3] = json!(["A", "CGT"]), "\"CGT\", which is not in the vocab");
    refused(&|model| model["merges"][3] = json!(["A", ""]), "empty");
    refused(&|model| model["merges"][3] = json!("A C"), "another way");
    refused(&|model| model["merges"] = json!(["A C G T"]), "merge 0");
    for symbols in [33, 34] {
        let many = |model: &mut Value| {
            let joined: Vec<String> =
                ('A'..='z').filter(char::is_ascii_alphabetic).take(symbols).map(String::from).collect();
            let pairs = joined.windows(2).map(<[String]>::concat);
            let tokens = SPECIALS.map(String::from).into_iter().chain(joined.iter().cloned()).chain(pairs);
            let vocab: std::collections::BTreeMap<_, _> = tokens.zip(0..).collect();
            model["merges"] = joined.windows(2).map(|pair| json!(pair)).collect();
            model["vocab"] = json!(vocab);
        };
        refused(&many, &format!("join {symbols} different characters; up to 32 are"));
    }
    refused(&|model| model["merges"] = json!(["A C", "CG".repeat(1_000_000)]), "merge 1");
}

#[test]
fn as_many_added_tokens_are_read_as_may_be() {
    let with = |number: usize| {
        changed(|document| {
            let added = document["added_tokens"].as_array_mut().unwrap();
            let ids = 11..;
            let more =
                ids.zip(added.len()..number).map(|(id, _)| json!({"id": id, "content": format!("[{id}]")}));
            added.extend(more);
        })
    };
    assert_eq!(with(10_000).unwrap().encode("AC[10007]").unwrap(), [7, 10_007]);
    assert!(with(10_001).unwrap_err().to_string().contains("more than 10000 special tokens"));
}

#[test]
fn bytes_stand_for_unknown_characters_where_the_file_says_so() {
    let with = |number: usize, pre_tokenizer: Value| {
        changed(|document| {
            document["pre_tokenizer"] = pre_tokenizer;
            document["model"]["byte_fallback"] = json!(true);
            for byte in 0..number {
                document["model"]["vocab"][format!("<0x{byte:02X}>")] = json!(11 + byte);
            }
        })
    };
    assert_eq!(with(256, Value::Null).unwrap().encode("ACé").unwrap(), [7, 11 + 0xc3, 11 + 0xa9]);
    assert_eq!(with(0, Value::Null).unwrap().encode("ACé").unwrap(), [7, 0]);
    let error = with(255, Value::Null).unwrap_err().to_string();
    assert!(error.contains("not all tokens from <0x00> to <0xFF>"), "{error}");
    let by_byte =
        json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false});
    let error = with(256, by_byte).unwrap_err().to_string();
    assert!(error.contains("bytes are seen or joined elsewhere"), "{error}");
}

#[test]
fn merges_are_ignored_only_where_it_makes_no_difference() {
    let ignoring = |more: &[&str]| {
        changed(|document| {
            document["model"]["ignore_merges"] = json!(true);
            document["normalizer"] = Value::Null;
            more.iter().zip(11..).for_each(|(token, id)| document["model"]["vocab"][token] = json!(id));
        })
    };
    assert_eq!(ignoring(&["N"]).unwrap().encode("ACGTN").unwrap(), [9, 11]);
    for token in ["GATTACA", "CA", "NN", "AC GT"] {
        let error = ignoring(&[token]).unwrap_err().to_string();
        assert!(error.contains(&format!("the merges do not make \"{token}\"")), "{error}");
    }
}

#[test]
fn truncation_and_padding_are_checked() {
    let truncation =
        json!({"direction": "Right", "max_length": 512, "strategy": "LongestFirst", "stride": 0});
    let padding = json!({"strategy": {"Fixed": 8}, "direction": "Left", "pad_to_multiple_of": 8, "pad_id": 1,
        "pad_type_id": 0, "pad_token": "[SEP]"});
    let set = |place: &str, value: Value| {
        changed(|document| {
            (document["truncation"], document["padding"]) = (truncation.clone(), padding.clone());
            *document.pointer_mut(place).unwrap() = value;
        })
    };
    assert!(set("/padding/strategy", json!("BatchLongest")).is_ok());
    assert!(set("/padding/pad_to_multiple_of", Value::Null).is_ok());
    for place in [
        "/truncation/max_length",
        "/truncation/stride",
        "/padding/strategy/Fixed",
        "/padding/pad_to_multiple_of",
        "/padding/pad_id",
        "/padding/pad_type_id",
    ] {
        for wrong in [json!(-1), json!("8"), json!([])] {
            let error = set(place, wrong).unwrap_err().to_string();
            assert!(error.contains("a number from 0 on"), "{place}: {error}");
        }
    }
    for place in ["/truncation/direction", "/truncation/strategy", "/padding/strategy", "/padding/direction"]
    {
        assert!(set(place, json!("Up")).is_err(), "{place}");
    }
    assert!(set("/padding/pad_token", json!(1)).is_err());
}

#[test]
fn a_template_has_the_sequence_once() {
    let with = |names: &[&str]| {
        let pieces = names.iter().map(|&name| match name {
            "[SEP]" => json!({"SpecialToken": {"id": name, "type_id": 0}}),
            _ => json!({"Sequence": {"id": name, "type_id": 0}}),
        });
        let single: Vec<Value> = pieces.collect();
        let special = json!({"[SEP]": {"id": "[SEP]", "ids": [1], "tokens": ["[SEP]"]}});
        changed(|document| {
            document["post_processor"] = json!({"type": "TemplateProcessing", "single": single, "pair": [], "special_tokens": special});
        })
    };
    let around = with(&["[SEP]", "A", "[SEP]", "[SEP]"]).unwrap().template().unwrap();
    assert_eq!((around.before, around.after), (vec![1], vec![1, 1]));
    for names in [&["A", "A"][..], &["B"], &["[SEP]", "A", "B"]] {
        let error = with(names).unwrap_err().to_string();
        assert!(error.contains("not that sequence once"), "{error}");
    }
}

#[test]
fn a_key_that_comes_twice_is_refused() {
    let text = tokenizer(&SPECIALS).to_json().unwrap().replace("\"AA\": 10", "\"AA\": 10, \"AA\": 10");
    assert!(Tokenizer::from_json(&text).unwrap_err().to_string().contains("\"AA\" comes twice"));
}

#[test]
fn a_file_too_large_to_be_read_again_is_not_written() {
    // Each token twice as long as the one before: 2^26 bases after a few merges.
    let doubling =
        MergeTable::from_merges([(0, 0)].into_iter().chain((4..30).map(|token| (token, token)))).unwrap();
    let error = Tokenizer::new(doubling, &[]).unwrap().to_json().unwrap_err();
    assert!(error.to_string().contains("max_token_length"), "{error}");
}
