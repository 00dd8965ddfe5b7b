//! Tokenizers of k-mers, and their files. Hugging Face is asked by the Python tests.

use serde_json::{Value, json};

use super::*;

fn tokenizer(k: usize, overlap: bool, canonical: bool) -> Tokenizer {
    let kmer = Kmer::new(k, overlap, canonical).unwrap();
    Tokenizer::kmer(kmer, &KmerSpecials::published(&kmer), false).unwrap()
}

/// The file of a tokenizer after a change.
fn changed(tokenizer: &Tokenizer, change: impl FnOnce(&mut Value)) -> Result<Tokenizer> {
    let mut document: Value = serde_json::from_str(&tokenizer.to_json().unwrap()).unwrap();
    change(&mut document);
    Tokenizer::from_json(&document.to_string())
}

#[test]
fn ids_are_those_of_the_published_models() {
    let dnabert = tokenizer(3, true, false);
    assert_eq!(dnabert.vocab_size(), 69);
    let vocab: Vec<String> = dnabert.vocab().collect();
    assert_eq!(vocab[..7], ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "AAA", "AAT"]);
    assert_eq!(dnabert.encode("AAATNAAA[SEP]AAA").unwrap(), [5, 6, 1, 1, 1, 5, 3, 5]);
    assert_eq!(dnabert.decode(&[2, 5, 6, 1, 1, 1, 5, 3]).unwrap(), "[CLS]AAAT[UNK]AAA[SEP]");
    let template = dnabert.template().unwrap();
    assert_eq!((template.before, template.after), (vec![2], vec![3]));

    let transformer = tokenizer(6, false, false);
    assert_eq!(transformer.vocab_size(), 4107);
    let vocab: Vec<String> = transformer.vocab().collect();
    assert_eq!(vocab[..5], ["<unk>", "<pad>", "<mask>", "<cls>", "AAAAAA"]);
    assert_eq!(vocab[4100..], ["A", "T", "C", "G", "N", "<eos>", "<bos>"]);
    assert_eq!(transformer.encode("AAAAAATNRaa<eos>").unwrap(), [4, 4101, 4104, 0, 0, 0, 4105]);
    assert_eq!(transformer.decode(&[3, 4, 4101, 4104, 0]).unwrap(), "<cls>AAAAAATN<unk>");
    let template = transformer.template().unwrap();
    assert_eq!((template.before, template.after), (vec![3], vec![]));
    assert!(matches!(transformer.decode(&[4107]), Err(Error::Argument { name: "id", .. })));
}

#[test]
fn a_file_is_the_same_after_reading_it() {
    for (k, overlap, canonical) in [
        (1, true, false),
        (1, false, false),
        (4, false, false),
        (6, true, false),
        (12, false, true),
        (9, false, false),
    ] {
        let kmer = Kmer::new(k, overlap, canonical).unwrap();
        for upper_case in [false, true] {
            let specials =
                KmerSpecials { before: vec!["[UNK]".into()], after: vec!["[X]".into(), "[Y]".into()] };
            let text = Tokenizer::kmer(kmer, &specials, upper_case).unwrap().to_json().unwrap();
            let read = Tokenizer::from_json(&text).unwrap();
            assert_eq!(read.kmers(), Some(&kmer));
            assert_eq!(read.to_json().unwrap(), text);
            assert_eq!(read.encode("acgtacgtacgt").unwrap().contains(&0), !upper_case);
        }
    }
}

#[test]
fn the_file_of_listed_kmers_has_a_template_and_an_old_one_stays_as_it_was() {
    let kmer = Kmer::new(2, false, false).unwrap();
    let bert =
        KmerSpecials { before: ["[UNK]", "[CLS]", "[SEP]"].map(str::to_owned).to_vec(), after: vec![] };
    for (specials, before, after) in
        [(KmerSpecials::published(&kmer), vec![3], vec![]), (bert, vec![1], vec![2])]
    {
        let new = Tokenizer::kmer(kmer, &specials, false).unwrap();
        let old = changed(&new, |document| document["post_processor"] = Value::Null).unwrap();
        let around = crate::tokenizer::Template { before, after };
        assert_eq!(new.own_template(), Some(&around));
        assert_eq!((old.kmers(), old.own_template()), (Some(&kmer), None));
        assert_eq!(old.template().unwrap(), around);
        let texts = [&new, &old].map(|tokenizer| tokenizer.to_json().unwrap());
        assert!(texts[1].contains("\"post_processor\": null"));
        assert_eq!(old.to_hugging_face_json().unwrap(), texts[0]);
        let others = [&old, &new].map(|tokenizer| tokenizer.to_json_in_other_form().unwrap().unwrap());
        assert_eq!(others, texts);
        // Anything else between special tokens and sequence is somebody else's.
        let foreign = changed(&new, |document| document["post_processor"]["pair"] = json!([])).unwrap();
        assert!(foreign.kmers().is_none());
    }
    assert!(tokenizer(6, true, false).to_json_in_other_form().unwrap().is_none());
}

#[test]
fn the_file_of_many_kmers_is_small() {
    let large = tokenizer(12, true, false);
    assert_eq!(large.vocab_size(), (1 << 24) + 5);
    assert!(large.to_json().unwrap().len() < 1000);
    let ids = large.encode("GGGGGGGGGGGGG").unwrap();
    assert_eq!(ids, [(1 << 24) + 4; 2]);
    assert_eq!(large.decode(&ids).unwrap(), "GGGGGGGGGGGGG");
}

