//! Tokens, pairs, and the table of merges, in the order in which they were made.
//!
//! A table is small: eight bytes per merge and four per token. It is all that training keeps
//! between rounds, and all that an encoder is built from.

use crate::alphabet::BASES;
use crate::error::{Error, Result, show_byte};

/// A token: the first are the symbols of the alphabet (0 to 3 the bases A, C, G, T); then, by rank,
/// the products of the merges. So a token's number says its age: parts are smaller than their
/// product.
pub type Token = u32;

/// Two adjacent tokens, left and right.
pub type Pair = (Token, Token);

/// How many tokens there are before the first merge, over the alphabet of DNA.
pub const NUM_BASES: u32 = 4;

/// Symbols that an alphabet may have: enough for the IUPAC codes of nucleotides, and for residues
/// of proteins.
pub const MAX_SYMBOLS: usize = 32;

/// The alphabet, and the merges in the order in which they were made.
///
/// Invariants: both parts of a merge are older than its product, and no token has 2^31 symbols or
/// more. That no two tokens spell the same string is not checked here; building an automaton does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergeTable {
    /// The symbol of each of the first tokens.
    alphabet: Vec<u8>,
    /// The parts of each product, by rank.
    merges: Vec<Pair>,
    /// Symbols in each token, by token.
    lengths: Vec<u32>,
}

impl Default for MergeTable {
    fn default() -> Self {
        Self::new()
    }
}

impl MergeTable {
    /// A table of A, C, G, T without merges: every base is its own token.
    pub fn new() -> Self {
        Self { alphabet: BASES.to_vec(), merges: Vec::new(), lengths: vec![1; NUM_BASES as usize] }
    }

    /// A table without merges over another alphabet: 1 to 32 different symbols of ASCII, of which
    /// the first gets code 0.
    pub fn over(alphabet: &[u8]) -> Result<Self> {
        if alphabet.is_empty() || alphabet.len() > MAX_SYMBOLS {
            let found = alphabet.len();
            return Err(Error::vocabulary(format!(
                "it has {found} symbols; 1 to {MAX_SYMBOLS} are supported"
            )));
        }
        for (place, &symbol) in alphabet.iter().enumerate() {
            if !symbol.is_ascii() {
                return Err(Error::vocabulary(format!("{} is not an ASCII symbol", show_byte(symbol))));
            }
            if alphabet[..place].contains(&symbol) {
                return Err(Error::vocabulary(format!("the symbol {} is given twice", show_byte(symbol))));
            }
        }
        Ok(Self { alphabet: alphabet.to_vec(), merges: Vec::new(), lengths: vec![1; alphabet.len()] })
    }

    /// The symbols of the first tokens.
    pub fn alphabet(&self) -> &[u8] {
        &self.alphabet
    }

    /// How many symbols there are: the first product is the token of this number.
    #[allow(clippy::cast_possible_truncation)] // at most MAX_SYMBOLS
    pub fn num_symbols(&self) -> u32 {
        self.alphabet.len() as u32
    }

    /// Appends a merge and returns its product.
    ///
    /// Fails if a part does not exist yet, or if the product would have 2^31 symbols or more.
    pub fn push(&mut self, (left, right): Pair) -> Result<Token> {
        let product = self.num_tokens();
        if left >= product || right >= product {
            return Err(Error::vocabulary(format!(
                "merge {} joins a token that is made later; parts must come before their product",
                self.merges.len()
            )));
        }
        let length = u64::from(self.length(left)) + u64::from(self.length(right));
        let length = u32::try_from(length).ok().filter(|&length| length < 1 << 31).ok_or_else(|| {
            Error::vocabulary(format!("merge {} makes a token of {length} bases", self.merges.len()))
        })?;
        self.merges.push((left, right));
        self.lengths.push(length);
        Ok(product)
    }

    /// A table of the given merges of bases.
    pub fn from_merges(merges: impl IntoIterator<Item = Pair>) -> Result<Self> {
        let mut table = Self::new();
        for pair in merges {
            table.push(pair)?;
        }
        Ok(table)
    }

    /// The pairs, by rank.
    pub fn merges(&self) -> &[Pair] {
        &self.merges
    }

    /// How many tokens there are: the symbols and one for each merge.
    #[allow(clippy::cast_possible_truncation)] // `push` could not have counted past 2^32 tokens: lengths is indexed by u32
    pub fn num_tokens(&self) -> u32 {
        self.lengths.len() as u32
    }

    /// Symbols in `token`.
    pub fn length(&self, token: Token) -> u32 {
        self.lengths[token as usize]
    }

    /// Symbols in the product of `pair`, whether it is in the table or not.
    pub fn length_joined(&self, (left, right): Pair) -> u32 {
        self.length(left).saturating_add(self.length(right))
    }

    /// Symbols in the longest token. Time: the number of tokens.
    pub fn longest(&self) -> u32 {
        self.lengths.iter().copied().max().unwrap_or(1)
    }

    /// The two parts of `token`, or `None` for a symbol.
    pub fn parts(&self, token: Token) -> Option<Pair> {
        token.checked_sub(self.num_symbols()).map(|rank| self.merges[rank as usize])
    }

    /// Appends the codes of the symbols that `token` spells: their places in the alphabet. Without
    /// recursion: a token may be as deep as there are merges.
    pub fn spell(&self, token: Token, codes: &mut Vec<u8>) {
        let mut pending = vec![token];
        while let Some(token) = pending.pop() {
            match self.parts(token) {
                Some((left, right)) => pending.extend([right, left]),
                None => codes.extend(u8::try_from(token)),
            }
        }
    }

    /// The string that `token` spells.
    pub fn spelling(&self, token: Token) -> String {
        let mut codes = Vec::with_capacity(self.length(token) as usize);
        self.spell(token, &mut codes);
        codes.iter().map(|&code| char::from(self.alphabet[code as usize])).collect()
    }

    /// The first `num_merges` merges: what training a smaller vocabulary would have given.
    #[must_use]
    pub fn truncated(&self, num_merges: usize) -> Self {
        let num_merges = num_merges.min(self.merges.len());
        Self {
            alphabet: self.alphabet.clone(),
            merges: self.merges[..num_merges].to_vec(),
            lengths: self.lengths[..num_merges + self.alphabet.len()].to_vec(),
        }
    }
}
