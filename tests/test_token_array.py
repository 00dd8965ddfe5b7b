"""`TokenArray` as a sequence: indices, slices, masks, copies and padding, as plain Python lists have them."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import genotok
from genotok import ArgumentError, TokenArray
from genotok.tokenizer.padding import pad

Lists = list[list[int] | None]
lists: st.SearchStrategy[Lists] = st.lists(
    st.none() | st.lists(st.integers(0, 60_000), max_size=5), max_size=8
)


def token_array(rows: Lists, dtype: Any = np.uint16, *, spans: bool = True) -> TokenArray:
    """These lists, with spans that tell ids apart."""
    values = np.array([id_ for row in rows if row is not None for id_ in row], dtype)
    offsets = np.cumsum([0, *(len(row or []) for row in rows)]).astype(np.int64)
    places = np.arange(2 * len(values), dtype=np.int64).reshape(-1, 2) if spans else None
    return TokenArray(values, offsets, places, np.array([row is not None for row in rows], bool), 7, 3)


def check(tokens: TokenArray, rows: Lists) -> None:
    """Every way to look at it."""
    assert tokens.to_list() == tokens.tolist() == tokens.to_pylist() == list(tokens) == rows
    assert pa.array(tokens).to_pylist() == rows
    pa.array(tokens).validate(full=True)
    assert [None if row is None else row.tolist() for row in tokens.to_numpy()] == rows
    assert tokens.null_count == rows.count(None)
    assert (tokens.validity is None) == (None not in rows)
    if tokens.validity is not None:
        assert tokens.validity.tolist() == [row is not None for row in rows]
    assert tokens.offsets.tolist() == np.cumsum([0, *(len(row or []) for row in rows)]).tolist()
    assert len(tokens.values) == tokens.offsets[-1]
    assert tokens.spans is None or tokens.spans.shape == (len(tokens.values), 2)


@given(lists, st.sampled_from([np.uint16, np.uint32]), st.data())
def test_slices_are_those_of_lists(rows: Lists, dtype: Any, data: st.DataObject) -> None:
    tokens = token_array(rows, dtype)
    check(tokens, rows)
    bounds = st.none() | st.integers(-10, 10)
    steps = st.none() | st.integers(-3, 3).filter(bool)
    key = slice(data.draw(bounds), data.draw(bounds), data.draw(steps))
    part = tokens[key]
    check(part, rows[key])
    again = slice(data.draw(bounds), data.draw(bounds), data.draw(steps))
    check(part[again], rows[key][again])
    places = [
        place
        for row in np.split(tokens.spans, tokens.offsets[1:-1])[: len(rows)][key]
        for place in row.tolist()
    ]
    assert part.spans is not None
    assert part.spans.tolist() == places
    assert part.values.dtype == dtype


@given(lists, st.data())
def test_indices_are_those_of_lists(rows: Lists, data: st.DataObject) -> None:
    tokens = token_array(rows)
    for index in range(-len(rows), len(rows)):
        assert tokens[index] == tokens[np.int8(index)] == tokens[np.array(index)] == rows[index]
    for index in (len(rows), -len(rows) - 1, 10**30, -(10**30), np.uint64(2**63)):
        with pytest.raises(IndexError, match=rf"there are {len(rows)} sequences"):
            tokens[index]
    if not rows:
        return
    chosen = data.draw(st.lists(st.integers(-len(rows), len(rows) - 1), max_size=10))
    expected = [rows[index] for index in chosen]
    for key in (chosen, np.array(chosen, np.int16), pa.array(chosen, pa.int64()), tuple(chosen)):
        check(tokens[key], expected)
    mask = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    kept = [row for row, keep in zip(rows, mask, strict=True) if keep]
    check(tokens[mask], kept)
    check(tokens[np.array(mask)], kept)
    with pytest.raises(IndexError, match=rf"index {len(rows)}: there are {len(rows)} sequences"):
        tokens[[0, len(rows)]]
    with pytest.raises(IndexError, match=rf"index {-len(rows) - 1}: there are"):
        tokens[[0, -len(rows) - 1]]
    with pytest.raises(IndexError, match=rf"a mask of {len(rows) + 1} values: there are"):
        tokens[[*mask, True]]


def test_it_is_a_sequence_to_others() -> None:
    tokens = token_array([[1, 2], [3, 4], [5, 6]])
    assert list(reversed(tokens)) == [[5, 6], [3, 4], [1, 2]]
    assert [3, 4] in tokens
    assert np.asarray(tokens).tolist() == tokens.to_list()
    with pytest.raises(ValueError, match="inhomogeneous"):
        np.asarray(token_array([[1, 2], [3]]))


@pytest.mark.parametrize("key", ["a", None, 1.0, [0.5], [[0, 1]], [[0], [0, 1]], ["a"], {}, [None]], ids=repr)
def test_what_is_no_index_is_refused(key: Any) -> None:
    with pytest.raises(TypeError, match="an integer, a slice, or integers or booleans in one axis"):
        token_array([[1], [2]])[key]


def test_a_slice_is_a_view(train_words: Callable[..., Any]) -> None:
    tokenizer = genotok.Tokenizer(train_words([genotok._native.simulate(20_000, 5).decode()], vocab_size=300))
    tokens = tokenizer.encode_batch(["ACGT", "GATTACA", "N", "GG"], offsets=True)
    part = tokens[1:3]
    whole, own = tokens.values.__array_interface__["data"][0], part.values.__array_interface__["data"][0]
    assert own == whole + 2 * tokens.offsets[1]
    taken = tokens[[1, 2]]
    assert taken.values.__array_interface__["data"][0] == own
    assert part == taken == tokenizer.encode_batch(["GATTACA", "N"])
    assert (tokens.unknown, tokens[:].unknown, part.unknown, part.lower_case) == (1, 1, None, None)
    spans = part.spans
    assert spans is not None
    del tokens, taken
    assert spans.tolist() == tokenizer.encode_batch(["GATTACA", "N"], offsets=True).spans.tolist()  # type: ignore[union-attr]
    assert tokenizer.decode_batch(part) == ["GATTACA", "[UNK]"]


@given(lists, lists)
def test_arrays_are_equal_if_their_lists_are(rows: Lists, others: Lists) -> None:
    tokens = token_array(rows)
    assert tokens == token_array(rows, np.uint32, spans=False)
    assert (tokens == token_array(others)) == (rows == others)
    assert (tokens != token_array(others)) == (rows != others)
    assert token_array([[1], *rows])[1:] == tokens
    assert tokens != rows
    with pytest.raises(TypeError, match="unhashable"):
        hash(tokens)


@given(lists, st.sampled_from([np.uint16, np.uint32]), st.booleans(), st.integers(2, 5), st.integers(0, 8))
def test_copies_are_equal(rows: Lists, dtype: Any, spans: bool, protocol: int, start: int) -> None:
    tokens = token_array(rows, dtype, spans=spans)
    for same in (tokens, tokens[start:]):
        for other in (pickle.loads(pickle.dumps(same, protocol)), copy.copy(same), copy.deepcopy(same)):
            check(other, same.to_list())
            assert other == same
            assert other.values.dtype == dtype
            assert (other.unknown, other.lower_case) == (same.unknown, same.lower_case)
            assert np.array_equal(other.spans, same.spans) if spans else other.spans is None


def lengths_of(tokens: TokenArray) -> list[int]:
    return np.diff(tokens.offsets).tolist()


def test_another_process_takes_it() -> None:
    rows: Lists = [[1, 2], None, []]
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.map(lengths_of, [token_array(rows), token_array([])]) == [[2, 0, 0], []]


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        (([1], np.array([0, 1])), "values must be a numpy array"),
        ((np.array([1.5]), np.array([0, 1])), "values must be a numpy array"),
        ((np.array([1], np.uint16), np.array([0, 1], np.int32)), "offsets must be a numpy array of i64"),
        ((np.array([1], np.uint16), np.array([], np.int64)), "offsets must rise from 0"),
        ((np.array([1], np.uint16), np.array([0, 2])), "offsets must rise from 0"),
        ((np.array([1], np.uint16), np.array([1, 1])), "offsets must rise from 0"),
        ((np.array([1], np.uint16), np.array([0, 1, 0, 1])), "offsets must rise from 0"),
        ((np.array([1], np.uint16), np.array([0, 1]), np.array([1])), "spans must have a row of two"),
        (
            (np.array([1], np.uint16), np.array([0, 1]), None, np.array([True] * 2)),
            "validity must have a value",
        ),
        ((np.array([1], np.uint16), np.array([0, 1]), None, np.array([False])), "null must have no values"),
    ],
)
def test_parts_that_do_not_fit_are_refused(parts: Any, says: str) -> None:
    with pytest.raises(ArgumentError, match=says):
        TokenArray(*parts)


# -- padding ------------------------------------------------------------------------------------------


@given(
    lists,
    st.sampled_from(["right", "left"]),
    st.none() | st.integers(0, 7),
    st.sampled_from(["int64", np.int32, "uint16"]),
)
def test_padding_is_that_of_lists(rows: Lists, side: Any, length: int | None, dtype: Any) -> None:
    tokens = token_array(rows)
    longest = max((len(row or []) for row in rows), default=0)
    if length is not None and length < longest:
        at = next(number for number, row in enumerate(rows) if len(row or []) == longest)
        with pytest.raises(
            ArgumentError, match=f"length={length}: row {at} has {longest} tokens; give a larger"
        ):
            tokens.pad(9, length=length, side=side, dtype=dtype)
    width = longest if length is None else length
    cut = [(row or [])[:width] for row in rows]
    ids = [[*row, *[9] * (width - len(row))] for row in cut]
    mask = [[*[1] * len(row), *[0] * (width - len(row))] for row in cut]
    if side == "left":
        ids = [[*[9] * (width - len(row)), *row] for row in cut]
        mask = [row[::-1] for row in mask]
    padded = tokens.pad(9, length=length, side=side, dtype=dtype, truncate=True)
    assert padded.input_ids.shape == padded.attention_mask.shape == (len(rows), width)
    assert padded.input_ids.tolist() == ids
    assert padded.attention_mask.tolist() == mask
    assert padded.input_ids.dtype == padded.attention_mask.dtype == np.dtype(dtype)
    assert padded.input_ids.flags.writeable
    part = tokens[1:].pad(9, length=length, side=side, truncate=True)
    assert (
        part.input_ids.tolist()
        == pad(
            tokens[1:].values, tokens[1:].offsets, value=9, length=length, side=side, truncate=True
        ).input_ids.tolist()
    )


def test_padding_by_default_is_what_torch_takes() -> None:
    ids, mask = token_array([[5, 6], [7]]).pad(3)
    assert ids.dtype == mask.dtype == np.int64
    assert (ids.tolist(), mask.tolist()) == ([[5, 6], [7, 3]], [[1, 1], [1, 0]])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"value": None}, "value=None: the id of the padding token is expected"),
        ({"value": -1}, "value=-1"),
        ({"value": True}, "value=True"),
        ({"length": -1}, "length=-1: a number of tokens is expected"),
        ({"length": 2.0}, r"length=2\.0"),
        ({"side": "middle"}, 'side=\'middle\': must be "right" or "left"'),
        ({"dtype": "float32"}, "dtype='float32': an integer type of numpy is expected"),
        ({"dtype": "nothing"}, "dtype='nothing'"),
        ({"dtype": "uint8"}, "dtype=uint8: does not hold the id 300; int64 holds all"),
        ({"dtype": "uint16", "value": 70_000}, "dtype=uint16: does not hold the id 70,000"),
    ],
)
def test_padding_outside_its_rules_is_refused(options: Any, says: str) -> None:
    with pytest.raises(ArgumentError, match=says):
        token_array([[300], [2]]).pad(**{"value": 3, **options})
