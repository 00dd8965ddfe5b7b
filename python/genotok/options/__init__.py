"""Option groups: every option of the library and the command line, declared once.

A group is a frozen dataclass. A field that the command line shows carries an `Option` in its annotation:

    @dataclass(frozen=True, slots=True, kw_only=True)
    class WindowOptions:
        window: Annotated[
            int | None,
            Option("Cut records into rows of this length.", metavar="BASES", min=1, panel=ROWS),
        ] = None
        progress: Progress | None = None  # no `Option`: for Python alone

A command names the group in its signature and gets a whole instance; `cli.shared.option_groups.expanded`
turns the fields into options of the command line:

    def encode(files: SequenceFiles, windows: WindowOptions, run: RunOptions) -> None: ...

A library function takes the same options as keywords, by a `TypedDict` that stands below the group, makes the
group from them at once, and passes it whole from there on:

    class WindowKeywords(TypedDict, total=False):
        window: int | None
        progress: Progress | None

    def encode_files(files: Files, **options: Unpack[WindowKeywords]) -> TokenReader:
        (windows,) = grouped("encode_files", options, WindowOptions)

Dictionaries of several groups are combined by inheritance. `tests/test_options.py` holds each to its group.
"""

from genotok.options.batches import (
    BatchKeywords,
    BatchOptions,
    NullPolicy,
)
from genotok.options.declaration import (
    Option,
    grouped,
)
from genotok.options.fields import (
    InputFormat,
    OutputFormat,
    ProblemType,
    TableFormat,
)
from genotok.options.loci import (
    LocusKeywords,
    LocusOptions,
)
from genotok.options.outputs import (
    OutputKeywords,
    OutputOptions,
)
from genotok.options.packing import (
    PackKeywords,
    PackOptions,
)
from genotok.options.rows import (
    ReadKeywords,
    ReadOptions,
    RowKeywords,
    RowOptions,
    UnknownPolicy,
)
from genotok.options.run import (
    Progress,
    RayKeywords,
    RayOptions,
    RunKeywords,
    RunOptions,
)
from genotok.options.training import (
    TrainKeywords,
    TrainOptions,
)

__all__ = [
    "BatchKeywords",
    "BatchOptions",
    "InputFormat",
    "LocusKeywords",
    "LocusOptions",
    "NullPolicy",
    "Option",
    "OutputFormat",
    "OutputKeywords",
    "OutputOptions",
    "PackKeywords",
    "PackOptions",
    "ProblemType",
    "Progress",
    "RayKeywords",
    "RayOptions",
    "ReadKeywords",
    "ReadOptions",
    "RowKeywords",
    "RowOptions",
    "RunKeywords",
    "RunOptions",
    "TableFormat",
    "TrainKeywords",
    "TrainOptions",
    "UnknownPolicy",
    "grouped",
]
