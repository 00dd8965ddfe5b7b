//! The rule by which a word becomes tokens, apart from ids and special tokens.

use std::sync::OnceLock;

use crate::bpe::encode::heap::HeapEncoder;
use crate::bpe::encode::marked::AnyMarked;
use crate::bpe::encode::rules::MergeRules;
use crate::bpe::{MergeTable, Pair, Token};
use crate::kmer::{Kmer, KmerOptions};

/// How words become tokens, which are numbered from 0 on.
#[derive(Debug)]
pub(crate) enum Scheme {
    /// Byte-pair merges.
    Bpe(Bpe),
    /// Byte-pair merges in an order that no training makes.
    Rules(MergeRules),
    /// k-mers.
    Kmer(Kmer),
    /// Words that are looked up whole, by whoever reads the text.
    Words(Lexicon),
}

/// Words, and the letters that they are written in.
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

/// Merges, and the encoder that is made of them when first asked for.
#[derive(Debug)]
pub(crate) struct Bpe {
    table: MergeTable,
    encoder: OnceLock<Encoder>,
}

/// What encodes by merges.
#[derive(Debug)]
pub(crate) enum Encoder {
    /// The automaton.
    Automaton(AnyMarked),
    /// The rule itself, for tables without one; and why they have none.
    Heap(HeapEncoder, String),
}

impl Bpe {
    /// The encoder, built when first asked for.
    pub(crate) fn encoder(&self) -> &Encoder {
        self.encoder.get_or_init(|| match AnyMarked::build(&self.table) {
            Ok(marked) => Encoder::Automaton(marked),
            Err(reason) => Encoder::Heap(HeapEncoder::new(&self.table), reason.to_string()),
        })
    }
}

impl From<MergeTable> for Scheme {
    fn from(table: MergeTable) -> Self {
        Self::Bpe(Bpe { table, encoder: OnceLock::new() })
    }
}

impl Scheme {
    /// The letters, in the order of their codes.
    pub(crate) fn alphabet(&self) -> &[u8] {
        match self {
            Self::Bpe(bpe) => bpe.table.alphabet(),
            Self::Rules(rules) => rules.alphabet(),
            Self::Kmer(kmer) => kmer.alphabet(),
            Self::Words(words) => &words.alphabet,
        }
    }

    /// The merges, of a scheme that has some as training makes them.
    pub(crate) fn table(&self) -> Option<&MergeTable> {
        match self {
            Self::Bpe(bpe) => Some(&bpe.table),
            Self::Rules(_) | Self::Kmer(_) | Self::Words(_) => None,
        }
    }

    /// The k-mers, of a scheme of k-mers.
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

    /// The merges by rank; none in a scheme without.
    pub(crate) fn merges(&self) -> &[Pair] {
        match self {
            Self::Bpe(bpe) => bpe.table.merges(),
            Self::Rules(rules) => rules.merges(),
            Self::Kmer(_) | Self::Words(_) => &[],
        }
    }

    /// The letters of a token.
    pub(crate) fn spell(&self, token: Token) -> String {
        match self {
            Self::Bpe(bpe) => bpe.table.spelling(token),
            Self::Rules(rules) => rules.tokens()[token as usize].to_string(),
            Self::Kmer(kmer) => kmer.string(token),
            Self::Words(words) => words.tokens[token as usize].to_string(),
        }
    }

    /// How many letters each token has.
    pub(crate) fn lengths(&self) -> Vec<u32> {
        match self {
            Self::Bpe(bpe) => (0..bpe.table.num_tokens()).map(|token| bpe.table.length(token)).collect(),
            Self::Rules(rules) => rules.tokens().iter().map(|token| count(token.len())).collect(),
            Self::Kmer(kmer) => (0..kmer.num_tokens()).map(|token| kmer.length(token)).collect(),
            Self::Words(words) => words.tokens.iter().map(|token| count(token.len())).collect(),
        }
    }

    /// How many letters a token has.
    pub(crate) fn length(&self, token: Token) -> u32 {
        match self {
            Self::Bpe(bpe) => bpe.table.length(token),
            Self::Rules(rules) => count(rules.tokens()[token as usize].len()),
            Self::Kmer(kmer) => kmer.length(token),
            Self::Words(words) => count(words.tokens[token as usize].len()),
        }
    }

    /// The encoding automaton, of a scheme that has one; builds it when first called.
    pub(crate) fn automaton(&self) -> Option<&AnyMarked> {
        match self {
            Self::Bpe(bpe) => match bpe.encoder() {
                Encoder::Automaton(marked) => Some(marked),
                Encoder::Heap(..) => None,
            },
            Self::Rules(_) | Self::Kmer(_) | Self::Words(_) => None,
        }
    }

    /// Why there is no automaton, of a scheme that is slower for it; builds it when first called.
    pub(crate) fn why_no_automaton(&self) -> Option<&str> {
        match self {
            Self::Bpe(bpe) => match bpe.encoder() {
                Encoder::Automaton(_) => None,
                Encoder::Heap(_, reason) => Some(reason),
            },
            Self::Rules(_) => Some("its merges are in an order that no training makes"),
            Self::Words(_) => Some("its words are looked up one by one"),
            Self::Kmer(_) => None, // they are computed, which is faster still
        }
    }

    /// The tokens of a word, given as codes.
    pub(crate) fn encode(&self, codes: &[u8]) -> Vec<Token> {
        match self {
            Self::Bpe(bpe) => match bpe.encoder() {
                Encoder::Automaton(marked) => marked.encode(codes),
                Encoder::Heap(heap, _) => heap.encode(codes),
            },
            Self::Rules(rules) => rules.heap().encode(codes),
            Self::Kmer(kmer) => {
                let letters: Vec<u8> = codes.iter().map(|&code| kmer.alphabet()[usize::from(code)]).collect();
                let mut tokens = Vec::new();
                let options = KmerOptions { upper_case: false, first: 0, unknown: None };
                kmer.encode_into(&letters, &options, &mut tokens);
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

    /// The tokens of a word before the first merge; then each merge by its rank, with the tokens after it.
    pub(crate) fn explain(&self, codes: &[u8]) -> (Vec<Token>, Vec<(usize, Vec<Token>)>) {
        let steps = match self {
            Self::Bpe(bpe) => HeapEncoder::new(&bpe.table).explain(codes),
            Self::Rules(rules) => rules.heap().explain(codes),
            Self::Kmer(_) | Self::Words(_) => return (self.encode(codes), Vec::new()),
        };
        (codes.iter().map(|&code| Token::from(code)).collect(), steps)
    }

    /// The scheme with the first `num_merges` merges only, if that is what training would have made.
    pub(crate) fn truncated(&self, num_merges: usize) -> Option<Self> {
        match self {
            Self::Bpe(bpe) => Some(bpe.table.truncated(num_merges).into()),
            Self::Rules(_) | Self::Kmer(_) | Self::Words(_) => None,
        }
    }
}

/// Tokens and letters are fewer than 2^32: a file has 64 MiB.
#[allow(clippy::cast_possible_truncation)]
fn count(number: usize) -> u32 {
    number as u32
}
