"""Columns of Arrow with dictionaries and nulls, and lists with what is missing: as plain Python lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import genotok

Sequences = list[str | None]

INDEX_TYPES = [
    pa.int8(),
    pa.int16(),
    pa.int32(),
    pa.int64(),
    pa.uint8(),
    pa.uint16(),
    pa.uint32(),
    pa.uint64(),
]
VALUE_TYPES = [
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.binary(),
    pa.large_binary(),
    pa.binary_view(),
]

# Few different ones, so that rows share them; some with unknown symbols.
columns: st.SearchStrategy[Sequences] = st.lists(
    st.sampled_from(["ACGT", "", "GATTACA", "ACNNGT", "acgtn", "T" * 40, None]), max_size=12
)


@pytest.fixture(scope="module")
def tokenizer(train_words: Callable[..., Any]) -> genotok.Tokenizer:
    return genotok.Tokenizer(train_words([genotok._native.simulate(20_000, 5).decode()], vocab_size=300))


@pytest.fixture(scope="module")
def kmers() -> genotok.Tokenizer:
    return genotok.Tokenizer.kmer(3)


def dictionary(values: Sequences, index: pa.DataType, value: pa.DataType, *, null_value: bool) -> pa.Array:
    """A dictionary array: its values in another order than its rows, some unused; null by key or by value."""
    distinct: Sequences = ["unused N", *sorted({text for text in values if text is not None}, reverse=True)]
    if null_value:
        distinct.insert(1, None)
    keys = [None if text is None and not null_value else distinct.index(text) for text in values]
    spelled = pa.array([None if text is None else text.encode() for text in distinct], pa.binary())
    return pa.DictionaryArray.from_arrays(pa.array(keys, index), spelled.cast(value))


def check(tokenizer: genotok.Tokenizer, given_as: Any, rows: Sequences) -> None:
    """All policies, and both calls, against one sequence at a time."""
    single = [None if text is None else tokenizer.encode_batch([text], offsets=True) for text in rows]
    expected = [None if tokens is None else tokens[0] for tokens in single]
    if None in rows:
        with pytest.raises(genotok.ArgumentError, match=rf"sequences\[{rows.index(None)}\]: is null; nulls="):
            tokenizer.encode_batch(given_as)
    kept = tokenizer.encode_batch(given_as, nulls="null", offsets=True)
    assert kept.to_list() == expected
    assert kept.null_count == rows.count(None)
    assert pa.array(kept).to_pylist() == expected
    pa.array(kept).validate(full=True)
    assert kept.spans is not None
    assert kept.spans.tolist() == [pair for one in single if one is not None for pair in one.spans.tolist()]
    assert kept.unknown == sum(one.unknown for one in single if one is not None)
    assert kept.lower_case == sum(one.lower_case for one in single if one is not None)
    lengths = [len(ids or []) for ids in expected]
    assert np.diff(kept.offsets).tolist() == lengths
    assert tokenizer.count_tokens(given_as, nulls="null").tolist() == lengths
    empty = tokenizer.encode_batch(given_as, nulls="empty")
    assert empty.to_list() == [ids or [] for ids in expected]
    assert empty.null_count == 0
    around = tokenizer.count_tokens(given_as, nulls="empty", add_special_tokens=True).tolist()
    assert around == [length + 2 for length in lengths]
    around = tokenizer.count_tokens(given_as, nulls="null", add_special_tokens=True).tolist()
    assert around == [0 if text is None else length + 2 for text, length in zip(rows, lengths, strict=True)]


@given(columns, st.sampled_from(INDEX_TYPES), st.sampled_from(VALUE_TYPES), st.booleans(), st.data())
def test_dictionaries_are_what_they_stand_for(
    tokenizer: genotok.Tokenizer,
    rows: Sequences,
    index: pa.DataType,
    value: pa.DataType,
    null_value: bool,
    data: st.DataObject,
) -> None:
    array = dictionary(rows, index, value, null_value=null_value)
    start = data.draw(st.integers(0, len(rows)))
    check(tokenizer, array, rows)
    check(tokenizer, array[start:], rows[start:])
    others = dictionary(rows[start:][::-1], index, value, null_value=not null_value)
    chunks = pa.chunked_array([array[start:], array[:0], others, array[:start]], array.type)
    check(tokenizer, chunks, rows[start:] + rows[start:][::-1] + rows[:start])


@given(columns, st.sampled_from([*VALUE_TYPES, None]), st.data())
def test_plain_columns_with_nulls(
    tokenizer: genotok.Tokenizer, rows: Sequences, value: pa.DataType | None, data: st.DataObject
) -> None:
    if value is None:
        check(tokenizer, rows, rows)
        check(tokenizer, np.array([*rows, None], object)[:-1], rows)
        return
    array = pa.array([None if text is None else text.encode() for text in rows], pa.binary()).cast(value)
    start = data.draw(st.integers(0, len(rows)))
    check(tokenizer, array[start:], rows[start:])
    check(tokenizer, pa.chunked_array([array[start:], array[:start]], value), rows[start:] + rows[:start])


@given(columns, st.booleans())
def test_k_mers_of_dictionaries(kmers: genotok.Tokenizer, rows: Sequences, null_value: bool) -> None:
    check(kmers, dictionary(rows, pa.int8(), pa.string(), null_value=null_value), rows)


def test_what_lies_under_a_null_is_not_read(tokenizer: genotok.Tokenizer) -> None:
    buffers = [
        pa.py_buffer(b"\x05"),
        pa.py_buffer(np.array([0, 4, 8, 10], np.int32)),
        pa.py_buffer(b"ACGTNNNNGG"),
    ]
    array = pa.Array.from_buffers(pa.string(), 3, buffers)
    check(tokenizer, array, ["ACGT", None, "GG"])
    keys = pa.Array.from_buffers(pa.int8(), 3, [pa.py_buffer(b"\x05"), pa.py_buffer(bytes([1, 99, 0]))])
    check(tokenizer, pa.DictionaryArray.from_arrays(keys, pa.array(["ACGT", "GG"])), ["GG", None, "ACGT"])


@pytest.mark.parametrize(
    "array",
    [pa.nulls(3), pa.nulls(3, pa.string()), pa.nulls(3, pa.dictionary(pa.int8(), pa.string()))],
    ids=str,
)
def test_columns_of_nothing_but_nulls(tokenizer: genotok.Tokenizer, array: pa.Array) -> None:
    check(tokenizer, array, [None] * 3)
    check(tokenizer, pa.chunked_array([array, array[:0]]), [None] * 3)
    check(tokenizer, array[:0], [])


def test_what_is_missing_by_other_names(tokenizer: genotok.Tokenizer) -> None:
    pandas = pytest.importorskip("pandas")
    for missing in (None, float("nan"), np.float64("nan"), pandas.NA):
        check(tokenizer, ["ACGT", missing, "GG", missing], ["ACGT", None, "GG", None])
        check(tokenizer, [missing], [None])
    for number in (1.5, float("inf"), pandas.NaT):
        with pytest.raises(TypeError, match=r"sequences\[0\]: str or bytes is expected"):
            tokenizer.encode_batch([number], nulls="null")


def test_a_dictionary_is_encoded_once(tokenizer: genotok.Tokenizer, kmers: genotok.Tokenizer) -> None:
    """A hundred thousand rows of a megabase would take minutes if each were encoded."""
    text = genotok._native.simulate(1_000_000, 3).decode()
    keys = pa.array(np.zeros(100_000, np.int8))
    counts = tokenizer.count_tokens(pa.DictionaryArray.from_arrays(keys, pa.array([text])))
    assert np.unique(counts).tolist() == [len(tokenizer.encode(text))]
    keys = pa.array(np.zeros(1 << 24, np.int8))
    with pytest.raises(genotok.ArgumentError, match="do not fit into memory; take fewer rows at a time"):
        kmers.encode_batch(pa.DictionaryArray.from_arrays(keys, pa.array([text * 8])))


def test_an_error_names_the_row_and_not_the_value(
    tokenizer: genotok.Tokenizer, kmers: genotok.Tokenizer
) -> None:
    array = pa.array(["ACGT", None, "ACGT", "ACXT", "NN"]).dictionary_encode()
    for encoder in (tokenizer, kmers):
        with pytest.raises(genotok.SymbolError, match='record "sequence 3", position 2'):
            encoder.encode_batch(array, unknown="error", nulls="null")
        with pytest.raises(genotok.SymbolError, match='record "sequence 1", position 0'):
            encoder.count_tokens([None, "N"], unknown="error", nulls="null")
    broken = pa.DictionaryArray.from_arrays(pa.array([1, 1, 0]), pa.array([b"\xff", b"A"]))
    with pytest.raises(
        genotok.ArgumentError, match=r"sequences\[2\]: is not text: the byte at 0 is not UTF-8"
    ):
        tokenizer.encode_batch(broken)


def test_dictionaries_of_other_things_are_refused(tokenizer: genotok.Tokenizer) -> None:
    with pytest.raises(genotok.ArgumentError, match="Arrow strings are expected, found Int64"):
        tokenizer.encode_batch(pa.array([1, 2]).dictionary_encode())
    with pytest.raises(genotok.ArgumentError, match='nulls="drop": must be "error", "empty" or "null"'):
        tokenizer.encode_batch([], nulls="drop")  # type: ignore[arg-type]


def test_a_key_outside_its_dictionary_is_an_error(tokenizer: genotok.Tokenizer) -> None:
    keys = np.array([0, 1, 0], np.int8)
    array = pa.DictionaryArray.from_arrays(pa.array(keys), pa.array(["A", "C"]))
    for wrong in (2, -1, 127):
        keys = np.array([0, wrong, 0], np.int8)
        altered = pa.DictionaryArray.from_arrays(keys, array.dictionary, safe=False)
        with pytest.raises(genotok.ArgumentError, match="Arrow data that is not valid"):
            tokenizer.encode_batch(altered)


# -- other libraries ----------------------------------------------------------------------------------

ROWS: Sequences = ["ACGT", None, "GG", "ACGT", "GATTACAGATTACA"]


def test_polars_categoricals_and_enums(tokenizer: genotok.Tokenizer) -> None:
    polars = pytest.importorskip("polars")
    values = sorted({text for text in ROWS if text})
    for kind in (polars.String, polars.Categorical, polars.Enum(values)):
        series = polars.Series(ROWS, dtype=kind)
        check(tokenizer, series, ROWS)
        check(tokenizer, polars.concat([series, series[:0], series[2:]], rechunk=False), ROWS + ROWS[2:])
    tokens = polars.Series(tokenizer.encode_batch(series, nulls="null"))
    assert tokens.null_count() == 1
    assert tokenizer.decode_batch(tokens, nulls="null") == ROWS


def test_pandas_columns(tokenizer: genotok.Tokenizer) -> None:
    pandas = pytest.importorskip("pandas")
    for kind in ("str", "object", "category", "string"):
        column = pandas.Series(ROWS, dtype=kind)
        check(tokenizer, column, ROWS)
        check(tokenizer, column.to_numpy(), ROWS)
        check(tokenizer, pa.array(column, from_pandas=True), ROWS)


def test_duckdb_columns(tokenizer: genotok.Tokenizer) -> None:
    duckdb = pytest.importorskip("duckdb")
    connection = duckdb.connect()
    connection.execute("create type read as enum ('GG', 'ACGT', 'GATTACAGATTACA', 'T')")
    for kind in ("varchar", "read"):
        values = ", ".join(f"({'null' if text is None else repr(text)}::{kind})" for text in ROWS)
        table = connection.sql(f"from (values {values}) as reads(sequence)")
        check(tokenizer, table.to_arrow_table()["sequence"], ROWS)
        with pytest.raises(genotok.ArgumentError, match="give one of its columns"):
            tokenizer.encode_batch(table)


# -- back ---------------------------------------------------------------------------------------------

LISTS = [[5, 6], None, [], [7]]


@pytest.mark.parametrize(
    "given_as",
    [
        LISTS,
        [[5, 6], float("nan"), (), np.array([7])],
        pa.array(LISTS, pa.list_(pa.uint16())),
        pa.array(LISTS, pa.large_list(pa.int64())),
        pa.array(LISTS, pa.list_view(pa.int32())),
        pa.array(LISTS, pa.large_list_view(pa.uint8())),
        pa.chunked_array([LISTS[:1], LISTS[1:]], pa.list_(pa.uint16())),
    ],
    ids=lambda lists: str(getattr(lists, "type", type(lists).__name__)),
)
def test_decoding_has_the_same_policy(tokenizer: genotok.Tokenizer, given_as: Any) -> None:
    assert tokenizer.decode_batch(given_as, nulls="null") == ["AC", None, "", "G"]
    assert tokenizer.decode_batch(given_as, nulls="empty") == ["AC", "", "", "G"]
    with pytest.raises(genotok.ArgumentError, match=r"lists\[1\]: is null; nulls="):
        tokenizer.decode_batch(given_as)


@given(columns)
def test_what_is_encoded_with_nulls_is_decoded_with_them(
    tokenizer: genotok.Tokenizer, rows: Sequences
) -> None:
    known = [text if text is None or (text.isupper() and "N" not in text) else "ACGT" for text in rows]
    tokens = tokenizer.encode_batch(known, nulls="null")
    assert tokenizer.decode_batch(tokens, nulls="null") == known
    assert tokenizer.decode_batch(tokens, nulls="empty") == [text or "" for text in known]
    if None in known:
        with pytest.raises(genotok.ArgumentError, match=rf"lists\[{known.index(None)}\]: is null"):
            tokenizer.decode_batch(tokens)


def test_a_null_within_a_list_is_an_error_whatever_the_policy(tokenizer: genotok.Tokenizer) -> None:
    for lists in (
        pa.array([[5], [6, None]]),
        pa.array([[5], [None]], pa.list_(pa.int8())),
        pa.array([[], [None]]),
        [[5], [6, None]],
        [[5], np.array([6, None])],
    ):
        with pytest.raises(genotok.ArgumentError, match=r"lists\[1\]: has a null; leave it out"):
            tokenizer.decode_batch(lists, nulls="null")
