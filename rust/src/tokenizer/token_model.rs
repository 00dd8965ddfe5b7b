//! How a word becomes tokens, apart from ids and special tokens.
//!
//! A word is given as the codes of its symbols, their places in the alphabet; tokens are numbered from 0, the single
//! symbols first where there are merges. What is asked of a model is asked of each of its four kinds here, so that nothing
//! else needs to know which it is.

use std::sync::OnceLock;

use crate::bpe::encode::heap::HeapEncoder;
use crate::bpe::encode::marked::AnyMarked;
use crate::bpe::encode::rules::MergeRules;
use crate::bpe::{MergeTable, Pair, Token};
use crate::kmer::{Kmer, KmerOptions};

/// How words become tokens.
#[derive(Debug)]
pub(crate) enum TokenModel {
    /// Byte-pair merges.
    Bpe(BpeModel),
    /// Byte-pair merges in an order that no training makes; there is no automaton for them.
    Rules(MergeRules),
    /// k-mers.
    Kmer(Kmer),
    /// Words that are looked up whole, by whoever reads the text.
    Words(Lexicon),
}

/// Words, and the symbols that they are spelled with.
#[derive(Debug)]
pub(crate) struct Lexicon {
    alphabet: Vec<u8>,
    tokens: Vec<Box<str>>,
}

impl Lexicon {
    /// These words.
    pub(crate) fn new(alphabet: Vec<u8>, tokens: &[&str]) -> Self {
        Self { alphabet, tokens: tokens.iter().map(|&token| token.into()).collect() }
    }
}

/// Merges, and the encoder that is made of them when first asked for: reading a file is quick, building takes up to seconds.
#[derive(Debug)]
pub(crate) struct BpeModel {
    table: MergeTable,
    encoder: OnceLock<BpeEncoder>,
}

/// What encodes by merges.
#[derive(Debug)]
pub(crate) enum BpeEncoder {
    /// The automaton.
    Automaton(AnyMarked),
    /// The rule itself, for tables without one; and why they have none.
    Heap(HeapEncoder, String),
}

impl BpeModel {
    /// The encoder, built when first asked for; threads that ask meanwhile wait. Whatever keeps the automaton from being built,
    /// the heap gives the same tokens, and the reason is kept for users to see.
    pub(crate) fn encoder(&self) -> &BpeEncoder {
        self.encoder.get_or_init(|| match AnyMarked::build(&self.table) {
            Ok(marked) => BpeEncoder::Automaton(marked),
            Err(reason) => BpeEncoder::Heap(HeapEncoder::new(&self.table), reason.to_string()),
        })
    }
}

impl From<MergeTable> for TokenModel {
    fn from(table: MergeTable) -> Self {
        Self::Bpe(BpeModel { table, encoder: OnceLock::new() })
    }
}

impl TokenModel {
    /// The symbols, in the order of their codes; at most 32.
    pub(crate) fn alphabet(&self) -> &[u8] {
        match self {
            Self::Bpe(bpe) => bpe.table.alphabet(),
            Self::Rules(rules) => rules.alphabet(),
            Self::Kmer(kmer) => kmer.alphabet(),
            Self::Words(words) => &words.alphabet,
        }
    }

    /// The merges, of a model that has some as training makes them.
    pub(crate) fn table(&self) -> Option<&MergeTable> {
        match self {
            Self::Bpe(bpe) => Some(&bpe.table),
            Self::Rules(_) | Self::Kmer(_) | Self::Words(_) => None,
        }
    }

    /// The k-mers, of a model of k-mers.
    pub(crate) fn kmer(&self) -> Option<&Kmer> {
        match self {
            Self::Bpe(_) | Self::Rules(_) | Self::Words(_) => None,
            Self::Kmer(kmer) => Some(kmer),
        }
    }

    /// How many tokens there are.
    pub(crate) fn num_tokens(&self) -> u32 {
        match self {
            Self::Bpe(bpe) => bpe.table.num_tokens(),
            Self::Rules(rules) => count(rules.tokens().len()),
            Self::Kmer(kmer) => kmer.num_tokens(),
            Self::Words(words) => count(words.tokens.len()),
        }
    }

    /// The merges by rank; none in a model without.
    pub(crate) fn merges(&self) -> &[Pair] {
        match self {
            Self::Bpe(bpe) => bpe.table.merges(),
            Self::Rules(rules) => rules.merges(),
            Self::Kmer(_) | Self::Words(_) => &[],
        }
    }

    /// The string of a token.
    pub(crate) fn spell(&self, token: Token) -> String {
        match self {
            Self::Bpe(bpe) => bpe.table.spelling(token),
            Self::Rules(rules) => rules.tokens()[token as usize].to_string(),
            Self::Kmer(kmer) => kmer.string(token),
            Self::Words(words) => words.tokens[token as usize].to_string(),
        }
    }

