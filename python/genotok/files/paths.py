"""Which files are meant: paths, patterns, or many of them, to a checked list of paths.

Everything a person can get wrong about input names is found here, before the first byte is read. A BED file
is read here as well, whole and only once, as it may be a pipe.
"""

import errno
import glob
import os
from collections.abc import Iterable
from dataclasses import dataclass

from genotok import _native
from genotok.errors import ArgumentError

__all__ = ["MANIFEST", "STANDARD_INPUT", "Bed", "Beds", "Files", "expand", "read_beds"]

STANDARD_INPUT = "-"

MANIFEST = "manifest.json"
"""What a folder of shards has, of packed ones as of encoded ones."""

type_of_path = (str, os.PathLike)
Files = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


@dataclass(frozen=True, slots=True)
class Bed:
    """A BED file as it was read.

    Attributes:
        path: What it is called.
        data: Its bytes, compressed as they are in the file.
    """

    path: str
    data: bytes


Beds = Files | Bed | Iterable[str | os.PathLike[str] | Bed]


def read_beds(beds: Beds | None, files: Iterable[str]) -> list[Bed]:
    """The BED files that are meant beside the sequence files `files`, read; those read already as they are.

    Raises:
        OSError, ArgumentError: As `expand`; a file cannot be read, or is to be read as both.
    """
    given = [] if beds is None else [beds] if isinstance(beds, (*type_of_path, Bed)) else list(beds)
    if STANDARD_INPUT in files and STANDARD_INPUT in given:
        raise ArgumentError("bed=-: standard input is among the sequence files already")
    paths = [bed for bed in given if not isinstance(bed, Bed)]
    read = [bed for bed in given if isinstance(bed, Bed)]
    return read + [Bed(path, _bytes_of(path)) for path in (expand(paths) if paths else [])]


def _bytes_of(path: str) -> bytes:
    """What is in a file, or in standard input."""
    if path == STANDARD_INPUT:
        with open(0, "rb", closefd=False) as file:
            return file.read()
    with open(path, "rb") as file:
        return file.read()


def expand(files: Files, *, shards: bool = False) -> list[str]:
    """The input paths, in the order given; those of one pattern in sorted order.

    Args:
        files: A path, a pattern, or an iterable of them. `*`, `?` and `[...]` match as in a shell, `**`
            matches any number of folders; patterns match files only. A name that exists is taken as it is,
            whatever characters it has. `-` is standard input.
        shards: Whether a folder of packed shards stands for the files in it.

    Raises:
        FileNotFoundError: A path does not exist, or a pattern matches no file.
        IsADirectoryError: A path is a folder.
        ArgumentError: No input at all, or the same file twice (it would count twice, without a word).
        SequenceFileError: A shard is missing, or not what its manifest says.
    """
    given = [files] if isinstance(files, type_of_path) else list(files)
    paths = [path for item in given for path in _matches(_text(item), shards)]
    if not paths:
        raise ArgumentError("files=[]: at least one sequence file is needed")
    _refuse_repeats(paths)
    return paths


def _text(item: object) -> str:
    """`item` as a path string, its `~` resolved."""
    if not isinstance(item, type_of_path):
        raise ArgumentError(f"files={item!r}: a path or a pattern is expected, not {type(item).__name__}")
    path = os.fspath(item)
    if not isinstance(path, str):
        raise ArgumentError(f"files={item!r}: a path of text is expected, not of bytes")
    return os.path.expanduser(path)


def _matches(path: str, shards: bool) -> list[str]:
    """The files that `path` stands for: itself, or those that match it."""
    if path == STANDARD_INPUT:
        return [path]
    if shards and os.path.isfile(os.path.join(path, MANIFEST)):
        return _native.shard_files(path)
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
    """An error where two paths lead to the same file."""
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
    """What no other file has: found in one look, where resolving a name takes one for each folder in it."""
    if path == STANDARD_INPUT:
        return path
    try:
        found = os.stat(path)
    except OSError:
        return _place(path)
    return (found.st_dev, found.st_ino)


def _place(path: str) -> str:
    """The path without links."""
    return path if path == STANDARD_INPUT else os.path.realpath(path)
