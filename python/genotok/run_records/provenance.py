"""Where a record comes from: date, machine, software, command, seeds, digests of the inputs."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Self

from genotok.run_records.machine import machine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Provenance", "command_line"]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a record comes from.

    Attributes:
        date: The day in UTC, such as `2026-11-29`.
        machine: `cpu`, `cpu_cores`, `memory_bytes`, `system`.
        software: Version by package, genotok and Python among them.
        command: The command line of genotok; "" if a Python program called the library.
        seeds: The seeds of the run; () if nothing is drawn.
        inputs: SHA-256 digests of what was read, in nested objects and lists.
    """

    date: str = ""
    machine: Mapping[str, Any] = field(default_factory=dict)
    software: Mapping[str, str] = field(default_factory=dict)
    command: str = ""
    seeds: tuple[int, ...] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def now(
        cls,
        packages: Iterable[str] = (),
        *,
        seeds: Iterable[int] = (),
        inputs: Mapping[str, Any] | None = None,
    ) -> Self:
        """The provenance of what this process makes now.

        Args:
            packages: Installed packages whose versions matter, besides genotok and numpy.
            seeds: The seeds of the run.
            inputs: Digests of what is read (`genotok.files.identity`).
        """
        return cls(
            date=datetime.now(UTC).date().isoformat(),
            machine=machine(),
            software={
                **{name: version(name) for name in ("genotok", "numpy", *packages)},
                "python": platform.python_version(),
            },
            command=command_line(),
            seeds=tuple(seeds),
            inputs=dict(inputs or {}),
        )

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The provenance in a record; what is missing stays empty."""
        known = {key: data[key] for key in cls.__slots__ if key in data}
        return cls(**{**known, "seeds": tuple(known.get("seeds", ()))})

    def to_json(self) -> dict[str, Any]:
        """The provenance as a record has it."""
        return {**asdict(self), "seeds": list(self.seeds)}


def command_line() -> str:
    """The command line of genotok, absolute paths by their last name; "" in other programs."""
    program = sys.argv[0] if sys.argv else ""
    folder, name = os.path.split(program)
    is_module = name == "__main__.py" and os.path.basename(folder) == "genotok"
    if name != "genotok" and not is_module:
        return ""
    return shlex.join(["genotok", *map(_without_folder, sys.argv[1:])])


def _without_folder(argument: str) -> str:
    """An argument as a record may show it: an absolute path by its last name only."""
    name, equals, path = argument.rpartition("=")
    return f"{name}{equals}{os.path.basename(path.rstrip('/'))}" if os.path.isabs(path) else argument
