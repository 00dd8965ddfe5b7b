//! The messages of Arrow's IPC format, for encoded sequences: a file, which ends in an index of its batches, or a stream.
//!
//! The crate `arrow-ipc` has the tables of the format; its own writer has no place for the metadata of a batch, in which
//! the checksums stand (`python/genotok/dataset/batch_checksums.py`). There are no missing values, no dictionaries and no
//! compression here, so a message is its head and the buffers of its columns, which are written from where they lie.

use std::io::{self, Write};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt16Type, UInt32Type};
use arrow_array::{Array, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc as ipc;
use arrow_ipc::convert::{IpcSchemaEncoder, metadata_to_fb};
use arrow_schema::{DataType, Metadata, Schema};
use flatbuffers::{FlatBufferBuilder, UnionWIPOffset, WIPOffset};

/// How a file begins and ends.
const MAGIC: &[u8; 6] = b"ARROW1";
/// What stands before the length of a message.
const CONTINUATION: [u8; 4] = [0xff; 4];
/// Messages and buffers begin at multiples of so many bytes.
const ALIGNMENT: usize = 8;
/// The type of a column that encoded sequences do not have.
pub(crate) struct OddColumn(pub(crate) DataType);

/// Writes messages and remembers where they are.
pub(crate) struct MessageWriter {
    schema: Schema,
    is_stream: bool,
    blocks: Vec<ipc::Block>,
    bytes: i64,
}

impl MessageWriter {
    /// Writes the beginning: what the columns are.
    pub(crate) fn start(schema: Schema, is_stream: bool, out: &mut dyn Write) -> io::Result<Self> {
        let mut own = Self { schema, is_stream, blocks: Vec::new(), bytes: 0 };
        if !is_stream {
            out.write_all(MAGIC)?;
            out.write_all(&[0; ALIGNMENT - MAGIC.len()])?;
            own.bytes += 8;
        }
        let mut builder = FlatBufferBuilder::new();
        let schema = IpcSchemaEncoder::new().schema_to_fb_offset(&mut builder, &own.schema);
        finish_message(
            &mut builder,
            ipc::MessageHeader::Schema,
            schema.as_union_value(),
            0,
            &Metadata::new(),
        );
        own.put_head(builder.finished_data(), out)?;
        Ok(own)
    }

    /// What the columns are.
    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Writes a batch with its metadata.
    pub(crate) fn batch(&mut self, body: &Body, metadata: &Metadata, out: &mut dyn Write) -> io::Result<()> {
        let mut builder = FlatBufferBuilder::new();
        let mut end = 0;
        let buffers = body.buffers.iter().map(|buffer| {
            let start = end;
            end = padded(start + buffer.len());
            ipc::Buffer::new(number(start), number(buffer.len()))
        });
        let buffers = buffers.collect::<Vec<_>>();
        let (nodes, buffers) = (builder.create_vector(&body.nodes), builder.create_vector(&buffers));
        let mut batch = ipc::RecordBatchBuilder::new(&mut builder);
        batch.add_length(number(body.rows));
        batch.add_nodes(nodes);
        batch.add_buffers(buffers);
        let batch = batch.finish().as_union_value();
        finish_message(&mut builder, ipc::MessageHeader::RecordBatch, batch, number(end), metadata);
        let start = self.bytes;
        let head = self.put_head(builder.finished_data(), out)?;
        for buffer in &body.buffers {
            out.write_all(buffer)?;
            out.write_all(&[0; ALIGNMENT][..padded(buffer.len()) - buffer.len()])?;
        }
        self.bytes += number(end);
        self.blocks.push(ipc::Block::new(start, head, number(end)));
        Ok(())
    }

    /// Writes the end: the mark of a stream, and of a file the index.
    pub(crate) fn end(self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&CONTINUATION)?;
        out.write_all(&[0; 4])?;
        if self.is_stream {
            return Ok(());
        }
        let mut builder = FlatBufferBuilder::new();
        let dictionaries = builder.create_vector::<ipc::Block>(&[]);
        let blocks = builder.create_vector(&self.blocks);
        let schema = IpcSchemaEncoder::new().schema_to_fb_offset(&mut builder, &self.schema);
        let mut footer = ipc::FooterBuilder::new(&mut builder);
        footer.add_version(ipc::MetadataVersion::V5);
        footer.add_schema(schema);
        footer.add_dictionaries(dictionaries);
        footer.add_recordBatches(blocks);
        let footer = footer.finish();
        builder.finish(footer, None);
        let footer = builder.finished_data();
        out.write_all(footer)?;
        out.write_all(&length(footer.len())?.to_le_bytes())?;
        out.write_all(MAGIC)
    }

    /// Writes the head of a message and what fills it up; the bytes of both.
    fn put_head(&mut self, head: &[u8], out: &mut dyn Write) -> io::Result<i32> {
        let before = CONTINUATION.len() + 4;
        let bytes = padded(before + head.len());
        out.write_all(&CONTINUATION)?;
        out.write_all(&length(bytes - before)?.to_le_bytes())?;
        out.write_all(head)?;
        out.write_all(&[0; ALIGNMENT][..bytes - before - head.len()])?;
        self.bytes += number(bytes);
        length(bytes)
    }
}

