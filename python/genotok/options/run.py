"""How work runs: on how many threads, on which machines, and who hears of its progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypedDict

from genotok.options.declaration import RUN, Option
from genotok.options.fields import Threads  # noqa: TC001 - the groups' types are read when they are shown

__all__ = ["Progress", "RayKeywords", "RayOptions", "RunKeywords", "RunOptions"]

Progress = Callable[[dict[str, object]], None]
"""Called about ten times a second at most with the state of the work; an exception from it stops the work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How work runs in a process. The result does not depend on it.

    Attributes:
        threads: Threads to use; None for all cores.
        memory: Bytes that the process may hold; None for what it takes. Training does not count packed files
            and shards, which are mapped.
        progress: Called with the state of the work.
    """

    threads: Threads = None
    memory: Annotated[
        int | None,
        Option(
            "Hold less memory than this, such as 2G, or end with an error; mapped shards do not count.",
            metavar="BYTES",
            min=1,
            is_amount=True,
            default="what it takes",
            panel=RUN,
        ),
    ] = None
    progress: Progress | None = None


class RunKeywords(TypedDict, total=False):
    """`RunOptions` as keywords."""

    threads: int | None
    memory: int | None
    progress: Progress | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RayOptions:
    """The Ray cluster to work on.

    Attributes:
        address: Of a cluster, "auto" for the one that runs here, or "local", which starts one; None for this
            process alone.
        workers: Workers that run at a time; None for one per CPU core.
    """

    address: Annotated[
        str | None,
        Option(
            "Work on the Ray cluster at this address; 'auto' finds the one running here, 'local' starts one. "
            "All its machines must see the files.",
            flags=("--ray",),
            metavar="ADDRESS",
            default="this process alone",
            panel=RUN,
        ),
    ] = None
    workers: Annotated[
        int | None,
        Option(
            "Ray workers, each with --threads (1) threads.",
            metavar="N",
            min=1,
            default="one per CPU core",
            panel=RUN,
        ),
    ] = None


class RayKeywords(TypedDict, total=False):
    """`RayOptions` as keywords."""

    address: str | None
    workers: int | None
