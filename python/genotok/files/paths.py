"""Input paths: from paths and patterns to a checked list of files.

Errors in the names of inputs are reported here, before the first byte is read. BED files are read here as
well, completely and once, as they may be pipes.
"""

import errno
import glob
import os
from collections.abc import Iterable
from dataclasses import dataclass

from genotok._native import shard_files
from genotok.errors import ArgumentError
from genotok.files.reading import open_reading

__all__ = ["MANIFEST", "STANDARD_INPUT", "Bed", "Beds", "Files", "expand", "read_beds"]

STANDARD_INPUT = "-"

MANIFEST = "manifest.json"
"""The manifest of a folder of shards, of packed ones and of encoded ones."""

type_of_path = (str, os.PathLike)
Files = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


@dataclass(frozen=True, slots=True)
class Bed:
    """A BED file in memory.

    Attributes:
        path: Its name.
        data: Its bytes, not decompressed.
    """

    path: str
    data: bytes


Beds = Files | Bed | Iterable[str | os.PathLike[str] | Bed]


def read_beds(beds: Beds | None, files: Iterable[str]) -> list[Bed]:
    """Read the BED files of a run; those in memory are returned unchanged.

    Args:
        beds: BED files, as `expand` takes them, or in memory.
        files: The sequence files of the run.

    Raises:
        OSError, ArgumentError: As `expand`; a file cannot be read, or standard input is both.
    """
    given = [] if beds is None else [beds] if isinstance(beds, (*type_of_path, Bed)) else list(beds)
    if STANDARD_INPUT in files and STANDARD_INPUT in given:
        raise ArgumentError("bed=-: standard input is among the sequence files already")
    paths = [bed for bed in given if not isinstance(bed, Bed)]
    read = [bed for bed in given if isinstance(bed, Bed)]
    return read + [Bed(path, _bytes_of(path)) for path in (expand(paths) if paths else [])]


def _bytes_of(path: str) -> bytes:
    """The bytes of a file, or of standard input."""
    if path == STANDARD_INPUT:
        with open(0, "rb", closefd=False) as file:
            return file.read()
    with open_reading(path) as file:
        return file.read()


def expand(files: Files, *, shards: bool = False) -> list[str]:
    """The input paths, in the given order; the matches of a pattern are sorted.

    Args:
        files: A path, a pattern, or an iterable of them. `*`, `?` and `[...]` match as in a shell, `**`
            matches any number of folders; patterns match files only. A name that exists is never a
            pattern. `-` is standard input.
        shards: Whether a folder of packed shards stands for its files.

    Raises:
        FileNotFoundError: A path does not exist, or a pattern matches no file.
        IsADirectoryError: A path is a folder.
        ArgumentError: There is no input, or a file is given twice (it would count twice).
        SequenceFileError: A shard is missing, or differs from its manifest.
    """
    given = [files] if isinstance(files, type_of_path) else list(files)
    paths = [path for item in given for path in _matches(_text(item), shards)]
    if not paths:
        raise ArgumentError("files=[]: at least one sequence file is needed")
    _refuse_repeats(paths)
    return paths


def _text(item: object) -> str:
    """`item` as a path, with `~` expanded."""
    if not isinstance(item, type_of_path):
        raise ArgumentError(f"files={item!r}: a path or a pattern is expected, not {type(item).__name__}")
    path = os.fspath(item)
    if not isinstance(path, str):
        raise ArgumentError(f"files={item!r}: a path of text is expected, not of bytes")
    return os.path.expanduser(path)


def _matches(path: str, shards: bool) -> list[str]:
    """The files that a path stands for: itself, or the matches of a pattern."""
    if path == STANDARD_INPUT:
        return [path]
    if shards and os.path.isfile(os.path.join(path, MANIFEST)):
        return shard_files(path)
    if os.path.isdir(path):
        everything = os.path.join(path, "*")
        raise IsADirectoryError(
            errno.EISDIR, f"is a folder; name its files, for example '{everything}'", path
        )
    if os.path.exists(path):
        return [path]
    if not glob.has_magic(path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    found = sorted(match for match in glob.glob(path, recursive=True) if not os.path.isdir(match))
    if not found:
        raise FileNotFoundError(errno.ENOENT, "no file matches this pattern", path)
    return found


def _refuse_repeats(paths: list[str]) -> None:
    """Raise an error if two paths lead to the same file."""
    seen: dict[object, str] = {}
    places: dict[str, str] = {}  # of files that have several names
    for path in paths:
        number = _file_number(path)
        if number not in seen:
            seen[number] = path
            continue
        places.setdefault(_place(seen[number]), seen[number])
        place = _place(path)
        if place in places:
            first = places[place]
            also = "" if first == path else f" (as {first} and as {path})"
            raise ArgumentError(f"files={path}: given twice{also}; name each file once")
        places[place] = path


def _file_number(path: str) -> object:
    """Device and inode of a file: one system call, where resolving its name takes one per folder."""
    if path == STANDARD_INPUT:
        return path
    try:
        found = os.stat(path)
    except OSError:
        return _place(path)
    return (found.st_dev, found.st_ino)


def _place(path: str) -> str:
    """The path with links resolved."""
    return path if path == STANDARD_INPUT else os.path.realpath(path)
