"""Tokenizers and DNABERT-2 encoders for genomes: train exact BPE on whole genomes, encode into Arrow
arrays at 0.8 Gbp/s on one CPU core, pre-train, fine-tune and evaluate.

Example:
    >>> import genotok
    >>> tokenizer = genotok.Tokenizer.train("genomes/*.fa", vocab_size=4096)
    >>> ids = tokenizer.encode("ACGTTGCA")
    >>> tokenizer.save("tokenizer.json")
"""  # noqa: D205 (the sentence of README, pyproject and --help takes two lines)

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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

_HOMES = {
    "corpus.check": ("check_files",),
    "corpus.packed": ("pack", "pack_shards", "verify_shards"),
    "errors": (
        "ArgumentError",
        "GenotokError",
        "GenotokWarning",
        "ResourceError",
        "SequenceFileError",
        "SymbolError",
        "VocabularyError",
    ),
    "tokenizer": ("Tokenizer",),
    "tokenizer.encoder": ("RecordBatch", "TokenArray", "TokenReader"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}
_PARTS = ("_native", "corpus", "errors", "files", "options", "tokenizer")


def __getattr__(name: str) -> object:
    """A public name or a part of the package, imported when it is first asked for."""
    if name == "__version__":
        return import_module(f"{__name__}._native").VERSION
    if name in _PARTS:
        return import_module(f"{__name__}.{name}")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """The names of the package, those that are not imported yet among them."""
    return sorted({*globals(), *__all__})
