//! Files that are none of nucleotides, or of which too much is unknown.

use super::*;

#[test]
fn what_is_no_nucleotide_is_refused_at_its_place_whatever_becomes_of_unknown_symbols() {
    let text = format!(">a\nACGT\n>b x\n{}NNRACGTLACGTE\n", "ACGT".repeat(40));
    let expected = r#"0.fa, line 4: record "b", position 167: 'L' stands for no nucleotide; this looks like protein, and genotok reads DNA"#;
    for unknown in [UnknownPolicy::Token, UnknownPolicy::Split] {
        for options in [RowOptions::default(), windows(9, Some(2)), windows(100, None)] {
            assert_eq!(Files::new(&[&text]).error(&RowOptions { unknown, ..options }), expected);
        }
    }
    let refused = RowOptions { unknown: UnknownPolicy::Refuse, ..RowOptions::default() };
    assert_eq!(Files::new(&[&text.replace("NNR", "AAA")]).error(&refused), expected);
    let (rows, _) = Files::new(&[&text]).rows(&regions(&["b:1-160"])).unwrap();
    assert_eq!(rows.len(), 1, "what is not read is not judged");
}

#[test]
fn a_vocabulary_may_have_any_symbol() {
    let files = Files::new(&[">a\nACGTMKLVNN\n"]);
    let mut rows =
        SequenceRows::open(files.paths.clone(), &RowOptions::default(), |byte| byte.is_ascii_uppercase())
            .unwrap();
    assert_eq!(rows.next_batch(&Monitor::default()).unwrap().unwrap().len(), 1);
    assert_eq!(rows.take_report().unknown, [0; KINDS.len()]);
}

#[test]
fn a_file_without_symbols_and_files_without_a_base_are_refused() {
    let options = RowOptions::default();
    let parts = RowOptions { need_bases: false, ..RowOptions::default() };
    let nothing = "1.fa: no symbol in its 2 records; is the file cut short?";
    let no_base = "0.fa: no base (A, C, G, T) in its 3 records; is this the right file?";
    assert_eq!(Files::new(&[TWO, ">a\n>b\n"]).error(&options), nothing);
    assert_eq!(Files::new(&[TWO, ">a\n>b\n"]).error(&parts), nothing);
    assert_eq!(Files::new(&[">a\nNNN\n>b\nnn\n", ">c\nNR\n"]).error(&options), no_base);
    assert!(Files::new(&[">a\nNNN\n>b\nnn\n", ">c\nNR\n"]).rows(&parts).is_ok());
    assert!(Files::new(&[">a\nNNN\n", TWO]).rows(&options).is_ok());
    assert!(Files::new(&[">a\nNNNACGT\n"]).rows(&regions(&["a:1-3"])).is_ok(), "the file has bases");
}

#[test]
fn a_large_share_of_unknown_symbols_is_refused_for_each_file() {
    let rna = format!(">a\n{}\n", "ACGU".repeat(30));
    let n = "N".repeat(5000);
    for known_n in [false, true] {
        let refused = |text: &str, options: &RowOptions| {
            let files = Files::new(&[TWO, text, TWO]);
            let is_known = |byte| is_base(byte) || (known_n && byte == b'N');
            let mut rows = SequenceRows::open(files.paths.clone(), options, is_known).unwrap();
            while let Some(batch) = rows.next_batch(&Monitor::default()).transpose() {
                if let Err(error) = batch {
                    return error.to_string();
                }
            }
            String::new()
        };
        for unknown in [UnknownPolicy::Token, UnknownPolicy::Split] {
            for options in [RowOptions::default(), windows(7, None)] {
                let options = RowOptions { unknown, ..options };
                let said = refused(&rna, &options);
                assert!(said.contains("1.fa: 25.0 % of its 120 symbols other than N"), "{said}");
                let said = refused(&format!("{rna}{n}\n"), &options);
                assert!(said.contains("1.fa: 25.0 % of its 120 symbols other than N"), "{said}");
                let allowed = RowOptions { allow_unknown: 0.25, ..options.clone() };
                assert_eq!(refused(&rna, &allowed), "");
                let few = format!(">a\n{}{}{n}\n", "ACGT".repeat(45), "R".repeat(20));
                assert_eq!(refused(&few, &options), "", "exactly a tenth");
            }
        }
    }
}

#[test]
fn a_refused_symbol_is_shown_on_its_line_wherever_the_text_was_taken_apart() {
    // The reader hands out 16 KiB at a time: `N` is the first symbol behind them, after an empty line.
    let text = format!(">a\n{}\nNACGT\n", format!("{}\n", "ACGT".repeat(256)).repeat(16));
    let options = RowOptions { unknown: UnknownPolicy::Refuse, ..RowOptions::default() };
    let error = Files::new(&[&text]).error(&options);
    assert!(error.starts_with(r#"0.fa, line 19: record "a", position 16384: 'N' is not in"#), "{error}");
    let last = text.replace("\nN", "\nA").replacen("ACGT\n\n", "ACGN\n\n", 1);
    let error = Files::new(&[&last]).error(&options);
    assert!(error.starts_with(r#"0.fa, line 17: record "a", position 16383: 'N' is not in"#), "{error}");
}
