"""One adapter for each tool that encodes with a custom byte-pair vocabulary.

`child.py` runs them, each in a process of its own; `kmers.py` has the tools that cut k-mers.

Not here, and why: `rs-bpe` and `bpe-openai` (Python packages around the same crate as `RustGems`) come with
the vocabularies of OpenAI and take no other; SentencePiece cannot be given merges, so that its ids would be
others.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from benchmarks import measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ROOT = measure.ROOT
RUST_GEMS = ROOT / "benchmarks" / "rustgems"
RUST_GEMS_TARGET = ROOT / "target" / "rustgems"
SEPARATOR = (2**32 - 1).to_bytes(4, "little")
"""Stands after the ids of each sequence in what is digested."""
K = 6


@dataclass(frozen=True)
class Job:
    """What a child is to do.

    Attributes:
        engine: Who does it.
        work: "sequences" encodes many, "one" a single string, "calls" makes a call for each sequence,
            "kmers", "kmers-apart" and "kmers-canonical" make overlapping, non-overlapping and overlapping
            canonical k-mers, "file" turns a sequence file into an Arrow file, "build" loads a tokenizer and
            makes it ready.
        tokenizer: Its file.
        source: A file of sequences, one a line; or the sequence file.
        threads: How many may work.
        window: For "file": rows of so many bases; None for whole records.
        k: For k-mers: bases in each.
    """

    engine: str
    work: str
    tokenizer: str
    source: str
    threads: int = 1
    window: int | None = None
    k: int = K

    def sequences(self) -> list[str]:
        """The lines of the source."""
        return Path(self.source).read_text(encoding="ascii").split()


Ids = Any


class Encoder(Protocol):
    """A tool under test."""

    name: str
    timed: str
    """What the seconds hold and what they do not."""

    def lacks(self) -> str:
        """Why the tool cannot take part; nothing if it can."""

    def version(self) -> str:
        """Its version."""

    def command(self, job: Job) -> list[str]:
        """The child."""

    def environment(self, threads: int) -> dict[str, str]:
        """Variables that hold it to so many threads."""


class PythonEncoder:
    """A tool with a Python face: its child is `benchmarks.child`."""

    name = ""
    module = ""
    package = ""

    def lacks(self) -> str:
        """Whether the package can be found."""
        return "" if importlib.util.find_spec(self.module) else f"the package {self.package} is not installed"

    def version(self) -> str:
        """Its version."""
        return metadata.version(self.package)

    def command(self, job: Job) -> list[str]:
        """Python, with the job."""
        return [sys.executable, "-m", "benchmarks.child", json.dumps(asdict(job))]

    def environment(self, threads: int) -> dict[str, str]:
        """Both thread pools are rayon's."""
        return {"TOKENIZERS_PARALLELISM": str(threads > 1).lower(), "RAYON_NUM_THREADS": str(threads)}

    def prepare(self, job: Job) -> tuple[Callable[[], Ids], Callable[[Ids], Iterable[bytes]]]:
        """What is timed, and how ids come out of it, as bytes (32 bits, little endian) of each sequence."""
        raise NotImplementedError


class Genotok(PythonEncoder):
    """This project."""

    name = "genotok"
    module = "genotok._native"
    package = "genotok"
    timed = "encoding into Arrow; for files: reading, encoding, and writing the Arrow file, flushed to disk"

    def prepare(self, job: Job) -> tuple[Callable[[], Ids], Callable[[Ids], Iterable[bytes]]]:
        """Encode batches; one call for each sequence gives a list."""
        import genotok  # noqa: PLC0415

        if job.work == "build":
            text = Path(job.tokenizer).read_text(encoding="utf-8")
            return lambda: [genotok.Tokenizer.from_json(text).encode("ACGT")], bytes_of_lists
        if job.work.startswith("kmers"):
            tokenizer = genotok.Tokenizer.kmer(
                job.k, overlap=job.work != "kmers-apart", canonical=job.work == "kmers-canonical"
            )
        else:
            tokenizer = genotok.Tokenizer.from_file(job.tokenizer)
        if job.work == "file":
            from genotok.dataset.encode import encode  # noqa: PLC0415

            output = str(Path(tempfile.mkdtemp(dir=Path(job.source).parent)) / "out.arrow")

            def write() -> str:
                encode(tokenizer, [job.source], output, force=True, threads=job.threads, window=job.window)
                return output

            return write, bytes_of_file
        sequences = job.sequences()
        tokenizer.encode("ACGT")
        if job.work == "calls":
            return lambda: [tokenizer.encode(sequence) for sequence in sequences], bytes_of_lists
        return lambda: tokenizer.encode_batch(sequences, threads=job.threads), bytes_of_array


class HuggingFace(PythonEncoder):
    """Hugging Face `tokenizers`, the file loaded as it is."""

    name = "Hugging Face tokenizers"
    module = "tokenizers"
    package = "tokenizers"
    timed = (
        "encode_batch_fast (encode for a single string) to its Encoding objects; their ids are taken later"
    )

    def prepare(self, job: Job) -> tuple[Callable[[], Ids], Callable[[Ids], Iterable[bytes]]]:
        """Encode batches; the environment has set the threads."""
        from tokenizers import Tokenizer  # noqa: PLC0415

        tokenizer = Tokenizer.from_file(job.tokenizer)
        if job.work == "file":
            return lambda: write_arrow(tokenizer, job), bytes_of_file
        sequences = job.sequences()
        if job.work in {"one", "calls"}:
            return (
                lambda: [tokenizer.encode(sequence, add_special_tokens=False) for sequence in sequences],
                bytes_of_encodings,
            )
        return lambda: tokenizer.encode_batch_fast(sequences, add_special_tokens=False), bytes_of_encodings


