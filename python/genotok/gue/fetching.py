"""The official archive of GUE, checked and laid out as folders.

A member is taken if its path ends in the folder of a set and the file of a split, such as
`EMP/H3/train.csv`; it is written to that path and no other, so no name in the archive decides where a file
goes. Each file is compared with the SHA-256 digest of the file that genotok knows (`digests.tsv`), or, where
none is known, its number of rows with the published one. What differs is reported and not written.
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from genotok.errors import ArgumentError
from genotok.files.atomic import AtomicFile
from genotok.files.identity import file_sha256
from genotok.gue.archive import MAX_FILE, faults_named, is_address, local, members
from genotok.gue.registry import GueSet, gue_sets
from genotok.gue.splits import SPLITS

if TYPE_CHECKING:
    from pathlib import PurePosixPath

__all__ = ["FetchReport", "FetchedFile", "fetch", "known_digests"]

PIECE = 1 << 20
MAX_TOTAL = 1 << 34
"""Bytes of all extracted files together, at most."""

State = Literal["verified", "rows", "unknown", "differs", "missing"]
"""`verified`: its digest is known and right; `rows`: its number of rows is the published one; `unknown`:
nothing is known of it; `differs`: it is another file; `missing`: the archive lacks it."""


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """A file of a set.

    Attributes:
        name: The set.
        split: train, dev or test.
        state: What is known of it.
        sha256: Its digest; "" if it is missing.
        rows: Its lines without the header.
        bytes: Its size.
    """

    name: str
    split: str
    state: State
    sha256: str = ""
    rows: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class FetchReport:
    """What an archive had.

    Attributes:
        folder: Where the files are.
        files: All files of all sets, in the order of GUE.
        ignored: Number of members of the archive that belong to no set.
    """

    folder: str
    files: tuple[FetchedFile, ...]
    ignored: int

    def of_state(self, state: State) -> list[FetchedFile]:
        """The files of one state."""
        return [one for one in self.files if one.state == state]


def fetch(
    source: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    force: bool = False,
    on_status: Callable[[str], None] | None = None,
) -> FetchReport:
    """Lay out the files of an archive of GUE below a folder.

    Files that are there with the same contents stay. Memory is bounded; an archive at an address needs
    temporary space of its size.

    Args:
        source: A zip or tar archive (plain, gzip, bzip2, xz): its path, or its address with http or https.
        folder: Gets `EMP/H3/train.csv` and so on; it is created.
        force: Replace files that are there with other contents.
        on_status: Called with a message for each set.

    Raises:
        ArgumentError: The source is no archive, holds a file twice or no file of GUE, or is larger than
            archives of GUE are; or a file is there with other contents, and `force` is not given.
        OSError: It cannot be read, or a file cannot be written.
    """
    given, place = os.fspath(source), Path(folder)
    if "://" in given and not is_address(given):
        raise ArgumentError(f"{given}: a path, or an address with http or https, is expected")
    found: dict[tuple[str, str], FetchedFile] = {}
    ignored = total = 0
    with local(given) as path, faults_named(given):
        for member, content in members(path, given):
            wanted = _wanted(member)
            if wanted is None:
                ignored += 1
                continue
            known, split = wanted
            if (known.name, split) in found:
                raise ArgumentError(f"{given}: {member}: a second file of {known.name}, {split}")
            if on_status:
                on_status(f"{known.folder}/{split}.csv")
            file = _laid_out(content, place, known, split, force=force)
            found[known.name, split] = file
            if (total := total + file.bytes) > MAX_TOTAL:
                raise ArgumentError(f"{given}: more than {MAX_TOTAL:,} bytes; not an archive of GUE")
    if not found:
        raise ArgumentError(f"{given}: no file of GUE, such as {gue_sets()[0].folder}/train.csv, is in it")
    every = [
        found.get((known.name, split), FetchedFile(known.name, split, "missing"))
        for known in gue_sets()
        for split in SPLITS
    ]
    return FetchReport(os.fspath(folder), tuple(every), ignored)


def _wanted(member: PurePosixPath) -> tuple[GueSet, str] | None:
    """The set and the split of a member, by the end of its path."""
    split = member.stem
    if member.suffix != ".csv" or split not in SPLITS or "__MACOSX" in member.parts:
        return None
    known = _by_folder().get(tuple(member.parent.parts[-2:]))
    return (known, split) if known else None


@cache
def _by_folder() -> dict[tuple[str, ...], GueSet]:
    return {tuple(Path(known.folder).parts[-2:]): known for known in gue_sets()}


def _laid_out(content: IO[bytes], place: Path, known: GueSet, split: str, *, force: bool) -> FetchedFile:
    """Check a file, and write it if it is not another one."""
    folder = place / known.folder
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{split}.csv"
    file = AtomicFile(str(target))
    try:
        digest, rows = _copied(content, file, target)
        state = _state(known, split, digest, rows)
        found = FetchedFile(known.name, split, state, digest, rows, file.num_bytes)
        if found.state == "differs" or _is_there(target, found.sha256, force=force):
            file.discard()
        else:
            file.commit()
    except BaseException:
        file.discard()
        raise
    return found


def _is_there(target: Path, digest: str, *, force: bool) -> bool:
    """Whether the file is there with the same contents."""
    if not target.exists():
        return False
    if file_sha256(target) == digest:
        return True
    if not force:
        raise ArgumentError(f"{target}: is there already with other contents; --force replaces it")
    return False


def _copied(content: IO[bytes], file: AtomicFile, target: Path) -> tuple[str, int]:
    """Copy a member; returns its SHA-256 digest and its number of rows without the header."""
    digest, ends, last = hashlib.sha256(), 0, b"\n"
    while piece := content.read(PIECE):
        if file.num_bytes + len(piece) > MAX_FILE:
            raise ArgumentError(f"{target.name}: more than {MAX_FILE:,} bytes; not a file of GUE")
        file.write(piece)
        digest.update(piece)
        ends, last = ends + piece.count(b"\n"), piece[-1:]
    return digest.hexdigest(), ends + (last != b"\n") - 1


def _state(known: GueSet, split: str, digest: str, rows: int) -> State:
    """What is known of a file."""
    right = known_digests().get((known.name, split))
    if right is not None:
        return "verified" if digest == right else "differs"
    published = known.rows[SPLITS.index(split)]
    if published is None:
        return "unknown"
    return "rows" if rows == published else "differs"


@cache
def known_digests() -> dict[tuple[str, str], str]:
    """The SHA-256 digests of files of GUE that are known, by set and split."""
    text = files("genotok.gue").joinpath("digests.tsv").read_text(encoding="utf-8")
    return {
        (row["name"], row["split"]): row["sha256"]
        for row in csv.DictReader(text.splitlines(), delimiter="\t")
    }
