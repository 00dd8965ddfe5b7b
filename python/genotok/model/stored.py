"""The tensors in a file of weights by name, type and shape, read from its header; no tensor is loaded.

Torch is not needed, and memory is proportional to the header. A header must agree with itself and with the
length of the file, so that a file accepted here can be loaded.
"""

from __future__ import annotations

import json
import math
import os
import stat
import struct
from pathlib import Path
from typing import Any

from genotok.files.reading import open_reading
from genotok.model.pickled import stored_in_pickle
from genotok.model.tensors import BYTES, MAX_DIMENSIONS, CheckpointError, Stored, are_sizes

__all__ = ["FILES", "CheckpointError", "Stored", "check_regular", "stored_in", "weights_file"]

FILES = ("model.safetensors", "pytorch_model.bin")
"""The files that a folder may have, in order of preference."""

MAX_HEADER = 1 << 24


def weights_file(path: Path) -> Path:
    """The file of weights at `path`, or in the folder `path`.

    Raises:
        FileNotFoundError: A folder has none.
    """
    if not path.is_dir():
        return path
    for name in FILES:
        if (path / name).exists() or (path / name).is_symlink():
            return path / name
    raise FileNotFoundError(2, f"the folder has none of {', '.join(FILES)}", os.fspath(path))


def check_regular(file: Path) -> int:
    """The size in bytes of a regular file; a pipe or a device, which may block a reader, is an error.

    Raises:
        CheckpointError: It is not a regular file.
        OSError: It does not exist, or is a folder.
    """
    found = file.stat()
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(21, "is a folder; a file is expected", os.fspath(file))
    if not stat.S_ISREG(found.st_mode):
        raise CheckpointError(f"{file}: is no regular file; a file of weights is expected")
    return found.st_size


def stored_in(file: Path) -> dict[str, Stored]:
    """The tensors in a file of weights, by name.

    Raises:
        CheckpointError: The file is damaged, or holds more than tensors.
        OSError: It cannot be read.
    """
    size = check_regular(file)
    if file.suffix == ".safetensors":
        return _stored_in_safetensors(file, size)
    return stored_in_pickle(file, size)


def _stored_in_safetensors(file: Path, size: int) -> dict[str, Stored]:
    with open_reading(file) as opened:
        start = opened.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= length <= min(size - 8, MAX_HEADER):
            raise CheckpointError(f"{file}: damaged, or no safetensors file (its header does not fit it)")
        text = opened.read(length)
    try:
        entries = json.loads(text, object_pairs_hook=_without_twins)
        if not isinstance(entries, dict):
            raise TypeError("its header is no JSON object")  # noqa: TRY301 - named below
        entries.pop("__metadata__", None)
        spans = {name: _entry(name, entry, 8 + length) for name, entry in entries.items()}
    except (ValueError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{file}: damaged, or no safetensors file ({_line(error)})") from None
    end = 0
    for name, (_, first, last) in sorted(spans.items(), key=lambda item: item[1][1:]):
        if first != end:
            raise CheckpointError(f"{file}: damaged: {name!r} does not start where the tensor before it ends")
        end = last
    if end != size - 8 - length:
        what = "cut short" if end > size - 8 - length else "longer than its tensors"
        raise CheckpointError(
            f"{file}: damaged: it is {what} ({size:,} bytes, {8 + length + end:,} expected)"
        )
    return {name: stored for name, (stored, _, _) in spans.items()}


def _entry(name: str, entry: Any, data: int) -> tuple[Stored, int, int]:
    """A tensor, and the start and end of its numbers in bytes, relative to `data`, where tensors start."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise TypeError(f"{name!r} is no tensor")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not are_sizes(shape) or not are_sizes(offsets) or len(offsets) != 2 or len(shape) > MAX_DIMENSIONS:
        raise TypeError(f"{name!r} has no shape or no place")
    if not isinstance(dtype, str) or dtype not in BYTES:
        raise TypeError(f"{name!r} is of type {str(dtype)[:20]!r}, which has no meaning here")
    stored = Stored(dtype, tuple(shape), (data + offsets[0], math.prod(shape)))
    if stored.size * BYTES[dtype] != offsets[1] - offsets[0]:
        raise TypeError(f"{name!r} has another shape than bytes")
    return stored, offsets[0], offsets[1]


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; a repeated key is an error."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("its header has a name twice")
    return found


def _line(error: Exception) -> str:
    """The first line of an error's message."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
