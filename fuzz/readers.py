"""Fuzzes the readers that are in Python: only genotok's errors and those of the system may come out of them.

`python fuzz/readers.py --seconds 60` runs all, each in its own process. atheris, which keeps what reaches new
code, is used if it is installed (`pip install atheris`); otherwise the corpus is changed at random.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import ledger

CORPUS = Path(__file__).resolve().parent / "corpus" / "readers"
KEPT = CORPUS.parents[2] / "build" / "fuzz"
MAX_LEN = 3000
EDGES = (
    b"",
    b"\0",
    b"\xff",
    b"\n",
    b"\t",
    b",",
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b"-1",
    b"0",
    b"null",
    b"true",
    b"1e999",
)
Reader = Callable[[bytes, Path], None]


def _written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def vcf(data: bytes, folder: Path) -> None:
    """A VCF: header and records."""
    from genotok.variants.vcf import VcfReader

    with _written(folder, "x.vcf", data).open("rb") as file:
        for record in VcfReader(file, "x.vcf").records():
            _ = (record.contig, record.position, record.name, record.ref, record.alternatives)


def table(data: bytes, folder: Path) -> None:
    """A labelled table; the first byte chooses the format by the name."""
    from genotok.gue.files import read_labelled

    ending = ("csv", "tsv", "jsonl", "parquet")[data[0] % 4 if data else 0]
    split = read_labelled(_written(folder, f"x.{ending}", data[1:]), need_labels=len(data) % 2 == 0)
    for row in range(min(len(split.lines), 3)):
        split.place(row)


def manifest(data: bytes, folder: Path) -> None:
    """The manifest of a folder of token shards: read, written, and read as the same."""
    from genotok.dataset.manifest import Manifest

    found = Manifest.read(str(_written(folder, "manifest.json", data)))
    again = Manifest.read(str(_written(folder, "again.json", found.to_json().encode())))
    assert again.to_json() == found.to_json(), "a manifest that is not what was written"


def megatron(data: bytes, folder: Path) -> None:
    """An index and its data, two bytes of length before them."""
    from genotok.dataset.verify import verify_file

    length = int.from_bytes(data[:2], "little")
    _written(folder, "x.idx", data[2 : 2 + length])
    for defect in verify_file(_written(folder, "x.bin", data[2 + length :])):
        assert defect, "a defect without words"


def tokens(data: bytes, folder: Path) -> None:
    """A file of tokens by pyarrow: Arrow or Parquet, by the first byte."""
    from genotok.dataset.reading import TokenDataset

    ending = ("arrow", "parquet")[data[0] % 2 if data else 0]
    found = TokenDataset(_written(folder, f"x.{ending}", data[1:]))
    for batch in found.batches():
        assert batch.num_rows >= 0
    _ = found.facts


def record(data: bytes, folder: Path) -> None:
    """The record of a run, and the lines of a log."""
    from genotok.run_records.reading import read_lines, read_record

    path = _written(folder, "run.json", data)
    read_lines(path)
    read_record(path)


def model(data: bytes, folder: Path) -> None:
    """The configuration of a model's folder."""
    from genotok.model_folder.read import read_folder

    _written(folder, "config.json", data)
    read_folder(folder, need_weights=False)


READERS: dict[str, Reader] = {
    one.__name__: one for one in (manifest, megatron, model, record, table, tokens, vcf)
}


def check(reader: Reader, data: bytes, folder: Path) -> None:
    """Calls a reader; its refusals are genotok's errors, of one line, or the system's."""
    from genotok.errors import GenotokError

    with suppress(GenotokError, OSError):
        reader(data, folder)


def inputs(name: str) -> list[Path]:
    """The files of a reader's corpus, and what earlier runs have found."""
    folders = (CORPUS / name, KEPT / f"reader-{name}")
    return [path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir())]