class Tiktoken(PythonEncoder):
    """OpenAI's `tiktoken`, given the vocabulary as ranks; each sequence is one piece."""

    name = "tiktoken"
    module = "tiktoken"
    package = "tiktoken"
    timed = "encode_ordinary_batch (encode_ordinary for a single string) to lists of ranks"

    def prepare(self, job: Job) -> tuple[Callable[[], Ids], Callable[[Ids], Iterable[bytes]]]:
        """Encode batches; ids are ranks after the special tokens."""
        import tiktoken  # noqa: PLC0415

        tokens, first = ranks(job.tokenizer)
        encoding = tiktoken.Encoding(
            "dna",
            pat_str=r"[ACGT]+",
            mergeable_ranks={token.encode(): rank for rank, token in enumerate(tokens)},
            special_tokens={},
        )
        sequences = job.sequences()

        def out(lists: list[list[int]]) -> Iterable[bytes]:
            return bytes_of_lists(lists, first)

        if job.work in {"one", "calls"}:
            return lambda: [encoding.encode_ordinary(sequence) for sequence in sequences], out
        return lambda: encoding.encode_ordinary_batch(sequences, num_threads=job.threads), out


class RustGems:
    """The `bpe` crate of rust-gems through a program of its own, as no Python package takes a vocabulary."""

    name = "rust-gems bpe"
    timed = "encode_via_backtracking to vectors of 32 bits, in Rust, without Python; the crate has no threads"

    @cache  # noqa: B019  there is one of it
    def lacks(self) -> str:
        """Whether it can be built: that takes a Rust toolchain and, the first time, the network."""
        if shutil.which("cargo") is None:
            return "there is no Rust toolchain to build it"
        build = ["cargo", "build", "--release", "--locked", "--quiet", "--target-dir", str(RUST_GEMS_TARGET)]
        done = subprocess.run(build, cwd=RUST_GEMS, capture_output=True, text=True, check=False)
        return f"it cannot be built: {done.stderr.strip()[-200:]}" if done.returncode else ""

    def version(self) -> str:
        """That of the crate."""
        lock = (RUST_GEMS / "Cargo.lock").read_text(encoding="utf-8")
        return lock.split('name = "bpe"\nversion = "')[1].split('"')[0]

    def environment(self, threads: int) -> dict[str, str]:
        """Nothing: it has no threads."""
        del threads
        return {}

    def command(self, job: Job) -> list[str]:
        """The program, which `lacks` has built."""
        tokens, first = ranks(job.tokenizer)
        listed = Path(job.tokenizer).with_suffix(".tokens")
        listed.write_text("\n".join(tokens), encoding="ascii")
        return [str(RUST_GEMS_TARGET / "release" / "rustgems-bench"), str(listed), job.source, str(first)]


def ranks(tokenizer: str) -> tuple[list[str], int]:
    """The tokens of a tokenizer's file that are no special ones, by rank, and the id of the first."""
    read = json.loads(Path(tokenizer).read_text(encoding="utf-8"))
    special = len(read["added_tokens"])
    vocab = sorted(read["model"]["vocab"], key=read["model"]["vocab"].get)
    return vocab[special:], special


# -- ids, however they come ---------------------------------------------------------------------------


def bytes_of_lists(lists: Iterable[list[int]], first: int = 0) -> Iterable[bytes]:
    """From lists of integers; `first` is added to each."""
    import numpy as np  # noqa: PLC0415

    return ((np.asarray(ids, "<u4") + np.uint32(first)).tobytes() for ids in lists)


def bytes_of_encodings(encodings: Iterable[Any]) -> Iterable[bytes]:
    """From Hugging Face's objects."""
    return bytes_of_lists(encoding.ids for encoding in encodings)


def bytes_of_array(array: Any) -> Iterable[bytes]:  # noqa: ANN401
    """From genotok's."""
    values, offsets = array.values.astype("<u4"), array.offsets.tolist()
    return (values[start:end].tobytes() for start, end in pairwise(offsets))


def bytes_of_file(path: str) -> Iterable[bytes]:
    """From an Arrow file."""
    import pyarrow as pa  # noqa: PLC0415

    with pa.memory_map(path) as source, pa.ipc.open_file(source) as file:
        for number in range(file.num_record_batches):
            column = file.get_batch(number).column("input_ids")
            for row in column:
                yield row.values.to_numpy().astype("<u4").tobytes()


def write_arrow(tokenizer: Any, job: Job) -> str:  # noqa: ANN401
    """A FASTA file to an Arrow file with Hugging Face and pyarrow, in windows, as one would write it."""
    import numpy as np  # noqa: PLC0415
    import pyarrow as pa  # noqa: PLC0415

    from benchmarks.engines import sequences  # noqa: PLC0415

    width = job.window or sys.maxsize
    output = str(Path(job.source).with_suffix(".hf.arrow"))
    schema = pa.schema(
        [
            ("record", pa.utf8()),
            ("start", pa.int64()),
            ("end", pa.int64()),
            ("input_ids", pa.list_(pa.uint16())),
        ]
    )
    with pa.OSFile(output, "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        for number, sequence in enumerate(filter(None, sequences(Path(job.source)))):
            windows = [sequence[at : at + width] for at in range(0, len(sequence), width)]
            ids = [
                np.asarray(one.ids, np.uint16)
                for one in tokenizer.encode_batch_fast(windows, add_special_tokens=False)
            ]
            starts = np.arange(len(windows)) * width
            ends = starts + [len(window) for window in windows]
            columns = [
                pa.array([str(number)] * len(windows)),
                pa.array(starts),
                pa.array(ends),
                pa.array(ids),
            ]
            writer.write_batch(pa.record_batch(columns, schema=schema))
    return output
