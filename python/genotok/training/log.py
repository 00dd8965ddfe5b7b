"""The log of a run: a line of JSON for each message of the trainer, and progress for a callback."""

from __future__ import annotations

import json
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback
from transformers.utils import logging

from genotok.files.appending import AppendFile
from genotok.files.atomic import write_atomic
from genotok.files.reading import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from genotok.tokenizer.encoder import Progress

__all__ = ["JsonLines", "ProgressCallback", "cut_log", "quietly"]

SUMMARY = "train_runtime"
"""What the line has that transformers writes behind the last step."""


class JsonLines(TrainerCallback):
    """Appends logged values to a file, `step` first; in the main process only."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any
    ) -> None:
        """Write a line."""
        del args, control
        if state.is_world_process_zero and logs:
            # JSON has no NaN: values that are not finite are written as text.
            found = {key: value if _is_finite(value) else str(value) for key, value in logs.items()}
            with AppendFile(self.path) as file:
                file.append(json.dumps({"step": state.global_step, **found}) + "\n")


class ProgressCallback(TrainerCallback):
    """Reports the progress of a run; an exception from the consumer stops the run."""

    def __init__(self, progress: Progress, what: str) -> None:
        self.progress, self.what = progress, what
        self.last: dict[str, Any] = {}

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any
    ) -> None:
        """Keep the latest logged values."""
        del args, state, control
        self.last |= logs or {}

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Report a step."""
        del args, control
        if state.is_world_process_zero:
            where = {"what": self.what, "step": state.global_step, "steps": state.max_steps}
            self.progress({**self.last, "phase": "learning", **where})


def cut_log(path: Path, step: int) -> None:
    """Remove the lines of a log after `step`: those steps are trained again.

    So is what follows the last step, the summary and the final evaluation, which end each run.
    """
    if not path.exists():
        return
    kept = []
    for line in read_bytes(path).decode().splitlines():
        try:
            entry = json.loads(line)
        except ValueError:  # truncated when the run was killed
            continue
        if isinstance(entry, dict) and SUMMARY in entry:
            break
        if isinstance(entry, dict) and entry.get("step", step) <= step:
            kept.append(line + "\n")
    write_atomic(path, "".join(kept).encode())


def _is_finite(value: Any) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


@contextmanager
def quietly() -> Iterator[None]:
    """Suppress the progress bars of transformers, and its list of weights that a new classifier lacks."""
    had_bars, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if had_bars:
            logging.enable_progress_bar()
