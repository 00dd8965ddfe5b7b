//! Random FASTA and FASTQ for tests: plain for the most part, with any defect at any place.

use proptest::prelude::*;

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[ACGT]{1,12}",
        2 => "[ACGT]{6}",
        2 => "[acgtN]{1,9}",
        1 => "[ACGTNRYU.*-]{1,9}",
        1 => "N{1,70}",
        1 => Just(String::new()),
    ]
}

fn title() -> impl Strategy<Value = String> {
    prop_oneof![8 => "[a-c]{1,2}", 2 => "[ a-c>@+\t]{0,9}", 1 => "[é\\\\x41]{1,6}"]
}

fn end() -> impl Strategy<Value = &'static str> {
    prop_oneof![30 => Just("\n"), 1 => Just("\r\n"), 1 => Just(" \n"), 1 => Just("\n\n")]
}

/// FASTA that is plain for the most part.
fn fasta() -> impl Strategy<Value = Vec<u8>> {
    let record =
        (title(), end(), prop::collection::vec((line(), end()), 0..9)).prop_map(|(title, end, lines)| {
            let lines: String = lines.into_iter().flat_map(|(line, end)| [line, end.to_owned()]).collect();
            format!(">{title}{end}{lines}")
        });
    (prop::collection::vec(record, 1..9), any::<bool>()).prop_map(|(records, cut)| {
        let mut text = records.concat().into_bytes();
        text.truncate(text.len() - usize::from(cut));
        text
    })
}

fn fastq() -> impl Strategy<Value = Vec<u8>> {
    let record = (title(), line(), any::<bool>(), "[!-~]{70}", end()).prop_map(
        |(title, line, repeats, quality, end)| {
            let plus = if repeats { &title } else { "" };
            format!("@{title}\n{line}\n+{plus}\n{}{end}", &quality[..line.len()])
        },
    );
    prop::collection::vec(record, 1..12).prop_map(|records| records.concat().into_bytes())
}

/// Text with a few bytes changed, so that any defect may stand anywhere.
pub(crate) fn text() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), prop::sample::select(&b">@+\n\r \tA1\0nE;"[..]));
    let changes = prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec(change, 1..3)];
    (prop_oneof![2 => fasta(), 1 => fastq()], changes).prop_map(|(mut text, changes)| {
        for (at, byte) in changes {
            let at = at.index(text.len());
            text[at] = byte;
        }
        text
    })
}
