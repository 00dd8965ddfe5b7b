//! Many sequences to tokens and back, in parallel, in order.

use crate::bpe::Token;
use crate::error::{Error, Result};
use crate::monitor::Monitor;
use crate::tokenizer::letters::{DROPPED, Letters, UNKNOWN};
use crate::tokenizer::{Id, Template, Tokenizer};

/// Sequences end to end: number `i` is `bytes[offsets[i]..offsets[i + 1]]`, text in UTF-8.
#[derive(Clone, Copy, Debug)]
pub struct Sequences<'a> {
    /// All letters.
    pub bytes: &'a [u8],
    /// Where each sequence begins, and the last one ends.
    pub offsets: &'a [usize],
}

/// What becomes of letters outside the vocabulary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unknown {
    /// The unknown token for each.
    #[default]
    Token,
    /// Nothing: they are left out, and cut words.
    Split,
    /// They are an error.
    Refuse,
}

/// How to encode.
#[derive(Clone, Copy, Debug, Default)]
pub struct EncodeOptions {
    /// What becomes of letters outside the vocabulary.
    pub unknown: Unknown,
    /// Read lower-case letters as upper-case ones, whatever the file says.
    pub upper_case: bool,
    /// Put the special tokens of [`Tokenizer::template`] around each sequence.
    pub add_special_tokens: bool,
    /// Tell where each token comes from.
    pub spans: bool,
}

/// Ids, as narrow as the vocabulary allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ids {
    /// Of at most 65,536 different ids.
    Narrow(Vec<u16>),
    /// Of more.
    Wide(Vec<u32>),
}

impl Ids {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Narrow(ids) => ids.len(),
            Self::Wide(ids) => ids.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them in 32 bits.
    pub fn to_vec(&self) -> Vec<Id> {
        match self {
            Self::Narrow(ids) => ids.iter().map(|&id| Id::from(id)).collect(),
            Self::Wide(ids) => ids.clone(),
        }
    }
}

/// Sequences as ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The ids of all sequences, end to end.
    pub ids: Ids,
    /// Where those of each sequence begin, and the last end.
    pub offsets: Vec<i64>,
    /// The letters of its sequence that each token comes from, from where to where, as characters; `[0, 0]` for
    /// special tokens that were added.
    pub spans: Option<Vec<[i64; 2]>>,
    /// Letters that were outside the vocabulary.
    pub unknown: u64,
    /// Of these, lower-case letters whose upper case is in the vocabulary.
    pub lower_case: u64,
}

impl Sequences<'_> {
    /// How many sequences there are.
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn check(&self) -> Result<()> {
        let rising = self.offsets.windows(2).all(|pair| pair[0] <= pair[1]);
        if rising && self.offsets.last().is_none_or(|&end| end <= self.bytes.len()) {
            return Ok(());
        }
        let rule = format!("must rise and stay within the {} bytes of all sequences", self.bytes.len());
        Err(Error::argument("offsets", &"offsets", rule))
    }
}

impl Tokenizer {
    /// The ids of many sequences, on the threads of the present pool. Linear in time and memory.
    ///
    /// The first call builds the encoder. Fails at a letter outside the vocabulary if there is no unknown token or
    /// the options say so.
    pub fn encode_batch(
        &self,
        sequences: Sequences<'_>,
        options: &EncodeOptions,
        monitor: &Monitor,
    ) -> Result<Encoded> {
        sequences.check()?;
        let template = if options.add_special_tokens { self.template()? } else { Template::default() };
        let letters = self.letters().clone();
        let letters = if options.upper_case { letters.upper_cased() } else { letters };
        let mut all = All { offsets: vec![0], ..All::default() };
        for (number, bounds) in sequences.offsets.windows(2).enumerate() {
            monitor.check()?;
            all.add(template.before.iter().map(|&id| (id, [0, 0])));
            let text = String::from_utf8_lossy(&sequences.bytes[bounds[0]..bounds[1]]);
            self.add_sequence(&text, &letters, options.unknown, number, &mut all)?;
            all.add(template.after.iter().map(|&id| (id, [0, 0])));
            all.offsets.push(i64::try_from(all.ids.len()).unwrap_or(i64::MAX));
        }
        let ids = if self.vocab_size() <= 1 << 16 {
            Ids::Narrow(all.ids.iter().map(|&id| u16::try_from(id).unwrap_or(0)).collect())
        } else {
            Ids::Wide(all.ids)
        };
        let spans = options.spans.then_some(all.spans);
        Ok(Encoded { ids, offsets: all.offsets, spans, unknown: all.unknown, lower_case: all.lower_case })
    }

