"""Peak memory of commands, under limits and with a record of 2 GiB: `python -m benchmarks.memory [FOLDER]`.

Each command runs in its own process; its peak is what the system tells of it at its end (`wait4`), the pages
of mapped files included. A command with a limit runs in a control group that the kernel gives no more memory,
where there are such groups and the rights to make one: if it used more, it would be killed. Prints a table in
Markdown for docs/evidence/memory.md. Needs 8 GB of disk in FOLDER (default: a temporary one).
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from genotok import Tokenizer, _native
from genotok.run_records.machine import description

if TYPE_CHECKING:
    from collections.abc import Iterator

GENOTOK = (sys.executable, "-m", "genotok")
CHUNK = 1 << 26
LINE = 1 << 16
SMALL = 200_000_000  # bases of the text that is trained on
FEW = 2_000_000  # bases that are embedded
JOIN = ("sh", "-c", 'echo $$ > "$0" && exec "$@"')
"""Runs a command in the control group whose file of processes stands before it."""
GROUPS = {"/sys/fs/cgroup/memory": "memory.limit_in_bytes", "/sys/fs/cgroup": "memory.max"}
"""Where control groups of memory are, in their first version or the second, and the file of their limit."""


class Case(NamedTuple):
    """A command to measure."""

    name: str
    arguments: tuple[str, ...]
    limit: int | None = None  # bytes


class Outcome(NamedTuple):
    """How a command ended."""

    status: int
    peak: int  # bytes
    said: str
    enclosed: bool = False  # in a control group of the limit


def main() -> None:
    """Write the inputs, run the commands, print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description="Peak memory.")
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--record", type=int, default=1 << 31, help="bases of the long record")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="genotok-memory-", dir=options.folder) as folder:
        work = Path(folder)
        # In processes of their own: what a child's peak starts from is the memory of this one.
        for name, bases in (("long.fa", options.record), ("small.fa", SMALL), ("few.fa", FEW)):
            writer = multiprocessing.Process(target=write_fasta, args=(work / name, bases))
            writer.start()
            writer.join()
        print(f"{description()}, {dt.datetime.now(dt.UTC):%Y-%m-%d}\n")
        print("| command | limit | of the kernel too | peak memory | within it |\n|---|---:|---|---:|---|")
        for case in cases(options.record):
            if "embed" in case.arguments and not (work / "model").exists():
                writer = multiprocessing.Process(target=write_model, args=(work,))
                writer.start()
                writer.join()
            outcome = measured(case.arguments, work, case.limit)
            print(row(case, outcome), flush=True)


def cases(record: int) -> list[Case]:
    """The commands, in an order in which each finds what it reads."""
    train = ("train-bpe", "--vocab", "1024", "--threads", "2", "--force")
    long, shards = ("long.fa", "--threads", "2"), ("--threads", "2", "--shard-size", "64M")
    encode = ("encode", *long, "-t", "tokenizer.json", "-o")
    embed = ("embed", "few.fa", "-m", "model", "-t", "tokenizer.json", "--window", "1000", "--force")
    embed += ("--device", "cpu", "-o", "vectors.parquet")
    size = f"{record / 2**30:g} GiB" if record >= 1 << 28 else f"{record:,} bases"
    return [
        Case("train-bpe, 200 Mb", (*train, "small.fa")),
        Case("train-bpe, 200 Mb", (*train, "--memory", "700M", "small.fa"), 700_000_000),
        Case("pack to shards, 200 Mb", ("pack", "small.fa", "-o", "packed/", *shards)),
        Case("train-bpe, 200 Mb in shards", (*train, "--memory", "500M", "packed"), 500_000_000),
        Case("train-bpe, 200 Mb, too low", (*train, "--memory", "100M", "small.fa"), 100_000_000),
        Case("train-bpe, 200 Mb, too low by a little", (*train, "--memory", "480M", "small.fa"), 480_000_000),
        Case(f"pack, a record of {size}", ("pack", *long, "-o", "long.pack")),
        Case(
            f"pack, a record of {size}", ("pack", *long, "-o", "less.pack", "--memory", "400M"), 400_000_000
        ),
        Case(f"pack to shards, a record of {size}", ("pack", "long.fa", "-o", "shards/", *shards)),
        Case(
            f"encode in windows, a record of {size}",
            (*encode, "windows.arrow", "--window", "1000", "--memory", "200M"),
            200_000_000,
        ),
        Case(
            f"encode whole, a record of {size}",
            (*encode, "whole.arrow", "--memory", "1500M"),
            1_500_000_000,
        ),
        Case(
            f"encode whole, a record of {size}",
            (*encode, "less.arrow", "--memory", "500M"),
            500_000_000,
        ),
        Case("embed in windows, 2 Mb", embed),
        Case("embed in windows, 2 Mb", (*embed, "--memory", "1500M"), 1_500_000_000),
        Case("embed in windows, 2 Mb", (*embed, "--memory", "300M"), 300_000_000),
    ]


