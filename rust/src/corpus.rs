//! The text that training runs over: words at two bits a base.
//!
//! A word is a maximal run of A, C, G, T inside one record. Everything else cuts and is counted by kind. The bases of
//! all words lie in one arena, four to a byte, lowest bits first; every word starts on a byte. Of each word the arena
//! keeps where it ends, in bases; it starts at the end of the one before, rounded up to a byte. That is a quarter of a
//! byte a base and eight bytes a word.
//!
//! # Fingerprint
//!
//! The sum modulo 2^128 of the first 16 bytes of BLAKE3 over each word (its length in eight bytes, then its bytes in
//! the arena): equal for the same words in any order, in any number of files, however wrapped, compressed or masked.
//!
//! | module | what it knows |
//! |---|---|
//! | `layout` | where things lie in a packed file |
//! | `arena` | what a corpus is, in memory or mapped |
//! | `builder` | from letters to a corpus |
//! | `packed` | a corpus as a file |
//! | `sample` | stretches of corpora at even distances |
//! | `files` | a sequence file read into a builder; many, as many at a time as there are threads |
//! | `together` | small inputs share a corpus |
//! | [`folder`] | folders of packed files, for corpora that are larger than memory |
//! | `inputs` | all inputs of a training |

mod arena;
mod builder;
mod files;
pub mod folder;
mod inputs;
mod layout;
mod packed;
mod sample;
mod together;

pub use self::arena::{Contents, Corpus};
pub use self::builder::{CorpusBuilder, Place, from_words};
pub use self::files::read;
pub use self::inputs::{check_bases, read_all, read_part};
pub use self::layout::MAGIC;
pub(crate) use self::layout::is_packed;
pub use self::packed::save;
pub use self::sample::Stride;
