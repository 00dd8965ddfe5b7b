"""Where encoded rows go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypedDict

from genotok.options.declaration import OUTPUT, RUN, Option
from genotok.options.fields import Force  # noqa: TC001 - the groups' types are read when they are shown

__all__ = ["OutputKeywords", "OutputOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions:
    """How encoded rows are written; `genotok.dataset.encode.encode` explains each field."""

    format: Annotated[
        str | None,
        Option(
            "arrow, arrow-stream, parquet, megatron, bed or bed-gz (BGZF with a tabix index).",
            flags=("--format", "-f"),
            metavar="NAME",
            default="by the ending; arrow in a folder, arrow-stream for -",
            panel=OUTPUT,
        ),
    ] = None
    shard_size: Annotated[
        int | None,
        Option(
            "Write a folder, and start a new file after this many bases, such as 500M.",
            metavar="BASES",
            is_amount=True,
            default="1G in a folder",
            panel=OUTPUT,
        ),
    ] = None
    force: Force = False
    resume: Annotated[bool, Option("Resume a folder that was not finished.", panel=RUN)] = False


class OutputKeywords(TypedDict, total=False):
    """`OutputOptions` as keywords."""

    format: str | None
    shard_size: int | None
    force: bool
    resume: bool
