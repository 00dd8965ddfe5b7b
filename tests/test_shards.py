"""Folders of shards: deterministic, resumed after a kill to the same bytes, verified; and hostile ones."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from genotok import _native
from genotok.dataset import TokenDataset, verify_folder
from genotok.dataset.folder import write_folder
from genotok.dataset.manifest import JOURNAL, MANIFEST, Manifest
from genotok.dataset.plain import sum_of
from genotok.errors import ArgumentError, GenotokError, SequenceFileError
from genotok.files.checksums import blake3
from tests.support.encoded import TOKENIZER, FakeReader, plan, rows_of

INPUTS = ("a.fa", "b.fa", "c.fa")
FORMS = ["arrow", "arrow-stream", "parquet", "megatron"]


@pytest.fixture(autouse=True)
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three input files in the working directory; what is in them is up to the fake reader."""
    monkeypatch.chdir(tmp_path)
    for name in INPUTS:
        Path(name).write_text(f">{name}\nACGT\n")


def blake3_of(path: str) -> str | None:
    return _native.file_checksum(path)


def rows_for(name: str) -> list[Any]:
    return rows_of(INPUTS.index(name), 12) if name != "b.fa" else []


def read(paths: Sequence[str], before: int) -> FakeReader:
    return FakeReader([row for name in paths for row in rows_for(name)], name=paths[0])


def make(folder: str = "shards", form: str = "arrow", shard_bases: int = 100, **options: Any) -> Manifest:
    run = {key: options.pop(key) for key in ("resume", "force") if key in options}
    reading = options.pop("read", read)
    given = options.pop("inputs", INPUTS)
    return write_folder(folder, plan(form, given, shard_bases=shard_bases, **options), reading, **run)


def contents(folder: str = "shards") -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def defects(folder: str = "shards", **options: Any) -> list[str]:
    return list(verify_folder(folder, **options))


# -- written ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_shards_hold_all_rows_in_order(form: str) -> None:
    manifest = make(form=form)
    expected = [row for name in INPUTS for row in rows_for(name)]
    data = TokenDataset("shards")
    assert [ids.tolist() for ids in data] == [row[3] for row in expected]
    assert [data[index].tolist() for index in range(len(data))] == [row[3] for row in expected]
    assert len(manifest.shards) > 4
    assert all(shard.bases >= 100 for shard in manifest.portions[0].shards[:-1])
    totals = manifest.totals()
    assert (totals.rows, totals.files) == (len(expected), 3)
    assert totals.tokens == sum(len(row[3]) for row in expected)
    assert totals.bases == sum(row[2] - row[1] for row in expected)
    assert totals.unknown_symbols == {"N": 9}
    assert defects(inputs=True, against=TOKENIZER) == []
    assert set(contents()) == {file.name for file in manifest.files} | {MANIFEST}


def test_shards_do_not_depend_on_batches() -> None:
    make()
    one = contents()
    make("other", read=lambda paths, _: FakeReader(rows_for(paths[0]), name=paths[0], batch_rows=5))
    assert contents("other") == one
    manifest = json.loads(one[MANIFEST])
    make("third", read=lambda paths, _: FakeReader(rows_for(paths[0]), name=paths[0], batch_rows=3))
    third = json.loads(contents("third")[MANIFEST])
    counts = [
        [(s["rows"], s["tokens"]) for p in m["portions"] for s in p["shards"]] for m in (manifest, third)
    ]
    assert counts[0] == counts[1]


def test_records_and_inputs_are_listed() -> None:
    manifest = make()
    lines = Path("shards/records-00000.tsv").read_text().splitlines()
    assert lines[0] == "file\trecord\tlength\trefget"
    assert lines[1] == "a.fa\tr0\t1\tSQ.r0"
    assert len(lines) == 1 + manifest.portions[0].records
    entry = manifest.portions[0].inputs[0]
    assert (entry.path, entry.bytes) == ("a.fa", 11)
    assert entry.checksum == blake3(blake3_of("a.fa"))


def test_what_is_there_is_not_replaced_unasked() -> None:
    make()
    with pytest.raises(ArgumentError, match="--force"):
        make()
    Path("shards/stray.txt").write_text("mine")
    make(force=True, inputs=("a.fa",))
    assert len(TokenDataset("shards")) == len(rows_for("a.fa"))
    assert defects() == []
    assert Path("shards/stray.txt").read_text() == "mine"


