//! The class `TokenArray`: the tokens of many sequences. `token_methods` has what Python sees of it.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::types::{UInt16Type, UInt32Type};
use arrow_array::{ArrayRef, LargeListArray, ListArray, PrimitiveArray};
use arrow_buffer::{
    ArrowNativeType, Buffer, NullBuffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer, ToByteSlice,
};
use arrow_schema::{DataType, Field, FieldRef};
use bytes::Bytes;
use genotok_core::Error;
use genotok_core::batch::{EncodedBatch, Ids};
use genotok_core::io::memory;
use pyo3::prelude::*;

use crate::row_map::NULL;

/// Ids in a list whose memory is worth keeping.
const LARGE: usize = 1 << 16;

/// The token ids of many sequences: a list of `uint16` for each (`uint32` above 65,536 tokens), or null.
///
/// It is an Arrow array: `pyarrow.array(tokens)`, `polars.Series(tokens)` and whatever else speaks Arrow take it without
/// a copy. `values` and `offsets` are the same as numpy arrays, also without a copy. It never changes.
#[pyclass(frozen, sequence, module = "genotok._native")]
#[derive(Clone)]
pub(crate) struct TokenArray {
    pub(crate) values: Values,
    /// From 0, one more than there are lists; a null list is empty.
    pub(crate) offsets: ScalarBuffer<i64>,
    /// Two numbers for each id.
    pub(crate) spans: Option<ScalarBuffer<i64>>,
    pub(crate) nulls: Option<NullBuffer>,
    /// Unknown symbols, and those of them in lower case; nothing for a part of what was encoded.
    pub(crate) counts: Option<(u64, u64)>,
}

/// Ids in memory that Arrow, numpy and this module share.
#[derive(Clone)]
pub(crate) enum Values {
    Narrow(ScalarBuffer<u16>),
    Wide(ScalarBuffer<u32>),
}

impl Values {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Narrow(ids) => ids.len(),
            Self::Wide(ids) => ids.len(),
        }
    }

    fn slice(&self, range: &Range<usize>) -> Self {
        match self {
            Self::Narrow(ids) => Self::Narrow(ids.slice(range.start, range.len())),
            Self::Wide(ids) => Self::Wide(ids.slice(range.start, range.len())),
        }
    }
}

impl PartialEq for Values {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Narrow(ids), Self::Narrow(others)) => ids == others,
            (Self::Wide(ids), Self::Wide(others)) => ids == others,
            (Self::Narrow(narrow), Self::Wide(wide)) | (Self::Wide(wide), Self::Narrow(narrow)) => {
                narrow.iter().map(|&id| u32::from(id)).eq(wide.iter().copied())
            }
        }
    }
}

impl From<EncodedBatch> for TokenArray {
    fn from(encoded: EncodedBatch) -> Self {
        Self {
            values: match encoded.ids {
                Ids::Narrow(ids) => Values::Narrow(kept(ids, Ids::Narrow)),
                Ids::Wide(ids) => Values::Wide(kept(ids, Ids::Wide)),
            },
            offsets: encoded.offsets.into(),
            spans: encoded.spans.map(|spans| spans.into_flattened().into()),
            nulls: None,
            counts: Some((encoded.unknown, encoded.lower_case)),
        }
    }
}

/// Ids whose memory goes to batches to come once nobody needs them any more: fresh memory costs a tenth of the time of
/// encoding.
struct KeptIds<T>(Vec<T>, fn(Vec<T>) -> Ids);

impl<T: ArrowNativeType> AsRef<[u8]> for KeptIds<T> {
    fn as_ref(&self) -> &[u8] {
        self.0.to_byte_slice()
    }
}

impl<T> Drop for KeptIds<T> {
    fn drop(&mut self) {
        self.1(std::mem::take(&mut self.0)).keep_memory();
    }
}

/// The buffer of a list of ids; `wrap` makes `Ids` of such a list.
fn kept<T: ArrowNativeType>(ids: Vec<T>, wrap: fn(Vec<T>) -> Ids) -> ScalarBuffer<T> {
    if ids.len() < LARGE {
        return ids.into();
    }
    let length = ids.len();
    ScalarBuffer::new(Buffer::from(Bytes::from_owner(KeptIds(ids, wrap))), 0, length)
}

/// The type of the items of a list.
pub(crate) fn item(is_narrow: bool) -> FieldRef {
    let number = if is_narrow { DataType::UInt16 } else { DataType::UInt32 };
    Arc::new(Field::new_list_field(number, true))
}

