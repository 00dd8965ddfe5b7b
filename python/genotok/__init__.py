"""Tokenizers and DNABERT-2 encoders for genomes: train exact BPE on whole genomes, encode into Arrow
arrays at 0.8 Gbp/s on one CPU core, pre-train, fine-tune and evaluate.

Example:
    >>> import genotok
    >>> tokenizer = genotok.Tokenizer.train("genomes/*.fa", vocab_size=4096)
    >>> ids = tokenizer.encode("ACGTTGCA")
    >>> tokenizer.save("tokenizer.json")
"""  # noqa: D205 (the sentence of README, pyproject and --help takes two lines)

from genotok.corpus.check import check_files
from genotok.corpus.packed import pack, pack_shards, verify_shards
from genotok.errors import (
    ArgumentError,
    GenotokError,
    GenotokWarning,
    ResourceError,
    SequenceFileError,
    SymbolError,
    VocabularyError,
)
from genotok.tokenizer import Tokenizer
from genotok.tokenizer.encoder import RecordBatch, TokenArray, TokenReader

__all__ = [
    "ArgumentError",
    "GenotokError",
    "GenotokWarning",
    "RecordBatch",
    "ResourceError",
    "SequenceFileError",
    "SymbolError",
    "TokenArray",
    "TokenReader",
    "Tokenizer",
    "VocabularyError",
    "__version__",
    "check_files",
    "pack",
    "pack_shards",
    "verify_shards",
]

__version__: str


def __getattr__(name: str) -> str:
    """`__version__`, looked up when asked for: reading installed metadata takes longer than the import."""
    if name == "__version__":
        from importlib.metadata import version

        return version("genotok")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