def write_fasta(path: Path, bases: int) -> None:
    """A file of one record of random bases, on lines of 65,536."""
    text = bytes(_native.simulate(min(CHUNK, bases), 5))
    lines = b"\n".join(text[at : at + LINE] for at in range(0, len(text), LINE)) + b"\n"
    with path.open("wb") as file:
        file.write(b">long\n")
        for _ in range(bases // len(text)):
            file.write(lines)
        rest = bases % len(text)
        file.write(text[:rest] + b"\n" if rest else b"")


def write_model(folder: Path) -> None:
    """An encoder of a million weights, for the tokenizer that was trained before."""
    from genotok.model import EncoderConfig, MaskedLanguageModel  # noqa: PLC0415  only in this process
    from genotok.model.checkpoint import write  # noqa: PLC0415

    vocabulary = len(Tokenizer.from_file(folder / "tokenizer.json"))
    config = EncoderConfig.preset("tiny-1m", vocab_size=vocabulary)
    (folder / "model").mkdir()
    write(MaskedLanguageModel(config), folder / "model" / "model.safetensors")
    (folder / "model" / "config.json").write_text(json.dumps(config.to_published()))


@contextmanager
def control_group(limit: int | None) -> Iterator[Path | None]:
    """A control group of at most `limit` bytes; None if there is no limit, or none can be made."""
    for place, name in GROUPS.items() if limit else ():
        group = Path(place, f"genotok-{os.getpid()}")
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            if (group / name).exists():
                (group / name).write_text(str(limit))
                yield group
                return
        finally:
            group.rmdir()
    yield None


def measured(arguments: tuple[str, ...], folder: Path, limit: int | None = None) -> Outcome:
    """A command's status, peak and last line on standard error, in a control group of `limit` bytes."""
    with control_group(limit) as group:
        join = () if group is None else (*JOIN, str(group / "cgroup.procs"))
        command = [*join, *GENOTOK, *arguments]
        child = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        assert child.stderr is not None
        said = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.stderr.close()
        child.returncode = os.waitstatus_to_exitcode(status)
        unit = 1 if sys.platform == "darwin" else 1024
        last = (said.strip().splitlines() or [""])[-1]
        return Outcome(child.returncode, usage.ru_maxrss * unit, last, group is not None)


def row(case: Case, outcome: Outcome) -> str:
    """A row of the table."""
    limit = f"{case.limit / 1e6:,.0f} MB" if case.limit else ""
    kept = "" if case.limit is None else "yes" if outcome.peak <= case.limit else "no"
    if outcome.status < 0:
        kept = f"**killed** by signal {-outcome.status}"
    elif outcome.status:
        kept = f"refused: {outcome.said}"
    kernel = "yes" if outcome.enclosed else ""
    return f"| {case.name} | {limit} | {kernel} | {outcome.peak / 1e6:,.0f} MB | {kept} |"


if __name__ == "__main__":
    main()
