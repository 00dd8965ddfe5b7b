"""Progress on standard error: a moving line on a terminal, an occasional plain line in a file or pipe.

The native module reports where it is in two phases; each becomes one `Status` (a phase, a share done, a few
words), which both displays show.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import log, log1p
from typing import Any

from genotok.cli.shared import figures
from genotok.cli.shared.console import standard_error
from genotok.cli.shared.messages import note

__all__ = ["Status", "Watch", "watching"]

SECONDS_BETWEEN_LINES = 15.0
"""How often a log file hears of it."""

GROWTH = 1.75
"""How many times more merges there are after a round than before it: so on chromosomes of a human and of
bacteria, from the second round on; the first one looks ahead."""

PASS_SHARE = 0.7
"""The part of a round that its pass takes; what is left of it is not counted in bases."""


@dataclass(frozen=True, slots=True)
class Status:
    """Where the work stands.

    Attributes:
        phase: "reading", "training", "checking", "embedding", "predicting", "scoring" or "writing".
        share: The part of the phase that is done, 0 to 1; None where it cannot be known.
        words: Counts and speed.
    """

    phase: str
    share: float | None
    words: str


class Watch:
    """Follows the events of one piece of work.

    Attributes:
        merges: Merges found so far.
    """

    def __init__(
        self, show: Callable[[Status, float], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.merges = 0
        self._show = show
        self._clock = clock
        self._phase = ""
        self._start = 0.0
        self._step = 0

    def __call__(self, event: dict[str, Any]) -> None:
        """Take one event of the native module, or of `genotok.embedding`."""
        now = self._clock()
        another_run = event.get("step", 0) < self._step
        self._step = event.get("step", 0)
        if event["phase"] != self._phase or another_run:
            self._phase, self._start = event["phase"], now
        seconds = now - self._start
        self.merges = event.get("merges", self.merges)
        self._show(PHASES.get(event["phase"], _reading)(event, seconds), seconds)

    def check(self, num_bytes: int, total: int) -> None:
        """So many bytes of those in all were checked."""
        words = f"{figures.memory(num_bytes)} of {figures.memory(total)}"
        now = self._clock()
        self._start = self._start if self._phase == "checking" else now
        self._phase = "checking"
        self._show(Status("checking", num_bytes / max(total, 1), words), now - self._start)


def _reading(event: dict[str, Any], seconds: float) -> Status:
    """Files are read: the share is that of their bytes, unless one is a pipe."""
    total = event["bytes_total"]
    share = min(event["bytes"] / total, 1.0) if total else None
    files = f"file {event['file_index'] + 1:,} of {event['files']:,} · " if event["files"] > 1 else ""
    speed = f" · {figures.rate(event['bases'], seconds)}" if seconds > 1 else ""
    return Status("reading", share, f"{files}{figures.bases(event['bases'])}{speed}")


def _training(event: dict[str, Any], seconds: float) -> Status:
    """Rounds are made: one commits about as many times more merges as the one before it.

    So the logarithm of the merges tells how many rounds are left, and a half, since the last ones are dearer.
    """
    done, bases = event["merges"], max(event["bases"], 1)
    rounds_before = max(event["round"] - 1, 0)
    rounds_left = max(log1p(event["merges_wanted"]) - log1p(done), 0.0) / log(GROWTH)
    passed = PASS_SHARE * min(event["bases_done"] / bases, 1.0)
    share = (rounds_before + passed) / (rounds_before + max(rounds_left, 1.0) + 0.5)
    merges = f"{done:,} of {event['merges_wanted']:,} merges"
    speed = f" · {figures.rate(rounds_before * bases + event['bases_done'], seconds)}" if seconds > 1 else ""
    return Status("training", share, f"round {event['round']} · {merges}{speed}")


def _embedding(event: dict[str, Any], seconds: float) -> Status:
    """Vectors or predictions are made: the share is that of the tokens, unless they come through a pipe."""
    done, total = event["tokens"], event["tokens_total"]
    speed = f" · {done / seconds:,.0f} tokens/s" if seconds > 1 else ""
    of_all = f" of {total:,}" if total else ""
    return Status(event["phase"], done / total if total else None, f"{done:,}{of_all} tokens{speed}")


def _learning(event: dict[str, Any], seconds: float) -> Status:
    """A model is trained: the share is that of the steps."""
    done, total = event["step"], event["steps"]
    loss = f" · loss {event['loss']:.3f}" if "loss" in event else ""
    speed = f" · {event['tokens_per_second']:,.0f} tokens/s" if "tokens_per_second" in event else ""
    del seconds
    return Status("training", done / total, f"step {done:,} of {total:,}{loss}{speed}")


def _scoring(event: dict[str, Any], seconds: float) -> Status:
    """Variants are scored: the share is that of their number, or of the records if all are skipped."""
    done, total = event["variants"], event["variants_total"]
    if not total:
        done, total = event.get("records", 0), event.get("records_total", 0)
        return Status("writing", done / max(total, 1), f"{done:,} of {total:,} records without scores")
    speed = f" · {done / seconds:,.1f} variants/s" if seconds > 1 else ""
    return Status("scoring", done / max(total, 1), f"{done:,} of {total:,} variants{speed}")


def _checking(event: dict[str, Any], seconds: float) -> Status:
    """Records of variants are checked; how many there are is known at the end."""
    speed = f" · {event['records'] / seconds:,.0f} records/s" if seconds > 1 else ""
    return Status("checking", None, f"{event['records']:,} records{speed}")


PHASES = {
    "checking": _checking,
    "training": _training,
    "embedding": _embedding,
    "predicting": _embedding,
    "learning": _learning,
    "scoring": _scoring,
}
"""What shows the events of a phase; those of all others tell of bytes that were read."""


@contextmanager
def watching(quiet: bool) -> Iterator[Watch]:
    """A watch that shows what it sees, for as long as the work takes."""
    if quiet:
        yield Watch(lambda _status, _seconds: None)
    elif standard_error().is_terminal:
        with _moving_line() as show:
            yield Watch(show)
    else:
        yield Watch(_plain_lines())


@contextmanager
def _moving_line() -> Iterator[Callable[[Status, float], None]]:
    """One line that moves, and is gone when the work is done."""
    from rich import progress

    columns = (
        progress.SpinnerColumn(),
        progress.TextColumn("{task.description}", style="bold"),
        progress.BarColumn(bar_width=24),
        progress.TextColumn("{task.fields[words]}"),
        progress.TextColumn("{task.fields[left]}", style="dim"),
    )
    with progress.Progress(*columns, console=standard_error(), transient=True) as bar:
        task = bar.add_task("starting", total=None, words="", left="")

        def show(status: Status, seconds: float) -> None:
            bar.update(
                task,
                description=status.phase,
                total=None if status.share is None else 1.0,
                completed=status.share or 0.0,
                words=status.words,
                left=_time_left(status, seconds),
            )

        yield show


def _plain_lines() -> Callable[[Status, float], None]:
    """A line every now and then."""
    due = SECONDS_BETWEEN_LINES
    phase = ""

    def show(status: Status, seconds: float) -> None:
        nonlocal due, phase
        if status.phase != phase:
            phase, due = status.phase, SECONDS_BETWEEN_LINES
        if seconds >= due:
            due = seconds + SECONDS_BETWEEN_LINES
            left = _time_left(status, seconds)
            note(f"{status.phase}: {status.words}" + (f", {left}" if left else ""))

    return show


def _time_left(status: Status, seconds: float) -> str:
    """`about 40 s left`, once there is something to judge by."""
    if not status.share or seconds < 1:
        return ""
    left = seconds * (1 - status.share) / status.share
    return f"about {figures.duration(left) if left >= 100 else f'{max(left, 1):.0f} s'} left"
