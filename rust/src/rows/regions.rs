//! Regions: which parts of which records become rows.
//!
//! A region is text as samtools reads it, or a line of a BED file ([`super::bed`]):
//!
//! - `chr20:1-1,000,000`: symbols 1 to 1,000,000, counted from 1, both included; commas are ignored;
//! - `chr20:5000` and `chr20:5000-`: from symbol 5,000 to the record's end; `chr20:-5000`: symbols 1 to 5,000;
//! - `chr20`, `chr20:`: the whole record;
//! - `{HLA:01:02}:1-100`, `{HLA:01:02}`: braces around a name that has colons. Without braces, what follows the last
//!   colon is a range if it can be one; but a record of the whole text as its name is found as well. If the files have
//!   both records, that is an error.
//!
//! Where samtools returns less than requested, or something else, this is an error: an end beyond the record's, a
//! start of 0, an end before the start, a number in another notation (`1k`, `1e3`).
//!
//! A text whose end comes before its start is an error at once; one that reaches past the end of its record, or whose
//! record is missing or occurs twice in a file, is one when that is known. Of BED files all faulty lines are reported
//! together: those that cannot be read before anything else is, and all others at the end of the sequence files.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::bed::{each_line, parse_line};
use super::worklist::{Faults, WorkList};
use crate::error::{Error, Result, show_text};
use crate::io::fasta::names::as_text;

/// Records of the files that a message names.
const NUM_SHOWN: usize = 5;
/// The rule for regions as text, for messages.
const RULE: &str = "a region is NAME, NAME:START, NAME:START-, NAME:-END or NAME:START-END, in digits, counted from 1, \
                    both ends included";

/// A part of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Region {
    /// The first symbol, counted from 0.
    pub(super) start: u64,
    /// The symbol after the last; none for the end of the record.
    pub(super) end: Option<u64>,
    /// Whether it lies on the other strand.
    pub(super) is_reverse: bool,
    /// Where it was requested.
    source: Source,
}

impl Region {
    /// A whole record, where no regions are requested.
    pub(super) const WHOLE: Self = Self::of_text(0, None, 0);

    /// The region of the text with index `text`.
    const fn of_text(start: u64, end: Option<u64>, text: usize) -> Self {
        Self { start, end, is_reverse: false, source: Source::Text(text) }
    }

    /// Its index among the rows of BED files, if it is one.
    pub(super) fn row(&self) -> Option<usize> {
        match self.source {
            Source::Text(_) => None,
            Source::Row(row) => Some(row),
        }
    }
}

/// Where a region was requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// A text, by its index.
    Text(usize),
    /// A line of a BED file, by the index of its row.
    Row(usize),
}

/// The regions of one record name, in the order given.
#[derive(Clone, Debug, Default)]
struct RecordRegions {
    regions: Vec<Region>,
    /// The file, by index, that last had a record of this name.
    seen_in: Option<usize>,
}

/// The regions to read, by the name of their record.
#[derive(Clone, Debug, Default)]
pub struct Regions {
    entries: FxHashMap<Vec<u8>, RecordRegions>,
    texts: Vec<String>,
    list: Arc<WorkList>,
    with_blocks: bool,
    faults: Faults,
}

impl Regions {
    /// No regions.
    pub fn new() -> Self {
        Self::default()
    }

    /// No regions; of BED files that are added, the blocks are read, joined.
    pub fn of_blocks() -> Self {
        Self { with_blocks: true, ..Self::default() }
    }