/// Ends a message around its head.
fn finish_message(
    builder: &mut FlatBufferBuilder<'_>,
    kind: ipc::MessageHeader,
    head: WIPOffset<UnionWIPOffset>,
    body_bytes: i64,
    metadata: &Metadata,
) {
    let metadata = (!metadata.is_empty()).then(|| metadata_to_fb(builder, metadata));
    let mut message = ipc::MessageBuilder::new(builder);
    message.add_version(ipc::MetadataVersion::V5);
    message.add_header_type(kind);
    message.add_bodyLength(body_bytes);
    message.add_header(head);
    if let Some(metadata) = metadata {
        message.add_custom_metadata(metadata);
    }
    let message = message.finish();
    builder.finish(message, None);
}

/// The columns of a batch as the format lays them out: depth first, for each array its length and its buffers.
pub(crate) struct Body {
    rows: usize,
    nodes: Vec<ipc::FieldNode>,
    buffers: Vec<Buffer>,
}

impl Body {
    /// The body of a batch; offsets are counted from 0 in it, and what is outside of its rows is left out.
    pub(crate) fn of(batch: &RecordBatch) -> Result<Self, OddColumn> {
        let mut body = Self { rows: batch.num_rows(), nodes: Vec::new(), buffers: Vec::new() };
        batch.columns().iter().try_for_each(|column| body.add(column.as_ref()))?;
        Ok(body)
    }

    fn add(&mut self, column: &dyn Array) -> Result<(), OddColumn> {
        self.nodes.push(ipc::FieldNode::new(number(column.len()), 0));
        self.buffers.push(Buffer::default()); // no value is missing
        match column.data_type() {
            DataType::Int64 => self.buffers.push(column.as_primitive::<Int64Type>().values().inner().clone()),
            DataType::UInt16 => {
                self.buffers.push(column.as_primitive::<UInt16Type>().values().inner().clone());
            }
            DataType::UInt32 => {
                self.buffers.push(column.as_primitive::<UInt32Type>().values().inner().clone());
            }
            DataType::Utf8 => {
                let strings = column.as_string::<i32>();
                let (start, bytes) =
                    self.add_offsets(strings.value_offsets(), strings.offsets().inner().inner());
                self.buffers.push(strings.values().slice_with_length(start, bytes));
            }
            DataType::List(_) => {
                let lists = column.as_list::<i32>();
                let (start, items) = self.add_offsets(lists.value_offsets(), lists.offsets().inner().inner());
                return self.add(lists.values().slice(start, items).as_ref());
            }
            other => return Err(OddColumn(other.clone())),
        }
        Ok(())
    }

    /// Adds offsets, counted from 0; returns where they start, and the length that they cover.
    fn add_offsets(&mut self, offsets: &[i32], bytes: &Buffer) -> (usize, usize) {
        let at = |offset: Option<&i32>| offset.map_or(0, |offset| offset.unsigned_abs() as usize);
        let (start, end) = (at(offsets.first()), at(offsets.last()));
        self.buffers.push(if start == 0 {
            bytes.clone()
        } else {
            offsets.iter().map(|offset| offset - offsets[0]).collect()
        });
        (start, end - start)
    }
}

fn padded(bytes: usize) -> usize {
    bytes.next_multiple_of(ALIGNMENT)
}

fn number(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn length(bytes: usize) -> io::Result<i32> {
    i32::try_from(bytes).map_err(|_| io::Error::other("a head of more than 2 GB"))
}
