//! A column of a row group as pages.
//!
//! A page holds *entries*: the values of a flat column; of a column of lists the items, and one entry for each list
//! without items. Two *levels* stand before the values: whether an entry continues a list (not of flat columns), and
//! whether it is a value. No value is ever missing, so that the second is nearly always one run.
//!
//! Numbers are split into one stream for each byte. Parquet stores ids of 16 bits as 32: two streams are zeros, of which
//! the compressor leaves nothing.

use std::io;
use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Int64Type, UInt16Type, UInt32Type};
use arrow_array::{Array, ListArray, StringArray};
use arrow_schema::DataType;

use super::compact::{Compact, FieldType, put_varint};
use crate::arrow_messages::OddColumn;

/// Entries of a page at most; a multiple of eight.
const PAGE_ENTRIES: usize = 1 << 18;
/// Bytes of strings after which a page ends.
const PAGE_BYTES: usize = 1 << 20;
/// The level of zstd: higher ones take several times as long for some percent.
const LEVEL: i32 = 1;

/// Numbers of the format: types, encodings.
pub(super) const INT32: i64 = 1;
pub(super) const INT64: i64 = 2;
pub(super) const BYTE_ARRAY: i64 = 6;
const PLAIN: i64 = 0;
pub(super) const RLE: i64 = 3;
const BYTE_STREAM_SPLIT: i64 = 9;

/// A column of a row group, written.
pub(super) struct ColumnChunk {
    /// Where its first page is in the file.
    pub(super) offset: u64,
    pub(super) encoding: i64,
    pub(super) entries: usize,
    /// Bytes of its pages, with heads: unpacked, and as they are.
    pub(super) unpacked: u64,
    pub(super) packed: u64,
    /// The smallest and the largest value, if there is one.
    pub(super) bounds: Option<[Vec<u8>; 2]>,
    /// Entries without a value.
    pub(super) empty: usize,
}

/// Writes columns.
pub(super) struct PageWriter {
    zstd: zstd::bulk::Compressor<'static>,
    /// The page, unpacked.
    page: Vec<u8>,
    /// All pages of a row group.
    pub(super) out: Vec<u8>,
}

impl PageWriter {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { zstd: zstd::bulk::Compressor::new(LEVEL)?, page: Vec::new(), out: Vec::new() })
    }

    /// Appends the pages of a column to `out`, of which `before` bytes of the file come first.
    pub(super) fn column(
        &mut self,
        column: &dyn Array,
        before: u64,
    ) -> io::Result<Result<ColumnChunk, OddColumn>> {
        let offset = before + self.out.len() as u64;
        let chunk = ColumnChunk {
            offset,
            encoding: BYTE_STREAM_SPLIT,
            entries: 0,
            unpacked: 0,
            packed: 0,
            bounds: None,
            empty: 0,
        };
        Ok(Ok(match column.data_type() {
            DataType::Utf8 => self.strings(column.as_string(), chunk)?,
            DataType::Int64 => self.numbers::<Int64Type>(column, &Lists::none(column.len()), 0, chunk)?,
            DataType::List(item) => {
                let lists: &ListArray = column.as_list();
                let (shape, first) = (Lists::of(lists), lists.value_offsets()[0].unsigned_abs() as usize);
                match item.data_type() {
                    DataType::UInt16 => self.numbers::<UInt16Type>(lists.values(), &shape, first, chunk)?,
                    DataType::UInt32 => self.numbers::<UInt32Type>(lists.values(), &shape, first, chunk)?,
                    DataType::Int64 => self.numbers::<Int64Type>(lists.values(), &shape, first, chunk)?,
                    other => return Ok(Err(OddColumn(other.clone()))),
                }
            }
            other => return Ok(Err(OddColumn(other.clone()))),
        }))
    }

    /// Numbers from the one at `first` on, flat or in lists.
    fn numbers<T: ArrowPrimitiveType<Native: Number>>(
        &mut self,
        values: &dyn Array,
        shape: &Lists,
        first: usize,
        mut chunk: ColumnChunk,
    ) -> io::Result<ColumnChunk> {
        let values = &values.as_primitive::<T>().values()[first..first + shape.entries - shape.empty.len()];
        chunk.bounds = T::Native::bounds(values);
        chunk.empty = shape.empty.len();
        for start in (0..shape.entries).step_by(PAGE_ENTRIES) {
            let entries = start..shape.entries.min(start + PAGE_ENTRIES);
            shape.put_levels(&entries, &mut self.page);
            T::Native::split(&values[shape.values(&entries)], &mut self.page);
            self.end_page(entries.len(), &mut chunk)?;
        }
        Ok(chunk)
    }

    /// Strings, each with its length in front.
    fn strings(&mut self, strings: &StringArray, mut chunk: ColumnChunk) -> io::Result<ColumnChunk> {
        chunk.encoding = PLAIN;
        let texts = || (0..strings.len()).map(|at| strings.value(at).as_bytes());
        chunk.bounds = texts().min().zip(texts().max()).map(|(least, most)| [least.to_vec(), most.to_vec()]);
        let (mut start, mut bytes) = (0, Vec::new());
        for (text, after) in texts().zip(1..) {
            let length =
                u32::try_from(text.len()).map_err(|_| io::Error::other("a string of more than 4 GB"))?;
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(text);
            if bytes.len() >= PAGE_BYTES || after == strings.len() {
                Lists::none(after - start).put_levels(&(0..after - start), &mut self.page);
                self.page.append(&mut bytes);
                self.end_page(after - start, &mut chunk)?;
                start = after;
            }
        }
        Ok(chunk)
    }

    /// Writes the page.
    fn end_page(&mut self, entries: usize, chunk: &mut ColumnChunk) -> io::Result<()> {
        let packed = self.zstd.compress(&self.page)?;
        let mut head = Compact::default();
        let size = |bytes: &[u8]| i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        head.structure(|head| {
            head.number(1, FieldType::Int32, 0); // a page of data
            head.number(2, FieldType::Int32, size(&self.page));
            head.number(3, FieldType::Int32, size(&packed));
            head.number(4, FieldType::Int32, crc32fast::hash(&packed).cast_signed().into());
            head.inner(5, |head| {
                head.number(1, FieldType::Int32, i64::try_from(entries).unwrap_or(i64::MAX));
                head.number(2, FieldType::Int32, chunk.encoding);
                head.number(3, FieldType::Int32, RLE);
                head.number(4, FieldType::Int32, RLE);
            });
        });
        chunk.entries += entries;
        chunk.unpacked += (head.bytes.len() + self.page.len()) as u64;
        chunk.packed += (head.bytes.len() + packed.len()) as u64;
        self.out.extend_from_slice(&head.bytes);
        self.out.extend_from_slice(&packed);
        self.page.clear();
        Ok(())
    }
}

