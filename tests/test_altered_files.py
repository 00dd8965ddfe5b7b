"""Files and folders of encoded sequences with altered bytes: an error, or the same contents."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import genotok
from genotok.cli import main
from genotok.dataset import TokenDataset, batch_checksums, verify_file, verify_folder
from genotok.dataset.folder import write_folder
from genotok.dataset.shards import open_shard
from genotok.dataset.single import write_rows
from genotok.dataset.writers import files
from genotok.errors import GenotokError, SequenceFileError
from tests.support import encoded
from tests.support.encoded import TOKENIZER, FakeReader, plan, rows_of

ROOT = Path(__file__).resolve().parent.parent
OLD = ROOT / "tests" / "golden" / "tokens"
FILES = {"arrow": ".arrow", "arrow-stream": ".arrows", "parquet": ".parquet", "megatron": ".bin"}
FORMS = sorted(FILES)
PARTS = [(form, ending) for form in FORMS for ending in encoded.plan(form).form.endings]


def write(folder: Path, form: str, rows: Sequence[encoded.Row], batch_rows: int = 5) -> Path:
    path = folder / f"rows{FILES[form]}"
    work = plan(form, window=40)
    write_rows(work, FakeReader(rows, batch_rows=batch_rows), lambda: files(work.form.paths(str(path))))
    return path


def contents(path: Path) -> list[Any]:
    """All that a data set gives."""
    data = TokenDataset(path)
    rows = [data.row(index) for index in range(len(data))]
    facts = None if path.is_dir() else open_shard(str(path)).facts
    return [facts, data.manifest, *((*row[:3], row.ids.tolist()) for row in rows)]


ALTER = """
import sys
from pathlib import Path
from genotok.errors import GenotokError
from tests.test_altered_files import contents
opened, altered = map(Path, sys.argv[1:3])
expected, body = contents(opened), altered.read_bytes()
others = errors = 0
for number, place in enumerate(range(0, len(body), max(len(body) // 200, 1))):
    mask = 0xFF if number % 3 == 0 else 1 << number % 8
    altered.write_bytes(body[:place] + bytes([body[place] ^ mask]) + body[place + 1 :])
    try:
        found = contents(opened)
    except (GenotokError, FileNotFoundError) as error:
        assert altered.stem in str(error) or opened.name in str(error), error
        assert len(str(error).splitlines()) == 1, error
        errors += 1
    else:
        # Parquet's footer may lose all it says of itself by one byte; the rows are the same.
        if found != expected and (opened.suffix != ".parquet" or found[1:] != expected[1:] or found[0]):
            print("other contents: byte", place, "mask", mask)
            others += 1
altered.write_bytes(body)
print(others, "others,", errors, "errors")
sys.exit(others > 0 or errors == 0)
"""


def alter(opened: Path, altered: Path) -> None:
    """Alter bytes one at a time, in another process: a crash is its, and told."""
    child = subprocess.run(
        [sys.executable, "-c", ALTER, str(opened), str(altered)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, (child.stdout + child.stderr)[-3000:]


@pytest.mark.parametrize(("form", "ending"), PARTS)
def test_an_altered_byte_never_gives_other_contents(tmp_path: Path, form: str, ending: str) -> None:
    path = write(tmp_path, form, rows_of(1, 9))
    alter(path, path.with_suffix(ending))


@pytest.mark.parametrize(("form", "ending"), PARTS)
def test_an_altered_byte_of_a_shard_never_gives_other_contents(
    tmp_path: Path, form: str, ending: str
) -> None:
    folder = write_shards(tmp_path / "shards", form)
    alter(folder, folder / f"00000-00000{ending}")


def test_an_altered_byte_of_a_manifest_never_gives_other_contents(tmp_path: Path) -> None:
    folder = write_shards(tmp_path / "shards", "arrow")
    alter(folder, folder / "manifest.json")


def write_shards(folder: Path, form: str) -> Path:
    """A folder of shards of two inputs with equally many rows."""
    for name in ("a.fa", "b.fa"):
        (folder.parent / name).write_text(">x\nA\n")
    inputs = [str(folder.parent / name) for name in ("a.fa", "b.fa")]

    def read(paths: Sequence[str], before: int) -> FakeReader:
        return FakeReader([(*row[:3], [7 + before, *row[3]]) for row in rows_of(2, 4)], name=paths[0])

    write_folder(str(folder), plan(form, inputs, shard_bases=10**6), read)
    return folder


# -- cut, extended, put together --------------------------------------------------------------------


@pytest.mark.parametrize(("form", "ending"), PARTS)
def test_a_cut_file_is_an_error_or_has_the_same_contents(tmp_path: Path, form: str, ending: str) -> None:
    path = write(tmp_path, form, rows_of(3, 8), batch_rows=3)
    expected, altered = contents(path), path.with_suffix(ending)
    body = altered.read_bytes()
    refused = 0
    for size in range(0, len(body), 7 if len(body) > 400 else 1):
        altered.write_bytes(body[:size])
        try:
            found = contents(path)
        except GenotokError:
            refused += 1
        else:
            # Without what stands behind it a Megatron index is one of an older version; and
            # a stream needs no end.
            assert found[1:] == expected[1:], size
    assert refused
    altered.write_bytes(body + b"\0" * 9)
    try:
        assert contents(path) == expected
    except GenotokError:
        refused += 1


@pytest.mark.parametrize("rows", [0, 4, 12])
def test_a_stream_that_ends_between_two_batches_is_cut_short(tmp_path: Path, rows: int) -> None:
    path = write(tmp_path, "arrow-stream", rows_of(3, rows), batch_rows=3)
    whole = pa.ipc.open_stream(path.read_bytes())
    batches = list(whole.iter_batches_with_custom_metadata())
    short = tmp_path / "short.arrows"
    with pa.ipc.new_stream(str(short), whole.schema) as writer:
        for pair in batches[:-1]:
            writer.write_batch(pair.batch, custom_metadata=pair.custom_metadata)
    with pytest.raises(SequenceFileError, match=r"short\.arrows: damaged: .*cut short"):
        TokenDataset(short)


@pytest.mark.parametrize("form", ["arrow", "parquet"])
def test_batches_that_changed_places_are_found(tmp_path: Path, form: str) -> None:
    """Each batch is whole, and so is the file: only the number that is part of a checksum tells."""
    path = write(tmp_path, form, rows_of(5, 6), batch_rows=2)
    if form == "parquet":
        old = parquet.ParquetFile(path)
        groups = [old.read_row_group(number) for number in range(old.num_row_groups)]
        with parquet.ParquetWriter(path, old.schema_arrow) as writer:
            for group in [groups[1], groups[0], *groups[2:]]:
                writer.write_table(group)
            writer.add_key_value_metadata({b"genotok.batches": old.metadata.metadata[b"genotok.batches"]})
    else:
        file = pa.ipc.open_file(path.read_bytes())
        pairs = [file.get_batch_with_custom_metadata(number) for number in range(file.num_record_batches)]
        with pa.ipc.new_file(str(path), file.schema) as writer:
            for pair in [pairs[1], pairs[0], *pairs[2:]]:
                writer.write_batch(pair.batch, custom_metadata=pair.custom_metadata)
    data = TokenDataset(path)
    with pytest.raises(SequenceFileError, match="record batch 0: its checksum differs"):
        data[0]


@pytest.mark.parametrize("form", FORMS)
def test_shards_that_changed_places_are_found(tmp_path: Path, form: str) -> None:
    folder = write_shards(tmp_path / "shards", form)
    for ending in plan(form).form.endings:
        first, second = folder / f"00000-00000{ending}", folder / f"00001-00000{ending}"
        first.rename(folder / "aside")
        second.rename(first)
        (folder / "aside").rename(second)
    with pytest.raises(SequenceFileError, match=r"00000-00000.*is not the file that the manifest tells of"):
        TokenDataset(folder)[0]


# -- when -------------------------------------------------------------------------------------------


def checked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the batches that are compared with their checksums, from now on."""
    numbers: list[int] = []
    compare = batch_checksums.batch_checksum

    def counted(batch: pa.RecordBatch, about: str, number: int) -> str:
        numbers.append(number)
        return compare(batch, about, number)

    monkeypatch.setattr(batch_checksums, "batch_checksum", counted)
    return numbers


@pytest.mark.parametrize("form", FORMS)
def test_a_batch_is_compared_once_when_it_is_first_needed(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, form, rows_of(1, 9), batch_rows=4)
    numbers = checked(monkeypatch)
    data = TokenDataset(path)
    assert numbers == []
    for index in (9, 10, 0, 9, 1, 8, 3):
        data[index]
    assert numbers == [2, 0]
    assert len(list(data)) == len(data)
    assert sorted(numbers) == list(range(-(-len(data) // 4)))


@pytest.mark.parametrize("form", FORMS)
def test_an_altered_batch_leaves_the_others_readable(tmp_path: Path, form: str) -> None:
    rows = [("r", 10 * number, 10 * number + 10, [number % 100, 3, 4, 5] * 40) for number in range(40)]
    path = write(tmp_path, form, rows, batch_rows=10)
    body = bytearray(path.read_bytes())
    if form == "parquet":
        place = parquet.ParquetFile(path).metadata.row_group(1).column(3).data_page_offset + 60
    else:
        place = bytes(body).index(np.array(rows[15][3], np.uint16).tobytes()) + 4
    body[place] ^= 1
    path.write_bytes(body)
    data = TokenDataset(path)
    assert data[39].tolist() == rows[39][3]
    with pytest.raises(SequenceFileError, match=rf"{path.name}: damaged: record batch 1: "):
        list(data)


def test_another_process_compares_anew(tmp_path: Path) -> None:
    path = write(tmp_path, "arrow", rows_of(1, 9))
    data = TokenDataset(path)
    expected, pickled = [ids.tolist() for ids in data], pickle.dumps(data)
    assert [ids.tolist() for ids in pickle.loads(pickled)] == expected
    body = bytearray(path.read_bytes())
    place = bytes(body).index(b"r0r0" if b"r0r0" in body else b"r1")
    body[place] ^= 1
    (tmp_path / "new").write_bytes(body)
    os.replace(tmp_path / "new", path)
    with pytest.raises(SequenceFileError, match="checksum"):
        list(pickle.loads(pickled))


@pytest.mark.parametrize(("form", "context"), [*((form, "fork") for form in FORMS), ("arrow", "spawn")])
def test_loaders_with_workers_get_the_rows(tmp_path: Path, form: str, context: str) -> None:
    torch_data = pytest.importorskip("torch.utils.data")
    rows = rows_of(1, 9)
    data = TokenDataset(write(tmp_path, form, rows))
    assert data[0].tolist() == rows[0][3]
    workers = 2 if context == "fork" else 1  # one that is spawned loads torch anew
    loader = torch_data.DataLoader(
        data, batch_size=3, num_workers=workers, collate_fn=list, multiprocessing_context=context
    )
    assert [ids.tolist() for batch in loader for ids in batch] == [row[3] for row in rows]


# -- without checksums ------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_a_file_of_an_older_version_is_read(form: str) -> None:
    path = OLD / f"rows{FILES[form]}"
    assert open_shard(str(path)).checksums is None
    data, rows = TokenDataset(path), rows_of(7, 8)
    assert [data[index].tolist() for index in range(len(data))] == [row[3] for row in rows]
    if form != "megatron":
        assert [(*data.row(index)[:3], data[index].tolist()) for index in range(len(data))] == rows
        assert open_shard(str(path)).facts["options"] == {"window": 40}


def test_a_folder_of_an_older_version_is_read(tmp_path: Path) -> None:
    """Its manifest has the version 1, no checksum of its own, and shards without."""
    folder = write_shards(tmp_path / "shards", "arrow")
    expected = [ids.tolist() for ids in TokenDataset(folder)]
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["sha256"]
    for portion in manifest["portions"]:
        for shard in portion["shards"]:
            del shard["checksum"]
    for name in ("00000-00000.arrow", "00001-00000.arrow"):
        table = pa.ipc.open_file((folder / name).read_bytes()).read_all().replace_schema_metadata({})
        with pa.ipc.new_file(str(folder / name), table.schema) as writer:
            writer.write_table(table)
    (folder / "manifest.json").write_text(json.dumps(manifest | {"version": 1}))
    assert [ids.tolist() for ids in TokenDataset(folder)] == expected
    assert all("other checksum" not in line for line in verify_folder(folder))


# -- genotok verify on files ------------------------------------------------------------------------


def verify(*arguments: str | Path) -> int:
    """The exit code of `genotok verify`."""
    with (
        patch.object(sys, "argv", ["genotok", "verify", *map(str, arguments)]),
        pytest.raises(SystemExit) as stop,
    ):
        main()
    assert isinstance(stop.value.code, int)
    return stop.value.code


@pytest.mark.parametrize("form", FORMS)
def test_a_file_is_verified(tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, form, rows_of(1, 9))
    assert verify(path) == 0
    assert f"{path}: whole: " in capsys.readouterr().out
    TOKENIZER.save(tmp_path / "tokenizer.json")
    assert verify(path, "--against", tmp_path / "tokenizer.json") == 0
    TOKENIZER.truncate(60).save(tmp_path / "other.json")
    assert verify(path, "--against", tmp_path / "other.json") == 1
    assert "was encoded with another tokenizer" in capsys.readouterr().out
    capsys.readouterr()
    assert verify(path, "--inputs") == 1
    assert "is for folders of shards" in capsys.readouterr().err
    path = write(tmp_path, form, [("r", 0, 200, [5, 6, 7, 8] * 50)])
    body = bytearray(path.read_bytes())
    place = (
        parquet.ParquetFile(path).metadata.row_group(0).column(3).data_page_offset if form == "parquet" else 0
    )
    body[place + 40 if form == "parquet" else bytes(body).index(b"\5\0\6\0\7\0") + 9] ^= 1
    path.write_bytes(body)
    # What it is, is told by what is in it.
    renamed = path if form == "megatron" else path.rename(tmp_path / "any.name")
    assert verify(renamed) == 1
    told = capsys.readouterr().out.splitlines()
    assert told == list(verify_file(renamed))
    assert len(told) == 1
    assert f"{renamed}: damaged: record batch 0: " in told[0]


@pytest.mark.parametrize("form", FORMS)
def test_a_file_without_checksums_is_said_to_be_one(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(OLD / f"rows{FILES[form]}") == 0
    assert "without checksums" in capsys.readouterr().out


def test_a_packed_file_is_verified(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.fa").write_text(">a\nACGTACGTTTGACCAGT\n")
    path = tmp_path / "corpus"
    genotok.pack(tmp_path / "a.fa", path)
    assert verify(path) == 0
    body = bytearray(path.read_bytes())
    body[-1] ^= 1
    path.write_bytes(body)
    assert verify(path) == 1
    assert str(path) in capsys.readouterr().out


def test_what_cannot_be_verified_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.fa").write_text(">a\nACGT\n")
    assert verify(tmp_path / "a.fa") == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
