"""Where encoded sequences go: a stream, a file (or Megatron's pair), or a folder of shards; may they?"""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from genotok.dataset.formats import FORMATS, Format, choose
from genotok.dataset.journal import check_folder
from genotok.errors import ArgumentError
from genotok.files import kinds
from genotok.files.atomic import STANDARD_OUTPUT, is_stream
from genotok.files.outputs import named, output_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from genotok.dataset.formats import FormatName

__all__ = ["STANDARD_OUTPUT", "Target"]

KINDS = {
    ".arrow": kinds.ARROW,
    ".arrows": kinds.ARROW_STREAM,
    ".parquet": kinds.PARQUET,
    ".bin": kinds.MEGATRON,
    ".idx": kinds.MEGATRON_INDEX,
    ".bed": kinds.BED,
    ".bed.gz": kinds.BED,
    ".bed.gz.tbi": kinds.TABIX_INDEX,
}
"""What the files of a format are, by ending."""


@dataclass(frozen=True, slots=True)
class Target:
    """An output as the user named it."""

    path: str
    form: Format
    kind: Literal["pipe", "file", "folder"]

    @classmethod
    def of(cls, output: str, name: FormatName | str | None, *, in_shards: bool) -> Target:
        """What `output` is: `-`, a device, a folder (one that is there, ends so, or has shards), or a file.

        Raises:
            ArgumentError: The format cannot be told, or cannot be written there.
        """
        output = named(output)
        if output == STANDARD_OUTPUT:
            target = cls(output, choose(name or "arrow-stream", output), "pipe")
        elif is_stream(output):
            target = cls(output, choose(name, output), "pipe")
        elif in_shards or output.endswith(os.sep) or os.path.isdir(output):
            target = cls(output.rstrip(os.sep) or os.sep, choose(name or "arrow", output), "folder")
        else:
            target = cls(output, choose(name, output), "file")
        if target.kind == "pipe" and (in_shards or not target.form.streams):
            what = "shards" if in_shards else target.form.name
            raise ArgumentError(
                f"output={output}: {what} cannot be written to a pipe; name a file or a folder"
            )
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
            raise ArgumentError("resume, force: one resumes what is there, the other replaces it; choose one")
        if self.kind == "folder":
            check_folder(self.path, resume=resume, force=force)
        elif resume:
            raise ArgumentError(
                "resume: only a folder of shards can be resumed; one output is written atomically"
            )

    @contextmanager
    def claimed(self, *, inputs: Iterable[str] = (), force: bool = False) -> Iterator[None]:
        """The files of the output belong to this run for the time of a `with` block, if they may be written.

        A folder is claimed by its journal.

        Raises:
            ArgumentError: A file is there and stays, or another run writes it.
            OSError: No file can be made there.
        """
        inputs = list(inputs)
        with ExitStack() as claims:
            for path, ending in (
                zip(self.paths, self.form.endings, strict=True) if self.kind != "folder" else ()
            ):
                claims.enter_context(output_file(path, KINDS[ending], inputs=inputs, force=force))
            yield
