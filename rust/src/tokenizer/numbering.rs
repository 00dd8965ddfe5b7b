//! Which id each token has, and back.
//!
//! A model numbers its tokens from 0; a vocabulary has other tokens besides, and numbers all of them. Files may use any order,
//! so both directions are lists, 4 bytes per token one way and 16 the other. Two orders are worth knowing: where the model's
//! ids rise by one (`shift`), a token becomes an id by one addition, as in every vocabulary that genotok trains; and k-mers,
//! of which there may be 16 million, are always one block, so that nothing is listed.

use crate::bpe::Token;

/// The number of a token in the vocabulary, as models and files know it, from 0.
pub type Id = u32;

/// What an id stands for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Meaning {
    /// An added token, by its place among them.
    Added(usize),
    /// A token of the model.
    Token(Token),
    /// A token of the file that words never become and no text contains, by its place among such.
    Other(usize),
}

/// The ids of the tokens of a model and of those around it; dense, from 0, and unique.
#[derive(Debug)]
pub(super) enum Numbering {
    /// In any order, as a list.
    Listed {
        /// The id of each token of the model.
        ids: Vec<Id>,
        /// The first of them, if the others follow it in order.
        shift: Option<Id>,
        /// What each id stands for.
        meanings: Vec<Meaning>,
    },
    /// The tokens of the model in one block, the others before and behind it: no list, however many there are.
    Block {
        /// The id of the first token of the model.
        first: Id,
        /// How many tokens the model has.
        num_tokens: u32,
        /// How many there are besides.
        num_added: usize,
    },
}

impl Numbering {
    /// By lists, of which each is the inverse of the other for the tokens of the model.
    pub(super) fn listed_as(ids: Vec<Id>, meanings: Vec<Meaning>) -> Self {
        let in_order = |&first: &Id| ids.iter().zip(first..).all(|(&id, place)| id == place);
        let shift = ids.first().copied().filter(in_order);
        Self::Listed { ids, shift, meanings }
    }

    /// How many ids there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Listed { meanings, .. } => meanings.len(),
            Self::Block { num_tokens, num_added, .. } => *num_tokens as usize + num_added,
        }
    }

    /// The id of a token of the model, which must be one.
    pub(super) fn id_of(&self, token: Token) -> Id {
        match self {
            Self::Listed { ids, .. } => ids[token as usize],
            Self::Block { first, .. } => first + token,
        }
    }

    /// What an id stands for, if it is one.
    pub(super) fn meaning(&self, id: Id) -> Option<Meaning> {
        match self {
            Self::Listed { meanings, .. } => meanings.get(id as usize).copied(),
            _ if id as usize >= self.len() => None,
            Self::Block { first, num_tokens, .. } => Some(match id.checked_sub(*first) {
                Some(token) if token < *num_tokens => Meaning::Token(token),
                None => Meaning::Added(id as usize),
                Some(_) => Meaning::Added((id - num_tokens) as usize),
            }),
        }
    }

    /// The ids of the tokens of the model, where they are listed.
    pub(super) fn listed(&self) -> &[Id] {
        match self {
            Self::Listed { ids, .. } => ids,
            Self::Block { .. } => &[],
        }
    }

    /// The id of the first token of the model, if those of the others follow it in order.
    pub(super) fn shift(&self) -> Option<Id> {
        match self {
            Self::Listed { shift, .. } => *shift,
            Self::Block { first, .. } => Some(*first),
        }
    }
}
