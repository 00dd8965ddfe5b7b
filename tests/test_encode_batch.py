"""Many sequences at once: equal to one at a time, as Arrow, as numpy, from whatever holds strings."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import genotok
from tests.support import dna

texts = st.lists(
    st.one_of(dna.words, st.text(alphabet="ACGTNacgt-", max_size=60), st.text(max_size=8)), max_size=12
).map(lambda drawn: [text.encode("utf-8", "ignore").decode() for text in drawn])


@pytest.fixture(scope="module")
def tokenizer(train_words: Callable[..., Any]) -> genotok.Tokenizer:
    words = [genotok._native.simulate(20_000, 5).decode()]
    return genotok.Tokenizer(train_words(words, vocab_size=300))


# -- results ----------------------------------------------------------------------------------------


@given(texts)
def test_ids_are_those_of_each_sequence_alone(tokenizer: genotok.Tokenizer, sequences: list[str]) -> None:
    tokens = tokenizer.encode_batch(sequences)
    expected = [tokenizer.encode(sequence) for sequence in sequences]
    assert tokens.to_list() == list(tokens) == expected
    assert len(tokens) == len(sequences)
    assert tokenizer.count_tokens(sequences).tolist() == [len(ids) for ids in expected]
    assert tokenizer.encode_batch([sequence.encode() for sequence in sequences]).to_list() == expected
    assert tokenizer.encode_batch(pa.array(sequences, pa.string())).to_list() == expected


@given(texts)
def test_decoding_many_is_decoding_each(tokenizer: genotok.Tokenizer, sequences: list[str]) -> None:
    tokens = tokenizer.encode_batch(sequences)
    expected = [tokenizer.decode(ids) for ids in tokens]
    for lists in (tokens, tokens.to_list(), pa.array(tokens), (np.array(ids, np.int64) for ids in tokens)):
        assert tokenizer.decode_batch(lists) == expected


@given(texts)
def test_spans_are_places_in_the_sequence(tokenizer: genotok.Tokenizer, sequences: list[str]) -> None:
    tokens = tokenizer.encode_batch(sequences, offsets=True)
    assert tokens.spans is not None
    assert tokens.spans.shape == (len(tokens.values), 2)
    spelled = list(tokenizer.vocab)
    for number, sequence in enumerate(sequences):
        rows = slice(tokens.offsets[number], tokens.offsets[number + 1])
        for id_, (start, end) in zip(tokens.values[rows], tokens.spans[rows], strict=True):
            text = sequence[start:end].upper()
            assert spelled[id_] == text or (spelled[id_] == "[UNK]" and len(text) == 1) or "[" in text


def test_elements_are_lists(tokenizer: genotok.Tokenizer) -> None:
    tokens = tokenizer.encode_batch(["ACGT", "", "GG"])
    assert tokens[0] == tokens[-3] == tokenizer.encode("ACGT")
    assert tokens[1] == []
    for index in (3, -4, 10**15):
        with pytest.raises(IndexError, match="there are 3 sequences"):
            tokens[index]
    assert repr(tokens).startswith("<genotok.TokenArray: 3 sequences, ")


def test_nothing_gives_nothing(tokenizer: genotok.Tokenizer) -> None:
    tokens = tokenizer.encode_batch([])
    assert (len(tokens), tokens.values.tolist(), tokens.offsets.tolist()) == (0, [], [0])
    assert pa.array(tokens).to_pylist() == []
    assert tokenizer.count_tokens([]).tolist() == []
    assert tokenizer.decode_batch([]) == []
    assert tokenizer.encode_batch(pa.chunked_array([], pa.string())).to_list() == []


def test_options(tokenizer: genotok.Tokenizer) -> None:
    vocab = tokenizer.vocab
    whole = tokenizer.encode_batch(["ACGTN"], add_special_tokens=True)[0]
    assert whole == [vocab["[CLS]"], *tokenizer.encode("ACGTN"), vocab["[SEP]"]]
    assert tokenizer.encode_batch(["ACNGT"], unknown="split")[0] == tokenizer.encode("AC") + tokenizer.encode(
        "GT"
    )
    assert tokenizer.encode_batch(["acgt"], uppercase=True)[0] == tokenizer.encode("ACGT")
    with pytest.raises(genotok.SymbolError, match="position 2"):
        tokenizer.encode_batch(["ACNGT"], unknown="error")
    assert tokenizer.encode_batch(["ACNNGT", "N"]).unknown == 3


def test_large_vocabularies_have_wide_ids(train_words: Callable[..., Any]) -> None:
    words = [genotok._native.simulate(400_000, 1).decode()]
    wide = genotok.Tokenizer(train_words(words, vocab_size=66_000))
    if wide.vocab_size <= 65_536:
        pytest.skip("the text has too few pairs")
    tokens = wide.encode_batch(words)
    assert tokens.values.dtype == np.uint32
    assert pa.array(tokens).type == pa.list_(pa.uint32())
    assert wide.decode_batch(tokens) == words


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_make_no_difference(tokenizer: genotok.Tokenizer, threads: int) -> None:
    text = genotok._native.simulate(2_000_000, 8).decode()
    sequences = [text, *(text[at : at + 150] for at in range(0, 300_000, 150)), ""]
    tokens = tokenizer.encode_batch(sequences, threads=threads)
    assert tokens.to_list() == [tokenizer.encode(sequence) for sequence in sequences]
    assert tokenizer.count_tokens(sequences, threads=threads).tolist() == np.diff(tokens.offsets).tolist()


# -- Arrow and numpy ----------------------------------------------------------------------------------


def test_pyarrow_takes_it_without_a_copy(tokenizer: genotok.Tokenizer) -> None:
    tokens = tokenizer.encode_batch(["ACGTACGGT", "", "GATTACA"])
    array = pa.array(tokens)
    array.validate(full=True)
    assert array.type == pa.list_(pa.uint16())
    assert array.to_pylist() == tokens.to_list()
    assert array.values.buffers()[1].address == tokens.values.__array_interface__["data"][0]
    assert pa.field(tokens).type == array.type


def test_polars_takes_it(tokenizer: genotok.Tokenizer) -> None:
    polars = pytest.importorskip("polars")
    tokens = tokenizer.encode_batch(["ACGTACGGT", "", "GATTACA"])
    series = polars.Series(tokens)
    assert series.dtype == polars.List(polars.UInt16)
    assert series.to_list() == tokens.to_list()
    strings = polars.Series(["ACGTACGGT", "", "GATTACA" * 10])
    assert tokenizer.encode_batch(strings)[2] == tokenizer.encode("GATTACA" * 10)
    assert tokenizer.decode_batch(series) == ["ACGTACGGT", "", "GATTACA"]


def test_numpy_sees_the_same_memory_and_keeps_it(tokenizer: genotok.Tokenizer) -> None:
    tokens = tokenizer.encode_batch(["ACGT" * 1000], offsets=True)
    values, offsets, spans = tokens.values, tokens.offsets, tokens.spans
    expected = tokens.to_list()[0]
    assert spans is not None
    assert (values.dtype, offsets.dtype, spans.dtype) == (np.uint16, np.int64, np.int64)
    assert tokens.values.__array_interface__["data"] == values.__array_interface__["data"]
    for view in (values, offsets, spans):
        with pytest.raises(ValueError, match="read-only"):
            view[0] = 1
    array = pa.array(tokens)
    del tokens
    tokenizer.encode_batch(["GGTT" * 1000])
    assert values.tolist() == array.to_pylist()[0] == expected


def test_memory_is_used_again_only_when_nobody_looks_at_it(tokenizer: genotok.Tokenizer) -> None:
    texts = [genotok._native.simulate(400_000, number).decode() for number in range(6)]
    expected = [tokenizer.encode(text) for text in texts]
    views: list[Any] = []
    for number, text in enumerate(texts):
        tokens = tokenizer.encode_batch([text])
        views.append((tokens.values, pa.array(tokens).values, tokens[:1])[number % 3])
        del tokens
        tokenizer.encode_batch(texts)  # takes memory, and leaves it
    for look, ids in zip(views, expected, strict=True):
        assert len(ids) > 65_536
        assert (look.values.tolist() if isinstance(look, genotok.TokenArray) else look.tolist()) == ids


def test_it_works_without_pyarrow() -> None:
    code = """
