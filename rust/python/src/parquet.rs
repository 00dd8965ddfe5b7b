//! Parquet files of encoded sequences: pages by `pages`, and the footer, which says what the columns are and where their
//! pages lie.
//!
//! Why they are written here is told in docs/decisions/0081.

use std::io::{self, Write};

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema};

use crate::arrow_messages::OddColumn;
use compact::{Compact, FieldType};
use pages::{BYTE_ARRAY, ColumnChunk, INT32, INT64, PageWriter, RLE};

mod compact;
mod pages;

/// How a file begins and ends.
const MAGIC: &[u8; 4] = b"PAR1";
/// Numbers of the format: that values may be missing or repeated, old names of types, the compression.
const OPTIONAL: i64 = 1;
const REPEATED: i64 = 2;
const UTF8: i64 = 0;
const LIST: i64 = 3;
const UINT_16: i64 = 12;
const UINT_32: i64 = 13;
const ZSTD: i64 = 6;
/// Bytes of the longest string that is written as a bound.
const MAX_BOUND: usize = 64;

/// A Parquet file that is being written: a row group for each batch.
pub(crate) struct ParquetFile {
    schema: Schema,
    pages: PageWriter,
    groups: Vec<RowGroup>,
    bytes: u64,
}

struct RowGroup {
    rows: usize,
    columns: Vec<ColumnChunk>,
}

impl ParquetFile {
    /// Writes the beginning.
    pub(crate) fn start(schema: Schema, out: &mut dyn Write) -> io::Result<Self> {
        out.write_all(MAGIC)?;
        Ok(Self { schema, pages: PageWriter::new()?, groups: Vec::new(), bytes: MAGIC.len() as u64 })
    }

    /// Writes a batch.
    pub(crate) fn batch(
        &mut self,
        batch: &RecordBatch,
        out: &mut dyn Write,
    ) -> io::Result<Result<(), OddColumn>> {
        let mut columns = Vec::with_capacity(batch.num_columns());
        for column in batch.columns() {
            match self.pages.column(column.as_ref(), self.bytes)? {
                Ok(chunk) => columns.push(chunk),
                Err(odd) => return Ok(Err(odd)),
            }
        }
        out.write_all(&self.pages.out)?;
        self.bytes += self.pages.out.len() as u64;
        self.pages.out.clear();
        self.groups.push(RowGroup { rows: batch.num_rows(), columns });
        Ok(Ok(()))
    }

    /// Writes the footer, with `metadata` beside that of the schema.
    pub(crate) fn end(self, metadata: (&str, &str), out: &mut dyn Write) -> io::Result<()> {
        let mut footer = Compact::default();
        footer.structure(|footer| self.put_footer(metadata, footer));
        out.write_all(&footer.bytes)?;
        let length =
            u32::try_from(footer.bytes.len()).map_err(|_| io::Error::other("a footer of more than 4 GB"))?;
        out.write_all(&length.to_le_bytes())?;
        out.write_all(MAGIC)
    }

    fn put_footer(&self, metadata: (&str, &str), footer: &mut Compact) {
        let fields = self.schema.fields();
        let elements: Vec<_> = std::iter::once(Element::Root(fields.len()))
            .chain(fields.iter().flat_map(|field| Element::of(field)))
            .collect();
        let rows = self.groups.iter().map(|group| group.rows).sum();
        footer.number(1, FieldType::Int32, 2); // the version of the format
        footer.list(2, FieldType::Struct, elements.iter(), |footer, element| {
            footer.structure(|out| element.put(out));
        });
        footer.number(3, FieldType::Int64, number(rows));
        footer.list(4, FieldType::Struct, self.groups.iter().enumerate(), |footer, (place, group)| {
            footer.structure(|out| self.put_group(place, group, out));
        });
        let mut pairs: Vec<_> =
            self.schema.metadata().iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        pairs.sort_unstable();
        pairs.push(metadata);
        footer.list(5, FieldType::Struct, pairs.into_iter(), |footer, (key, value)| {
            footer.structure(|out| {
                out.binary(1, key.as_bytes());
                out.binary(2, value.as_bytes());
            });
        });
        footer.binary(6, concat!("genotok version ", env!("CARGO_PKG_VERSION")).as_bytes());
        // Bounds are in the order of the type.
        footer.list(7, FieldType::Struct, fields.iter(), |footer, _| {
            footer.structure(|out| out.inner(1, |_| {}));
        });
    }

