"""The formats of encoded sequences: what each is called, how its files end, and what it can do."""

import os
from dataclasses import dataclass
from typing import Literal, cast, get_args

from genotok.errors import ArgumentError
from genotok.files.reading import open_reading

__all__ = ["BEGINNINGS", "FORMATS", "Format", "FormatName", "choose", "found_in"]

FormatName = Literal["arrow", "arrow-stream", "parquet", "megatron", "bed", "bed-gz"]


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write encoded sequences.

    Attributes:
        name: What `--format` calls it.
        endings: The endings of the files of one output, in the order in which they get their names: when the
            last is there, the output is complete.
        streams: It can be written to a pipe.
        shards: It can be read back, and so stand in a folder of shards.
    """

    name: FormatName
    endings: tuple[str, ...]
    streams: bool
    shards: bool

    def paths(self, output: str) -> list[str]:
        """The files of an output of this name: itself, or a pair with the endings of the format."""
        if len(self.endings) == 1:
            return [output]
        stems = [output.removesuffix(ending) for ending in self.endings if output.endswith(ending)]
        return [min(stems, key=len, default=output) + ending for ending in self.endings]


FORMATS: dict[str, Format] = {
    form.name: form
    for form in (
        Format("arrow", (".arrow",), streams=True, shards=True),
        Format("arrow-stream", (".arrows",), streams=True, shards=True),
        Format("parquet", (".parquet",), streams=True, shards=True),
        Format("megatron", (".bin", ".idx"), streams=False, shards=True),
        Format("bed", (".bed",), streams=True, shards=False),
        Format("bed-gz", (".bed.gz", ".bed.gz.tbi"), streams=False, shards=False),
    )
}


def choose(name: str | None, path: str) -> Format:
    """The format called `name`; without a name, the one that the ending of `path` says.

    "bed" with an ending in `.bed.gz` is compressed and has an index.

    Raises:
        ArgumentError: There is no such format, or the ending says nothing.
    """
    lower = path.lower()
    if name is not None:
        if name not in FORMATS:
            raise ArgumentError(f"format={name}: one of {', '.join(get_args(FormatName))} is expected")
        return FORMATS["bed-gz" if name == "bed" and lower.endswith(".bed.gz") else cast("FormatName", name)]
    for form in FORMATS.values():
        if lower.endswith(form.endings):
            return form
    known = ", ".join(ending for form in FORMATS.values() for ending in form.endings[:1])
    raise ArgumentError(
        f"{path}: its ending names no format; use one of {known}, say --format, or end it in / for a folder"
    )


BEGINNINGS = {
    b"ARROW1": "arrow",
    b"\xff\xff\xff\xff": "arrow-stream",
    b"PAR1": "parquet",
    b"MMIDIDX": "megatron",
}
"""How files of the formats begin; of Megatron's pair, the index."""


def found_in(path: str) -> Format | None:
    """The format that the first bytes of a file tell, whatever it is called; None if they tell none.

    The ids of Megatron's pair may begin in any way: they are known by the index beside them.

    Raises:
        OSError: The file cannot be read.
    """
    with open_reading(path) as file:
        head = file.read(8)
    for beginning, name in BEGINNINGS.items():
        if head.startswith(beginning):
            return FORMATS[name]
    stem, ending = os.path.splitext(path)
    index = f"{stem}.idx"
    if ending == ".bin" and os.path.isfile(index):
        return found_in(index)
    return None
