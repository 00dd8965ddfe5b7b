"""`TokenDataset` by number, in parts, and in batches for torch: as plain Python lists of its rows."""

from __future__ import annotations

import multiprocessing
import operator
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genotok.dataset import Collate, TokenDataset
from genotok.dataset.encode import encode
from genotok.errors import ArgumentError
from tests.support.encoded import TOKENIZER, rows_of, write

PAD = TOKENIZER.vocab["[PAD]"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three files of one, no and many records, and a file a format with several batches."""
    place = tmp_path_factory.mktemp("rows")
    (place / "a.fa").write_text(">a\nACGTTGCA\n")
    (place / "b.fa").write_text(">b\nACGTNNNNGATTACA\n>c\n" + "ACGGTCA" * 30 + "\n")
    for form in ("arrow", "parquet", "megatron"):
        encode(
            TOKENIZER, [place / "a.fa", place / "b.fa"], place / form, format=form, window=9, shard_size=50
        )
        for number in (0, 1, 2, 12):
            (place / f"{form}{number}").mkdir()
            write(place / f"{form}{number}", form, rows_of(number, number))
    (place / "arrows").mkdir()
    write(place / "arrows", "arrow-stream", rows_of(12, 12))
    return place


def data_sets(folder: Path) -> Iterator[TokenDataset]:
    """Every format, with no, one, two and many rows, in files and folders."""
    for form, ending in (("arrow", ".arrow"), ("parquet", ".parquet"), ("megatron", ".bin")):
        yield TokenDataset(folder / form)
        for number in (0, 1, 2, 12):
            yield TokenDataset(folder / f"{form}{number}" / f"rows{ending}")
    yield TokenDataset(folder / "arrows" / "rows.arrows")


def lists(data: Any) -> list[list[int]]:
    return [ids.tolist() for ids in data]


def check(data: TokenDataset, rows: list[list[int]]) -> None:
    """Every way to look at it."""
    assert len(data) == len(rows)
    assert lists(data) == rows
    assert [data[index].tolist() for index in range(-len(rows), len(rows))] == rows * 2
    assert [data.row(index).ids.tolist() for index in range(-len(rows), len(rows))] == rows * 2
    assert [ids for batch in data.batches() for ids in batch.column("input_ids").to_pylist()] == rows
    backwards = list(range(len(rows) - 1, -1, -1))
    assert lists(data.__getitems__([*backwards, *backwards])) == rows[::-1] * 2
    assert lists(data.__getitems__([])) == []
    for index in (len(rows), -len(rows) - 1):
        with pytest.raises(IndexError, match=f"index {index}: there are {len(rows)} rows"):
            data[index]
        with pytest.raises(IndexError, match="there are"):
            data.__getitems__([index])


def test_few_rows_in_every_format(folder: Path) -> None:
    for data in data_sets(folder):
        rows = lists(data)
        check(data, rows)
        for key in (slice(None), slice(1, None), slice(None, None, -1), slice(-1, None)):
            check(data[key], rows[key])
        check(data[[]], [])
        with pytest.raises(IndexError, match="a mask of"):
            data[[True] * (len(rows) + 1)]
        with pytest.raises(TypeError, match="an integer, a slice, or integers or booleans"):
            data["a"]


bounds = st.none() | st.integers(-40, 40)
slices = st.builds(slice, bounds, bounds, st.none() | st.integers(-3, 3).filter(bool))


@settings(max_examples=12)
@given(st.sampled_from(["arrow", "parquet", "megatron", "arrows/rows.arrows"]), slices, slices, st.data())
def test_parts_are_those_of_lists(
    folder: Path, name: str, one: slice, other: slice, drawn: st.DataObject
) -> None:
    data = TokenDataset(folder / name)
    assert len(data._paths) > 1 or name.startswith("arrows")
    rows = lists(data)
    check(data[one], rows[one])
    check(data[one][other], rows[one][other])
    part = rows[one]
    if not part:
        return
    chosen = drawn.draw(st.lists(st.integers(-len(part), len(part) - 1), max_size=9))
    expected = [part[index] for index in chosen]
    check(data[one][chosen], expected)
    check(data[one][np.array(chosen, np.int32)][other], expected[other])
    mask = [length % 2 == 0 for length in map(len, part)]
    check(data[one][mask], [row for row in part if len(row) % 2 == 0])
    check(pickle.loads(pickle.dumps(data[one][chosen])), expected)


def test_a_part_opens_no_file_and_copies_no_row(folder: Path) -> None:
    data = TokenDataset(folder / "arrow")
    part = data[1:][::2]
    assert data._open == {}
    rows = [(data.row(index).record, data.row(index).start) for index in range(1, len(data), 2)]  # type: ignore[union-attr]
    assert [(part.row(index).record, part.row(index).start) for index in range(len(part))] == rows
    assert not part[0].flags.owndata
    assert part.facts == data.facts
    assert repr(part) == f"<genotok.dataset.TokenDataset: {data.path}, {len(part)} rows>"


# -- batches for torch --------------------------------------------------------------------------------


def expected_batches(rows: list[list[int]], size: int, length: int | None = None) -> list[dict[str, Any]]:
    """As plain lists."""
    batches = []
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        width = max(map(len, part)) if length is None else length
        ids = [row + [PAD] * (width - len(row)) for row in part]
        mask = [[1] * len(row) + [0] * (width - len(row)) for row in part]
        batches.append({"input_ids": ids, "attention_mask": mask})
    return batches


def test_a_loader_takes_every_format(folder: Path) -> None:
    torch = pytest.importorskip("torch")
    loader_of = torch.utils.data.DataLoader
    for data in data_sets(folder):
        rows = lists(data)
        for size in (1, 4):
            loader = loader_of(data, batch_size=size, collate_fn=Collate(PAD))
            found = [{name: tensor.tolist() for name, tensor in batch.items()} for batch in loader]
            assert found == expected_batches(rows, size)
            loader = loader_of(data.padded(PAD, 60), batch_size=size)  # torch's own collate
            found = [{name: tensor.tolist() for name, tensor in batch.items()} for batch in loader]
            assert found == expected_batches(rows, size, 60)
            assert all(tensor.dtype == torch.int64 for batch in loader for tensor in batch.values())
        if rows:
            shuffled = loader_of(data, batch_size=3, shuffle=True, collate_fn=Collate(PAD))
            found = [
                [id_ for id_ in row if id_ != PAD]
                for batch in shuffled
                for row in batch["input_ids"].tolist()
            ]
            assert sorted(found) == sorted(rows)


@pytest.mark.parametrize("form", ["arrow", "parquet"])
def test_workers_of_a_loader_read(folder: Path, form: str) -> None:
    torch = pytest.importorskip("torch")
    data = TokenDataset(folder / form)
    rows = lists(data)[1:]
    loader = torch.utils.data.DataLoader(
        data[1:], batch_size=4, collate_fn=Collate(PAD), num_workers=2, multiprocessing_context="fork"
    )
    found = [{name: tensor.tolist() for name, tensor in batch.items()} for batch in loader]
    assert found == expected_batches(rows, 4)


def test_a_new_process_opens_the_files_anew(folder: Path) -> None:
    parts = [TokenDataset(folder / form)[::2] for form in ("arrow", "parquet", "megatron")]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.map(operator.itemgetter(3), parts)
    assert lists(found) == lists(part[3] for part in parts)


def test_rows_that_are_too_long_are_an_error_unless_asked_for(folder: Path) -> None:
    pytest.importorskip("torch")
    data = TokenDataset(folder / "arrow12" / "rows.arrow")
    longest = int(np.argmax([len(ids) for ids in data]))
    tokens = len(data[longest])
    with pytest.raises(
        ArgumentError, match=f"length=3: row 0 has {tokens} tokens; give a larger length, or trunc"
    ):
        data.padded(PAD, 3)[longest]
    with pytest.raises(ArgumentError, match=f"length=3: row 1 has {tokens} tokens"):
        Collate(PAD, length=3)([data[0][:1], data[longest]])
    cut = data.padded(PAD, 3, side="left", truncate=True)
    assert cut[longest]["input_ids"].tolist() == data[longest][:3].tolist()
    assert len(cut) == len(data)
    assert cut.__getitems__([0])[0]["attention_mask"].tolist() == [0] * (3 - len(data[0][:3])) + [1] * len(
        data[0][:3]
    )
    same = pickle.loads(pickle.dumps(cut))
    assert same[-1]["input_ids"].tolist() == cut[len(cut) - 1]["input_ids"].tolist()
    with pytest.raises(IndexError, match="rows"):
        cut[len(cut)]