    fn put_group(&self, place: usize, group: &RowGroup, out: &mut Compact) {
        let sum = |of: fn(&ColumnChunk) -> u64| signed(group.columns.iter().map(of).sum());
        let columns = group.columns.iter().zip(self.schema.fields());
        out.list(1, FieldType::Struct, columns, |out, (chunk, field)| {
            out.structure(|out| {
                out.number(2, FieldType::Int64, 0);
                out.inner(3, |out| put_chunk(chunk, field, out));
            });
        });
        out.number(2, FieldType::Int64, sum(|chunk| chunk.unpacked));
        out.number(3, FieldType::Int64, number(group.rows));
        out.number(5, FieldType::Int64, group.columns.first().map_or(0, |chunk| signed(chunk.offset)));
        out.number(6, FieldType::Int64, sum(|chunk| chunk.packed));
        if let Ok(place) = i16::try_from(place) {
            out.number(7, FieldType::Int16, place.into());
        }
    }
}

/// What the footer says of a column of a row group.
fn put_chunk(chunk: &ColumnChunk, field: &Field, out: &mut Compact) {
    let path: &[&str] = match field.data_type() {
        DataType::List(_) => &[field.name(), "list", "element"],
        _ => &[field.name()],
    };
    out.number(1, FieldType::Int32, physical(field.data_type()));
    out.list(2, FieldType::Int32, [chunk.encoding, RLE].into_iter(), Compact::put_number);
    out.list(3, FieldType::Binary, path.iter(), |out, name| out.put_binary(name.as_bytes()));
    out.number(4, FieldType::Int32, ZSTD);
    out.number(5, FieldType::Int64, number(chunk.entries));
    out.number(6, FieldType::Int64, signed(chunk.unpacked));
    out.number(7, FieldType::Int64, signed(chunk.packed));
    out.number(9, FieldType::Int64, signed(chunk.offset));
    out.inner(12, |out| {
        out.number(3, FieldType::Int64, number(chunk.empty));
        if let Some([least, most]) = &chunk.bounds
            && least.len().max(most.len()) <= MAX_BOUND
        {
            out.binary(5, most);
            out.binary(6, least);
        }
    });
}

/// How the values of a type are stored.
fn physical(kind: &DataType) -> i64 {
    match kind {
        DataType::List(item) => physical(item.data_type()),
        DataType::UInt16 | DataType::UInt32 => INT32,
        DataType::Int64 => INT64,
        _ => BYTE_ARRAY,
    }
}

/// A node in the tree of columns, which is written depth first.
enum Element<'a> {
    /// The root, with so many children.
    Root(usize),
    /// A list, and the group in it.
    List(&'a str),
    Repeated,
    Leaf(&'a str, &'a DataType),
}

impl<'a> Element<'a> {
    fn of(field: &'a Field) -> Vec<Self> {
        match field.data_type() {
            DataType::List(item) => {
                vec![Self::List(field.name()), Self::Repeated, Self::Leaf("element", item.data_type())]
            }
            kind => vec![Self::Leaf(field.name(), kind)],
        }
    }

    fn put(&self, out: &mut Compact) {
        match *self {
            Self::Root(children) => {
                out.binary(4, b"schema");
                out.number(5, FieldType::Int32, number(children));
            }
            Self::List(name) => {
                out.number(3, FieldType::Int32, OPTIONAL);
                out.binary(4, name.as_bytes());
                out.number(5, FieldType::Int32, 1);
                out.number(6, FieldType::Int32, LIST);
                out.inner(10, |kind| kind.inner(3, |_| {}));
            }
            Self::Repeated => {
                out.number(3, FieldType::Int32, REPEATED);
                out.binary(4, b"list");
                out.number(5, FieldType::Int32, 1);
            }
            Self::Leaf(name, kind) => {
                out.number(1, FieldType::Int32, physical(kind));
                out.number(3, FieldType::Int32, OPTIONAL);
                out.binary(4, name.as_bytes());
                put_type(kind, out);
            }
        }
    }
}

/// What the values of a type mean, in the old way and in the new one.
fn put_type(kind: &DataType, out: &mut Compact) {
    let (old, bits) = match kind {
        DataType::Utf8 => (UTF8, None),
        DataType::UInt16 => (UINT_16, Some(16)),
        DataType::UInt32 => (UINT_32, Some(32)),
        _ => return,
    };
    out.number(6, FieldType::Int32, old);
    out.inner(10, |out| match bits {
        None => out.inner(1, |_| {}),
        Some(bits) => out.inner(10, |out| {
            out.byte(1, bits);
            out.no(2); // not signed
        }),
    });
}

fn number(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
