//! Tokens, pairs, and the table of merges, in the order in which they were made.

use crate::alphabet::LETTERS;
use crate::error::{Error, Result, show_byte};

/// A token: the first are the letters of the alphabet (0 to 3 the bases A, C, G, T); then, by rank, the products of
/// the merges.
pub type Token = u32;

/// Two adjacent tokens, left and right.
pub type Pair = (Token, Token);

/// How many tokens there are before the first merge, over the alphabet of DNA.
pub const NUM_BASES: u32 = 4;

/// Letters that an alphabet may have.
pub const MAX_SYMBOLS: usize = 32;

/// The letters, and the merges in the order in which they were made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergeTable {
    /// The letter of each of the first tokens.
    alphabet: Vec<u8>,
    merges: Vec<Pair>,
    /// Letters of each token, the single ones first.
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
        Self { alphabet: LETTERS.to_vec(), merges: Vec::new(), lengths: vec![1; NUM_BASES as usize] }
    }

    /// A table without merges over other letters: 1 to 32 different ones of ASCII.
    pub fn over(alphabet: &[u8]) -> Result<Self> {
        if alphabet.is_empty() || alphabet.len() > MAX_SYMBOLS {
            let found = alphabet.len();
            return Err(Error::vocabulary(format!(
                "it has {found} letters; 1 to {MAX_SYMBOLS} are supported"
            )));
        }
        for (place, &letter) in alphabet.iter().enumerate() {
            if !letter.is_ascii() {
                return Err(Error::vocabulary(format!("{} cannot be a letter", show_byte(letter))));
            }
            if alphabet[..place].contains(&letter) {
                return Err(Error::vocabulary(format!("the letter {} is given twice", show_byte(letter))));
            }
        }
        Ok(Self { alphabet: alphabet.to_vec(), merges: Vec::new(), lengths: vec![1; alphabet.len()] })
    }

    /// The letters of the first tokens.
    pub fn alphabet(&self) -> &[u8] {
        &self.alphabet
    }

    /// How many letters there are: the first product is the token of this number.
    #[allow(clippy::cast_possible_truncation)] // at most MAX_SYMBOLS
    pub fn num_symbols(&self) -> u32 {
        self.alphabet.len() as u32
    }

    /// Appends a merge and returns its product.
    ///
    /// Fails if a part does not exist yet, or if the product would be longer than 2^31 bases.
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

    /// The letters and one token for each merge.
    #[allow(clippy::cast_possible_truncation)] // `push` could not have counted past 2^32 tokens: lengths is indexed by u32
    pub fn num_tokens(&self) -> u32 {
        self.lengths.len() as u32
    }

    /// Bases in `token`.
    pub fn length(&self, token: Token) -> u32 {
        self.lengths[token as usize]
    }

    /// Bases in the product of `pair`, or would be.
    pub fn length_joined(&self, (left, right): Pair) -> u32 {
        self.length(left).saturating_add(self.length(right))
    }

    /// Bases in the longest token.
    pub fn longest(&self) -> u32 {
        self.lengths.iter().copied().max().unwrap_or(1)
    }

    /// The two parts of `token`, or `None` for a letter.
    pub fn parts(&self, token: Token) -> Option<Pair> {
        token.checked_sub(self.num_symbols()).map(|rank| self.merges[rank as usize])
    }

    /// Appends the codes of the letters that `token` spells: their places in the alphabet.
    pub fn spell(&self, token: Token, codes: &mut Vec<u8>) {
        let mut pending = vec![token];
        while let Some(token) = pending.pop() {
            match self.parts(token) {
                Some((left, right)) => pending.extend([right, left]),
                None => codes.extend(u8::try_from(token)),
            }
        }
    }

    /// The letters that `token` spells.
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