import sys
sys.modules["pyarrow"] = None
import genotok
tokenizer = genotok.Tokenizer(genotok._native.Tokenizer.train_words(
    [("ACGTACGT", 1)],
    genotok.options.TrainOptions(vocab_size=12, special_tokens=("[UNK]",)), threads=1, seed=None))
tokens = tokenizer.encode_batch(["ACGT", "N"])
print(tokens.values.tolist() == sum(tokens.to_list(), []), tokenizer.decode_batch(tokens))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True ['ACGT', '[UNK]']\n"


KINDS = [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view()]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_arrow_strings_of_every_kind_are_read(tokenizer: genotok.Tokenizer, kind: pa.DataType) -> None:
    sequences = ["ACGT", "", "GATTACAGATTACAGATTACA", "N"]
    expected = [tokenizer.encode(sequence) for sequence in sequences]
    array = pa.array([text.encode() for text in sequences], pa.binary()).cast(kind)
    assert tokenizer.encode_batch(array).to_list() == expected
    assert tokenizer.encode_batch(array[1:3]).to_list() == expected[1:3]
    assert tokenizer.encode_batch(pa.chunked_array([array, array[2:]])).to_list() == expected + expected[2:]


@pytest.mark.parametrize(
    "kind",
    [pa.list_(pa.int64()), pa.large_list(pa.uint16()), pa.list_(pa.int32(), 2), pa.list_(pa.uint8())],
    ids=str,
)
def test_arrow_lists_of_every_kind_are_decoded(tokenizer: genotok.Tokenizer, kind: pa.DataType) -> None:
    lists = [[5, 6], [7, 8], [8, 5]]
    array = pa.array(lists, kind)
    assert tokenizer.decode_batch(array) == ["AC", "GT", "TA"]
    assert tokenizer.decode_batch(array[1:]) == ["GT", "TA"]


