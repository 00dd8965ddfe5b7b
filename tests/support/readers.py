"""All functions of genotok that read a sequence file, with one interface."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import genotok

LINE = b"ACGTTGCATGCAACGTTGCATGCAACGTTGCATGCAACGTTGCATGCAACGTTGCATGCAA"
UNIX = b"".join(b">" + name + b"\n" + (LINE + b"\n") * 2 for name in (b"b", b"c", b"d"))


Read = Callable[[Path, Path], Any]


def encode(path: Path, folder: Path) -> list[str]:
    """The names of the records."""
    tokenizer = genotok.Tokenizer.kmer(1)
    return [name for batch in tokenizer.encode_files(path) for name in batch.records]


READERS: dict[str, Read] = {
    "train": lambda path, _: genotok.Tokenizer.train(path, vocab_size=12),
    "pack": lambda path, folder: genotok.pack(path, folder / "one.pack"),
    "pack_shards": lambda path, folder: genotok.pack_shards(path, folder / "shards"),
    "encode": encode,
}
