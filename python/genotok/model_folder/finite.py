"""A check that all weights in a file are finite, with numpy: torch is not needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from genotok.errors import ArgumentError
from genotok.files.reading import errors_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from genotok.model.stored import Stored

__all__ = ["check_finite"]

AT_ONCE = 1 << 18
FORMS = {"F32": ("<u4", 0x7F80_0000), "F16": ("<u2", 0x7C00), "BF16": ("<u2", 0x7F80)}
"""The type of a number's bits, and its exponent bits, which are all set in infinity and NaN."""


def check_finite(weights: Path, tensors: Mapping[str, Stored]) -> None:
    """Raise an error that names the first tensor with infinity or NaN; reads the file once.

    Raises:
        ArgumentError: A number is not finite.
        OSError: The file cannot be read.
    """
    for name, stored in tensors.items():
        start, count = stored.place
        form, exponent = FORMS[stored.dtype]
        if not count:
            continue
        with errors_name(weights):
            bits = np.memmap(weights, dtype=form, mode="r", offset=start, shape=(count,))
        for first in range(0, count, AT_ONCE):
            if (bits[first : first + AT_ONCE] & exponent).max() == exponent:
                raise ArgumentError(
                    f"{weights}: {name} holds numbers that are not finite (NaN or infinity); "
                    "use weights from before training diverged"
                )
