"""The process around a command: signals, standard streams, and how threads of torch wait for each other.

Only the program sets these; in a library they are the caller's.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["exit_code", "let_threads_sleep", "take_signals", "take_streams"]

INTERRUPTED = 128 + signal.SIGINT
ENDING = (signal.SIGTERM, signal.SIGHUP)
"""Signals that ask a program to end, as Ctrl-C does: of SLURM, of `kill`, of a terminal that was closed."""

SPINS = 10_000
"""Turns that a thread of GNU OpenMP waits for another one, some 0.02 ms, before it sleeps.

Its default is 300,000. Where other programs have the cores, or a container has fewer than it shows, threads
then spend nearly all time in waiting: fine-tuning a small encoder with two threads beside others took 268
CPU seconds at the default, 35 with this value, and 23 with one thread; on a quiet machine both are equal
within the noise (21 to 24 s, and 24).
"""

_received: list[int] = []


def take_signals() -> None:
    """Signals that ask to end do what Ctrl-C does; what is ignored, as under `nohup`, stays ignored."""
    for number in ENDING:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    """Do as Ctrl-C does. Once: a launcher may send the signal again while the work is being put away."""
    _received.append(number)
    for each in ENDING:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def exit_code(code: int | str | None) -> int | str | None:
    """The exit code of a program that stopped: that of the signal, if one came in place of Ctrl-C."""
    return 128 + _received[0] if _received and code == INTERRUPTED else code


def let_threads_sleep() -> None:
    """Threads of torch that wait for others sleep soon, unless the environment says how they wait.

    Only before torch is imported.
    """
    if not os.environ.keys() & {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"}:
        os.environ["GOMP_SPINCOUNT"] = str(SPINS)


def take_streams() -> None:
    """Make standard streams that take any text, and stand for those that are closed.

    What is printed on a standard output that is closed cannot be delivered, and is an error as on a full
    disk. Without something in its place the next file that is opened would be standard output.
    """
    if sys.stdin is None:
        _stand_in(0, os.O_RDONLY)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stdout is None:
        _stand_in(1, os.O_RDONLY)  # writing to it fails
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        _stand_in(2, os.O_WRONLY)
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _stand_in(number: int, flags: int) -> None:
    """Open the null device under the number of a standard stream."""
    opened = os.open(os.devnull, flags)
    if opened != number:
        os.dup2(opened, number)
        os.close(opened)