def changed(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """The bytes with some of them changed, dropped, doubled, or taken from another input."""
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 8))):
        start = rng.randrange(len(found) + 1)
        end = min(len(found), start + rng.choice((1, 1, 2, 4, 8, 60)))
        match rng.randrange(6):
            case 0:
                found[start:end] = bytes(rng.randrange(256) for _ in range(end - start))
            case 1:
                del found[start:end]
            case 2:
                found[start:start] = found[start:end] * rng.choice((1, 3))
            case 3:
                found[start:end] = rng.choice(EDGES)
            case 4:
                other = rng.choice(others)
                cut = rng.randrange(len(other) + 1)
                found[start:end] = other[cut : cut + rng.choice((4, 40, 400))]
            case _:
                if start < len(found):
                    found[start] ^= 1 << rng.randrange(8)
    return bytes(found[:MAX_LEN])


def at_random(name: str, seconds: float, folder: Path) -> int:
    """Runs a reader on changed inputs for so long, without coverage; returns how often."""
    rng, seeds = random.Random(name), [path.read_bytes() for path in inputs(name)]
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        data = changed(rng.choice(seeds), seeds, rng)
        try:
            check(READERS[name], data, folder)
        except BaseException:
            kept = KEPT / "artifacts" / f"reader-{name}"
            kept.mkdir(parents=True, exist_ok=True)
            (kept / "failed").write_bytes(data)
            print(f"{name}: the input is in {kept / 'failed'}", file=sys.stderr)
            raise
        count += 1
    return count


def by_atheris(name: str, seconds: float, folder: Path) -> None:
    """Runs a reader under libFuzzer; does not return."""
    import atheris

    with atheris.instrument_imports(include=["genotok"]):
        for seed in inputs(name):
            check(READERS[name], seed.read_bytes(), folder)
    kept, artifacts = KEPT / f"reader-{name}", KEPT / "artifacts" / f"reader-{name}"
    kept.mkdir(parents=True, exist_ok=True)
    artifacts.mkdir(parents=True, exist_ok=True)
    options = [f"-max_total_time={seconds:.0f}", f"-max_len={MAX_LEN}", "-print_final_stats=1", "-timeout=30"]
    options += ["-rss_limit_mb=4096", f"-artifact_prefix={artifacts}/", str(kept), str(CORPUS / name)]
    atheris.Setup([sys.argv[0], *options], lambda data: check(READERS[name], data, folder))
    atheris.Fuzz()


def run(name: str, seconds: float) -> None:
    """Fuzzes a reader in this process."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        if find_spec("atheris") is not None:
            by_atheris(name, seconds, Path(folder))
        print(json.dumps({"executions": at_random(name, seconds, Path(folder))}))


def outcome(done: subprocess.CompletedProcess[str]) -> Iterator[Any]:
    """How often the reader of a process ran."""
    for line in (done.stdout + done.stderr).splitlines():
        if line.startswith("stat::number_of_executed_units:"):
            yield int(line.split()[-1])
        elif line.startswith('{"executions"'):
            yield json.loads(line)["executions"]


def main() -> int:
    """Runs the readers that are named, or all, and tells what was done."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "readers", nargs="*", metavar="READER", help=f"all if none is given: {', '.join(READERS)}"
    )
    parser.add_argument("--seconds", type=float, default=60, help="for each reader (60)")
    parser.add_argument("--record", action="store_true", help="add the executions to fuzz/executions.json")
    parser.add_argument("--here", action="store_true", help="run one reader in this process")
    given = parser.parse_args()
    if unknown := set(given.readers) - set(READERS):
        parser.error(f"no reader is called {', '.join(sorted(unknown))}")
    if given.here:
        run(given.readers[0], given.seconds)
        return 0
    how, failed = ("atheris" if find_spec("atheris") is not None else "changes at random"), 0
    print(f"{'reader':<12} {'executions':>12}   by {how}")
    for name in given.readers or READERS:
        command = [sys.executable, __file__, name, "--here", "--seconds", str(given.seconds)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        is_well = done.returncode == 0
        failed += not is_well
        executions = next(outcome(done), 0)
        print(f"{name:<12} {executions:>12,}{'' if is_well else '  FAILED'}", flush=True)
        if given.record and how == "atheris":
            ledger.add(f"reader {name}", how, executions)
        if not is_well:
            print(done.stderr[-4000:], file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
