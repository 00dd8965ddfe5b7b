//! Reader and linter against the contract of [`crate::io::fasta`], parsed the obvious way, on mutated files.
//!
//! `GENOTOK_MUTATED_FILES` says how many, 100,000 if it says nothing. What Python can set from outside only with files
//! of many megabytes is set here directly: the size of the buffer and of each portion that arrives.
#![allow(clippy::unwrap_used)] // a test may fail

use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::alphabet::{SymbolKind, kind};
use crate::io::fasta::names::as_text;
use crate::io::fasta::tests::Dribble;
use crate::io::fasta::text::{is_blank, is_symbol};
use crate::io::fasta::{Event, SequenceReader};
use crate::verdict::MAX_UNKNOWN;

/// A record: its name and its symbols.
type Record = (Vec<u8>, Vec<u8>);

/// A file that is not read.
#[derive(Debug, PartialEq, Eq)]
struct Refused;

/// A file taken apart at once. `head` is how far the first line end is looked for.
fn parse(text: &[u8], head: usize) -> Result<Vec<Record>, Refused> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let head = &text[..text.len().min(head)];
    let first = head.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(head.len());
    let after = head[first..].iter().find(|&&byte| byte != b'\r');
    let end = if head.get(first) == Some(&b'\r') && after.is_some_and(|&byte| byte != b'\n') {
        b'\r'
    } else {
        b'\n'
    };
    let mut lines: Vec<&[u8]> = text.split(|&byte| byte == end).collect();
    if lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    let is_white = |line: &[u8]| line.iter().all(|&byte| is_blank(byte) || (byte == b'\r' && end == b'\n'));
    let lines = &lines[lines.iter().take_while(|line| is_white(line)).count()..];
    match lines.first().and_then(|line| line.first()) {
        Some(b'>') => fasta(lines, end),
        Some(b'@') => fastq(lines, end, is_white),
        _ => Err(Refused),
    }
}

/// A line without CR before its end; of more than eight one stays.
fn content(line: &[u8]) -> &[u8] {
    let returns = line.iter().rev().take_while(|&&byte| byte == b'\r').count();
    &line[..line.len() - returns + usize::from(returns > 8)]
}

fn title(line: &[u8], end: u8) -> Result<&[u8], Refused> {
    let title = &content(line)[1..];
    let other = if end == b'\n' { b'\r' } else { b'\n' };
    if title.iter().any(|&byte| byte == 0 || byte == other) {
        return Err(Refused);
    }
    Ok(&title[..title.len() - title.iter().rev().take_while(|&&byte| is_blank(byte)).count()])
}

fn name(title: &[u8]) -> Vec<u8> {
    title.split(|&byte| is_blank(byte)).find(|word| !word.is_empty()).unwrap_or_default().to_vec()
}

fn fasta(lines: &[&[u8]], end: u8) -> Result<Vec<Record>, Refused> {
    let mut records: Vec<Record> = Vec::new();
    for line in lines {
        if line.first() == Some(&b'>') {
            records.push((name(title(line, end)?), Vec::new()));
            continue;
        }
        for &byte in content(line).iter().filter(|&&byte| !is_blank(byte)) {
            is_symbol(byte).then(|| records.last_mut().unwrap().1.push(byte)).ok_or(Refused)?;
        }
    }
    Ok(records)
}

fn fastq(lines: &[&[u8]], end: u8, is_white: impl Fn(&[u8]) -> bool) -> Result<Vec<Record>, Refused> {
    let mut records = Vec::new();
    let mut lines = lines.iter().copied().peekable();
    loop {
        while lines.next_if(|line| is_white(line)).is_some() {}
        let Some(first) = lines.next() else { return Ok(records) };
        if first.first() != Some(&b'@') {
            return Err(Refused);
        }
        let (title_line, mut symbols, mut num_qualities) = (title(first, end)?, Vec::new(), 0);
        while let Some(line) = lines.next_if(|line| line.first() != Some(&b'+')) {
            symbols.extend_from_slice(content(line));
        }
        let repeated = title(lines.next().ok_or(Refused)?, end)?;
        if !symbols.iter().all(|&byte| is_symbol(byte)) || !(repeated.is_empty() || repeated == title_line) {
            return Err(Refused);
        }
        while num_qualities < symbols.len() {
            let quality = content(lines.next().ok_or(Refused)?);
            if quality.is_empty() || !quality.iter().all(u8::is_ascii_graphic) {
                return Err(Refused);
            }
            num_qualities += quality.len();
        }
        if num_qualities > symbols.len() {
            return Err(Refused);
        }
        records.push((name(title_line), symbols));
    }
}

/// Whether training takes what is in the records.
fn is_trained_on(records: &[Record]) -> bool {
    let mut symbols = records.iter().flat_map(|(_, symbols)| symbols).peekable();
    symbols.peek().is_some() && symbols.all(|&symbol| kind(symbol) != SymbolKind::AminoAcid)
}

/// What the reader gives, with a buffer of so many bytes.
fn read(bytes: &[u8], steps: &[usize], buffer: usize) -> Result<Vec<Record>> {
    let input = Dribble::new(bytes.to_vec(), steps.to_vec());
    let mut reader = SequenceReader::with_buffer("x", input, buffer)?;
    let mut records: Vec<Record> = Vec::new();
    while let Some(event) = reader.next_event()? {
        match event {
            Event::Record { name, .. } => records.push((name.to_vec(), Vec::new())),
            Event::Symbols(symbols) => {
                let last = records.last_mut().unwrap();
                last.1.extend_from_slice(symbols);
                let (from, symbols) = (last.1.len() - symbols.len(), last.1.clone());
                check_lines(bytes, &reader, &symbols[from..]);
            }
        }
    }
    Ok(records)
}

