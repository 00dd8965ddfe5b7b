"""Digests of the inputs and outputs of a run, and what has changed since they were recorded.

A digest identifies contents, not names: a file that was moved or renamed is the same file. Digests are
SHA-256, which one core computes at 0.5 to 2 GB/s; several files are read at a time. A genome of 3 GB takes
2 to 6 s.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol

from genotok.errors import ArgumentError
from genotok.files.atomic import write_atomic
from genotok.files.reading import errors_name, read_bytes

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = [
    "CHECKSUMS",
    "check_files",
    "check_same",
    "file_sha256",
    "files_sha256",
    "flattened",
    "object_sha256",
    "vocabulary_sha256",
    "write_checksums",
]

CHECKSUMS = "SHA256SUMS"
"""The file of a folder's checksums, in the format of `sha256sum -c`."""

K_MERS = ("k", "overlap", "canonical", "special_tokens", "special_tokens_behind", "unknown_token")
"""The settings that decide the ids of k-mers."""

BLOCK = 1 << 20
MAX_BYTES = 1 << 24
SHOWN = 3
DIGITS = 64


class VocabularyLike(Protocol):
    """The part of a tokenizer that a digest needs."""

    @property
    def vocab(self) -> dict[str, int]:
        """Token to id."""
        ...

    @property
    def merges(self) -> list[tuple[str, str]]:
        """The merges in order of rank."""
        ...

    def to_json(self) -> str:
        """The text of the tokenizer's file."""
        ...


def vocabulary_sha256(tokenizer: VocabularyLike) -> str:
    """The digest of a tokenizer's vocabulary and merges, on which a model's weights depend.

    It does not depend on special tokens around sequences, on padding, on how lower case is read, or on the
    software that wrote the file: it is the same after transformers saved the tokenizer.
    """
    text: dict[str, Any] = json.loads(tokenizer.to_json())
    if "format" in text:  # k-mers, up to 16 million of them: their kind says all
        return object_sha256({key: text.get(key) for key in K_MERS})
    vocab = sorted((number, token) for token, number in tokenizer.vocab.items())
    return object_sha256({"vocab": vocab, "merges": tokenizer.merges})


def object_sha256(value: Any) -> str:
    """The digest of a JSON value; the order of keys does not matter."""
    text = json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def file_sha256(path: str | os.PathLike[str], stopped: threading.Event | None = None) -> str | None:
    """The SHA-256 of a file in hexadecimal digits; None for a pipe or device, which can be read only once.

    Once `stopped` is set the rest is not read, and the digest is meaningless.

    Raises:
        OSError: It cannot be read.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        return None
    digest = hashlib.sha256()
    with errors_name(path), open(path, "rb", buffering=0) as file:
        while (block := file.read(BLOCK)) and not (stopped and stopped.is_set()):
            digest.update(block)
    return digest.hexdigest()


def files_sha256(paths: Sequence[str | os.PathLike[str]]) -> list[str | None]:
    """The digests of files, in their order; one file per CPU core is read at a time.

    Raises:
        OSError: A file cannot be read.
    """
    if len(paths) < 2:
        return [file_sha256(path) for path in paths]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(file_sha256, paths))


def check_same(where: str | os.PathLike[str], before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise an error that names what has another digest than before.

    Digests are in nested objects and lists. Of objects that hold objects, common keys are compared, so that
    data sets or tokenizers may be added; innermost objects must be equal.

    Raises:
        ArgumentError: A digest changed.
    """
    changed = list(_changes("", before, now))
    if changed:
        more = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
        raise ArgumentError(
            f"{os.fspath(where)}: was started with other contents of {', '.join(changed[:SHOWN])}{more}; "
            "give those that it was started with, or start a new run in another folder"
        )


def _changes(place: str, before: Any, now: Any) -> Iterator[str]:
    """The paths of digests that differ, their keys joined by `/`."""
    if isinstance(before, list) and isinstance(now, list):
        before, now = ({str(number): one for number, one in enumerate(part, 1)} for part in (before, now))
    if not isinstance(before, dict) or not isinstance(now, dict):
        if before is not None and now is not None and before != now:
            yield place
        return
    is_innermost = not any(isinstance(one, dict | list) for one in [*before.values(), *now.values()])
    keys = list(before) + [key for key in now if key not in before]
    for key in keys:
        inner = f"{place}/{key}" if place else str(key)
        if key in before and key in now:
            yield from _changes(inner, before[key], now[key])
        elif is_innermost and place:
            yield inner


def flattened(digests: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Path and digest of each entry, the keys of a path joined by `/`."""
    if isinstance(digests, list):
        digests = {str(number): one for number, one in enumerate(digests, 1)}
    if isinstance(digests, dict):
        for key, one in digests.items():
            yield from flattened(one, f"{place}/{key}" if place else str(key))
    elif isinstance(digests, str):
        yield place, digests


def write_checksums(folder: Path) -> None:
    """Write `SHA256SUMS` with the checksum of each file in a folder and below it.

    Raises:
        OSError: A file cannot be read or written.
    """
    names = sorted(_names(folder))
    digests = files_sha256([folder / name for name in names])
    lines = [f"{digest}  {name}\n" for name, digest in zip(names, digests, strict=True)]
    write_atomic(folder / CHECKSUMS, "".join(lines).encode())


def check_files(folder: Path) -> str | None:
    """The first difference between the files of a folder and its checksums, as a message.

    Returns:
        None if there is none, or if the folder has no checksums.

    Raises:
        OSError: A file cannot be read.
    """
    file = folder / CHECKSUMS
    if not file.exists():
        return None
    wanted = _checksums(file)
    if wanted is None:
        return f"{file}: is not a list of checksums"
    there = set(_names(folder))
    names = [*wanted, *sorted(there - wanted.keys())]
    odd = next((name for name in names if name not in there or name not in wanted), None)
    if odd is not None:
        return f"{folder / odd}: {'was added' if odd in there else 'is missing'}"
    found = files_sha256([folder / name for name in wanted])
    for (name, digest), now in zip(wanted.items(), found, strict=True):
        if now != digest:
            return f"{folder / name}: was cut or altered since it was written"
    return None


def _checksums(file: Path) -> dict[str, str] | None:
    """Name to checksum; None if the file is not a list of checksums."""
    if not file.is_file() or file.stat().st_size > MAX_BYTES:
        return None
    parts = [line.partition("  ") for line in read_bytes(file).decode(errors="replace").splitlines()]
    is_list = all(name and len(digest) == DIGITS for digest, _, name in parts)
    return {name: digest for digest, _, name in parts} if parts and is_list else None


def _names(folder: Path) -> Iterator[str]:
    """The files in a folder and below it, without the list of checksums."""
    for path in folder.rglob("*"):
        if path.is_file() and path != folder / CHECKSUMS:
            yield path.relative_to(folder).as_posix()
