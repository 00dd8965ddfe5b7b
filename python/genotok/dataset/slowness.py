"""A word beforehand where much is to be encoded by a tokenizer that is slow."""

from __future__ import annotations

import os
import stat
import warnings
from typing import TYPE_CHECKING

from genotok.errors import GenotokWarning

if TYPE_CHECKING:
    from collections.abc import Iterable

    from genotok.tokenizer import Tokenizer

__all__ = ["LARGE", "warn_if_slow"]

LARGE = 1 << 24
"""Bytes of files that take a second or so without an automaton; fewer are not worth a word."""


def warn_if_slow(tokenizer: Tokenizer, paths: Iterable[str]) -> None:
    """Warn (`GenotokWarning`) if files are large, or their size unknown, and there is no automaton."""
    if sum(map(_size, paths)) < LARGE:
        return
    if reason := tokenizer.why_no_automaton():
        warnings.warn(f"encoding without an automaton is slow: {reason}", GenotokWarning, stacklevel=3)


def _size(path: str) -> int:
    """Bytes of a file; of a pipe or a device more than enough; of what is not there none, as others say."""
    try:
        found = os.stat(path)
    except OSError:
        return LARGE if path == "-" else 0
    return found.st_size if stat.S_ISREG(found.st_mode) else LARGE