#[test]
fn what_hugging_face_cannot_express_is_said() {
    assert!(tokenizer(6, false, false).to_hugging_face_json().is_ok());
    assert!(tokenizer(1, true, false).to_hugging_face_json().is_ok());
    for (k, overlap, canonical, part) in
        [(6, true, false, "overlap"), (6, false, true, "canonical"), (9, false, false, "k may be 8")]
    {
        let error = tokenizer(k, overlap, canonical).to_hugging_face_json().unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn symbols_without_a_token_are_errors_with_their_place() {
    let kmer = Kmer::new(3, true, false).unwrap();
    let bare =
        Tokenizer::kmer(kmer, &KmerSpecials { before: vec!["[S]".into()], after: vec![] }, false).unwrap();
    let error = bare.encode("ACGT[S]AéGT").unwrap_err();
    assert!(matches!(error, Error::Symbol { position: 8, byte: 0xc3, .. }), "{error}");
    assert_eq!(bare.encode("AAAT").unwrap(), [1, 2]);
}

#[test]
fn special_tokens_are_no_kmers() {
    for (names, part) in [(["N", "[X]"], "already"), (["[X]", "[X]"], "twice"), (["[X]", "AC"], "bases")] {
        let kmer = Kmer::new(2, false, false).unwrap();
        let specials = KmerSpecials { before: names.map(str::to_owned).to_vec(), after: vec![] };
        let error = Tokenizer::kmer(kmer, &specials, false).unwrap_err().to_string();
        assert!(error.starts_with("special_tokens=") && error.contains(part), "{error}");
    }
}

#[test]
fn kmers_have_no_merges() {
    let some = tokenizer(3, true, false);
    assert!(some.truncate(10).unwrap_err().to_string().contains("k-mers"));
    assert_eq!((some.num_merges(), some.table().is_none(), some.is_ready()), (0, true, true));
    assert_eq!(
        some.explain("AAAT").unwrap(),
        [crate::tokenizer::ExplainedStep { rank: None, ids: vec![5, 6] }]
    );
}

#[test]
fn files_that_say_something_else_are_refused() {
    let own = tokenizer(6, true, false);
    let listed = tokenizer(2, false, false);
    let cases: [(&Tokenizer, &str, Value, &str); 15] = [
        (&own, "/format", json!("genotok words"), "genotok words"),
        (&own, "/version", json!("2.0"), "version"),
        (&own, "/k", json!(13), "k=13"),
        (&own, "/k", json!(-1), "k="),
        (&own, "/k", json!(6.5), "k="),
        (&own, "/overlap", json!("yes"), "overlap"),
        (&own, "/canonical", json!(null), "canonical"),
        (&own, "/special_tokens", json!(["[UNK]", 3]), "special_tokens"),
        (&own, "/special_tokens", json!(["ACGT"]), "bases"),
        (&own, "/unknown_token", json!("[PAD]"), "unknown_token"),
        (&own, "/vocab_size", json!(4102), "vocab_size"),
        (&listed, "/model/vocab/AA", json!(5), "the id 5 is given twice"),
        (&listed, "/pre_tokenizer", json!(null), "no pre_tokenizer"),
        (&listed, "/pre_tokenizer", json!({"type": "Metaspace"}), "Metaspace"),
        (&listed, "/pre_tokenizer/pattern/Regex", json!("(?<=A)C"), "pattern"),
    ];
    for (tokenizer, place, value, part) in cases {
        let error = changed(tokenizer, |document| *document.pointer_mut(place).unwrap() = value).unwrap_err();
        assert!(matches!(error, Error::Vocabulary { .. }), "{error}");
        assert!(error.to_string().contains(part), "{place}: {error}");
    }
    for key in ["k", "overlap", "special_tokens", "upper_case"] {
        assert!(changed(&own, |document| _ = document.as_object_mut().unwrap().remove(key)).is_err());
    }
    assert!(changed(&own, |document| document["else"] = json!(1)).is_err());
    assert!(changed(&listed, |document| document["model"]["vocab"]["GT"] = json!(4_000_000)).is_err());
    assert!(changed(&listed, |document| document["model"]["vocab"] = json!({})).is_err());
}

#[test]
fn a_list_of_kmers_that_is_not_ours_is_read_as_anybodys() {
    let listed = tokenizer(2, false, false);
    for (place, value) in [
        ("/pre_tokenizer/pattern/Regex", json!("[ACGT]{2}|N")),
        ("/normalizer", json!({"type": "Lowercase"})),
        ("/model/unk_token", json!("<pad>")),
        ("/decoder", json!(null)),
    ] {
        let foreign = changed(&listed, |document| *document.pointer_mut(place).unwrap() = value).unwrap();
        assert!(foreign.kmers().is_none(), "{place}");
        assert_eq!(foreign.own_template(), listed.own_template());
        let again = Tokenizer::from_json(&foreign.to_json().unwrap()).unwrap();
        assert!(again.vocab().eq(listed.vocab()));
    }
}

#[test]
fn settings_of_a_file_are_kept_and_it_is_still_of_kmers() {
    let settings = json!({"direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0});
    let set = |document: &mut Value| document["truncation"] = settings.clone();
    let read = changed(&tokenizer(2, false, false), set).unwrap();
    assert!(read.kmers().is_some());
    let again: Value = serde_json::from_str(&read.to_json().unwrap()).unwrap();
    assert_eq!(again["truncation"], settings);
}
