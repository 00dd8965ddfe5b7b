//! k-mers: vocabularies that need no training, for comparison with those that are trained.
//!
//! # Definitions
//!
//! A *k-mer* is a string of k bases. There are two ways to cut a sequence into them and two ways to name them:
//!
//! - *overlapping*: one token at each position, the k symbols from there on; n symbols make n - k + 1 tokens, fewer than
//!   k make none. A k-mer that holds a symbol outside the vocabulary is one unknown token, at each of its positions.
//! - *non-overlapping*: each maximal run of bases is cut into k-mers from its left end, and the fewer than k bases
//!   that remain become tokens of one base. Any other symbol is a token of its own: `N`, or the unknown token.
//! - *plain*: a k-mer is named as it is read. 4^k names.
//! - *canonical*: a k-mer and its reverse complement have one name, the smaller of the two in the order of the
//!   alphabet, as in k-mer counting; so a sequence and its other strand have the same tokens. (4^k + p) / 2 names, where
//!   p = 4^(k/2) for even k is the number of k-mers that are their own reverse complements (for odd k there are none).
//!   The left-over bases of non-overlapping k-mers are canonical too: A or C.
//!
//! Single bases are k = 1.
//!
//! # Order of the vocabulary
//!
//! Plain k-mers stand in the order of A, T, C, G, the last base changing fastest: the order of both published
//! models. Non-overlapping ones are followed by the single bases A, T, C, G (not if k = 1, where they are the k-mers)
//! and N. No order of canonical k-mers is published; ours is the one that can be computed, see `canonical`.
//! Special tokens stand before them, and some may stand behind.
//!
//! # The published tokenizers
//!
//! *DNABERT* (`tokenization_dna.py` and `motif_utils.seq2kmer` of jerryji1993/DNABERT) is overlapping and plain, k = 3
//! to 6. Its `vocab.txt` is `[PAD] [UNK] [CLS] [SEP] [MASK]`, then AAA, AAT, AAC, AAG, ATA and so on. The sequence is
//! cut into k-mers before the tokenizer sees it, and the tokenizer looks up each: one that holds N, another symbol, or a
//! lower-case base (`do_lower_case` is off) is `[UNK]`, one for each position. A sequence shorter than k has no k-mers.
//! This module does all that. (The script that prepared its pre-training text, `get_kmer_sentence`, loses the last
//! k-mer of each line; that is a slip, and `seq2kmer` does not have it.)
//!
//! *Nucleotide Transformer* (`tokenizers.py` of instadeepai/nucleotide-transformer) is non-overlapping and plain, k =
//! 6. Its vocabulary is `<unk> <pad> <mask> <cls>`, the 6-mers, A T C G N, `<eos> <bos>`: 4,107 tokens, of which the first
//! models have only the first 4,105. The sequence is split at N, each part cut into 6-mers from its left end, what
//! remains goes base by base, and each N is the token N. This module does all that. On any other symbol, and on lower
//! case, that code raises an error; the port to `transformers` (`EsmTokenizer`) makes one `<unk>` of each stretch of such
//! symbols and drops white space. Here each such symbol is one unknown token, as with every other tokenizer of this
//! crate, or an error if the caller wants one.
//!
//! # Speed
//!
//! See `encode` and `windows`. There are no tables of strings: a name is computed from its bases and the bases from a
//! name, so that the 16,777,216 12-mers cost nothing until somebody lists them.

mod canonical;
mod decode;
mod encode;
mod kinds;
mod local;
mod runs;
mod width;
mod windows;

pub use decode::KmerMeaning;
pub use encode::{KmerOptions, UnknownCounts, symbols_of};
pub use kinds::{Kmer, MAX_K};
pub use local::BaseRuns;
pub use width::{IdWidth, KmerToken};

#[cfg(test)]
mod tests;
