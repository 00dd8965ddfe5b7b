"""A process of one build that does one job each time it is told to: both ends of it.

The child imports nothing but the public functions of genotok, so that an older build runs it too. It answers
each line on its standard input with one line of JSON.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
Answer = dict[str, Any]

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


class Worker:
    """The end of a child that its parent holds; a context manager."""

    def __init__(self, build: Build, work: Work, cores: int) -> None:
        self.build, self.work, self.cores = build, work, cores
        command = [build.python, "-m", "benchmarks.ingest.worker", json.dumps(asdict(work)), str(cores)]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=build.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def process_id(self) -> int:
        """The number of the process."""
        return self._process.pid

    def run(self) -> Answer:
        """Do the job once: `seconds`, `user`, `system` (CPU seconds), `peak_bytes` so far, `report`.

        Raises:
            RuntimeError: The child has ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the child of {self.build.name} ended with status {self._process.wait()}")
        answer: Answer = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        self._process.kill()
        self._process.wait()


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
    for _ in sys.stdin:
        remove(work.output)
        before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        report = do()
        seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
        answer = {
            "seconds": seconds,
            "user": after.ru_utime - before.ru_utime,
            "system": after.ru_stime - before.ru_stime,
            "peak_bytes": peak_bytes(),
            "report": {key: value for key, value in report.items() if key not in TIMES},
        }
        sys.stdout.write(json.dumps(answer, default=str) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