    fn add_sequence(
        &self,
        text: &str,
        letters: &Letters,
        unknown: Unknown,
        number: usize,
        all: &mut All,
    ) -> Result<()> {
        let mut place = 0;
        let mut done = 0;
        let ends = [(text.len(), text.len(), None)];
        let specials = self.find_specials(text).map(|(start, end, id)| (start, end, Some(id)));
        for (start, end, id) in specials.chain(ends) {
            let mut word = Vec::new();
            for character in text[done..start].chars().chain(['\n']) {
                let symbol = letters.symbol_of(character);
                if symbol < UNKNOWN {
                    word.push(symbol);
                    continue;
                }
                for token in self.scheme().encode(&word) {
                    let length = i64::from(self.scheme().length(token));
                    all.add([(self.id_of(token), [place, place + length])]);
                    place += length;
                }
                word.clear();
                if symbol != DROPPED && place < i64::try_from(text[..start].chars().count()).unwrap_or(0) {
                    all.unknown += 1;
                    let byte = u8::try_from(character).unwrap_or(0);
                    all.lower_case += u64::from(letters.is_lower_case(byte));
                    match (unknown, self.unknown_id()) {
                        (Unknown::Split, _) => {}
                        (Unknown::Token, Some(id)) => all.add([(id, [place, place + 1])]),
                        _ => {
                            return Err(Error::Symbol {
                                file: None,
                                record: format!("sequence {number}"),
                                position: u64::try_from(place).unwrap_or(0),
                                byte: character.to_string().as_bytes()[0],
                                reason: "is not in the vocabulary".to_owned(),
                            });
                        }
                    }
                }
                place += 1;
            }
            place -= 1;
            let length = i64::try_from(text[start..end].chars().count()).unwrap_or(0);
            all.add(id.map(|id| (id, [place, place + length])));
            place += length;
            done = end;
        }
        Ok(())
    }

    /// How many tokens each sequence has: [`encode_batch`](Self::encode_batch) without the ids.
    pub fn count_tokens(
        &self,
        sequences: Sequences<'_>,
        options: &EncodeOptions,
        monitor: &Monitor,
    ) -> Result<Vec<u64>> {
        let encoded = self.encode_batch(sequences, options, monitor)?;
        Ok(encoded.offsets.windows(2).map(|pair| u64::try_from(pair[1] - pair[0]).unwrap_or(0)).collect())
    }

    /// The text of many lists of ids, number `i` being `ids[offsets[i]..offsets[i + 1]]`; returns all text and where
    /// each begins, and the last ends.
    pub fn decode_batch(
        &self,
        ids: &[Id],
        offsets: &[i64],
        monitor: &Monitor,
    ) -> Result<(Vec<u8>, Vec<usize>)> {
        let (mut text, mut ends) = (Vec::new(), vec![0]);
        for bounds in offsets.windows(2) {
            monitor.check()?;
            let bounds = usize::try_from(bounds[0]).ok().zip(usize::try_from(bounds[1]).ok());
            let list = bounds.and_then(|(start, end)| ids.get(start..end));
            let rule = "must rise and stay within the ids";
            let list = list.ok_or_else(|| Error::argument("offsets", &"offsets", rule))?;
            text.extend_from_slice(self.decode(list)?.as_bytes());
            ends.push(text.len());
        }
        Ok((text, ends))
    }
}

/// What has been encoded so far.
#[derive(Default)]
struct All {
    ids: Vec<Token>,
    spans: Vec<[i64; 2]>,
    offsets: Vec<i64>,
    unknown: u64,
    lower_case: u64,
}

impl All {
    fn add(&mut self, tokens: impl IntoIterator<Item = (Id, [i64; 2])>) {
        for (id, span) in tokens {
            self.ids.push(id);
            self.spans.push(span);
        }
    }
}