    /// Adds a region in the notation of samtools. A text with a colon is entered twice, as a region and as the name of a
    /// record, until the files show which it is.
    pub fn add_text(&mut self, text: &str) -> Result<()> {
        let number = self.texts.len();
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
                self.push(text, Region::of_text(0, None, number));
            }
            parts.map_or((text, None), |(name, range)| (name, Some(range)))
        };
        if name.is_empty() {
            return Err(wrong(format!("the name is missing; {RULE}")));
        }
        let (start, end) = range.map_or(Ok((0, None)), parse_range).map_err(|rule| match text {
            text if text.starts_with('{') => wrong(rule),
            _ => wrong(format!("{rule}; if all of it is a name, put braces around it: {{NAME}}")),
        })?;
        self.push(name, Region::of_text(start, end, number));
        self.texts.push(text.to_owned());
        Ok(())
    }

    /// Adds the regions of a BED file, whose bytes are `source`. Fails if lines are faulty, listing them, and if there is no
    /// region.
    pub fn add_bed(&mut self, path: &Path, source: impl Read + Send + 'static) -> Result<()> {
        let mut list = std::mem::take(&mut self.list);
        let rows = Arc::make_mut(&mut list);
        let (first, file) = (rows.len(), rows.num_files());
        rows.add_file(path);
        let mut faults = Faults::default();
        let read = each_line(path, Box::new(source), |number, line| {
            match parse_line(line, self.with_blocks) {
                Ok(None) => {}
                Ok(Some(line)) => {
                    let (start, end, is_reverse) = (line.start, Some(line.end), line.is_reverse);
                    let source = Source::Row(rows.len());
                    self.push(as_text(line.record).as_bytes(), Region { start, end, is_reverse, source });
                    rows.add(number, &line);
                }
                Err(reason) => faults.add(file, number, || reason),
            }
            Ok(())
        });
        let is_empty = rows.len() == first;
        self.list = list;
        read?;
        faults.check(&self.list, "")?;
        if is_empty {
            return Err(Error::file(path, "there is no region in it"));
        }
        Ok(())
    }

    /// All that was read, in an order that does not depend on hashes.
    #[cfg(feature = "fuzzing")]
    pub(crate) fn shown(&self) -> Vec<String> {
        let mut shown: Vec<String> = self.entries.iter().map(|entry| format!("{entry:?}")).collect();
        shown.sort();
        shown
    }

    /// The rows of BED files; none if there are no BED files.
    pub(super) fn list(&self) -> Option<&Arc<WorkList>> {
        (!self.list.is_empty()).then_some(&self.list)
    }

    /// Whether the blocks of BED files are read.
    pub(super) fn with_blocks(&self) -> bool {
        self.with_blocks
    }

    /// Whether there are regions as text.
    pub(super) fn has_texts(&self) -> bool {
        !self.texts.is_empty()
    }

    /// Adds a region to those of a record.
    fn push(&mut self, name: impl AsRef<[u8]>, region: Region) {
        let name = name.as_ref();
        match self.entries.get_mut(name) {
            Some(entry) => entry.regions.push(region),
            None => {
                self.entries.insert(name.to_vec(), RecordRegions { regions: vec![region], seen_in: None });
            }
        }
    }

    /// The regions of a record that starts in a file, in the order given. Fails if the file had a record of this name
    /// before.
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

    /// Adds the fault of a region for which its record is too short. A text fails at once.
    pub(super) fn add_beyond(&mut self, region: &Region, name: &str, length: u64) -> Result<()> {
        let reason = || format!("record {} has {length} symbols only", show_text(name));
        match region.source {
            Source::Text(number) => Err(Error::argument("region", &show_text(&self.texts[number]), reason())),
            Source::Row(row) => {
                self.faults.add_row(&self.list, row, reason);
                Ok(())
            }
        }
    }

    /// Whether no line of a BED file is known to be faulty.
    pub(super) fn is_faultless(&self) -> bool {
        self.faults.is_empty()
    }

    /// After all files: fails unless every region was found, and every text in one way. `records` are names of records
    /// that the files have, for messages.
    pub(super) fn check_found(&mut self, records: &[String]) -> Result<()> {
        let mut found = vec![Vec::new(); self.texts.len()];
        let mut is_missing = false;
        let mut names: Vec<&Vec<u8>> = self.entries.keys().collect();
        names.sort();
        for name in names {
            let RecordRegions { regions, seen_in } = &self.entries[name];
            let mut rows = regions.iter().filter_map(Region::row);
            match (seen_in, rows.next()) {
                (Some(_), _) => {
                    for region in regions {
                        if let Source::Text(number) = region.source {
                            found[number].push(name);
                        }
                    }
                }
                (None, Some(row)) => {
                    is_missing = true;
                    let others = rows.count();
                    self.faults.add_row(&self.list, row, || no_record(name, others));
                }
                (None, None) => {}
            }
        }
        for (text, found) in self.texts.iter().zip(found) {
            let rule = match found[..] {
                [_] => continue,
                [] => Self::not_found(text, records),
                [..] => "the files have a record of this name and one of what stands before the last colon; put braces \
                         around the name: {NAME} or {NAME}:START-END"
                    .to_owned(),
            };
            return Err(Error::argument("region", &show_text(text), rule));
        }
        let also = if is_missing { format!("; {}", list(records)) } else { String::new() };
        self.faults.check(&self.list, &also)
    }

    /// The reason why a text was not found: no such record, or no range after the colon.
    fn not_found(text: &str, records: &[String]) -> String {
        let is_range = |name: &str, range: &str| {
            range.starts_with(|first: char| first.is_ascii_digit())
                || records.iter().any(|known| known == name)
        };
        match text.rsplit_once(':') {
            Some((name, range))
                if !text.starts_with('{') && !looks_like_range(range) && is_range(name, range) =>
            {
                format!(
                    "no record of this name in the files, and {} is no position; {RULE}",
                    show_text(range)
                )
            }
            _ => format!("no record of this name in the files; {}", list(records)),
        }
    }

    /// The names of records, sorted, and by row of the BED files its region with the index of its record's name.
    pub(super) fn by_row(&self) -> (Vec<Vec<u8>>, Vec<(u32, Region)>) {
        let mut rows = vec![(0, Region::WHOLE); self.list.len()];
        let mut names: Vec<&Vec<u8>> = self.entries.keys().collect();
        names.sort();
        for (number, name) in names.iter().enumerate() {
            for region in &self.entries[*name].regions {
                if let Some(row) = region.row() {
                    rows[row] = (u32::try_from(number).unwrap_or(u32::MAX), *region);
                }
            }
        }
        (names.into_iter().cloned().collect(), rows)
    }
}

