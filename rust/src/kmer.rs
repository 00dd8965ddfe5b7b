//! k-mers: vocabularies that are not trained, for comparison with those that are.
//!
//! # Definitions
//!
//! A *k-mer* is a string of k bases. There are two ways to cut a sequence into them and two ways to name them:
//!
//! - *overlapping*: one token at each position, k letters from there on; n letters make n - k + 1 tokens, fewer than k
//!   make none. A k-mer that holds a letter outside the vocabulary is one unknown token, at each of its positions.
//! - *non-overlapping*: each maximal run of bases is cut into k-mers from its left end, and the fewer than k bases
//!   that remain become tokens of one letter. Any other letter is a token of its own: `N`, or the unknown token.
//! - *plain*: a k-mer is named as it is read. 4^k names.
//! - *canonical*: a k-mer and its reverse complement have one name, the smaller of the two in the order of the
//!   alphabet, as in k-mer counting; so a sequence and its other strand have the same tokens. (4^k + p) / 2 names, where
//!   p = 4^(k/2) for even k is the number of k-mers that are their own reverse complements (for odd k there are none).
//!   The left-over letters of non-overlapping k-mers are canonical too: A or C.
//!
//! Single bases are k = 1.
//!
//! # Order of the vocabulary
//!
//! Plain k-mers stand in the order of A, T, C, G, the last letter changing fastest: the order of both published
//! models. Non-overlapping ones are followed by the letters A, T, C, G (not if k = 1, where they are the k-mers)
//! and N. No order of canonical k-mers is published; ours is the one that can be computed, see `canonical`.
//! Special tokens stand before them, and some may stand behind.
//!
//! # The published tokenizers
//!
//! *DNABERT* (`tokenization_dna.py` and `motif_utils.seq2kmer` of jerryji1993/DNABERT) is overlapping and plain, k = 3
//! to 6. Its `vocab.txt` is `[PAD] [UNK] [CLS] [SEP] [MASK]`, then AAA, AAT, AAC, AAG, ATA and so on. The sequence is
//! cut into k-mers before the tokenizer sees it, and the tokenizer looks up each: one that holds N, another letter, or a
//! lower-case letter (`do_lower_case` is off) is `[UNK]`, one for each position. A sequence shorter than k has no k-mers. All
//! that is done here. (The script that prepared its pre-training text, `get_kmer_sentence`, loses the last k-mer of
//! each line; that is a slip, and `seq2kmer` does not have it.)
//!
//! *Nucleotide Transformer* (`tokenizers.py` of instadeepai/nucleotide-transformer) is non-overlapping and plain, k =
//! 6. Its vocabulary is `<unk> <pad> <mask> <cls>`, the 6-mers, A T C G N, `<eos> <bos>`: 4,107 tokens, of which the first
//! models have only the first 4,105. The sequence is split at N, each part cut into 6-mers from its left end, what
//! remains goes letter by letter, and each N is the token N. All that is done here. On any other letter, and on lower
//! case, that code raises an error; the port to `transformers` (`EsmTokenizer`) makes one `<unk>` of each stretch of such
//! letters and drops white space. Here each such letter is one unknown token, as with every other tokenizer of this
//! crate, or an error if the caller wants one.
//!
//! # Speed
//!
//! See `encode`. Tables of strings do not occur: a name is computed from its letters and the letters from a name, so
//! that the 16,777,216 12-mers cost nothing until somebody lists them.

mod canonical;
mod decode;
mod encode;
mod runs;
mod width;
mod windows;

use crate::error::{Error, Result};

pub use decode::Symbol;
pub use encode::{Counts, Reading, letters_of};
pub use width::Width;

/// The number of a token among k-mers and letters, before special tokens are counted.
pub type Token = u32;

/// The largest k: 4^12 names still fit into any model's table of them.
pub const MAX_K: usize = 12;

/// The bases in the order of the vocabulary.
const BASES: [u8; 4] = *b"ATCG";

