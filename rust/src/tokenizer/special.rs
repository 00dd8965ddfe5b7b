//! What can be a special token, which one stands for unknown symbols, and which special tokens published k-mers have.

use rustc_hash::FxHashSet;

use super::numbering::Id;
use crate::alphabet::{CODES, NOT_A_BASE};
use crate::error::{Error, Result, show_text};
use crate::kmer::Kmer;

/// How many special tokens a tokenizer may have.
pub(super) const MAX_SPECIALS: usize = 10_000;
/// Bytes in all special tokens together.
pub(super) const MAX_SPECIAL_BYTES: usize = 1 << 20;

/// The special token that stands for unknown symbols, by its name: `[UNK]` rather than `<unk>` if there are both.
pub(super) fn find_unknown(specials: &[(String, Id)]) -> Option<&(String, Id)> {
    ["[UNK]", "<unk>"].iter().find_map(|name| specials.iter().find(|(token, _)| token == name))
}

/// Checks special tokens before any work is done: fails if they are too many, or one is empty, a string of bases, or given
/// twice.
pub fn check_specials(special_tokens: &[String]) -> Result<()> {
    let total: usize = special_tokens.iter().map(String::len).sum();
    if special_tokens.len() > MAX_SPECIALS || total > MAX_SPECIAL_BYTES {
        let rule = format!("are too many; {MAX_SPECIALS} of {MAX_SPECIAL_BYTES} bytes together are allowed");
        return Err(Error::argument(
            "special_tokens",
            &format_args!("{} strings", special_tokens.len()),
            rule,
        ));
    }
    let mut seen = FxHashSet::default();
    for token in special_tokens {
        let repeated = (!seen.insert(token)).then_some("is given twice");
        if let Some(reason) = special_mistake(token).or(repeated) {
            return Err(Error::argument("special_tokens", &show_text(token), reason));
        }
    }
    Ok(())
}

/// Whether a string has the form of a special token, `[NAME]` or `<name>`; the tokens of bytes, `<0x0A>`, are none.
pub(super) fn is_special_form(token: &str) -> bool {
    let within = |open, close| token.strip_prefix(open)?.strip_suffix(close);
    let Some(name) = within('[', ']').or_else(|| within('<', '>')) else { return false };
    let is_byte =
        name.strip_prefix("0x").is_some_and(|hex| hex.len() == 2 && u8::from_str_radix(hex, 16).is_ok());
    let fits = |character: char| !character.is_whitespace() && !"[]<>".contains(character);
    !name.is_empty() && !is_byte && name.chars().all(fits)
}

/// Why a string cannot be a special token; `None` if it can.
pub(super) fn special_mistake(token: &str) -> Option<&'static str> {
    let is_dna = token.bytes().all(|byte| CODES[usize::from(byte)] < NOT_A_BASE);
    match token {
        "" => Some("is empty; a special token needs a name"),
        _ if is_dna => {
            Some("is a string of bases, which could not be told from sequence; try brackets around it")
        }
        _ => None,
    }
}

/// The special tokens around a vocabulary of k-mers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KmerSpecials {
    /// With the first ids.
    pub before: Vec<String>,
    /// With the last ids.
    pub after: Vec<String>,
}

impl KmerSpecials {
    /// Those of the published model of the same kind: DNABERT for overlapping k-mers, else Nucleotide Transformer. Their order
    /// is that of the published vocabularies, so ids agree with those of published weights.
    pub fn published(kmer: &Kmer) -> Self {
        let list = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        if kmer.is_overlapping() {
            return Self { before: list(&["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]), after: Vec::new() };
        }
        Self { before: list(&["<unk>", "<pad>", "<mask>", "<cls>"]), after: list(&["<eos>", "<bos>"]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_tokens_have_a_form() {
        for name in ["[PAD]", "<pad>", "</s>", "<|endoftext|>", "[unused12]"] {
            assert!(is_special_form(name), "{name}");
        }
        for name in ["", "[]", "<>", "PAD", "[A B]", "[[A]]", "<0x41>", "A", "[A", "<A]"] {
            assert!(!is_special_form(name), "{name}");
        }
    }
}
