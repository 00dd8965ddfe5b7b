"""A bounded look at a path: its first bytes, what JSON it holds, which names a folder has.

Nothing is read in full but JSON of a bounded size, and nothing but regular files is opened: a pipe would wait
for ever.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import zlib
from functools import cached_property
from itertools import islice
from typing import Any

from genotok.files.reading import open_reading
from genotok.run_records.version_1 import current

__all__ = ["Facts", "Look"]

Facts = dict[str, Any]

HEAD_BYTES = 1 << 16
MAX_JSON_BYTES = 1 << 26
MAX_NAMES = 100_000
GZIP = b"\x1f\x8b"


class Look:
    """A path, seen from outside.

    Attributes:
        path: As it was given.
        is_folder: Whether it is a folder.
        bytes: The size of a file; 0 of a folder.
        head: The first bytes of a file, 64 KiB at most.
    """

    def __init__(self, path: str) -> None:
        """Look at `path`.

        Raises:
            OSError: It is not there, neither file nor folder, or cannot be read.
        """
        found = os.stat(path)
        self.path = path
        self.is_folder = stat.S_ISDIR(found.st_mode)
        if not self.is_folder and not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "is neither a file nor a folder", path)
        self.bytes = 0 if self.is_folder else found.st_size
        self.head = b""
        if not self.is_folder:
            with open_reading(path) as file:
                self.head = file.read(HEAD_BYTES)

    @cached_property
    def text(self) -> str:
        """The first characters of a file, unpacked if it is gzip or bgzf; control characters are kept."""
        head = self.head
        if head.startswith(GZIP):
            try:
                head = zlib.decompressobj(31).decompress(head, HEAD_BYTES)
            except zlib.error:
                head = b""
        return head.decode("utf-8", "replace")

    @cached_property
    def json(self) -> Any:  # noqa: ANN401 - any JSON
        """What a file of JSON holds; None of another file, of a damaged one and of one above 64 MiB."""
        if self.bytes > MAX_JSON_BYTES or self.head.lstrip()[:1] not in {b"{", b"["}:
            return None
        try:
            with open_reading(self.path) as file:
                return json.loads(file.read(MAX_JSON_BYTES + 1))
        except (ValueError, RecursionError):
            return None

    @cached_property
    def object(self) -> Facts:
        """The object that a file of JSON holds; else an empty one."""
        return self.json if isinstance(self.json, dict) else {}

    @property
    def record(self) -> Facts:
        """The record that a file holds, in the form of today, with the fields of its provenance; else {}."""
        return _with_provenance(self.object)

    @cached_property
    def names(self) -> frozenset[str]:
        """The names in a folder, 100,000 at most."""
        if not self.is_folder:
            return frozenset()
        with os.scandir(self.path) as entries:
            return frozenset(entry.name for entry in islice(entries, MAX_NAMES))

    def inside(self, name: str) -> Look:
        """A look at an entry of a folder."""
        return Look(os.path.join(self.path, name))

    def record_inside(self, name: str) -> Facts:
        """The record in a file in a folder, as `record` has it; empty if there is none."""
        return _with_provenance(self.object_inside(name))

    def object_inside(self, name: str) -> Facts:
        """The object in a file of JSON in a folder; empty if there is none, or it is none."""
        try:
            return self.inside(name).object if name in self.names else {}
        except OSError:
            return {}


def _with_provenance(found: Facts) -> Facts:
    """A record of any version; the fields of its provenance stand beside the others."""
    record = current(found)
    made = record.get("provenance")
    return {**record, **made} if isinstance(made, dict) else record
