"""The genomes of a study: files under a name, what is in them, and a sample of windows.

The sample is even and always the same: every n-th window of 1,000 bases without other symbols, where n is the
smallest power of two that leaves no more than wanted. It is drawn in one pass: every window is taken
and, whenever there are too many, every second one is dropped and the step doubles.
"""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from genotok.corpus.verdict import MAX_UNKNOWN
from genotok.errors import ArgumentError, GenotokWarning
from genotok.files.paths import STANDARD_INPUT, expand
from genotok.tokenizer import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["SAMPLE_BASES", "Genome", "named_genomes", "read_genome"]

SAMPLE_BASES = 1000
"""Bases of a window of the sample."""

BATCH_BASES = 1 << 22
"""Symbols of a batch."""

SAMPLE_WINDOWS = 512
"""Windows in the sample, at most."""

ENDINGS = {".gz", ".bgz", ".xz", ".zst", ".fa", ".fna", ".fasta", ".fq", ".fastq", ".txt"}


@dataclass(frozen=True, slots=True)
class Genome:
    """Sequence files that are measured as one.

    Attributes:
        name: What it is called in tables.
        files: Their paths.
        records: Records in them.
        bases: Bases, in upper case or, if case does not count, in either.
        other_symbols: All other symbols.
        unknown: These by kind.
        gc: The share of G and C among the bases; None of none.
        sample: Windows of `SAMPLE_BASES` bases, evenly spread, `SAMPLE_WINDOWS` at most.
    """

    name: str
    files: tuple[str, ...]
    records: int
    bases: int
    other_symbols: int
    unknown: dict[str, int]
    gc: float | None
    sample: tuple[str, ...]

    def describe(self) -> dict[str, object]:
        """What a record says of it; files by name, without their folders."""
        return {
            "name": self.name,
            "files": [os.path.basename(path) for path in self.files],
            "records": self.records,
            "bases": self.bases,
            "other_symbols": self.other_symbols,
            "gc": self.gc,
            "sample_windows": len(self.sample),
        }


def named_genomes(given: Iterable[str]) -> dict[str, list[str]]:
    """Name to files: each file is a genome, those after one `NAME=` are one together.

    Args:
        given: Paths, patterns, or either after `NAME=`; the same name again adds to it.

    Raises:
        FileNotFoundError: A path does not exist, or a pattern matches nothing.
        ArgumentError: Standard input, which cannot be read twice; no file at all; a file twice under a name.
    """
    named: dict[str, list[str]] = {}
    alone: list[str] = []
    for item in given:
        name, equals, pattern = item.partition("=")
        if equals and name and not os.path.exists(item):
            named.setdefault(name, []).extend(expand(pattern))
        else:
            alone.extend(expand(item))
    if STANDARD_INPUT in alone or any(STANDARD_INPUT in files for files in named.values()):
        raise ArgumentError("files=-: a study reads its genomes several times; name files")
    if alone:
        stems = [_stem(path) for path in expand(alone)]
        for path, stem in zip(alone, stems, strict=True):
            taken = stem in named or stems.count(stem) > 1
            named[path if taken else stem] = [path]
    if not named:
        raise ArgumentError("files=[]: at least one sequence file is needed")
    return {name: expand(files) for name, files in named.items()}


def _stem(path: str) -> str:
    """The file's name without its endings."""
    name = os.path.basename(path)
    stem, ending = os.path.splitext(name)
    while stem and ending.lower() in ENDINGS:
        name = stem
        stem, ending = os.path.splitext(name)
    return name


def read_genome(
    name: str,
    files: list[str],
    *,
    uppercase: bool = True,
    allow_unknown: float = MAX_UNKNOWN,
    threads: int | None = None,
) -> Genome:
    """Count what is in the files of a genome and take the sample; one pass.

    Raises:
        SequenceFileError, OSError: A file is not what it should be, or cannot be read.
        ArgumentError: There is no base in them.
    """
    single = Tokenizer.kmer(1)
    base_of_id = np.zeros(single.vocab_size, dtype=np.uint8)
    for base in "ACGT":
        base_of_id[single.vocab[base]] = ord(base)
    counts = np.zeros(single.vocab_size, dtype=np.int64)
    sample = _Sample(SAMPLE_WINDOWS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GenotokWarning)  # lower case is among the other symbols
        reader = single.encode_files(
            files,
            window=SAMPLE_BASES,
            uppercase=uppercase,
            allow_unknown=allow_unknown,
            threads=threads,
            batch_bases=BATCH_BASES,
        )
        for batch in reader:
            ids, bounds = batch.input_ids.values, batch.input_ids.offsets
            counts += np.bincount(ids, minlength=len(counts))
            text = base_of_id[ids]
            for start in bounds[:-1][np.diff(bounds) == SAMPLE_BASES]:
                sample.offer(text, int(start))
    report = reader.report()
    of = {base: int(counts[single.vocab[base]]) for base in "ACGT"}
    bases = sum(of.values())
    if not bases:
        unread = "" if uppercase else " in upper case"
        raise ArgumentError(f"genome={name}: holds no base A, C, G or T{unread}")
    return Genome(
        name=name,
        files=tuple(files),
        records=report["records"],
        bases=bases,
        other_symbols=int(counts.sum()) - bases,
        unknown=dict(report["unknown"]),
        gc=(of["G"] + of["C"]) / bases,
        sample=tuple(sample.windows),
    )


class _Sample:
    """Every n-th window that is offered, for the smallest power of two n that leaves few enough."""

    def __init__(self, most: int) -> None:
        self.windows: list[str] = []
        self._most, self._step, self._offered = most, 1, 0

    def offer(self, text: np.ndarray[tuple[int], np.dtype[np.uint8]], start: int) -> None:
        """Take the window at `start`, if it is due; windows with other symbols, 0 in `text`, do not count."""
        window = text[start : start + SAMPLE_BASES]
        if not window.all():
            return
        if self._offered % self._step == 0:
            if len(self.windows) == self._most:
                self.windows = self.windows[::2]
                self._step *= 2
            if self._offered % self._step == 0:
                self.windows.append(window.tobytes().decode("ascii"))
        self._offered += 1