/// The fault of a row whose record no file has; `others` more rows request it.
fn no_record(name: &[u8], others: usize) -> String {
    let name = show_text(&String::from_utf8_lossy(name));
    match others {
        0 => format!("no record {name} in the files"),
        others => format!("no record {name} in the files, as in {others} more lines"),
    }
}

/// The first records of the files, for a message.
fn list(records: &[String]) -> String {
    let shown: Vec<String> = records.iter().take(NUM_SHOWN).map(|name| show_text(name)).collect();
    format!("they have {}{}", shown.join(", "), if records.len() > NUM_SHOWN { ", ..." } else { "" })
}

/// Record names that are kept for messages: one more than are shown, to know whether there are more.
pub(super) const NAMES_KEPT: usize = NUM_SHOWN + 1;

/// Whether text after a colon is meant as a range: it starts with a number or a dash, and holds only what notations of
/// numbers have.
fn looks_like_range(text: &str) -> bool {
    let number = text.strip_prefix('-').unwrap_or(text);
    let is_number = number.starts_with(|first: char| first.is_ascii_digit() || first == '-');
    let is_notation = |byte: u8| byte.is_ascii_digit() || b",.-+_kKmMgGeE".contains(&byte);
    text.is_empty() || text == "-" || (is_number && text.bytes().all(is_notation))
}

/// Parses `START`, `START-`, `-END` or `START-END`, from 1 and both included, to a start from 0 and an end excluded.
fn parse_range(text: &str) -> Result<(u64, Option<u64>), String> {
    if text.is_empty() {
        return Ok((0, None));
    }
    let (start, end) = text.split_once('-').unwrap_or((text, ""));
    let number = |text: &str| {
        let digits = text.replace(',', "");
        let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u64>().ok());
        let number = number.flatten().filter(|&number| i64::try_from(number).is_ok());
        number.ok_or_else(|| format!("{} is no position; {RULE}", show_text(text)))
    };
    let start = if start.is_empty() && !end.is_empty() { 1 } else { number(start)? };
    let start = start.checked_sub(1).ok_or_else(|| format!("positions are counted from 1; {RULE}"))?;
    let end = if end.is_empty() { None } else { Some(number(end)?) };
    match end {
        Some(end) if end <= start => Err(format!("the end comes before the start; {RULE}")),
        _ => Ok((start, end)),
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
        for (text, name, start, end) in [
            ("chr20:1-1,000,000", "chr20", 0, Some(1_000_000)),
            ("chr20:5000", "chr20", 4999, None),
            ("chr20:5,000-", "chr20", 4999, None),
            ("chr20:-5", "chr20", 0, Some(5)),
            ("chr20:-5,000", "chr20", 0, Some(5000)),
            ("chr20:", "chr20", 0, None),
            ("HLA:01:02:3-4", "HLA:01:02", 2, Some(4)),
            ("HLA:01:02:-4", "HLA:01:02", 0, Some(4)),
            ("{HLA:01:02}:3-3", "HLA:01:02", 2, Some(3)),
            ("{HLA:01:02}:-3", "HLA:01:02", 0, Some(3)),
            ("{HLA:01:02}:", "HLA:01:02", 0, None),
            ("{HLA:01}", "HLA:01", 0, None),
        ] {
            assert_eq!(only(text), (name.to_owned(), start, end), "{text}");
        }
    }

    #[test]
    fn text_that_is_no_region_is_refused() {
        for (text, says) in [
            ("chr1:0-5", "counted from 1"),
            ("chr1:0", "counted from 1"),
            ("chr1:-0", "the end comes before the start"),
            ("chr1:5-0", "the end comes before the start"),
            ("chr1:6-5", "the end comes before the start"),
            ("chr1:1-2-3", "\"2-3\" is no position"),
            ("chr1:-", "\"\" is no position"),
            ("chr1:--5", "\"-5\" is no position"),
            ("chr1:-5-7", "\"5-7\" is no position"),
            ("chr1:1-1k", "\"1k\" is no position"),
            ("chr1:1M-2M", "\"1M\" is no position"),
            ("chr1:1.5k", "\"1.5k\" is no position"),
            ("chr1:1e3-2e3", "if all of it is a name, put braces around it: {NAME}"),
            (":1-2", "the name is missing"),
            ("", "the name is missing"),
            ("{chr1", "`}` is missing"),
            ("{chr1}x", "`:` is expected"),
            ("{chr1}:a", "is no position"),
            ("{chr1}:1-1k", "\"1k\" is no position"),
            ("chr1:99999999999999999999", "is no position"),
        ] {
            assert!(refused(text).contains(says), "{text}: {}", refused(text));
            // Braces are there already.
            assert!(!text.starts_with('{') || !refused(text).contains("put braces"), "{text}");
        }
    }
}
