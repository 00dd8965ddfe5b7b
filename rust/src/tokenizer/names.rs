//! Tokens by their strings, and which of them are special.

use rustc_hash::{FxHashMap, FxHashSet};

use super::special::is_special_form;
use super::{Id, Tokenizer};

impl Tokenizer {
    /// The id of a token; nothing if the vocabulary has no such string.
    ///
    /// The first call lists all strings, in time and memory of the vocabulary, unless the tokens are k-mers, whose numbers are
    /// computed; each later one is a look-up.
    pub fn id_of_string(&self, token: &str) -> Option<Id> {
        if let Some(kmer) = self.kmers() {
            let added = self.rules.added.iter().find(|added| added.content == token);
            return added
                .map(|added| added.id)
                .or_else(|| kmer.token(token.as_bytes()).map(|token| self.id_of(token)));
        }
        let listed = || self.vocab().zip(0..).collect::<FxHashMap<String, Id>>();
        self.ids_by_string.get_or_init(listed).get(token).copied()
    }

    /// The string of an id; nothing if the vocabulary has no such id.
    pub fn string_of(&self, id: Id) -> Option<String> {
        self.numbering.meaning(id).map(|meaning| self.spell(meaning))
    }

    /// The special tokens in order of id.
    ///
    /// AddedToken tokens, and of those that no text becomes, since no merge makes them, the ones of the form `[NAME]` or
    /// `<name>` and those that [`super::Roles`] name.
    pub fn special_tokens(&self) -> impl Iterator<Item = &str> {
        let added = self.rules.added.iter().map(|token| (token.id, token.content.as_str()));
        let mut tokens: Vec<(Id, &str)> = added.chain(self.special_others()).collect();
        tokens.sort_unstable();
        tokens.into_iter().map(|(_, token)| token)
    }

    /// The ids that decoding leaves out if it is to leave out special tokens: not those of added tokens that their file
    /// does not call special.
    pub(crate) fn skipped_ids(&self) -> FxHashSet<Id> {
        let is_named = |content: &str| is_special_form(content) || self.roles.name(content);
        let added = self.rules.added.iter().filter(|token| token.is_special || is_named(&token.content));
        added.map(|token| token.id).chain(self.special_others().map(|(id, _)| id)).collect()
    }

    /// Tokens of the file that words never become and that have the form or the role of special ones.
    fn special_others(&self) -> impl Iterator<Item = (Id, &str)> {
        let others = self.rules.others.iter().map(|(token, id)| (*id, token.as_str()));
        others.filter(|(_, token)| is_special_form(token) || self.roles.name(token))
    }

    /// Whether the text of ids is more than their strings in a row.
    pub(crate) fn decodes_as_a_whole(&self) -> bool {
        self.document.decodes_bytes() || self.kmers().is_some_and(crate::kmer::Kmer::is_overlapping)
    }
}
