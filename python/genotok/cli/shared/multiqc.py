"""The files of `--multiqc`, for the commands that have the option."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from genotok.cli.shared.options import MultiqcOptions
    from genotok.multiqc import SectionFiles
    from genotok.multiqc.sections import Command

__all__ = ["wanted_sections"]


@contextmanager
def wanted_sections(
    command: Command, options: MultiqcOptions, *, inputs: Iterable[str], force: bool
) -> Iterator[SectionFiles | None]:
    """The files of the sections, claimed for a `with` block; None, and nothing imported, without the option.

    Raises:
        ArgumentError: As `genotok.multiqc.section_files`.
        OSError: A file cannot be created there.
    """
    if options.multiqc is None:
        yield None
        return
    from genotok.multiqc import section_files

    with section_files(command, options.multiqc, inputs=inputs, force=force) as files:
        yield files
