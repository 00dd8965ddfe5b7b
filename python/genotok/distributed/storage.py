"""Files under URIs, such as `s3://bucket/shards`: listed here, fetched by the workers that hold them.

Whatever `pyarrow.fs` knows: s3, gs, abfs, hdfs, file. Packed files are to be mapped, so a worker keeps copies
of its share in a folder of its own for as long as it lives.
"""

from __future__ import annotations

import json
import os
from typing import Any

from genotok.errors import ArgumentError, SequenceFileError
from genotok.files.paths import MANIFEST

__all__ = ["fetch", "is_uri", "listed", "size_of"]

SIGN = "://"
MAX_MANIFEST_BYTES = 256 << 20
PIECE = 1 << 24


def is_uri(path: str) -> bool:
    """Whether it is a URI, not the path of a file."""
    return SIGN in path and not os.path.exists(path)


def listed(uri: str) -> list[str]:
    """The files that a URI stands for: itself, or the shards of a folder of packed ones.

    Raises:
        ArgumentError: There is no file system for it.
        FileNotFoundError: There is nothing.
        SequenceFileError: It is a folder of something else.
        OSError: It cannot be reached.
    """
    system, path = _opened(uri)
    info = system.get_file_info(path)
    if info.is_file:
        return [uri]
    folder = uri.rstrip("/")
    found = system.get_file_info(f"{path.rstrip('/')}/{MANIFEST}")
    if not found.is_file or found.size > MAX_MANIFEST_BYTES:
        raise FileNotFoundError(2, "no such file, and no folder of packed shards", uri)
    with system.open_input_stream(found.path) as stream:
        text = stream.read()
    try:
        manifest = json.loads(text)
        names = [shard["file"] for shard in manifest["shards"]]
        sizes = [shard["bytes"] for shard in manifest["shards"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SequenceFileError(f"{folder}/{MANIFEST}: not a manifest of packed shards: {error!r}") from None
    for name, size in zip(names, sizes, strict=True):
        if not isinstance(name, str) or "/" in name or not name.endswith(".pack"):
            raise SequenceFileError(f"{folder}/{MANIFEST}: no shard is called {name!r}")
        there = system.get_file_info(f"{path.rstrip('/')}/{name}")
        if not there.is_file or there.size != size:
            what = f"has {there.size} bytes, not {size}" if there.is_file else "is missing"
            raise SequenceFileError(f"{folder}/{name}: this shard {what}")
    return [f"{folder}/{name}" for name in names]


def size_of(path: str) -> int:
    """Bytes of a file, or of what is under a URI."""
    if not is_uri(path):
        return os.path.getsize(path)
    system, inner = _opened(path)
    return int(system.get_file_info(inner).size or 0)


def fetch(path: str, folder: str, number: int) -> str:
    """The path of a file, or of a copy in `folder` of what is under a URI, called by its number."""
    if not is_uri(path):
        return path
    system, inner = _opened(path)
    target = os.path.join(folder, f"{number}-{os.path.basename(inner)}")
    with system.open_input_stream(inner) as stream, open(target, "wb") as file:
        while piece := stream.read(PIECE):
            file.write(piece)
    return target


def _opened(uri: str) -> tuple[Any, str]:
    """The file system of a URI, and its path there."""
    from pyarrow import ArrowInvalid, ArrowNotImplementedError, fs  # noqa: PLC0415 - only for URIs

    try:
        system, path = fs.FileSystem.from_uri(uri)
    except (ArrowInvalid, ArrowNotImplementedError) as error:
        raise ArgumentError(f"files={uri}: {str(error).splitlines()[0]}") from None
    return system, path
