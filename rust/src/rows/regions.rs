//! Regions: which parts of which records are wanted.
//!
//! A region is text as samtools reads it, or a line of a BED file:
//!
//! - `chr20:1-1,000,000`: letters 1 to 1,000,000, counted from 1, both included; commas are ignored;
//! - `chr20:5000` and `chr20:5000-`: from letter 5,000 to the record's end;
//! - `chr20`: the whole record;
//! - `{HLA:01:02}:1-100`, `{HLA:01:02}`: braces around a name that has colons. Without braces, what follows the last
//!   colon is a range if it can be one; but a record of the whole text as its name is found as well. If the files have
//!   both records, that is an error and not a guess.
//! - BED: name, start, end in columns parted by tabs or else by blanks, counted from 0, the end excluded; more columns
//!   are ignored, as are empty lines and lines that begin with `#`, `track` or `browser`. Any compression is read.
//!
//! A region that is empty or turned round is an error at once; one that reaches past its record's end, or whose record
//! is missing or there twice in a file, is one when that is known.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use crate::decompress::Input;
use crate::error::{Error, Result, show_text};
use crate::fasta::names::as_text;

/// The longest line of a BED file.
const LINE_BYTES: usize = 1 << 20;
/// Bytes of a BED file that are unpacked at a time.
const BLOCK_BYTES: usize = 64 << 10;
/// How many of the files' records a message names.
const NUM_SHOWN: usize = 5;
/// The rule for text.
const RULE: &str =
    "a region is NAME, NAME:START, NAME:START- or NAME:START-END, counted from 1, both ends included";

/// A part of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Region {
    /// The first letter, counted from 0.
    pub(super) start: u64,
    /// The letter after the last; none is the record's end.
    pub(super) end: Option<u64>,
    /// Where it was asked for.
    source: Source,
}

impl Region {
    /// A record without a region asked for: all of it.
    pub(super) const WHOLE: Self = Self { start: 0, end: None, source: Source::Text(0) };
}

/// Where a region was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// A text, by its number.
    Text(usize),
    /// A line of a BED file, both by number.
    Line(usize, u64),
}

/// The regions of one record name, in the order given.
#[derive(Clone, Debug, Default)]
struct Entry {
    regions: Vec<Region>,
    /// The file, by number, that last had a record of this name.
    seen_in: Option<usize>,
}

/// Parts of records, by the record's name.
#[derive(Clone, Debug, Default)]
pub struct Regions {
    entries: FxHashMap<Vec<u8>, Entry>,
    texts: Vec<String>,
    beds: Vec<PathBuf>,
}

impl Regions {
    /// No regions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a region in the notation of samtools.
    pub fn add_text(&mut self, text: &str) -> Result<()> {
        let source = Source::Text(self.texts.len());
        let wrong = |rule: String| Error::argument("region", &show_text(text), rule);
        let (name, range) = if let Some(rest) = text.strip_prefix('{') {
            let (name, rest) =
                rest.split_once('}').ok_or_else(|| wrong(format!("`}}` is missing; {RULE}")))?;
            match rest.strip_prefix(':') {
                Some(range) => (name, Some(range)),
                None if rest.is_empty() => (name, None),
                None => return Err(wrong(format!("`:` is expected after `}}`; {RULE}"))),
            }
        } else {
            let parts = text.rsplit_once(':').filter(|(_, range)| looks_like_range(range));
            if parts.is_some() {
                self.push(text, Region { start: 0, end: None, source });
            }
            parts.map_or((text, None), |(name, range)| (name, Some(range)))
        };
        if name.is_empty() {
            return Err(wrong(format!("the name is missing; {RULE}")));
        }
        let (start, end) = range.map_or(Ok((0, None)), parse_range).map_err(wrong)?;
        self.push(name, Region { start, end, source });
        self.texts.push(text.to_owned());
        Ok(())
    }

    /// Adds the regions of a BED file. Fails at a line that is none, and if there is no region.
    pub fn add_bed(&mut self, path: &Path) -> Result<()> {
        let bed = self.beds.len();
        self.beds.push(path.to_path_buf());
        let mut num_regions = 0_usize;
        each_line(path, |number, line| {
            let Some((name, start, end)) = parse_line(line).map_err(|why| Error::fasta(path, number, why))?
            else {
                return Ok(());
            };
            let name = as_text(name);
            self.push(name.as_bytes(), Region { start, end: Some(end), source: Source::Line(bed, number) });
            num_regions += 1;
            Ok(())
        })?;
        if num_regions == 0 {
            return Err(Error::file(path, "there is no region in it"));
        }
        Ok(())
    }

    fn push(&mut self, name: impl AsRef<[u8]>, region: Region) {
        self.entries.entry(name.as_ref().to_vec()).or_default().regions.push(region);
    }

