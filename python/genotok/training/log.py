"""The log of a run: a line of JSON for each message of the trainer, and progress for whoever watches."""

from __future__ import annotations

import json
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback
from transformers.utils import logging

from genotok.files.appending import AppendFile
from genotok.files.atomic import write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from genotok.tokenizer.encoder import Progress

__all__ = ["JsonLines", "Watched", "cut_log", "quietly"]


class JsonLines(TrainerCallback):
    """Appends what is logged to a file, `step` first; the main process only."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any
    ) -> None:
        """Write a line."""
        del args, control
        if state.is_world_process_zero and logs:
            # JSON knows no NaN: what is not finite is a text.
            found = {key: value if _is_finite(value) else str(value) for key, value in logs.items()}
            with AppendFile(self.path) as file:
                file.append(json.dumps({"step": state.global_step, **found}) + "\n")


class Watched(TrainerCallback):
    """Passes on how far the run is; an exception from there stops it."""

    def __init__(self, progress: Progress, what: str) -> None:
        self.progress, self.what = progress, what
        self.last: dict[str, Any] = {}

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any
    ) -> None:
        """Remember the latest figures."""
        del args, state, control
        self.last |= logs or {}

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Tell of a step."""
        del args, control
        if state.is_world_process_zero:
            where = {"what": self.what, "step": state.global_step, "steps": state.max_steps}
            self.progress({**self.last, "phase": "learning", **where})


def cut_log(path: Path, step: int) -> None:
    """Leave out what a log says of steps after `step`: they are trained again."""
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:  # cut short when the run was killed
            continue
        if isinstance(entry, dict) and entry.get("step", step) <= step:
            kept.append(line + "\n")
    write_atomic(path, "".join(kept).encode())


def _is_finite(value: Any) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


@contextmanager
def quietly() -> Iterator[None]:
    """No bars of transformers for each file, and no list of weights that a new classifier does not have."""
    had_bars, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if had_bars:
            logging.enable_progress_bar()
