"""Sections of a MultiQC report, and the files that hold them.

The keys are those of MultiQC's custom content. A section with `plot_type` "generalstats" adds columns to the
table at the top of the report; all others stand under the heading "genotok".
"""

from __future__ import annotations

import json
import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from genotok import _native
from genotok.errors import ArgumentError
from genotok.files.kinds import MULTIQC
from genotok.files.outputs import output_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from genotok.files.outputs import FileOutput

__all__ = ["SECTIONS", "Command", "MultiqcSection", "SectionFiles", "section_files"]

Command = Literal["check", "encode", "study"]
Settings = dict[str, Any]

SECTIONS: Mapping[Command, tuple[str, ...]] = {
    "check": ("general", "symbols"),
    "encode": ("general", "symbols"),
    "study": ("measures", "tokens", "lengths"),
}
"""The sections of each command, by which files are named."""

VERSIONS = "mqc_versions.yml"
"""The end of the file from which MultiQC lists versions of software."""

PARENT = {
    "parent_id": "genotok",
    "parent_name": "genotok",
    "parent_description": "tokenizes genomes: byte-pair encodings and k-mers of nucleotide sequences.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiqcSection:
    """One section of a MultiQC report.

    Attributes:
        name: One of the names in `SECTIONS`.
        plot: How MultiQC shows the data.
        title: The heading; not shown for columns of the general statistics.
        description: A sentence below the heading.
        settings: Of the plot, as MultiQC names them; for "generalstats" and "table" those of each column.
        first_column: The heading of the samples of a table.
        categories: Of a bar graph: name and colour of each key of the data, in order.
        data: For each sample its values by column or category, or pairs of x and y of a line graph.
    """

    name: str
    plot: Literal["generalstats", "bargraph", "linegraph", "table"]
    title: str = ""
    description: str = ""
    first_column: str = ""
    settings: Settings
    categories: Settings = field(default_factory=dict)
    data: Mapping[str, Mapping[str, float] | Sequence[Sequence[float]]]

    def to_json(self, command: Command) -> Settings:
        """The section as MultiQC reads it."""
        identity = f"genotok_{command}_{self.name}"
        found: Settings = {"id": identity, "plot_type": self.plot}
        if self.plot == "generalstats":
            # A list of columns, as every version of MultiQC takes it.
            columns = [{key: {"namespace": "genotok", **column}} for key, column in self.settings.items()]
            return {**found, "pconfig": columns, "data": self.data}
        plot = {"id": f"{identity}_plot", "title": f"genotok: {self.title}"}
        found |= {**PARENT, "section_name": self.title, "description": self.description}
        if self.plot == "table":
            plot["col1_header"] = self.first_column
            return {**found, "pconfig": plot, "headers": self.settings, "data": self.data}
        if self.categories:
            found["categories"] = self.categories
        return {**found, "pconfig": {**plot, **self.settings}, "data": self.data}


@dataclass(frozen=True, slots=True)
class SectionFiles:
    """The files of a command, claimed for this run; none without a prefix.

    Attributes:
        command: Whose sections they hold.
        prefix: What their names start with.
        outputs: The files by section, with the one of versions under `VERSIONS`.
    """

    command: Command
    prefix: str
    outputs: Mapping[str, FileOutput]

    @property
    def sample(self) -> str:
        """The name of the sample: the last part of the prefix."""
        return os.path.basename(self.prefix)

    def write(self, sections: Iterable[MultiqcSection]) -> None:
        """Write the sections and the version of genotok; do nothing without a prefix.

        Raises:
            OSError: A file cannot be written.
        """
        if not self.outputs:
            return
        for section in sections:
            text = json.dumps(section.to_json(self.command), indent=1)
            self.outputs[section.name].write(f"{text}\n".encode())
        self.outputs[VERSIONS].write(f'genotok: "{_native.VERSION}"\n'.encode())


@contextmanager
def section_files(
    command: Command, prefix: str | None, *, inputs: Iterable[str] = (), force: bool = False
) -> Iterator[SectionFiles]:
    """The files of a command, claimed for the duration of a `with` block.

    Args:
        command: The command.
        prefix: A path without an ending, such as `qc/sample`; None for no files.
        inputs: Files and patterns that the command reads.
        force: Whether to replace existing files.

    Raises:
        ArgumentError: The prefix names a folder or a stream, or a file exists and may not be replaced.
        OSError: A file cannot be created there.
    """
    if prefix is None:
        yield SectionFiles(command, "", {})
        return
    if not os.path.basename(prefix) or prefix == "-" or os.path.isdir(prefix):
        raise ArgumentError(
            f"multiqc={prefix}: several files are written; give the start of their names, such as qc/sample"
        )
    paths = {name: f"{prefix}_{command}_{name}_mqc.json" for name in SECTIONS[command]}
    paths[VERSIONS] = f"{prefix}_{command}_{VERSIONS}"
    named = list(inputs)
    with ExitStack() as stack:
        outputs = {
            name: stack.enter_context(output_file(path, MULTIQC, inputs=named, force=force))
            for name, path in paths.items()
        }
        yield SectionFiles(command, prefix, outputs)