    /// The regions of a record that a file begins, in the order given. Fails if the file had one of this name before.
    pub(super) fn of_record(&mut self, name: &[u8], file: usize, path: &Path) -> Result<&[Region]> {
        let Some(entry) = self.entries.get_mut(name) else { return Ok(&[]) };
        if entry.seen_in == Some(file) {
            let name = show_text(&String::from_utf8_lossy(name));
            let reason = format!("has two records {name}, so that a region of {name} is not one place");
            return Err(Error::file(path, reason));
        }
        entry.seen_in = Some(file);
        Ok(&entry.regions)
    }

    /// The error of a region that its record is too short for.
    pub(super) fn beyond(&self, region: &Region, name: &str, length: u64) -> Error {
        self.error(region, format!("record {} has {length} letters only", show_text(name)))
    }

    /// After all files: every region must have been found, in one way. `records` are names that the files have.
    pub(super) fn check_found(&self, records: &[String]) -> Result<()> {
        let mut found = vec![Vec::new(); self.texts.len()];
        let mut missing: Option<(Source, &[u8], &Region)> = None;
        let mut names: Vec<&Vec<u8>> = self.entries.keys().collect();
        names.sort();
        for name in names {
            let entry = &self.entries[name];
            for region in &entry.regions {
                match (region.source, entry.seen_in) {
                    (Source::Text(number), Some(_)) => found[number].push((name, region)),
                    (source @ Source::Line(..), None)
                        if missing.is_none_or(|(first, ..)| source.key() < first.key()) =>
                    {
                        missing = Some((source, name, region));
                    }
                    _ => {}
                }
            }
        }
        for (text, found) in self.texts.iter().zip(found) {
            match found[..] {
                [_] => {}
                [] => {
                    let rule = format!("no record of this name in the files; {}", list(records));
                    return Err(Error::argument("region", &show_text(text), rule));
                }
                [(_, region), ..] => {
                    let rule = "the files have a record of this name and one of what stands before the last colon; put \
                                braces around the name: {NAME} or {NAME}:START-END";
                    return Err(self.error(region, rule.to_owned()));
                }
            }
        }
        missing.map_or(Ok(()), |(_, name, region)| {
            let name = show_text(&String::from_utf8_lossy(name));
            Err(self.error(region, format!("no record {name} in the files; {}", list(records))))
        })
    }

    fn error(&self, region: &Region, reason: String) -> Error {
        match region.source {
            Source::Text(number) => Error::argument("region", &show_text(&self.texts[number]), reason),
            Source::Line(bed, line) => Error::fasta(&self.beds[bed], line, reason),
        }
    }
}

impl Source {
    fn key(self) -> (usize, u64) {
        match self {
            Self::Text(number) => (number, 0),
            Self::Line(bed, line) => (bed, line),
        }
    }
}

/// The first records of the files, for a message.
fn list(records: &[String]) -> String {
    let shown: Vec<String> = records.iter().take(NUM_SHOWN).map(|name| show_text(name)).collect();
    format!("they have {}{}", shown.join(", "), if records.len() > NUM_SHOWN { ", ..." } else { "" })
}

/// How many record names are enough for messages.
pub(super) const NAMES_KEPT: usize = NUM_SHOWN + 1;

/// Whether text after a colon is meant as a range: digits, commas and dashes, the first a digit.
fn looks_like_range(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b',' | b'-'))
}

/// `START`, `START-` or `START-END`, from 1 and included, as start from 0 and end excluded.
fn parse_range(text: &str) -> Result<(u64, Option<u64>), String> {
    let (start, end) = text.split_once('-').unwrap_or((text, ""));
    let number = |text: &str| {
        let digits = text.replace(',', "");
        digits
            .parse::<u64>()
            .ok()
            .filter(|&number| i64::try_from(number).is_ok())
            .ok_or_else(|| format!("{} is no position; {RULE}", show_text(text)))
    };
    let start =
        number(start)?.checked_sub(1).ok_or_else(|| format!("positions are counted from 1; {RULE}"))?;
    let end = if end.is_empty() { None } else { Some(number(end)?) };
    match end {
        Some(end) if end <= start => Err(format!("the end comes before the start; {RULE}")),
        _ => Ok((start, end)),
    }
}

/// Name, start and end on a line of a BED file.
type Line<'a> = (&'a [u8], u64, u64);

/// The region on a line of a BED file, if it is not a header.
fn parse_line(line: &[u8]) -> Result<Option<Line<'_>>, String> {
    let line = line.trim_ascii_end();
    let is_header = |word: &[u8]| {
        line.strip_prefix(word).is_some_and(|rest| rest.first().is_none_or(u8::is_ascii_whitespace))
    };
    if line.is_empty() || line[0] == b'#' || is_header(b"track") || is_header(b"browser") {
        return Ok(None);
    }
    let by_tabs = line.contains(&b'\t');
    let is_gap = |byte: &u8| if by_tabs { *byte == b'\t' } else { *byte == b' ' };
    let mut columns = line.split(is_gap).filter(|column| by_tabs || !column.is_empty());
    let (Some(name), Some(start), Some(end)) = (columns.next(), columns.next(), columns.next()) else {
        return Err("a name, a start and an end are expected, parted by tabs or blanks".to_owned());
    };
    let number = |column: &[u8]| {
        let text = String::from_utf8_lossy(column);
        let number = text.trim().parse::<u64>().ok().filter(|&number| i64::try_from(number).is_ok());
        number.ok_or_else(|| format!("found {}, expected a position, counted from 0", show_text(&text)))
    };
    let (start, end) = (number(start)?, number(end)?);
    match end.cmp(&start) {
        _ if name.is_empty() => Err("the name is missing".to_owned()),
        std::cmp::Ordering::Greater => Ok(Some((name, start, end))),
        _ => Err(format!("the region from {start} to {end} is empty; the end must be above the start")),
    }
}