def test_arrays_of_objects_are_iterables(tokenizer: genotok.Tokenizer) -> None:
    expected = tokenizer.encode_batch(["ACGT", "GG"]).to_list()
    assert tokenizer.encode_batch(np.array(["ACGT", "GG"], object)).to_list() == expected
    assert tokenizer.encode_batch(np.array(["ACGT", "GG"])).to_list() == expected
    assert tokenizer.encode_batch({"ACGT": 1, "GG": 2}).to_list() == expected
    assert tokenizer.encode_batch(iter(("ACGT", b"GG"))).to_list() == expected


# -- what is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sequences", "kind", "says"),
    [
        ("ACGT", ValueError, "put it into a list"),
        (b"ACGT", ValueError, "put it into a list"),
        (None, TypeError, "NoneType"),
        (5, TypeError, "int"),
        ([1], TypeError, r"sequences\[0\]: str or bytes is expected, found int"),
        (["A", None], ValueError, r"sequences\[1\]: is null; nulls="),
        (["A", "C\ud800"], ValueError, r"sequences\[1\]: is not text: it has half of a surrogate pair"),
        ([b"A\xff"], ValueError, r"sequences\[0\]: is not text: the byte at 1 is not UTF-8"),
        (pa.array(["A", None]), ValueError, r"sequences\[1\]: is null; nulls="),
        (pa.chunked_array([["A"], [None]]), ValueError, r"sequences\[1\]: is null"),
        (pa.array([1, 2]), ValueError, "Arrow strings are expected, found Int64"),
        (pa.table({"a": ["ACGT"]}), ValueError, "give one of its columns"),
        (pa.array([b"A", b"\xff"]), ValueError, r"sequences\[1\]: is not text"),
    ],
)
def test_what_is_no_sequence_is_refused(
    tokenizer: genotok.Tokenizer, sequences: Any, kind: type[Exception], says: str
) -> None:
    for call in (tokenizer.encode_batch, tokenizer.count_tokens):
        with pytest.raises(kind, match=says):
            call(sequences)


@pytest.mark.parametrize(
    ("lists", "kind", "says"),
    [
        (None, TypeError, "NoneType"),
        ([5], TypeError, "int"),
        ([[5], ["A"]], TypeError, "str"),
        ([[-1]], ValueError, "id=-1"),
        ([[10**30]], ValueError, "id="),
        ([[4_000_000_000]], ValueError, "must be below"),
        (pa.array([[5], None]), ValueError, r"lists\[1\]: is null"),
        (pa.array([[5, None]]), ValueError, r"lists\[0\]: has a null"),
        (pa.array([[-5]]), ValueError, "id=-5"),
        (pa.array([["A"]]), ValueError, "integers are expected"),
        (pa.array([1]), ValueError, "Arrow lists of integers are expected"),
    ],
)
def test_what_is_no_list_of_ids_is_refused(
    tokenizer: genotok.Tokenizer, lists: Any, kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind, match=says):
        tokenizer.decode_batch(lists)


def test_more_text_than_memory_can_hold_are_an_error(tokenizer: genotok.Tokenizer) -> None:
    with pytest.raises(genotok.ResourceError, match="sequences: their 670000000000000 bytes do not fit"):
        tokenizer.encode_batch(["A" * 67_000_000] * 10_000_000)


