"""A process of one build that does one job each time it is asked: both ends of it.

The child imports nothing but the public functions of genotok, so that an older build runs it too.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from benchmarks.answering import Answer, AnsweringProcess, answer_each

if TYPE_CHECKING:
    from collections.abc import Callable

TIMES = frozenset({"seconds", "output", "bytes"})
"""What a report may say otherwise from run to run and from build to build: bytes depend on batches."""


@dataclass(frozen=True)
class Work:
    """What a child does.

    Attributes:
        kind: "encode" writes encoded rows, "stream" makes them and drops them, "pack" and "train" are the
            commands of these names.
        files: Its inputs.
        output: The file or folder it writes; for "stream" none.
        tokenizer: The file of the tokenizer to encode with.
        options: The keywords of the function.
    """

    kind: str
    files: tuple[str, ...]
    output: str = ""
    tokenizer: str = ""
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Build:
    """An installed genotok: "before" or "after", the python that runs it, and a folder put first, if any."""

    name: str
    python: str = sys.executable
    folder: str | None = None

    @classmethod
    def of(cls, name: str, path: str | None) -> Self:
        """The build of a python, or of a folder that holds `genotok`; None is this python's."""
        if path is None:
            return cls(name)
        place = Path(os.path.abspath(path))  # no link is followed: a virtual environment's python is one
        return cls(name, folder=str(place)) if place.is_dir() else cls(name, str(place))

    def environment(self) -> dict[str, str]:
        """The variables of its processes."""
        first = {} if self.folder is None else {"PYTHONPATH": self.folder}
        return {**os.environ, **first}


class Worker(AnsweringProcess):
    """The end of a child that its parent holds.

    Its answers are `seconds`, `user`, `system` (CPU seconds), `peak_bytes` so far, and `report`.
    """

    def __init__(self, build: Build, work: Work, cores: int) -> None:
        self.build, self.work, self.cores = build, work, cores
        command = [build.python, "-m", "benchmarks.ingest.worker", json.dumps(asdict(work)), str(cores)]
        super().__init__(f"the child of {build.name}", command, build.environment())


def remove(path: str) -> None:
    """Remove a file or folder, if it is there."""
    if os.path.isdir(path):
        shutil.rmtree(path)
    elif path and os.path.exists(path):
        os.unlink(path)


def prepared(work: Work, threads: int) -> Callable[[], Answer]:
    """The function that is timed; it returns a report."""
    import genotok  # noqa: PLC0415 - the build under test, in the child alone
    from genotok.dataset.encode import encode  # noqa: PLC0415

    files, options = list(work.files), {**work.options, "threads": threads}
    if work.kind == "pack":
        return lambda: dict(genotok.pack(files, work.output, **options))
    if work.kind == "train":

        def train() -> Answer:
            tokenizer = genotok.Tokenizer.train(files, **options)
            tokenizer.save(work.output)
            report = tokenizer.report
            return {"bases": report["bases"] if report else 0}

        return train
    tokenizer = genotok.Tokenizer.from_file(work.tokenizer)
    tokenizer.encode("ACGT")  # builds the automaton
    if work.kind == "encode":
        return lambda: dict(encode(tokenizer, files, work.output, **options))

    def stream() -> Answer:
        reader = tokenizer.encode_files(files, **options)
        rows = sum(len(batch) for batch in reader)
        return {"rows": rows, **reader.report()}

    return stream


def peak_bytes() -> int:
    """The peak of the resident memory of this process, pages of mapped files included."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main() -> None:
    """Be the child."""
    given = json.loads(sys.argv[1])
    work = Work(**{**given, "files": tuple(given["files"])})
    cores = int(sys.argv[2])
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    do = prepared(work, cores)

    def job(_question: None) -> Answer:
        remove(work.output)
        before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        report = do()
        seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
        return {
            "seconds": seconds,
            "user": after.ru_utime - before.ru_utime,
            "system": after.ru_stime - before.ru_stime,
            "peak_bytes": peak_bytes(),
            "report": {key: value for key, value in report.items() if key not in TIMES},
        }

    answer_each(job)


if __name__ == "__main__":
    main()