impl TokenArray {
    /// All ids, and where each list begins in them, as an Arrow array: with offsets of 32 bits if they suffice.
    pub(crate) fn list_array(&self) -> ArrayRef {
        let (is_narrow, values): (bool, ArrayRef) = match &self.values {
            Values::Narrow(ids) => (true, Arc::new(PrimitiveArray::<UInt16Type>::new(ids.clone(), None))),
            Values::Wide(ids) => (false, Arc::new(PrimitiveArray::<UInt32Type>::new(ids.clone(), None))),
        };
        let narrow: Option<Vec<i32>> =
            self.offsets.iter().map(|&offset| i32::try_from(offset).ok()).collect();
        let nulls = self.nulls.clone();
        if let Some(offsets) = narrow {
            Arc::new(ListArray::new(item(is_narrow), OffsetBuffer::new(offsets.into()), values, nulls))
        } else {
            let offsets = OffsetBuffer::new(self.offsets.clone());
            Arc::new(LargeListArray::new(item(is_narrow), offsets, values, nulls))
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    pub(crate) fn is_null(&self, index: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(index))
    }

    /// Where the ids of a sequence that is there are in `values`.
    pub(crate) fn range(&self, index: usize) -> Range<usize> {
        self.offsets[index].as_usize()..self.offsets[index + 1].as_usize()
    }

    /// The lists from `start` on, without a copy of their ids.
    pub(crate) fn slice(&self, start: usize, length: usize) -> Self {
        if length == self.len() {
            return self.clone();
        }
        let offsets = self.offsets.slice(start, length + 1);
        let first = offsets[0];
        let ids = first.as_usize()..offsets[length].as_usize();
        let nulls = self.nulls.as_ref().map(|nulls| nulls.slice(start, length));
        Self {
            offsets: if first == 0 { offsets } else { offsets.iter().map(|offset| offset - first).collect() },
            nulls: nulls.filter(|nulls| nulls.null_count() > 0),
            ..self.of_ids(&ids)
        }
    }

    /// The same lists with the ids of a range.
    fn of_ids(&self, ids: &Range<usize>) -> Self {
        Self {
            values: self.values.slice(ids),
            offsets: self.offsets.clone(),
            spans: self.spans.as_ref().map(|spans| spans.slice(2 * ids.start, 2 * ids.len())),
            nulls: self.nulls.clone(),
            counts: None,
        }
    }

    /// The lists of these numbers, in this order, null for [`NULL`]; without a copy of their ids where they are
    /// neighbours in order.
    pub(crate) fn take(&self, numbers: &[usize]) -> Result<Self, Error> {
        let mut nulls = NullBufferBuilder::new(numbers.len());
        let mut offsets = Vec::with_capacity(numbers.len() + 1);
        let mut end = 0;
        offsets.push(end);
        for &number in numbers {
            let is_there = number != NULL && !self.is_null(number);
            nulls.append(is_there);
            end += if is_there { self.offsets[number + 1] - self.offsets[number] } else { 0 };
            offsets.push(end);
        }
        let ranges = || numbers.iter().filter(|&&number| number != NULL).map(|&number| self.range(number));
        let mut starts_and_ends = ranges();
        let first = starts_and_ends.next().unwrap_or(0..0);
        let last = starts_and_ends.try_fold(first.end, |end, next| (next.start == end).then_some(next.end));
        let taken = match last {
            Some(last) => self.of_ids(&(first.start..last)),
            None => self.gathered(ranges, end.as_usize())?,
        };
        Ok(Self { offsets: offsets.into(), nulls: nulls.finish(), ..taken })
    }

    /// The same lists with `total` ids of these ranges.
    fn gathered<R: Iterator<Item = Range<usize>>>(
        &self,
        ranges: impl Fn() -> R,
        total: usize,
    ) -> Result<Self, Error> {
        let pairs = || ranges().map(|range| 2 * range.start..2 * range.end);
        Ok(Self {
            values: match &self.values {
                Values::Narrow(ids) => Values::Narrow(gather(ids, ranges(), total)?),
                Values::Wide(ids) => Values::Wide(gather(ids, ranges(), total)?),
            },
            spans: self.spans.as_ref().map(|spans| gather(spans, pairs(), 2 * total)).transpose()?,
            ..self.clone()
        })
    }

    pub(crate) fn with_counts(self, counts: (u64, u64)) -> Self {
        Self { counts: Some(counts), ..self }
    }
}

/// Copies the `total` numbers of some ranges one behind the other.
fn gather<T: ArrowNativeType>(
    numbers: &[T],
    ranges: impl Iterator<Item = Range<usize>>,
    total: usize,
) -> Result<ScalarBuffer<T>, Error> {
    let mut gathered: Vec<T> = Vec::new();
    memory::try_reserve(&mut gathered, total).map_err(|_| {
        let rule = format!("{total} numbers of all rows do not fit into memory; take fewer rows at a time");
        Error::argument("rows", &"all", rule)
    })?;
    ranges.for_each(|range| gathered.extend_from_slice(&numbers[range]));
    Ok(gathered.into())
}