def test_a_string_that_lies_about_its_length_is_encoded(tokenizer: genotok.Tokenizer) -> None:
    class Boastful(str):
        __slots__ = ()

        def __len__(self) -> int:
            return 1 << 60

    encoded = tokenizer.encode_batch([Boastful("ACGT"), Boastful("GATTACA")])
    assert [list(ids) for ids in encoded] == [tokenizer.encode("ACGT"), tokenizer.encode("GATTACA")]


def test_options_outside_their_rule_are_refused(tokenizer: genotok.Tokenizer) -> None:
    with pytest.raises(genotok.ArgumentError, match='unknown="nothing": must be "token", "split" or "error"'):
        tokenizer.encode_batch([], unknown="nothing")  # type: ignore[arg-type]
    with pytest.raises(genotok.ArgumentError, match="threads=0"):
        tokenizer.encode_batch([], threads=0)


def are_within(offsets: Any, length: int) -> bool:
    return bool((np.diff(offsets) >= 0).all() and offsets[0] >= 0 and offsets[-1] <= length)


class Foreign:
    """Arrow data of a library that cannot be asked how long its buffers are."""

    def __init__(self, array: pa.Array) -> None:
        self.array = array

    def __arrow_c_array__(self, requested_schema: object = None) -> Any:
        return self.array.__arrow_c_array__(requested_schema)


@given(
    st.integers(0, 4),
    st.one_of(st.integers(-2, 14), st.integers(-(2**31), 2**31 - 1)),
    st.sampled_from([np.int32, np.int64]),
    st.booleans(),
)
def test_an_altered_offset_is_an_error_and_not_a_wild_read(
    tokenizer: genotok.Tokenizer, at: int, offset: int, width: type[np.signedinteger[Any]], foreign: bool
) -> None:
    """As a damaged file would give it: pyarrow itself does not look before it reads."""
    offsets = np.array([0, 4, 4, 10, 12], width)
    kind = pa.string() if width is np.int32 else pa.large_string()
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"ACGTGATTACGG")]
    array = pa.Array.from_buffers(kind, 4, buffers)
    if foreign and at == 4:
        return  # nobody else knows how long the text is
    offsets[at] = offset
    given_as = Foreign(array) if foreign else array
    if are_within(offsets, 12):
        assert len(tokenizer.encode_batch(given_as)) == 4
    else:
        with pytest.raises(genotok.ArgumentError, match="Arrow data that is not valid"):
            tokenizer.encode_batch(given_as)


@given(st.integers(0, 2), st.one_of(st.integers(-2, 9), st.integers(-(2**31), 2**31 - 1)))
def test_an_altered_offset_of_lists_is_an_error(tokenizer: genotok.Tokenizer, at: int, offset: int) -> None:
    offsets = np.array([0, 2, 3], np.int32)
    array = pa.ListArray.from_buffers(
        pa.list_(pa.uint16()), 2, [None, pa.py_buffer(offsets)], children=[pa.array([5, 6, 7], pa.uint16())]
    )
    offsets[at] = offset
    for lists in (array, Foreign(array)):
        if are_within(offsets, 3):
            assert len(tokenizer.decode_batch(lists)) == 2
        else:
            with pytest.raises(genotok.ArgumentError, match="Arrow data that is not valid"):
                tokenizer.decode_batch(lists)


# -- threads --------------------------------------------------------------------------------------------


def test_eight_threads_at_once(tokenizer: genotok.Tokenizer) -> None:
    texts = [genotok._native.simulate(300_000, seed).decode() for seed in range(8)]
    expected = [tokenizer.encode(text) for text in texts]
    found: dict[int, list[list[int]]] = {}

    def work(number: int) -> None:
        sequences = [texts[number], texts[number][:500], ""]
        found[number] = [tokenizer.encode_batch(sequences).to_list()[0] for _ in range(3)]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(found[number] == [expected[number]] * 3 for number in range(8))


def test_a_forked_process_encodes_too(tokenizer: genotok.Tokenizer) -> None:
    """The threads of the parent are not there; the child makes its own."""
    code = """
import os, genotok
text = genotok._native.simulate(200_000, 3).decode()
tokenizer = genotok.Tokenizer(genotok._native.Tokenizer.train_words(
    [(text, 1)],
    genotok.options.TrainOptions(vocab_size=100, special_tokens=("[UNK]",)), threads=1, seed=None))
expected = tokenizer.encode_batch([text]).to_list()
child = os.fork()
if child == 0:
    os._exit(0 if tokenizer.encode_batch([text]).to_list() == expected else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "0\n"
