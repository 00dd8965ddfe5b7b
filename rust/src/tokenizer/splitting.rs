//! Where a file's pre-tokenizer cuts a text, and what it takes out.
//!
//! All that is known of characters: which vanish, which stand alone, and between which kinds of them there is a cut.
//! Words are maximal runs of *merging* symbols, those that some merge joins; around any other character no merge
//! reaches, so that a cut there changes nothing. What is left to check is that no cut falls between two merging
//! symbols; then the pre-tokenizer is in the table of [`super::symbols`], and else the file is refused.

use super::pattern::{CharacterClass, Others, is_word};
use crate::error::{Error, Result, show_byte};

/// One thing that a pre-tokenizer does: where it cuts between two neighbouring characters, or what it takes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SplitRule {
    /// Characters of a class vanish, and there is a cut where they stood.
    Drop(CharacterClass),
    /// Characters of a class stand alone.
    Isolate(CharacterClass),
    /// There is a cut between a character of the class and one that is not in it.
    Border(CharacterClass),
    /// There may be a cut beside a character of the class.
    Beside(CharacterClass),
    /// There are the cuts of the regular expression of GPT-2, which depend on what stands beside a character.
    Gpt2,
    /// What follows is done to the bytes of the text, each shown as one character.
    Bytes,
}

/// All that the pre-tokenizers of a file do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Splitting {
    cuts: Vec<SplitRule>,
}

impl Splitting {
    /// Does all of these.
    pub(super) fn new(cuts: Vec<SplitRule>) -> Self {
        Self { cuts }
    }

    /// What `Whitespace` does: `\w+|[^\w\s]+`.
    pub(super) fn white_space_and_words() -> Vec<SplitRule> {
        vec![SplitRule::Drop(white_space()), SplitRule::Border(CharacterClass::of(is_word, Others::Unclear))]
    }

    /// What `WhitespaceSplit` does.
    pub(super) fn white_space() -> Vec<SplitRule> {
        vec![SplitRule::Drop(white_space())]
    }

    /// Whether a character vanishes.
    pub(super) fn drops(&self, character: char) -> bool {
        self.cuts.iter().any(|cut| matches!(cut, SplitRule::Drop(class) if class.holds(character)))
    }

    /// Whether a character stands alone.
    pub(super) fn isolates(&self, character: char) -> bool {
        self.cuts.iter().any(|cut| matches!(cut, SplitRule::Isolate(class) if class.holds(character)))
    }

    /// Whether the model sees bytes, each as a character of its own.
    pub(super) fn is_by_byte(&self) -> bool {
        self.cuts.contains(&SplitRule::Bytes)
    }

    /// Whether there may be a cut between two neighbouring unknown characters.
    pub(super) fn may_part_unknown(&self) -> bool {
        self.cuts.iter().any(|cut| !matches!(cut, SplitRule::Drop(_) | SplitRule::Bytes))
    }

    /// Why a text with other characters than ASCII cannot be split exactly, if so.
    pub(super) fn refusal(&self) -> Option<String> {
        let is_unclear =
            |cut: &SplitRule| matches!(cut, SplitRule::Drop(CharacterClass { others: Others::Unclear, .. }));
        let reason = "a class of characters in the file's pre-tokenizer may hold";
        self.cuts.iter().any(is_unclear).then(|| reason.to_owned())
    }

    /// Fails if there may be a cut between two of these symbols, which merges join.
    ///
    /// Symbols that vanish or stand alone never reach a merge, so only the others are asked; of each rule it is enough to find
    /// one pair that it may cut.
    pub(super) fn check(&self, merging: &[u8]) -> Result<()> {
        let stay = |&symbol: &u8| !self.drops(symbol.into()) && !self.isolates(symbol.into());
        let symbols: Vec<u8> = merging.iter().copied().filter(stay).collect();
        let find = |wanted: &dyn Fn(u8) -> bool| symbols.iter().copied().find(|&symbol| wanted(symbol));
        for cut in &self.cuts {
            match cut {
                SplitRule::Border(class) => {
                    let within = find(&|symbol| class.holds(symbol.into()));
                    let outside = find(&|symbol| !class.holds(symbol.into()));
                    if let (Some(one), Some(other)) = (within, outside) {
                        return refuse_cut(one, &format!(" and {}", show_byte(other)));
                    }
                }
                SplitRule::Beside(class) => {
                    if let Some(symbol) = find(&|symbol| class.holds(symbol.into())) {
                        return refuse_cut(symbol, " and its neighbours");
                    }
                }
                // A to Z stay together, except behind an apostrophe: 's, 't, 'm, 'd, 're, 've, 'll.
                SplitRule::Gpt2 => {
                    let may_be_cut =
                        |symbol: u8| !symbol.is_ascii_alphabetic() || b"stmdrvl".contains(&symbol);
                    if let Some(symbol) = find(&may_be_cut) {
                        return refuse_cut(symbol, " and its neighbours");
                    }
                }
                SplitRule::Drop(_) | SplitRule::Isolate(_) | SplitRule::Bytes => {}
            }
        }
        Ok(())
    }
}

fn refuse_cut(symbol: u8, others: &str) -> Result<()> {
    Err(Error::vocabulary(format!(
        "pre_tokenizer may cut between {}{others}, which its merges join; genotok does not support that",
        show_byte(symbol)
    )))
}

/// White space, as Unicode has it.
pub(super) fn white_space() -> CharacterClass {
    CharacterClass::of(char::is_whitespace, Others::WhiteSpace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_between_merging_symbols_is_refused() {
        let words = Splitting::new(Splitting::white_space_and_words());
        assert!(words.check(b"ACGTN_").is_ok());
        assert!(words.check(b"AC-").unwrap_err().to_string().contains("'A' and '-'"));
        assert!(words.check(b"*-").is_ok(), "no cut within punctuation");
        let isolated = CharacterClass::of(|character| character == '-', Others::No);
        assert!(Splitting::new(vec![SplitRule::Isolate(isolated.clone())]).check(b"AC-").is_ok());
        assert!(Splitting::new(vec![SplitRule::Beside(isolated)]).check(b"AC-").is_err());
        assert!(Splitting::new(vec![SplitRule::Gpt2]).check(b"ACGTN").is_ok());
        assert!(Splitting::new(vec![SplitRule::Gpt2]).check(b"acgt").is_err());
    }

    #[test]
    fn white_space_vanishes_outside_ascii_too() {
        let words = Splitting::new(Splitting::white_space());
        assert!([' ', '\n', '\u{2003}'].iter().all(|&character| words.drops(character)));
        assert!(!words.drops('é') && words.refusal().is_none() && !words.may_part_unknown());
    }
}
