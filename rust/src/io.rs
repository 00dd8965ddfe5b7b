//! Files and memory: how bytes come in, and how they go out.
//!
//! | module | what it knows |
//! |---|---|
//! | `file_writer` | counts, checksum and early write-back of a file that is written |
//! | [`atomic`] | atomic writes, what killed writers left, and whose an output is |
//! | [`memory`] | fresh memory for large results; buffers that a thread keeps |
//! | `sizes` | how large files are |
//! | [`checksum`] | checksums of files and of structured contents |
//! | `input_sum` | the checksum of a file from the bytes that are read of it |
//! | [`tabix`] | BED lines compressed in blocks, with their index |
//! | `decompress` | compressed files as a stream of bytes |
//! | `sources` | several files as streams in order, the next ones unpacked ahead |
//! | [`fasta`] | sequence files, record by record, plain or compressed |
//!
//! Each uses those above it only.

pub mod atomic;
pub mod checksum;
pub(crate) mod decompress;
pub mod fasta;
pub(crate) mod file_writer;
pub(crate) mod input_sum;
pub mod memory;
pub(crate) mod sizes;
pub(crate) mod sources;
pub mod tabix;
