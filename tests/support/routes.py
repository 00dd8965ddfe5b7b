"""Ways for the same content to reach a reader: as a file, packed, through a pipe, in any batches.

`answer` gives everything that a reader says of a file, so that two ways can be compared: rows, report,
warnings, and the error, without the name of the file.
"""

from __future__ import annotations

import gzip
import os
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
from benchmarks.ingest.sources import bgzf

import genotok
from genotok.options import ReadOptions, RowOptions, RunOptions
from tests.support.encoded import TOKENIZER
from tests.support.row_files import standard_input, zstd

NAME = "FILE"
NUMBERS = count()


@dataclass(frozen=True)
class Answer:
    """What a reader says.

    Attributes:
        rows: Names, starts, ends, lengths and ids; what came before an error is left out.
        report: The report; None after an error.
        said: The warnings, then the error, if any.
    """

    rows: tuple[Any, ...]
    report: dict[str, Any] | None
    said: tuple[str, ...]

    def without_lines(self) -> Answer:
        """The same, and the error of a symbol does not say in which line it stands."""
        said = tuple(re.sub(r"^(SymbolError: FILE), line \d+", r"\1", text) for text in self.said)
        return replace(self, said=said)

    def difference(self, other: Answer) -> str:
        """The first part that is not the same, in short; nothing if all are."""
        for part in ("said", "report", "rows"):
            one, two = getattr(self, part), getattr(other, part)
            if one != two:
                return f"{part}: {one!r:.300} and {two!r:.300}"
        return ""


Route = Callable[[bytes, Path], Any]
"""A context manager that gives the path to read some content from."""


@contextmanager
def as_file(text: bytes, folder: Path, pack: Callable[[bytes], bytes] = bytes) -> Iterator[str]:
    """A regular file, perhaps compressed."""
    path = folder / "given"
    path.write_bytes(pack(text))
    yield str(path)


@contextmanager
def as_pipe(text: bytes, folder: Path) -> Iterator[str]:
    """A pipe with a name; each time another one, as a reader may still hold the one before."""
    path = folder / f"pipe{next(NUMBERS)}"
    os.mkfifo(path)

    def feed() -> None:
        with suppress(BrokenPipeError):  # the reader has found an error
            path.write_bytes(text)

    writer = Thread(target=feed)
    writer.start()
    try:
        yield str(path)
    finally:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))  # if nobody has opened it, the writer waits
        writer.join()
        path.unlink()


@contextmanager
def as_input(text: bytes, folder: Path) -> Iterator[str]:
    """Standard input, a file that is open at an offset."""
    with standard_input(text, folder / "held", piped=False):
        yield "-"


ROUTES: dict[str, Route] = {
    "file": as_file,
    "pipe": as_pipe,
    "input": as_input,
    "gzip": partial(as_file, pack=partial(gzip.compress, compresslevel=1, mtime=0)),
    "two members": partial(
        as_file, pack=lambda text: b"".join(gzip.compress(half, 1) for half in halves(text))
    ),
    "bgzf": partial(as_file, pack=partial(bgzf, level=1)),
    "small blocks": partial(as_file, pack=partial(bgzf, size=999, level=1)),
    "zstd": partial(as_file, pack=zstd),
}


def halves(text: bytes) -> tuple[bytes, bytes]:
    """A file in two parts."""
    return text[: len(text) // 2], text[len(text) // 2 :]


@dataclass(frozen=True)
class Ask:
    """How a reader is asked to read.

    Attributes:
        rows: The rows wanted.
        tokenizer: What encodes them.
        digests: Refget digests of all records.
        batch: Bases in a batch; None for the default.
        threads: Threads.
    """

    rows: RowOptions
    tokenizer: genotok.Tokenizer = TOKENIZER
    digests: bool = True
    batch: int | None = None
    threads: int = 1

    def but(self, **changes: Any) -> Ask:
        """The same otherwise."""
        return replace(self, **changes)

    @property
    def read(self) -> ReadOptions:
        """The options of the reader."""
        one = ReadOptions(digests=self.digests, need_bases=False)
        return one if self.batch is None else replace(one, batch_bases=self.batch)


def answer(paths: list[str], ask: Ask) -> Answer:
    """What the reader of `encode` says of files."""
    batches, report = [], None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        said = []
        try:
            reader = ask.tokenizer.encode_rows(paths, ask.rows, ask.read, RunOptions(threads=ask.threads))
            batches = [_columns(batch) for batch in reader]
            report = {**reader.report()}
        except (genotok.GenotokError, OSError) as error:
            batches, said = [], [f"{type(error).__name__}: {error}"]
    said = [str(one.message) for one in caught] + said
    if report is not None:
        digests = report.pop("digests", [])
        report["digests"] = [tuple({**one, "file": NAME}.values()) for one in digests]
    rows = tuple(_joined(column) for column in zip(*batches, strict=True))
    return Answer(rows, report, tuple(without_names(text, paths) for text in said))


def _columns(batch: genotok.RecordBatch) -> tuple[Any, ...]:
    """Names, starts, ends, number of ids and ids of a batch."""
    ids = batch.input_ids
    values = ids.values[ids.offsets[0] : ids.offsets[-1]]
    return batch.records, batch.starts.copy(), batch.ends.copy(), np.diff(ids.offsets), values.copy()


def _joined(parts: tuple[Any, ...]) -> Any:
    """A column of all batches in a form that can be compared."""
    if isinstance(parts[0], list):
        return [name for part in parts for name in part]
    return np.concatenate(parts).tolist()


def without_names(text: str, paths: list[str]) -> str:
    """A message without the names of the files."""
    for path in paths:
        text = text.replace(path, NAME) if path != "-" else re.sub(r"^(\w+: )?-(?=[,:])", rf"\1{NAME}", text)
    return text.replace("unpacks to nothing", "is empty")  # the one thing that is said of packed files alone
