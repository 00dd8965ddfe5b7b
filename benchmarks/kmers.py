"""k-mers as people write them: in plain Python, with Biopython, with NumPy.

The ids are those of genotok's vocabulary, to compare. Each tool gets it ready-made, as a dictionary or a
table of 4^k numbers, outside the timing. What is timed turns strings into ids: a list of integers, or an
array for NumPy. The three ways to cut are

- "kmers": one k-mer at each position;
- "kmers-apart": non-overlapping, and the rest base by base;
- "kmers-canonical": one at each position, of it and its reverse complement the one in the vocabulary.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from benchmarks.encoders import Ids, Job, PythonEncoder, bytes_of_lists

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PLAIN, NUMPY, BIOPYTHON = "plain Python", "NumPy", "Biopython"
COMPLEMENT = str.maketrans("ACGT", "TGCA")


def vocabulary(job: Job) -> dict[str, int]:
    """k-mers to ids, as genotok numbers them."""
    import genotok  # noqa: PLC0415

    canonical = job.work == "kmers-canonical"
    return genotok.Tokenizer.kmer(job.k, overlap=job.work != "kmers-apart", canonical=canonical).vocab


class PlainPython(PythonEncoder):
    """A slice and a look-up for each position."""

    name = PLAIN
    module = "sys"
    timed = "slicing and looking up each k-mer, to a list"

    def version(self) -> str:
        """That of Python."""
        return ".".join(map(str, sys.version_info[:3]))

    def prepare(self, job: Job) -> tuple[Callable[[], Ids], Callable[[Ids], Iterable[bytes]]]:
        """Strings to lists."""
        vocab, sequences, k = vocabulary(job), job.sequences(), job.k

        def overlapping(sequence: str) -> list[int]:
            return [vocab[sequence[at : at + k]] for at in range(len(sequence) - k + 1)]

        def apart(sequence: str) -> list[int]:
            ids = [vocab[sequence[at : at + k]] for at in range(0, len(sequence) - k + 1, k)]
            return ids + [vocab[base] for base in sequence[len(ids) * k :]]

        def canonical(sequence: str) -> list[int]:
            ids = []
            for at in range(len(sequence) - k + 1):
                kmer = sequence[at : at + k]
                ids.append(vocab[min(kmer, kmer.translate(COMPLEMENT)[::-1])])
            return ids

        cut = {"kmers": overlapping, "kmers-apart": apart, "kmers-canonical": canonical}[job.work]
        return lambda: [cut(sequence) for sequence in sequences], bytes_of_lists


class Biopython(PythonEncoder):
    """The same on `Bio.Seq.Seq`, whose slices are `Seq` again and know their reverse complement."""

    name = BIOPYTHON
    module = "Bio"
    package = "biopython"
    timed = (
        "slicing a Seq and looking up each k-mer as a string, to a list; the Seq is made outside the timing"
    )

    def prepare(self, job: Job) -> tuple[Callable[[], Ids], Callable[[Ids], Iterable[bytes]]]:
        """`Seq` to lists."""
        from Bio.Seq import Seq  # noqa: PLC0415

        vocab, k = vocabulary(job), job.k
        sequences = [Seq(sequence) for sequence in job.sequences()]

        def overlapping(sequence: Any) -> list[int]:  # noqa: ANN401
            return [vocab[str(sequence[at : at + k])] for at in range(len(sequence) - k + 1)]

        def apart(sequence: Any) -> list[int]:  # noqa: ANN401
            ids = [vocab[str(sequence[at : at + k])] for at in range(0, len(sequence) - k + 1, k)]
            return ids + [vocab[base] for base in sequence[len(ids) * k :]]

        def canonical(sequence: Any) -> list[int]:  # noqa: ANN401
            ids = []
            for at in range(len(sequence) - k + 1):
                kmer = sequence[at : at + k]
                ids.append(vocab[min(str(kmer), str(kmer.reverse_complement()))])
            return ids

        cut = {"kmers": overlapping, "kmers-apart": apart, "kmers-canonical": canonical}[job.work]
        return lambda: [cut(sequence) for sequence in sequences], bytes_of_lists


class NumPy(PythonEncoder):
    """Base codes as an array; a k-mer's number is k shifted sums, and a table turns numbers into ids."""

    name = NUMPY
    module = "numpy"
    package = "numpy"
    timed = "bases to codes, k sums over the sequence, one look-up in a table, to an array of 32 bits"

    def prepare(self, job: Job) -> tuple[Callable[[], Ids], Callable[[Ids], Iterable[bytes]]]:
        """Strings to arrays."""
        import numpy as np  # noqa: PLC0415

        table, symbols, codes = self._tables(job)
        sequences, k, step = job.sequences(), job.k, job.k if job.work == "kmers-apart" else 1

        def cut(sequence: str) -> Any:  # noqa: ANN401
            bases = np.frombuffer(sequence.encode("ascii"), np.uint8)
            digits = codes[bases]
            last = len(digits) - k + 1
            numbers = np.zeros(max(0, -(-last // step)), np.int64)
            for at in range(k):
                numbers *= 4
                numbers += digits[at : last + at : step]
            ids = table[numbers]
            return ids if step == 1 else np.concatenate([ids, symbols[bases[len(ids) * k :]]])

        return lambda: [cut(sequence) for sequence in sequences], bytes_of_lists

    @staticmethod
    def _tables(job: Job) -> tuple[Any, Any, Any]:
        """Ids by the number of a k-mer and by base, and the codes of bases."""
        from itertools import product  # noqa: PLC0415

        import numpy as np  # noqa: PLC0415

        vocab = vocabulary(job)
        codes, symbols = np.zeros(256, np.uint8), np.zeros(256, np.uint32)
        for code, base in enumerate("ACGT"):
            codes[ord(base)], symbols[ord(base)] = code, vocab.get(base, 0)
        names = ("".join(kmer) for kmer in product("ACGT", repeat=job.k))
        if job.work == "kmers-canonical":
            names = (min(name, name.translate(COMPLEMENT)[::-1]) for name in names)
        return np.fromiter((vocab[name] for name in names), np.uint32, 4**job.k), symbols, codes
