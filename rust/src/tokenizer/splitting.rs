//! Where a file's pre-tokenizer cuts a text, and what it takes out.
//!
//! All that is known of characters: which vanish, which stand alone, and between which kinds of them there is a cut.
//! Words are maximal runs of *merging* letters, those that some merge joins; around any other character no merge
//! reaches, so that a cut there changes nothing. What is left to check is that no cut falls between two merging
//! letters; then the pre-tokenizer is in the table of [`super::letters`], and else the file is refused.

use super::pattern::{Class, Others, is_word};
use crate::error::{Error, Result, show_byte};

/// One thing that a pre-tokenizer does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Characters of a class vanish, and part what stands on both sides.
    Drop(Class),
    /// Characters of a class stand alone.
    Isolate(Class),
    /// There is a cut between a character of the class and one that is not in it.
    Border(Class),
    /// There may be a cut beside a character of the class.
    Beside(Class),
    /// There may be a cut before and after, and in some company, as the regular expression of GPT-2 has it.
    Gpt2,
    /// What follows is done to the bytes of the text, each shown as one character.
    Bytes,
}

/// All that the pre-tokenizers of a file do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Splitting {
    cuts: Vec<Cut>,
}

impl Splitting {
    /// Does all of these.
    pub(super) fn new(cuts: Vec<Cut>) -> Self {
        Self { cuts }
    }

    /// What `Whitespace` does: `\w+|[^\w\s]+`.
    pub(super) fn white_space_and_words() -> Vec<Cut> {
        vec![Cut::Drop(white_space()), Cut::Border(Class::of(is_word, Others::Unclear))]
    }

    /// What `WhitespaceSplit` does.
    pub(super) fn white_space() -> Vec<Cut> {
        vec![Cut::Drop(white_space())]
    }

    /// Whether a character vanishes.
    pub(super) fn drops(&self, character: char) -> bool {
        self.cuts.iter().any(|cut| matches!(cut, Cut::Drop(class) if class.holds(character)))
    }

    /// Whether a character stands alone.
    pub(super) fn isolates(&self, character: char) -> bool {
        self.cuts.iter().any(|cut| matches!(cut, Cut::Isolate(class) if class.holds(character)))
    }

    /// Whether the model sees bytes, each as a character of its own.
    pub(super) fn is_by_byte(&self) -> bool {
        self.cuts.contains(&Cut::Bytes)
    }

    /// Whether two unknown letters that stand side by side may be parted.
    pub(super) fn may_part_unknown(&self) -> bool {
        self.cuts.iter().any(|cut| !matches!(cut, Cut::Drop(_) | Cut::Bytes))
    }

    /// Why a text with other characters than ASCII cannot be split exactly, if so.
    pub(super) fn refusal(&self) -> Option<String> {
        let is_unclear = |cut: &Cut| matches!(cut, Cut::Drop(Class { others: Others::Unclear, .. }));
        let reason = "a class of characters in the file's pre-tokenizer may hold";
        self.cuts.iter().any(is_unclear).then(|| reason.to_owned())
    }

    /// Fails if there may be a cut between two of these letters.
    pub(super) fn check(&self, merging: &[u8]) -> Result<()> {
        let stay = |&letter: &u8| !self.drops(letter.into()) && !self.isolates(letter.into());
        let letters: Vec<u8> = merging.iter().copied().filter(stay).collect();
        let find = |wanted: &dyn Fn(u8) -> bool| letters.iter().copied().find(|&letter| wanted(letter));
        for cut in &self.cuts {
            match cut {
                Cut::Border(class) => {
                    let within = find(&|letter| class.holds(letter.into()));
                    let outside = find(&|letter| !class.holds(letter.into()));
                    if let (Some(one), Some(other)) = (within, outside) {
                        return parted(one, &format!(" and {}", show_byte(other)));
                    }
                }
                Cut::Beside(class) => {
                    if let Some(letter) = find(&|letter| class.holds(letter.into())) {
                        return parted(letter, " and its neighbours");
                    }
                }
                // Letters stay together, except behind an apostrophe: 's, 't, 'm, 'd, 're, 've, 'll.
                Cut::Gpt2 => {
                    let is_parted =
                        |letter: u8| !letter.is_ascii_alphabetic() || b"stmdrvl".contains(&letter);
                    if let Some(letter) = find(&is_parted) {
                        return parted(letter, " and its neighbours");
                    }
                }
                Cut::Drop(_) | Cut::Isolate(_) | Cut::Bytes => {}
            }
        }
        Ok(())
    }
}

fn parted(letter: u8, others: &str) -> Result<()> {
    Err(Error::vocabulary(format!(
        "pre_tokenizer may cut between {}{others}, which its merges join; genotok does not support that",
        show_byte(letter)
    )))
}

/// White space, as Unicode has it.
pub(super) fn white_space() -> Class {
    Class::of(char::is_whitespace, Others::WhiteSpace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_between_merging_letters_is_refused() {
        let words = Splitting::new(Splitting::white_space_and_words());
        assert!(words.check(b"ACGTN_").is_ok());
        assert!(words.check(b"AC-").unwrap_err().to_string().contains("'A' and '-'"));
        assert!(words.check(b"*-").is_ok(), "no cut within punctuation");
        let isolated = Class::of(|character| character == '-', Others::No);
        assert!(Splitting::new(vec![Cut::Isolate(isolated.clone())]).check(b"AC-").is_ok());
        assert!(Splitting::new(vec![Cut::Beside(isolated)]).check(b"AC-").is_err());
        assert!(Splitting::new(vec![Cut::Gpt2]).check(b"ACGTN").is_ok());
        assert!(Splitting::new(vec![Cut::Gpt2]).check(b"acgt").is_err());
    }

    #[test]
    fn white_space_vanishes_outside_ascii_too() {
        let words = Splitting::new(Splitting::white_space());
        assert!([' ', '\n', '\u{2003}'].iter().all(|&character| words.drops(character)));
        assert!(!words.drops('é') && words.refusal().is_none() && !words.may_part_unknown());
    }
}
