"""Where encoded sequences go: a pipe, one file (or Megatron's pair), or a folder of shards; and may they?"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from genotok.dataset.formats import FORMATS, Format, choose
from genotok.dataset.journal import check_folder
from genotok.errors import ArgumentError

if TYPE_CHECKING:
    from genotok.dataset.formats import FormatName

__all__ = ["STANDARD_OUTPUT", "Target"]

STANDARD_OUTPUT = "-"

BEGINNINGS = {".arrow": b"ARROW1", ".arrows": b"\xff\xff\xff\xff", ".parquet": b"PAR1", ".idx": b"MMIDIDX"}
"""How files begin, by their format's ending; what begins otherwise is not replaced."""


@dataclass(frozen=True, slots=True)
class Target:
    """An output as the user named it."""

    path: str
    form: Format
    kind: Literal["pipe", "file", "folder"]

    @classmethod
    def of(cls, output: str, name: FormatName | str | None, *, in_shards: bool) -> Target:
        """What `output` is: `-`, a folder if it is one, ends like one or is to have shards, or a file.

        Raises:
            ArgumentError: The format cannot be told, or cannot be written there.
        """
        if output == STANDARD_OUTPUT:
            target = cls(output, choose(name or "arrow-stream", output), "pipe")
        elif in_shards or output.endswith(os.sep) or os.path.isdir(output):
            target = cls(output.rstrip(os.sep) or os.sep, choose(name or "arrow", output), "folder")
        else:
            target = cls(output, choose(name, output), "file")
        if target.kind == "pipe" and (in_shards or not target.form.streams):
            what = "shards" if in_shards else target.form.name
            raise ArgumentError(f"output=-: {what} cannot be written to a pipe; name a file or a folder")
        if target.kind == "folder" and not target.form.shards:
            good = ", ".join(form.name for form in FORMATS.values() if form.shards)
            raise ArgumentError(f"format={target.form.name}: does not make shards; one of {good} does")
        return target

    @property
    def paths(self) -> list[str]:
        """The files, if it is no folder."""
        return self.form.paths(self.path)

    def check(self, *, resume: bool, force: bool) -> None:
        """An error if it may not be written to: there already, of another kind, or not to be resumed."""
        if resume and force:
            raise ArgumentError(
                "resume, force: one goes on with what is there, the other replaces it; choose one"
            )
        if self.kind == "folder":
            check_folder(self.path, resume=resume, force=force)
            return
        if resume:
            raise ArgumentError(
                "resume: only a folder of shards can be gone on with; one output is written whole"
            )
        if self.kind == "file":
            for path, ending in zip(self.paths, self.form.endings, strict=True):
                _check_file(path, BEGINNINGS.get(ending, b""), force=force)


def _check_file(path: str, beginning: bytes, *, force: bool) -> None:
    """An error if a file may not be made at `path`."""
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise FileNotFoundError(errno.ENOENT, "the output's folder does not exist; make it first", folder)
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "is not a regular file and cannot be replaced by one", path)
    if not force:
        raise ArgumentError(f"{path}: is there already; --force replaces it")
    with open(path, "rb") as existing:
        found = existing.read(len(beginning) or 1)
    # It guards against `-o genomes/*.fa`, where the shell makes a genome the output.
    if (found and not found.startswith(beginning)) or found in {b">", b"@"}:
        raise ArgumentError(f"{path}: exists and is of another kind; remove it, or choose another output")