    /// Appends the codes of the symbols of a token; nothing of a word that is looked up.
    #[allow(clippy::cast_possible_truncation)] // at most 32 symbols
    pub(crate) fn spell_codes(&self, token: Token, codes: &mut Vec<u8>) {
        match self {
            Self::Bpe(bpe) => bpe.table.spell(token, codes),
            Self::Words(_) => {}
            Self::Rules(_) | Self::Kmer(_) => {
                let alphabet = self.alphabet();
                let code = |symbol: u8| alphabet.iter().position(|&known| known == symbol);
                codes.extend(self.spell(token).bytes().filter_map(code).map(|code| code as u8));
            }
        }
    }

    /// How many symbols each token has, in order of tokens.
    pub(crate) fn lengths(&self) -> Vec<u32> {
        (0..self.num_tokens()).map(|token| self.length(token)).collect()
    }

    /// How many symbols a token has.
    pub(crate) fn length(&self, token: Token) -> u32 {
        match self {
            Self::Bpe(bpe) => bpe.table.length(token),
            Self::Rules(rules) => count(rules.tokens()[token as usize].len()),
            Self::Kmer(kmer) => kmer.length(token),
            Self::Words(words) => count(words.tokens[token as usize].len()),
        }
    }

    /// The encoding automaton, of a model that has one; builds it when first called.
    pub(crate) fn automaton(&self) -> Option<&AnyMarked> {
        match self {
            Self::Bpe(bpe) => match bpe.encoder() {
                BpeEncoder::Automaton(marked) => Some(marked),
                BpeEncoder::Heap(..) => None,
            },
            Self::Rules(_) | Self::Kmer(_) | Self::Words(_) => None,
        }
    }

    /// Why there is no automaton, of a model that is slower for it; builds it when first called.
    pub(crate) fn why_no_automaton(&self) -> Option<&str> {
        match self {
            Self::Bpe(bpe) => match bpe.encoder() {
                BpeEncoder::Automaton(_) => None,
                BpeEncoder::Heap(_, reason) => Some(reason),
            },
            Self::Rules(_) => Some("its merges are in an order that no training makes"),
            Self::Words(_) => Some("its words are looked up one by one"),
            Self::Kmer(_) => None, // they are computed, which is faster still
        }
    }

    /// The tokens of a word, given as codes. Linear with an automaton; `O(n log n)` on the heap.
    pub(crate) fn encode(&self, codes: &[u8]) -> Vec<Token> {
        match self {
            Self::Bpe(bpe) => match bpe.encoder() {
                BpeEncoder::Automaton(marked) => marked.encode(codes),
                BpeEncoder::Heap(heap, _) => heap.encode(codes),
            },
            Self::Rules(rules) => rules.heap().encode(codes),
            Self::Kmer(kmer) => {
                let symbols: Vec<u8> = codes.iter().map(|&code| kmer.alphabet()[usize::from(code)]).collect();
                let mut tokens = Vec::new();
                let options = KmerOptions { upper_case: false, first: 0, unknown: None };
                kmer.encode_into(&symbols, &options, &mut tokens);
                tokens
            }
            Self::Words(_) => Vec::new(), // the reader of the text leaves none to this
        }
    }

    /// Whether encoding has nothing to build first.
    pub(crate) fn is_ready(&self) -> bool {
        match self {
            Self::Bpe(bpe) => bpe.encoder.get().is_some(),
            Self::Rules(_) | Self::Kmer(_) | Self::Words(_) => true,
        }
    }

    /// The tokens of a word before the first merge; then each merge by its rank, with the tokens after it. Quadratic.
    pub(crate) fn explain(&self, codes: &[u8]) -> (Vec<Token>, Vec<(usize, Vec<Token>)>) {
        let steps = match self {
            Self::Bpe(bpe) => HeapEncoder::new(&bpe.table).explain(codes),
            Self::Rules(rules) => rules.heap().explain(codes),
            Self::Kmer(_) | Self::Words(_) => return (self.encode(codes), Vec::new()),
        };
        (codes.iter().map(|&code| Token::from(code)).collect(), steps)
    }

    /// The model with the first `num_merges` merges only, if that is what training would have made; without its automaton.
    pub(crate) fn truncated(&self, num_merges: usize) -> Option<Self> {
        match self {
            Self::Bpe(bpe) => Some(bpe.table.truncated(num_merges).into()),
            Self::Rules(_) | Self::Kmer(_) | Self::Words(_) => None,
        }
    }
}

/// Tokens and symbols are fewer than 2^32: a file has 64 MiB.
#[allow(clippy::cast_possible_truncation)]
fn count(number: usize) -> u32 {
    number as u32
}