/// Gives each line of a file, of any compression, with its number from 1.
fn each_line(path: &Path, mut take: impl FnMut(u64, &[u8]) -> Result<()>) -> Result<()> {
    let source: Box<dyn Read + Send> = match path {
        path if path == Path::new("-") => Box::new(std::io::stdin()),
        path => Box::new(File::open(path).map_err(|error| Error::io(path, error))?),
    };
    let mut input = Input::new(source).map_err(|fault| fault.at(path))?;
    let (mut block, mut line, mut number) = (vec![0; BLOCK_BYTES], Vec::new(), 1);
    loop {
        let count = input.read(&mut block).map_err(|fault| fault.at(path))?;
        if count == 0 {
            return take(number, &line);
        }
        let mut rest = &block[..count];
        while let Some(end) = memchr::memchr(b'\n', rest) {
            line.extend_from_slice(&rest[..end]);
            take(number, &line)?;
            line.clear();
            number += 1;
            rest = &rest[end + 1..];
        }
        line.extend_from_slice(rest);
        if line.len() > LINE_BYTES {
            let reason = format!("the line is longer than {LINE_BYTES} bytes; is this a BED file?");
            return Err(Error::fasta(path, number, reason));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> (String, u64, Option<u64>) {
        let mut regions = Regions::new();
        regions.add_text(text).unwrap();
        let mut found: Vec<_> =
            regions.entries.into_iter().filter(|(name, _)| name != text.as_bytes()).collect();
        assert_eq!(found.len(), 1, "{text}");
        let (name, entry) = found.remove(0);
        (String::from_utf8(name).unwrap(), entry.regions[0].start, entry.regions[0].end)
    }

    fn refused(text: &str) -> String {
        Regions::new().add_text(text).unwrap_err().to_string()
    }

    #[test]
    fn text_is_read_as_samtools_does() {
        assert_eq!(only("chr20:1-1,000,000"), ("chr20".to_owned(), 0, Some(1_000_000)));
        assert_eq!(only("chr20:5000"), ("chr20".to_owned(), 4999, None));
        assert_eq!(only("chr20:5,000-"), ("chr20".to_owned(), 4999, None));
        assert_eq!(only("HLA:01:02:3-4"), ("HLA:01:02".to_owned(), 2, Some(4)));
        assert_eq!(only("{HLA:01:02}:3-3"), ("HLA:01:02".to_owned(), 2, Some(3)));
        assert_eq!(only("{HLA:01}"), ("HLA:01".to_owned(), 0, None));
    }

    #[test]
    fn text_that_is_no_region_is_refused() {
        for (text, says) in [
            ("chr1:0-5", "counted from 1"),
            ("chr1:6-5", "the end comes before the start"),
            ("chr1:1-2-3", "is no position"),
            (":1-2", "the name is missing"),
            ("", "the name is missing"),
            ("{chr1", "`}` is missing"),
            ("{chr1}x", "`:` is expected"),
            ("{chr1}:a", "is no position"),
            ("chr1:99999999999999999999", "is no position"),
        ] {
            assert!(refused(text).contains(says), "{text}: {}", refused(text));
        }
    }

    #[test]
    fn lines_of_bed_are_read() {
        assert_eq!(parse_line(b"chr1\t0\t5\tname\t0\t+\r"), Ok(Some((&b"chr1"[..], 0, 5))));
        assert_eq!(parse_line(b"chr1  3   5"), Ok(Some((&b"chr1"[..], 3, 5))));
        assert_eq!(parse_line(b"a name\t3\t5"), Ok(Some((&b"a name"[..], 3, 5))));
        for header in [&b""[..], b"  ", b"#chrom", b"track name=x", b"browser position", b"track"] {
            assert_eq!(parse_line(header), Ok(None));
        }
        assert_eq!(parse_line(b"tracker\t0\t1"), Ok(Some((&b"tracker"[..], 0, 1))));
        for (line, says) in [
            (&b"chr1\t5"[..], "an end are expected"),
            (b"chr1\t5\tx", "expected a position"),
            (b"chr1\t-1\t4", "expected a position"),
            (b"chr1\t5\t5", "is empty"),
            (b"\t1\t5", "the name is missing"),
            (b"chr1 1\t5\t6", ""),
        ] {
            let read = parse_line(line);
            assert!(says.is_empty() || read.unwrap_err().contains(says));
        }
    }
}