/// Which entries a column has.
struct Lists {
    entries: usize,
    /// A bit for each entry, set if it continues a list; none of a flat column.
    continues: Option<Vec<u8>>,
    /// The entries without a value.
    empty: Vec<usize>,
}

impl Lists {
    /// A flat column.
    fn none(entries: usize) -> Self {
        Self { entries, continues: None, empty: Vec::new() }
    }

    fn of(lists: &ListArray) -> Self {
        let lengths =
            || lists.value_offsets().windows(2).map(|pair| (pair[1] - pair[0]).unsigned_abs() as usize);
        let entries = lengths().map(|length| length.max(1)).sum();
        let (mut continues, mut empty) = (vec![u8::MAX; usize::div_ceil(entries, 8)], Vec::new());
        let mut at = 0;
        for length in lengths() {
            continues[at / 8] &= !(1 << (at % 8));
            if length == 0 {
                empty.push(at);
            }
            at += length.max(1);
        }
        Self { entries, continues: Some(continues), empty }
    }

    /// Where the values of entries lie.
    fn values(&self, entries: &Range<usize>) -> Range<usize> {
        let value = |entry| entry - self.empty.partition_point(|&empty| empty < entry);
        value(entries.start)..value(entries.end)
    }

    /// Appends the levels of entries; the first is a multiple of eight.
    fn put_levels(&self, entries: &Range<usize>, page: &mut Vec<u8>) {
        let is_flat = self.continues.is_none();
        if let Some(continues) = &self.continues {
            let bits = &continues[entries.start / 8..entries.end.div_ceil(8)];
            put_level(page, |page| {
                put_varint(page, (bits.len() as u64) << 1 | 1);
                page.extend_from_slice(bits);
            });
        }
        let (value, no_items) = if is_flat { (1, 0) } else { (3, 1) };
        let before = |entry| self.empty.partition_point(|&empty| empty < entry);
        put_level(page, |page| {
            let mut run = |from: usize, to: usize, level: u8| {
                if from < to {
                    put_varint(page, ((to - from) as u64) << 1);
                    page.push(level);
                }
            };
            let mut at = entries.start;
            for &empty in &self.empty[before(entries.start)..before(entries.end)] {
                run(at, empty, value);
                run(empty, empty + 1, no_items);
                at = empty + 1;
            }
            run(at, entries.end, value);
        });
    }
}

/// Appends a level, its length in front.
fn put_level(page: &mut Vec<u8>, put: impl FnOnce(&mut Vec<u8>)) {
    let start = page.len();
    page.extend_from_slice(&[0; 4]);
    put(page);
    let length = u32::try_from(page.len() - start - 4).unwrap_or(u32::MAX); // a page has 262,144 entries
    page[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

/// Numbers as Parquet stores them.
trait Number: Copy {
    /// The smallest and the largest one, if there is one.
    fn bounds(values: &[Self]) -> Option<[Vec<u8>; 2]>;
    /// Appends the first bytes of all, then the second ones, and so on.
    fn split(values: &[Self], out: &mut Vec<u8>);
}

/// Implements [`Number`]. The loops have no branch, so that they become vector instructions.
macro_rules! number {
    ($number:ty, stored as $stored:ty) => {
        impl Number for $number {
            fn bounds(values: &[Self]) -> Option<[Vec<u8>; 2]> {
                let least = values.iter().fold(Self::MAX, |least, &value| least.min(value));
                let most = values.iter().fold(Self::MIN, |most, &value| most.max(value));
                let plain = |value| <$stored>::from(value).to_le_bytes().to_vec();
                (!values.is_empty()).then(|| [plain(least), plain(most)])
            }

            fn split(values: &[Self], out: &mut Vec<u8>) {
                for place in 0..size_of::<Self>() {
                    out.extend(values.iter().map(|&value| (value >> (8 * place)).to_le_bytes()[0]));
                }
                out.resize(out.len() + (size_of::<$stored>() - size_of::<Self>()) * values.len(), 0);
            }
        }
    };
}

number!(u16, stored as u32);
number!(u32, stored as u32);
number!(i64, stored as i64);
