"""What the log of a pre-training run says: curves by step, evaluations, how far the run is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genotok.report.plots import Series
from genotok.report.records import as_number, is_number

if TYPE_CHECKING:
    from genotok.run_records.schemas import Json

__all__ = [
    "MAX_POINTS",
    "curve",
    "entries",
    "evaluations",
    "last_evaluation",
    "last_step",
    "points",
    "run_state",
]

MAX_POINTS = 400
"""Points of a line; more are put together, each point the mean of neighbouring ones."""


def curve(run: Json, key: str, name: str) -> Series:
    """What the log says of a figure, by step; a step that is logged twice counts once."""
    found = points(run, key)
    if len(found) > MAX_POINTS:
        found = _thinned(found)
    return Series(name, [step for step, _ in found], [value for _, value in found])


def evaluations(run: Json) -> list[Json]:
    """The evaluations in the log, one for each step, in order."""
    by_step = {float(one["step"]): one for one in entries(run) if is_number(one.get("eval_loss"))}
    return [by_step[step] for step in sorted(by_step)]


def last_evaluation(run: Json) -> Json:
    """The figures on held-out sequences at the end, or at the last evaluation; {} if there is none."""
    if is_number(run.get("eval_loss")):
        return run
    found = evaluations(run)
    return found[-1] if found else {}


def entries(run: Json) -> list[Json]:
    """Lines of the log that say their step."""
    log = run.get("log")
    return [one for one in log if is_number(one.get("step"))] if isinstance(log, list) else []


def points(run: Json, key: str) -> list[tuple[float, float]]:
    """Step and value of a figure."""
    found = {float(one["step"]): float(one[key]) for one in entries(run) if is_number(one.get(key))}
    return sorted(found.items())


def _thinned(logged: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Means of neighbouring points, so that `MAX_POINTS` are left."""
    size = -(-len(logged) // MAX_POINTS)
    parts = [logged[at : at + size] for at in range(0, len(logged), size)]
    return [
        (sum(step for step, _ in part) / len(part), sum(value for _, value in part) / len(part))
        for part in parts
    ]


def last_step(run: Json) -> float:
    """The last step that was logged."""
    return max((float(one["step"]) for one in entries(run)), default=0.0)


def run_state(run: Json) -> str:
    """How far the run is."""
    planned = as_number(run["config"].get("steps"))
    last = last_step(run)
    of = f" of {planned:,.0f}" if planned else ""
    if run.get("is_finished"):
        return f"finished: {as_number(run.get('steps')) or last:,.0f} steps"
    if run.get("state") == "running":
        return f"running: step {last:,.0f}{of} is the last that was logged"
    saved = run.get("checkpoints") or []
    resume = f"--resume continues it from step {saved[-1]:,}" if saved else "no checkpoint was saved"
    return f"not finished: step {last:,.0f}{of} is the last that was logged; {resume}"
