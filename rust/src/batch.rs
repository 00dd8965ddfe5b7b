//! Many sequences at once (a stand-in, one after another).

use crate::error::Result;
use crate::monitor::Monitor;
use crate::tokenizer::{Id, Tokenizer};

/// Sequences end to end: the i-th is `bytes[offsets[i]..offsets[i + 1]]`.
#[derive(Clone, Copy, Debug)]
pub struct Sequences<'a> {
    /// The letters of all.
    pub bytes: &'a [u8],
    /// Where each begins, and the end.
    pub offsets: &'a [usize],
}

/// What happens to letters outside the vocabulary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unknown {
    /// Each becomes the unknown token.
    #[default]
    Token,
    /// They are left out and cut the word.
    Split,
    /// They are an error.
    Refuse,
}

/// How to encode.
#[derive(Clone, Copy, Debug, Default)]
pub struct EncodeOptions {
    /// Letters outside the vocabulary.
    pub unknown: Unknown,
    /// Upper-case first.
    pub upper_case: bool,
    /// The special tokens of a model around each sequence.
    pub add_special_tokens: bool,
    /// Where each token is.
    pub spans: bool,
}

/// Ids, narrow if the vocabulary has at most 65,536 tokens.
#[derive(Clone, Debug)]
pub enum Ids {
    /// Two bytes each.
    Narrow(Vec<u16>),
    /// Four bytes each.
    Wide(Vec<u32>),
}

/// Encoded sequences.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// The ids of all.
    pub ids: Ids,
    /// Where each sequence begins, and the end.
    pub offsets: Vec<i64>,
    /// The letters of each token.
    pub spans: Option<Vec<[i64; 2]>>,
    /// Letters outside the vocabulary.
    pub unknown: u64,
    /// Of these, lower-case ones.
    pub lower_case: u64,
}

impl Tokenizer {
    /// Encodes.
    pub fn encode_batch(
        &self,
        sequences: Sequences<'_>,
        _options: &EncodeOptions,
        monitor: &Monitor,
    ) -> Result<Encoded> {
        let (mut ids, mut offsets) = (Vec::new(), vec![0]);
        for pair in sequences.offsets.windows(2) {
            monitor.check()?;
            let text = std::str::from_utf8(&sequences.bytes[pair[0]..pair[1]]).unwrap_or_default();
            ids.extend(self.encode(text)?);
            offsets.push(i64::try_from(ids.len()).unwrap_or(0));
        }
        let ids = if self.vocab_size() <= 1 << 16 {
            Ids::Narrow(ids.into_iter().map(|id| u16::try_from(id).unwrap_or(0)).collect())
        } else {
            Ids::Wide(ids)
        };
        Ok(Encoded { ids, offsets, spans: None, unknown: 0, lower_case: 0 })
    }

    /// Counts.
    pub fn count_tokens(
        &self,
        sequences: Sequences<'_>,
        options: &EncodeOptions,
        monitor: &Monitor,
    ) -> Result<Vec<u64>> {
        let encoded = self.encode_batch(sequences, options, monitor)?;
        Ok(encoded.offsets.windows(2).map(|pair| u64::try_from(pair[1] - pair[0]).unwrap_or(0)).collect())
    }

    /// Decodes.
    pub fn decode_batch(
        &self,
        ids: &[Id],
        offsets: &[i64],
        _monitor: &Monitor,
    ) -> Result<(Vec<u8>, Vec<usize>)> {
        let (mut bytes, mut ends) = (Vec::new(), vec![0]);
        for pair in offsets.windows(2) {
            let at = |offset: i64| usize::try_from(offset).unwrap_or(0);
            bytes.extend(self.decode(&ids[at(pair[0])..at(pair[1])])?.into_bytes());
            ends.push(bytes.len());
        }
        Ok((bytes, ends))
    }
}
