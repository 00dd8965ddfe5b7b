//! The rule by which a word becomes tokens, apart from ids and special tokens.

use std::sync::OnceLock;

use crate::bpe::heap::HeapEncoder;
use crate::bpe::marked::AnyMarked;
use crate::bpe::{MergeTable, Pair, Token};

/// How words become tokens, which are numbered from 0 on.
#[derive(Debug)]
pub(crate) enum Scheme {
    /// Byte-pair merges.
    Bpe(Bpe),
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
    /// The rule itself, for tables without one.
    Heap(HeapEncoder),
}

impl Bpe {
    /// The encoder, built when first asked for.
    pub(crate) fn encoder(&self) -> &Encoder {
        self.encoder.get_or_init(|| match AnyMarked::build(&self.table) {
            Some(marked) => Encoder::Automaton(marked),
            None => Encoder::Heap(HeapEncoder::new(&self.table)),
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
        }
    }

    /// The merges, of a scheme that has some.
    #[allow(clippy::unnecessary_wraps)] // merges are one scheme, not the only one there can be
    pub(crate) fn table(&self) -> Option<&MergeTable> {
        match self {
            Self::Bpe(bpe) => Some(&bpe.table),
        }
    }

    /// How many tokens there are.
    pub(crate) fn num_tokens(&self) -> u32 {
        match self {
            Self::Bpe(bpe) => bpe.table.num_tokens(),
        }
    }

    /// The merges by rank; none in a scheme without.
    pub(crate) fn merges(&self) -> &[Pair] {
        self.table().map_or(&[], MergeTable::merges)
    }

    /// The letters of a token.
    pub(crate) fn spell(&self, token: Token) -> String {
        match self {
            Self::Bpe(bpe) => bpe.table.letters(token),
        }
    }

    /// How many letters each token has.
    pub(crate) fn lengths(&self) -> Vec<u32> {
        match self {
            Self::Bpe(bpe) => (0..bpe.table.num_tokens()).map(|token| bpe.table.length(token)).collect(),
        }
    }

    /// Whether encoding has nothing to build first.
    pub(crate) fn is_ready(&self) -> bool {
        match self {
            Self::Bpe(bpe) => bpe.encoder.get().is_some(),
        }
    }

    /// States and bytes of the encoding automaton, of a scheme that has one; builds it.
    pub(crate) fn automaton_size(&self) -> Option<(usize, usize)> {
        match self {
            Self::Bpe(bpe) => match bpe.encoder() {
                Encoder::Automaton(marked) => Some(marked.size()),
                Encoder::Heap(..) => None,
            },
        }
    }

    /// The tokens of a word before the first merge; then each merge by its rank, with the tokens after it.
    pub(crate) fn explain(&self, codes: &[u8]) -> (Vec<Token>, Vec<(usize, Vec<Token>)>) {
        match self {
            Self::Bpe(bpe) => {
                let rank = |product| (product - bpe.table.num_letters()) as usize;
                let made = HeapEncoder::new(&bpe.table).explain(codes).into_iter();
                let steps = made.map(|(product, after)| (rank(product), after)).collect();
                (codes.iter().map(|&code| Token::from(code)).collect(), steps)
            }
        }
    }

    /// The scheme with the first `num_merges` merges only.
    pub(crate) fn truncated(&self, num_merges: usize) -> Self {
        match self {
            Self::Bpe(bpe) => bpe.table.truncated(num_merges).into(),
        }
    }
}