/// A way to cut and to name k-mers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kmer {
    k: usize,
    overlap: bool,
    canonical: bool,
}

impl Kmer {
    /// k-mers of `k` bases, 1 to 12.
    pub fn new(k: usize, overlap: bool, canonical: bool) -> Result<Self> {
        if (1..=MAX_K).contains(&k) {
            return Ok(Self { k, overlap, canonical });
        }
        Err(Error::argument("k", &k, format!("k-mers have 1 to {MAX_K} bases")))
    }

    /// Bases in a k-mer.
    pub fn k(&self) -> usize {
        self.k
    }

    /// Whether there is a k-mer at each position.
    pub fn is_overlapping(&self) -> bool {
        self.overlap
    }

    /// Whether a k-mer and its reverse complement are one token.
    pub fn is_canonical(&self) -> bool {
        self.canonical
    }

    /// How many k-mers there are; they are the first tokens.
    pub fn num_kmers(&self) -> u32 {
        let all = 1 << (2 * self.k);
        match (self.canonical, self.k % 2) {
            (false, _) => all,
            (true, 1) => all / 2,
            (true, _) => u32::midpoint(all, 1 << self.k),
        }
    }

    /// How many tokens there are: k-mers and, if they do not overlap, letters.
    pub fn num_tokens(&self) -> u32 {
        self.num_kmers() + self.num_letters() + u32::from(!self.overlap)
    }

    /// Tokens of one base that are not the k-mers themselves.
    fn num_letters(&self) -> u32 {
        match (self.overlap || self.k == 1, self.canonical) {
            (true, _) => 0,
            (_, true) => 2,
            (_, false) => 4,
        }
    }

    /// The token N, if there is one: the last.
    pub fn any_base(&self) -> Option<Token> {
        (!self.overlap).then(|| self.num_tokens() - 1)
    }

    /// The string of a token, which must be below [`Self::num_tokens`].
    pub fn letters(&self, token: Token) -> String {
        let mut letters = Vec::new();
        self.spell(token, &mut letters);
        letters.iter().map(|&letter| char::from(letter)).collect()
    }

    /// How many letters a token has.
    pub fn length(&self, token: Token) -> u32 {
        if token < self.num_kmers() { u32::try_from(self.k).unwrap_or(1) } else { 1 }
    }

    /// Appends the string of a token.
    fn spell(&self, token: Token, letters: &mut Vec<u8>) {
        let letter = |number: u32, name: &[u8]| name[number as usize % name.len()];
        match token.checked_sub(self.num_kmers()) {
            None if self.canonical => canonical::spell(self.k, token, letters),
            None => letters.extend((0..self.k).rev().map(|place| letter((token >> (2 * place)) & 3, &BASES))),
            Some(number) if number >= self.num_letters() => letters.push(b'N'),
            Some(number) if self.canonical => letters.push(letter(number, b"AC")),
            Some(number) => letters.push(letter(number, &BASES)),
        }
    }

    /// The token of a string, if it is one.
    pub fn token(&self, letters: &[u8]) -> Option<Token> {
        let is_own = |token: &Token| {
            let mut spelled = Vec::new();
            self.spell(*token, &mut spelled);
            spelled == letters
        };
        let token = match letters {
            _ if letters.len() == self.k && letters.iter().all(|letter| BASES.contains(letter)) => {
                let mut out = [0_u32];
                windows::Namer::new(self).every(letters, 0, &mut out);
                Some(out[0])
            }
            [_] => (self.num_kmers()..self.num_tokens()).find(is_own),
            _ => None,
        };
        token.filter(is_own)
    }

    /// The letters of the vocabulary: the bases, and N if k-mers do not overlap.
    pub fn alphabet(&self) -> &'static [u8] {
        if self.overlap { &BASES } else { b"ATCGN" }
    }

    /// Whether a letter is in the vocabulary.
    pub fn is_letter(&self, letter: u8) -> bool {
        self.alphabet().contains(&letter)
    }
}

#[cfg(test)]
mod tests;
