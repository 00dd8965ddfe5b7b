"""Tokenizers compared as models: the same encoder, pre-trained for the same bases and fine-tuned, on each.

Example:
    >>> from genotok.compare import CompareConfig, compare
    >>> from genotok.finetune import find_tasks
    >>> from genotok.study import named_kmers
    >>> subjects = [named_kmers("kmer:6"), named_kmers("bases")]
    >>> config = CompareConfig.preset("tiny")
    >>> record = compare(subjects, ["genomes/*.fa"], find_tasks(["GUE"]), "compared", config)
    >>> record["tokenizers"][0]["pretrain"]["eval_bits_per_base"]

`table` has records of comparisons as rows, and needs no torch; the rest does, so it is loaded when asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genotok.compare.config import CompareConfig
    from genotok.compare.run import compare

__all__ = ["CompareConfig", "compare"]

_HOME = {"CompareConfig": "config", "compare": "run"}


def __getattr__(name: str) -> Any:
    """A public name, from the module it lives in."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