def test_a_folder_of_something_else_is_refused() -> None:
    Path("mine").mkdir()
    Path("mine/note.txt").write_text("dear")
    for options in ({}, {"force": True}):
        with pytest.raises(ArgumentError, match="not empty"):
            make("mine", **options)
    with pytest.raises(NotADirectoryError):
        make("a.fa")
    with pytest.raises(FileNotFoundError):
        make("no/such/shards")
    assert set(contents("mine")) == {"note.txt"}


# -- resumed ----------------------------------------------------------------------------------------


def stop_after(batches: int, error: BaseException) -> Callable[[Sequence[str], int], FakeReader]:
    """A reader that fails after so many batches in all."""
    left = batches

    class Failing(FakeReader):
        def __iter__(self) -> Any:
            nonlocal left
            for part in super().__iter__():
                if left == 0:
                    raise error
                left -= 1
                yield part

    return lambda paths, _: Failing(rows_for(paths[0]), name=paths[0])


@pytest.mark.parametrize("batches", [0, 1, 4, 6, 8])
@pytest.mark.parametrize("form", ["arrow", "megatron"])
def test_a_stopped_run_goes_on_to_the_same_files(batches: int, form: str) -> None:
    make("whole", form)
    with pytest.raises(KeyboardInterrupt):
        make(form=form, read=stop_after(batches, KeyboardInterrupt()))
    assert JOURNAL in contents()
    assert not any(name.startswith(".genotok") for name in contents())
    assert defects() == ["shards: holds an unfinished run; genotok encode --resume continues it"]
    with pytest.raises(ArgumentError, match="unfinished"):
        TokenDataset("shards")
    with pytest.raises(ArgumentError, match="--resume continues it"):
        make(form=form)
    make(form=form, resume=True)
    assert contents() == contents("whole")


CHILD = """
import os, signal, sys
from tests.test_shards import FakeReader, make, rows_for
left = int(sys.argv[1])
class Dying(FakeReader):
    def __iter__(self):
        global left
        for part in super().__iter__():
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            yield part
make(read=lambda paths, _: Dying(rows_for(paths[0]), name=paths[0]))
"""


