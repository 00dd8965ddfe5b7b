//! The lines of BED files, read and validated.
//!
//! A line has columns separated by tabs or, if it has no tab, by blanks: record, start, end (counted from 0, the end
//! excluded), name, score, strand, and six more. Columns 1 to 4 and 6 are read, and 10 to 12, the blocks, on request; the
//! rest may be anything. Lines may end with CR LF. A byte-order mark at the start, empty lines and lines that start with
//! `#`, `track` or `browser` are skipped; but a line whose second and third columns are positions is a region, even of a
//! record named `track`.

use std::io::Read;
use std::path::Path;

use crate::error::{Error, Result, show_text};
use crate::io::decompress::InputStream;

/// Bytes of the longest line that is allowed.
const LINE_BYTES: usize = 1 << 20;
/// Bytes of a BED file that are unpacked at a time.
const BLOCK_BYTES: usize = 64 << 10;
/// The first column of blocks, from 0.
const BLOCK_COLUMN: usize = 9;
/// What some editors and spreadsheets write at the start of text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A region, as a line states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BedLine<'a> {
    pub(super) record: &'a [u8],
    pub(super) start: u64,
    pub(super) end: u64,
    /// Column 4; empty if missing.
    pub(super) name: &'a str,
    /// Whether column 6 is `-`.
    pub(super) is_reverse: bool,
    /// The blocks, as (start in the region, symbols), the first from 0 and the last to the end; empty if not requested.
    pub(super) blocks: Vec<(u64, u64)>,
}

/// The region on a line of a BED file; none if the line is skipped. Fails with what is wrong with the line.
pub(super) fn parse_line(line: &[u8], with_blocks: bool) -> Result<Option<BedLine<'_>>, String> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let by_tabs = line.contains(&b'\t');
    let is_gap = |byte: &u8| if by_tabs { *byte == b'\t' } else { *byte == b' ' };
    let mut columns = line.split(is_gap).filter(|column| by_tabs || !column.is_empty());
    let places = [columns.next(), columns.next(), columns.next()];
    if line.trim_ascii().is_empty() || line[0] == b'#' || (is_header(line) && !has_places(&places)) {
        return Ok(None);
    }
    if line.contains(&b'\r') {
        return Err("has a CR within; are its line ends those of an old Mac? write LF for CR".to_owned());
    }
    let [Some(record), Some(start), Some(end)] = places else {
        return Err("a name, a start and an end are expected, separated by tabs or blanks".to_owned());
    };
    if record.is_empty() {
        return Err("the name of the record is missing".to_owned());
    }
    let (start, end) = (position(start)?, position(end)?);
    if end <= start {
        let what = if end == start { "is empty" } else { "is reversed" };
        return Err(format!("the region from {start} to {end} {what}; the end must be above the start"));
    }
    let name = columns.next().unwrap_or_default();
    let name = std::str::from_utf8(name).map_err(|_| {
        format!(
            "the name {} is not UTF-8; write the file in UTF-8",
            show_text(&String::from_utf8_lossy(name))
        )
    })?;
    let is_reverse = match columns.nth(1).map(<[u8]>::trim_ascii) {
        None | Some(b"" | b"." | b"+") => false,
        Some(b"-") => true,
        Some(other) => {
            let found = show_text(&String::from_utf8_lossy(other));
            return Err(format!("the strand, column 6, is {found}, where +, - or . is expected"));
        }
    };
    let blocks = if with_blocks { parse_blocks(columns, start, end)? } else { Vec::new() };
    Ok(Some(BedLine { record, start, end, name, is_reverse, blocks }))
}

/// Whether a line starts like those of UCSC for its browser.
fn is_header(line: &[u8]) -> bool {
    let starts_with = |word: &[u8]| {
        line.strip_prefix(word).is_some_and(|rest| rest.first().is_none_or(u8::is_ascii_whitespace))
    };
    starts_with(b"track") || starts_with(b"browser")
}

/// Whether the second and third columns are positions.
fn has_places(columns: &[Option<&[u8]>; 3]) -> bool {
    columns[1..].iter().all(|column| column.is_some_and(|column| position(column).is_ok()))
}