/// Checks that each symbol of a piece is on the line that the reader says, where lines end with LF.
fn check_lines(bytes: &[u8], reader: &SequenceReader, symbols: &[u8]) {
    let lines: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').collect();
    for (offset, symbol) in symbols.iter().enumerate().filter(|_| lines.len() > 2 && !bytes.contains(&b'\r'))
    {
        let line = usize::try_from(reader.line_of(offset)).unwrap();
        assert!(lines[line - 1].contains(symbol), "{:?}: offset {offset}", String::from_utf8_lossy(bytes));
    }
}

/// Whether the linter finds an error, with a buffer of so many bytes.
fn has_error(bytes: &[u8], steps: &[usize], buffer: usize) -> bool {
    let input = InputStream::new(Box::new(Dribble::new(bytes.to_vec(), steps.to_vec()))).unwrap();
    let Ok(text) = SequenceText::with_buffer(PathBuf::from("x"), TextSource::new(input), buffer) else {
        return true;
    };
    let monitor = Monitor::default();
    let report =
        check_text(Linter::new(text, DefectLog::new(1), MAX_UNKNOWN, &monitor), CheckReport::default())
            .unwrap();
    report.count(Severity::Error) > 0
}

const SEEDS: [&str; 6] = [
    ">a x\nACGT\nACGT\nAC\n>b\nNNNN\n\nacgt\n>c\n",
    ">chr1 Homo sapiens\nACGTTGCATGCAACGT\nACGTTGCATG\n>chr2\nGGGG\n",
    ">one\nACGTRYK-N.\n>two>three\nAC GT\tAC\n",
    "@a x\nACGT\n+\nIIII\n@b\nAC\nGT\n+b\n@I\n@+\n@c\n\n+\n\n@d\nA\n+\n@\n",
    "@r1 1:N:0\nACGTACGT\n+\nFFFFFFFF\n@r2 1:N:0\nACGTACGN\n+r2 1:N:0\nFFFF,,:#\n",
    ">p\nMKLVEF\n>q\nACGU\n",
];

fn seed() -> impl Strategy<Value = Vec<u8>> {
    let ends = ["\n", "\n", "\r\n", "\r", "\r\r\n", "\n\r", "\r\r\r\r\r\r\r\r\n", "\r\r\r\r\r\r\r\r\r\n"];
    let end = prop::sample::select(ends.to_vec());
    (prop::sample::select(SEEDS.to_vec()), end).prop_map(|(seed, end)| seed.replace('\n', end).into_bytes())
}

/// Files near enough to right ones.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let nasty: Vec<&'static [u8]> = vec![
        b"\r",
        b"\n",
        b"\r\n",
        b">",
        b"@",
        b"+",
        b" ",
        b"\t",
        b"\0",
        b";",
        b"#",
        b"-",
        b"*",
        b".",
        b"E",
        b"N",
        b"1",
        b"\x0c",
        b"\x1a",
        b"\xe9",
        b"\xc3",
        b"\\",
        b"\xef\xbb\xbf",
        b"\n>z\r",
        b"\r\r\r\r\r\r\r\r\r",
    ];
    let change = (any::<prop::sample::Index>(), 0_u8..8, prop::sample::select(nasty));
    let joined = prop_oneof![3 => Just(Vec::new()), 1 => seed()];
    (seed(), joined, prop::collection::vec(change, 0..4)).prop_map(|(mut text, joined, changes)| {
        text.extend_from_slice(&joined);
        for (at, what, nasty) in changes {
            let at = at.index(text.len() + 1);
            match what {
                0..4 => drop(text.splice(at..at, nasty.iter().copied())),
                4 | 5 if at < text.len() => text[at] = nasty[0],
                6 if at < text.len() => drop(text.remove(at)),
                _ => text.truncate(at),
            }
        }
        text
    })
}

#[test]
fn mutated_files_are_read_and_judged_as_the_contract_says() {
    let number = std::env::var("GENOTOK_MUTATED_FILES").ok().and_then(|number| number.parse().ok());
    let config = ProptestConfig { cases: number.unwrap_or(100_000), ..ProptestConfig::default() };
    let buffer = prop_oneof![Just(crate::io::fasta::text::BUFFER_BYTES), 16_usize..80];
    let steps = prop::collection::vec(1_usize..40, 1..4);
    let run = |(text, steps, buffer): (Vec<u8>, Vec<usize>, usize)| {
        let expected = parse(&text, buffer).map(|records| {
            let shown = |(name, symbols): Record| (named(&name), symbols);
            records.into_iter().map(shown).collect::<Vec<_>>()
        });
        let is_error = !expected.as_ref().is_ok_and(|records| is_trained_on(records));
        prop_assert_eq!(read(&text, &steps, buffer).map_err(|_| Refused), expected);
        prop_assert_eq!(has_error(&text, &steps, buffer), is_error);
        Ok(())
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    runner.run(&(mutated(), steps, buffer), run).unwrap();
}

/// The text of a name; no seed has what looks like an escaped byte.
fn named(name: &[u8]) -> Vec<u8> {
    as_text(name).into_owned().into_bytes()
}
