//! The text that training runs over: words, packed at 2 bits per base.
//!
//! A *word* is a maximal run of A, C, G, T, in either case, inside one record. Every other symbol ends a word and is
//! counted by kind.
//!
//! # The arena
//!
//! The bases of all words lie in one array of bytes, the *arena*: four bases per byte, the first in the lowest two bits.
//! Every word starts on a byte, so that words can be copied, hashed and sampled as bytes; the unused bits of its last
//! byte are zero. Positions count bases from the start of the arena, four per byte, gaps included. Of each word only the
//! end is stored; it starts at the end of the word before, rounded up to a multiple of four:
//!
//! ```text
//! words   ACGTA, GG      ends      5, 10
//! bytes   [T G C A] [- - - A] [- - G G]       (bits from high to low)
//! bases    0 .. 3    4 .. 7    8 .. 11
//! ```
//!
//! Memory: a quarter of a byte per base and eight bytes per word, the same in memory and in a packed file.
//!
//! # Fingerprint
//!
//! The sum modulo 2^128 of the first 16 bytes of BLAKE3 over each word (its length in eight bytes, then its bytes in
//! the arena): equal for the same words in any order, in any number of files, however wrapped, compressed or masked. A
//! sum, because it is the one combination that does not depend on the order; modulo, because it can be taken back
//! (`Contents::since`). It detects accidents; against an adversary it is no proof.
//!
//! | module | what it knows |
//! |---|---|
//! | `layout` | where things lie in a packed file |
//! | `arena` | what a corpus is, in memory or mapped |
//! | `builder` | from the symbols of records to words |
//! | `packed` | a corpus as a file |
//! | `sample` | stretches of corpora at equal distances |
//! | `files` | sequence files into builders, one file per thread at a time |
//! | `together` | small inputs that share a corpus |
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
pub use self::builder::{CorpusBuilder, WordPlace, from_words};
pub use self::files::read;
#[cfg(feature = "fuzzing")]
pub(crate) use self::files::read_in_turns;
pub use self::inputs::{check_bases, read_all, read_part};
pub use self::layout::MAGIC;
pub(crate) use self::layout::is_packed;
pub use self::packed::save;
pub use self::sample::Stride;