/// A position, counted from 0; at most 2^63 - 1, since Arrow has signed numbers.
fn position(column: &[u8]) -> Result<u64, String> {
    let text = column.trim_ascii();
    let number = text.iter().all(u8::is_ascii_digit).then(|| std::str::from_utf8(text).ok()?.parse().ok());
    let fits = |number: &u64| i64::try_from(*number).is_ok();
    number.flatten().filter(fits).ok_or_else(|| {
        let found = show_text(&String::from_utf8_lossy(column));
        format!("found {found}, expected a position in digits, counted from 0; a header line starts with #")
    })
}

/// The blocks of a line of 12 columns, of which `columns` are those from the seventh on. They must tile from the start of
/// the region to its end, with gaps and without overlap.
fn parse_blocks<'a>(
    mut columns: impl Iterator<Item = &'a [u8]>,
    start: u64,
    end: u64,
) -> Result<Vec<(u64, u64)>, String> {
    let before = BLOCK_COLUMN - 6;
    let (count, sizes, starts) = (columns.nth(before), columns.next(), columns.next());
    let (Some(count), Some(sizes), Some(starts)) = (count, sizes, starts) else {
        return Err("has fewer than 12 columns, and blocks are columns 10 to 12".to_owned());
    };
    let list = |column: &[u8]| -> Result<Vec<u64>, String> {
        let column = column.trim_ascii();
        let column = column.strip_suffix(b",").unwrap_or(column);
        column.split(|&byte| byte == b',').map(position).collect()
    };
    let (count, sizes, starts) = (position(count)?, list(sizes)?, list(starts)?);
    let found = |lengths: &[u64]| lengths.len() as u64;
    if count == 0 || found(&sizes) != count || found(&starts) != count {
        let (sizes, starts) = (sizes.len(), starts.len());
        return Err(format!("has {count} blocks, {sizes} sizes and {starts} starts of blocks"));
    }
    let mut last = 0;
    for (number, (&from, &size)) in starts.iter().zip(&sizes).enumerate() {
        let is_first = number == 0;
        if size == 0 || from < last || (is_first && from > 0) {
            let rule = "blocks are not empty, start with the region, rise and do not overlap";
            return Err(format!("block {} does not fit: {rule}", number + 1));
        }
        last = from.saturating_add(size);
    }
    if last != end - start {
        return Err(format!("its last block ends at {last}, but the region has {} symbols", end - start));
    }
    Ok(starts.into_iter().zip(sizes).collect())
}

