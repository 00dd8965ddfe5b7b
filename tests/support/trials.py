"""Commands in forked processes, with a fault; the parent has imported what they need."""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from dataclasses import dataclass
from multiprocessing import reduction
from multiprocessing.connection import Connection
from pathlib import Path

from tests.support.program import IMPORTS, open_streams
from tests.support.syscalls import PATIENCE_SECONDS, Watcher, install_filter

__all__ = ["Fault", "Result", "attempt"]


@dataclass(frozen=True)
class Fault:
    """What goes wrong: the call number `at` of a kind (`syscalls.KINDS`); none at 0."""

    kind: str = "write"
    at: int = 0


@dataclass(frozen=True)
class Result:
    """How a command ended.

    Attributes:
        code: Its exit code; negative for a signal.
        err: Its messages.
        calls: Calls of the kind that it made.
        call: The call that failed, and its path; none if all went through.
    """

    code: int
    err: str
    calls: int
    call: tuple[str, str] | None


_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.support.trials", *IMPORTS])


def attempt(arguments: list[str], folder: Path, fault: Fault | None = None) -> Result:
    """Run a command in `folder`, where its fault comes true; temporary files go to `tmp` beside it."""
    fault = fault or Fault()
    with tempfile.TemporaryDirectory() as outside:
        ours, theirs = _context.Pipe()
        process = _context.Process(target=_run, args=(theirs, arguments, str(folder), outside, fault.kind))
        process.start()
        theirs.close()
        listener = reduction.recv_handle(ours)
        ours.close()
        watcher = Watcher(fault.kind, fault.at, os.path.realpath(folder.parent))
        assert process.pid is not None
        try:
            watcher.watch(listener, process.pid, process.sentinel)
            process.join(1)
            if process.exitcode is None:
                raise TimeoutError(f"{arguments} did not end within {PATIENCE_SECONDS} s")
        finally:
            os.close(listener)
            process.kill()
            process.join()
        said = Path(outside, "err").read_text(errors="replace")
        return Result(process.exitcode, said, watcher.count, watcher.call)


def _run(connection: Connection, arguments: list[str], folder: str, outside: str, kind: str) -> None:
    """The program in this process, as its own `main` runs it."""
    from genotok.cli import main  # noqa: PLC0415  after the fork

    for number, name in ((1, "out"), (2, "err")):
        opened = os.open(os.path.join(outside, name), os.O_WRONLY | os.O_CREAT)
        os.dup2(opened, number)
        os.close(opened)
    open_streams()
    os.chdir(folder)
    os.environ.update(COLUMNS="100", NO_COLOR="1", TMPDIR=os.path.join(folder, "../tmp"))
    os.environ["OMP_NUM_THREADS"] = "1"
    tempfile.tempdir = None
    sys.argv = ["genotok", *arguments]
    listener = install_filter(kind)
    reduction.send_handle(connection, listener, os.getppid())
    os.close(listener)
    main()