@pytest.mark.parametrize("batches", [0, 2, 6, 8])
def test_a_killed_run_goes_on_to_the_same_files(batches: int) -> None:
    make("whole")
    root = Path(__file__).resolve().parent.parent
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(batches)], env={**os.environ, "PYTHONPATH": str(root)}, check=False
    )
    assert child.returncode == -signal.SIGKILL
    read_again: list[str] = []

    def listening(paths: Sequence[str], before: int) -> FakeReader:
        read_again.extend(paths)
        return read(paths, before)

    make(resume=True, read=listening)
    assert contents() == contents("whole")
    first_file = -(-len(rows_for("a.fa")) // 5)
    assert read_again == list(INPUTS[(0 if batches < first_file else 2) :])


def test_everything_is_on_the_disk_before_the_manifest(monkeypatch: pytest.MonkeyPatch) -> None:
    synced: set[str] = set()
    fsync, replace = os.fsync, os.replace

    def noting(descriptor: int) -> None:
        synced.add(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)

    def checking(old: str, new: str) -> None:
        if os.path.basename(new) == MANIFEST:
            folder = os.path.dirname(new)
            made = {str(path) for path in Path(folder).iterdir() if re.match(r"\d|records", path.name)}
            assert len(made) > 6
            assert made | {folder} <= synced
        replace(old, new)

    monkeypatch.setattr(os, "fsync", noting)
    monkeypatch.setattr(os, "replace", checking)
    make(os.path.abspath("shards"))
    assert os.path.abspath(f"shards/{JOURNAL}") in synced


def test_small_inputs_share_a_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the folder and the journal: each of the 60 portions had its own once."""
    calls: list[int] = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (calls.append(descriptor), fsync(descriptor)))
    manifest = make(inputs=INPUTS * 20, read=lambda paths, _: FakeReader(rows_for("c.fa"), name=paths[0]))
    assert len(calls) < len(manifest.files) + 30


def test_a_portion_whose_files_were_lost_in_a_crash_is_made_again() -> None:
    """Its line may reach the disk before its files do."""
    make("whole")
    with pytest.raises(OSError, match="gone"):
        make(read=stop_after(6, OSError("gone")))
    shard = next(path for path in Path("shards").iterdir() if path.name.startswith("00000-"))
    for damage in (lambda: shard.write_bytes(b""), shard.unlink):
        shutil.rmtree("copy", ignore_errors=True)
        damage()
        shutil.copytree("shards", "copy")
        make("copy", resume=True)
        assert contents("copy") == contents("whole")


def test_a_journal_cut_at_any_byte_is_gone_on_with() -> None:
    make("whole")
    with pytest.raises(OSError, match="gone"):
        make(read=stop_after(6, OSError("gone")))
    journal = Path("shards", JOURNAL).read_bytes()
    for size in range(0, len(journal) + 1, 211):
        shutil.rmtree("copy", ignore_errors=True)
        shutil.copytree("shards", "copy")
        Path("copy", JOURNAL).write_bytes(journal[:size])
        make("copy", resume=True)
        assert contents("copy") == contents("whole")


def test_an_altered_journal_is_not_gone_on_with() -> None:
    with pytest.raises(OSError, match="gone"):
        make(read=stop_after(6, OSError("gone")))
    path = Path("shards", JOURNAL)
    text = path.read_text()
    path.write_text(re.sub(r'"records": (\d)', r'"records": 1\1', text, count=1))
    with pytest.raises(SequenceFileError, match=r"unfinished.jsonl: damaged: line 2: its checksum differs"):
        make(resume=True)
    # One of an older version has no checksums.
    path.write_text(re.sub(r', "sha256": "[0-9a-f]{64}"}\n', "}\n", text))
    make(resume=True)
    assert defects() == []


def test_a_complete_folder_is_resumed_in_no_time() -> None:
    make()
    before = contents()
    make(resume=True, read=stop_after(0, AssertionError("nothing is to be read")))
    assert contents() == before


def test_a_damaged_shard_is_made_again() -> None:
    make("whole")
    with pytest.raises(OSError, match="gone"):
        make(read=stop_after(6, OSError("gone")))
    shard = Path("shards/00000-00001.arrow")
    shard.write_bytes(shard.read_bytes()[:-1])
    make(resume=True)
    assert contents() == contents("whole")


def changed_input() -> dict[str, Any]:
    Path("a.fa").write_text(">a.fa\nACGA\n")
    return {}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (changed_input, "a.fa: has changed since"),
        (lambda: {"inputs": ("a.fa", "b.fa")}, "the inputs differ: 2 in place of 3"),
        (lambda: {"inputs": ("a.fa", "c.fa", "b.fa")}, "c.fa in place of b.fa"),
        (lambda: {"window": 10}, "window was None and is 10"),
        (lambda: {"shard_bases": 7}, "shard_bases was 100 and is 7"),
        (lambda: {"form": "parquet"}, "format was 'arrow' and is 'parquet'"),
    ],
)
def test_what_has_changed_is_not_gone_on_with(change: Callable[[], dict[str, Any]], reason: str) -> None:
    with pytest.raises(OSError, match="gone"):
        make(read=stop_after(6, OSError("gone")))
    before = contents()
    with pytest.raises(ArgumentError, match=reason):
        make(resume=True, **change())
    assert contents() == before


def test_there_must_be_something_to_go_on_with() -> None:
    with pytest.raises(FileNotFoundError, match="without --resume"):
        make(resume=True)


def test_an_input_that_changes_while_it_is_read_is_an_error() -> None:
    class Meddling(FakeReader):
        def __iter__(self) -> Any:
            yield from super().__iter__()
            Path("a.fa").write_text(">a.fa\nACGTACGT\n")

    with pytest.raises(SequenceFileError, match="was changed while"):
        make(read=lambda paths, _: Meddling(rows_for(paths[0])))


def test_two_runs_do_not_share_a_folder() -> None:
    def nested(paths: Sequence[str], before: int) -> FakeReader:
        make(resume=True)
        raise AssertionError

    with pytest.raises(ArgumentError, match=r"process \d+.* is writing to it"):
        make(read=nested)


# -- verified ---------------------------------------------------------------------------------------


def flip(name: str, place: int = -1) -> Callable[[], None]:
    def change() -> None:
        path = Path("shards", name)
        body = bytearray(path.read_bytes())
        body[place] ^= 1
        path.write_bytes(body)

    return change


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (flip("00000-00000.arrow", 900), "00000-00000.arrow: has another checksum"),
        (lambda: os.remove("shards/00002-00000.arrow"), "00002-00000.arrow: is missing"),
        (lambda: os.truncate("shards/00002-00000.arrow", 10), "00002-00000.arrow: has 10 bytes"),
        (flip("records-00001.tsv"), "records-00001.tsv: has another checksum"),
        (flip("tokenizer.json"), "tokenizer.json: has another checksum"),
        (lambda: shutil.copy("shards/00000-00000.arrow", "shards/00009-00000.arrow"), "not in the manifest"),
        (lambda: os.remove("shards/manifest.json"), "has no manifest.json"),
        (lambda: Path("shards/.genotok-12ab.tmp").write_text(""), "not in the manifest"),
    ],
)
def test_damage_is_found(damage: Callable[[], object], found: str) -> None:
    make()
    damage()
    lines = defects()
    assert len(lines) == 1
    assert found in lines[0]


def test_a_pipe_in_place_of_a_shard_is_not_opened() -> None:
    make()
    os.remove("shards/00000-00000.arrow")
    os.mkfifo("shards/00000-00000.arrow")
    assert defects() == ["shards/00000-00000.arrow: is not a regular file"]
    with pytest.raises(OSError, match="not a regular file") as caught:
        TokenDataset("shards")[0]
    assert caught.value.errno == errno.EINVAL


def test_other_inputs_and_tokenizers_are_found() -> None:
    make()
    Path("c.fa").write_text(">c\nA\n")
    os.remove("a.fa")
    found = defects(inputs=True, against=TOKENIZER.truncate(60))
    assert [line.partition(":")[0] for line in found] == ["shards", "a.fa", "c.fa"]


def rewrite(shard: str, change: Callable[[pa.RecordBatch], pa.RecordBatch]) -> None:
    """Alter a shard and make the manifest agree with its bytes; there are no checksums of batches."""
    path = Path("shards", shard)
    batches = [change(batch) for batch in pa.ipc.open_file(path.read_bytes()).read_all().to_batches()]
    with pa.ipc.new_file(str(path), batches[0].schema.remove_metadata()) as writer:
        for batch in batches:
            writer.write_batch(batch)
    amend(shard)


def amend(shard: str) -> None:
    manifest = json.loads(Path("shards/manifest.json").read_text())
    for portion in manifest["portions"]:
        for entry in portion["shards"]:
            for file in entry["files"]:
                if file["name"] == shard:
                    path = f"shards/{shard}"
                    file.update(bytes=os.path.getsize(path), checksum=blake3(blake3_of(path)))
                    entry["checksum"] = None
    del manifest["sha256"]
    Path("shards/manifest.json").write_text(json.dumps(manifest | {"sha256": sum_of(manifest)}))


def with_column(
    number: int, change: Callable[[list[Any]], list[Any]]
) -> Callable[[pa.RecordBatch], pa.RecordBatch]:
    def altered(batch: pa.RecordBatch) -> pa.RecordBatch:
        columns = list(batch.columns)
        columns[number] = pa.array(change(columns[number].to_pylist()), columns[number].type)
        return pa.record_batch(columns, schema=batch.schema)

    return altered


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (with_column(3, lambda ids: [[9_999], *ids[1:]]), "an id of 9,999"),
        (with_column(1, lambda starts: [-5, *starts[1:]]), "begins before its record"),
        (with_column(2, lambda ends: [0 * end - 1 for end in ends]), "ends before it begins"),
        (with_column(3, lambda ids: [None, *ids[1:]]), "has missing values"),
        (lambda batch: batch.slice(1), "rows, where the manifest says"),
        (lambda batch: batch.rename_columns(["record", "start", "end", "ids"]), "its columns are"),
    ],
)
def test_what_cannot_be_is_found(change: Callable[[pa.RecordBatch], pa.RecordBatch], found: str) -> None:
    make()
    rewrite("00000-00000.arrow", change)
    assert any(found in line for line in defects())


@pytest.mark.parametrize("form", ["arrow", "arrow-stream", "parquet", "megatron"])
def test_altered_bytes_are_found_without_a_crash(form: str) -> None:
    """Every byte in turn, with a manifest that agrees: an error, or numbers that are still possible."""
    make(form=form, shard_bases=10**6)
    shard = {"arrow": "arrow", "arrow-stream": "arrows", "parquet": "parquet", "megatron": "idx"}[form]
    path = Path("shards", f"00000-00000.{shard}")
    body = path.read_bytes()
    child = subprocess.run(
        [sys.executable, "-c", ALTER, str(path), shard],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stderr[-2000:]
    assert body == path.read_bytes()


ALTER = """
import sys
from pathlib import Path
from genotok.dataset.shards import open_shard
from genotok.errors import GenotokError
path = Path(sys.argv[1])
body = path.read_bytes()
name = str(path.with_suffix(".bin")) if sys.argv[2] == "idx" else str(path)
for place in range(0, len(body), max(len(body) // 150, 1)):
    for value in (0, 0x7F, 0xFF):
        path.write_bytes(body[:place] + bytes([value]) + body[place + 1 :])
        try:
            for batch in open_shard(name).batches():
                batch.to_pydict()
        except GenotokError as error:
            assert path.stem in str(error), error
path.write_bytes(body)
"""


# -- hostile manifests ------------------------------------------------------------------------------


def at(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    """Sets a value deep in the manifest."""

    def change(manifest: Any) -> None:
        *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        for step in steps:
            manifest = manifest[step]
        manifest[last] = value

    return change


SHARD = "portions.0.shards.0"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (at(f"{SHARD}.files.0.name", "../a.fa"), "not the plain name"),
        (at(f"{SHARD}.files.0.name", "/etc/passwd"), "not the plain name"),
        (at(f"{SHARD}.files.0.name", "a\x00b"), "not the plain name"),
        (at(f"{SHARD}.files.0.name", "records-00000.tsv"), "is no shard of format arrow"),
        (at(f"{SHARD}.files.0.name", "00000-00001.arrow"), "listed twice"),
        (at(f"{SHARD}.files.0.checksum", "0"), "64 hexadecimal digits"),
        (at(f"{SHARD}.files", []), "is no shard of format arrow"),
        (at(f"{SHARD}.rows", 10**30), "no number from 0"),
        (at(f"{SHARD}.rows", -1), "no number from 0"),
        (at(f"{SHARD}.rows", True), "no number from 0"),
        (at(f"{SHARD}.rows", 1.5), "where int is expected"),
        (at(f"{SHARD}.rows", 12_345), "not the sums"),
        (at(f"{SHARD}.extra", 5), "not known"),
        (at("portions", {}), "where list is expected"),
        (at("head.format", "pickle"), "pickle"),
        (at("head.tokenizer.name", "../../tokenizer.json"), "not the plain name"),
        (at("version", 5), "version 5"),
        (at("head.vocab_size", 121), "its checksum differs"),
        (lambda manifest: manifest.pop("sha256"), "its checksum differs"),
        (at("kind", "x"), "kind"),
        (lambda manifest: manifest.pop("head"), "manifest.head is missing"),
        (lambda manifest: manifest["portions"][0].pop("shards"), "shards is missing"),
    ],
)
def test_hostile_manifests_are_refused(change: Callable[[dict[str, Any]], object], reason: str) -> None:
    make()
    manifest = json.loads(Path("shards/manifest.json").read_text())
    change(manifest)
    Path("shards/manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(GenotokError, match=reason):
        TokenDataset("shards")
    assert len(defects()) == 1
    assert reason in defects()[0]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"kind": 1e999}',
        b"9" * 10_000,
        b'{"a": NaN}',
    ],
)
def test_a_manifest_that_is_no_json_is_refused(text: bytes) -> None:
    make()
    Path("shards/manifest.json").write_bytes(text)
    with pytest.raises(SequenceFileError, match="no manifest"):
        TokenDataset("shards")
    assert len(defects()) == 1