/// Calls `take` with each line of a file, of any compression, and its number from 1. The lines are without LF.
pub(super) fn each_line(
    path: &Path,
    source: Box<dyn Read + Send>,
    mut take: impl FnMut(u64, &[u8]) -> Result<()>,
) -> Result<()> {
    let mut input = InputStream::new(source).map_err(|fault| fault.at(path))?;
    let (mut block, mut line, mut number) = (vec![0; BLOCK_BYTES], Vec::new(), 1);
    let mut give = |number, line: &[u8]| {
        take(number, if number == 1 { line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line) } else { line })
    };
    loop {
        let count = input.read(&mut block).map_err(|fault| fault.at(path))?;
        if count == 0 {
            return give(number, &line);
        }
        let mut rest = &block[..count];
        while let Some(end) = memchr::memchr(b'\n', rest) {
            if line.is_empty() {
                give(number, &rest[..end])?;
            } else {
                line.extend_from_slice(&rest[..end]);
                give(number, &line)?;
                line.clear();
            }
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

    fn read(line: &[u8]) -> (String, u64, u64, String, bool) {
        let line = parse_line(line, false).unwrap().unwrap();
        let record = String::from_utf8(line.record.to_vec()).unwrap();
        (record, line.start, line.end, line.name.to_owned(), line.is_reverse)
    }

    fn region(
        record: &str,
        start: u64,
        end: u64,
        name: &str,
        is_reverse: bool,
    ) -> (String, u64, u64, String, bool) {
        (record.to_owned(), start, end, name.to_owned(), is_reverse)
    }

    #[test]
    fn lines_are_read() {
        for (line, expected) in [
            (&b"chr1\t0\t5\tname\t0\t+\r"[..], region("chr1", 0, 5, "name", false)),
            (b"chr1  3   5", region("chr1", 3, 5, "", false)),
            (b"chr1 3 5 x 0 -", region("chr1", 3, 5, "x", true)),
            (b"a name\t3\t5\ta b\tx\t-\tthick\tis\tignored", region("a name", 3, 5, "a b", true)),
            (b"a\t3\t5\t\t\t.", region("a", 3, 5, "", false)),
            (b"a\t3\t5\tname", region("a", 3, 5, "name", false)),
            (b"tracker\t0\t1", region("tracker", 0, 1, "", false)),
            (b"track\t0\t1", region("track", 0, 1, "", false)),
            (b"browser 0 1", region("browser", 0, 1, "", false)),
        ] {
            assert_eq!(read(line), expected);
        }
        for header in [
            &b""[..],
            b"  ",
            b"\t",
            b"\r",
            b"#chrom\t1\t2",
            b"track name=x",
            b"track\tname=x",
            b"browser position",
            b"track",
        ] {
            assert_eq!(parse_line(header, true), Ok(None));
        }
    }

    #[test]
    fn lines_that_are_no_regions_are_refused() {
        for (line, says) in [
            (&b"chr1\t5"[..], "an end are expected"),
            (b"chr1\t5\tx", "expected a position"),
            (b"chr1\t-1\t4", "expected a position"),
            (b"chr1\t+1\t4", "expected a position"),
            (b"chr1\t1\t1e3", "expected a position"),
            (b"chr1\t1\t9223372036854775808", "expected a position"),
            (b"chrom\tstart\tend", "a header line starts with #"),
            (b"chr1\t5\t5", "is empty"),
            (b"chr1\t5\t4", "is reversed"),
            (b"\t1\t5", "the name of the record is missing"),
            (b"a\t1\t5\tx\t0\t*", "the strand, column 6, is \"*\""),
            (b"a\t1\t5\t\xe9", "is not UTF-8"),
            (b"a\t1\t5\ra\t6\t7", "old Mac"),
            (b"chr1 1\t5", "an end are expected"),
        ] {
            let reason = parse_line(line, false).unwrap_err();
            assert!(reason.contains(says), "{reason}");
        }
    }

    #[test]
    fn blocks_are_read_or_refused() {
        let line = |columns: &str| format!("a\t10\t42\tx\t0\t-\t10\t10\t0\t{columns}");
        let blocks =
            |columns: &str| parse_line(line(columns).as_bytes(), true).map(|line| line.unwrap().blocks);
        assert_eq!(blocks("2\t4,4\t0,28"), Ok(vec![(0, 4), (28, 4)]));
        assert_eq!(blocks("2\t4,4,\t0,28,\textra"), Ok(vec![(0, 4), (28, 4)]));
        assert_eq!(blocks("2\t4,28\t0,4"), Ok(vec![(0, 4), (4, 28)]));
        for (columns, says) in [
            ("2\t4,4", "fewer than 12 columns"),
            ("0\t\t", "expected a position"),
            ("3\t4,4\t0,28", "has 3 blocks, 2 sizes and 2 starts"),
            ("2\t4\t0,28", "has 2 blocks, 1 sizes and 2 starts"),
            ("2\t4,4\t0", "has 2 blocks, 2 sizes and 1 starts"),
            ("2\t4,4\t1,28", "block 1 does not fit"),
            ("2\t4,0\t0,32", "block 2 does not fit"),
            ("2\t30,4\t0,28", "block 2 does not fit"),
            ("2\t4,4\t0,27", "its last block ends at 31, but the region has 32 symbols"),
            ("2\t4,x\t0,28", "expected a position"),
        ] {
            let reason = blocks(columns).unwrap_err();
            assert!(reason.contains(says), "{columns}: {reason}");
        }
    }

    #[test]
    fn a_line_may_have_a_mebibyte() {
        for (length, is_read) in [(LINE_BYTES, true), (LINE_BYTES + 1, false)] {
            let mut found = Vec::new();
            let text = std::io::Cursor::new(vec![b'a'; length]);
            let outcome = each_line(Path::new("x.bed"), Box::new(text), |number, line| {
                found.push((number, line.len()));
                Ok(())
            });
            assert_eq!((outcome.is_ok(), found), (is_read, if is_read { vec![(1, length)] } else { vec![] }));
        }
    }
}
