"""Settings of training small encoders without a model, compared on the dev splits of sets of GUE.

    python -m benchmarks.recipe GUE/ -o recipe                     # all settings, three seeds
    python -m benchmarks.recipe GUE/ -o recipe --only "base,one strand" --seeds 1 --set epochs=2

Each setting is the preset `bases` with one change. Every run is `genotok finetune` on a folder of its own, in
which test is a copy of dev: nothing of test is read, so nothing can be chosen on it. Runs that are finished
are kept; the same command continues. The record has the metric and the loss on dev, the chosen step and the
seconds of each run, and the order of the settings by their mean over sets and seeds.
"""

from __future__ import annotations

import argparse
import os
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.gue_table import COMPLETE
from genotok.files.atomic import write_atomic
from genotok.finetune import FinetuneConfig, Task, find_tasks, finetune
from genotok.gue.splits import split_files
from genotok.run_records.provenance import Provenance
from genotok.run_records.schemas import BenchmarkRecord
from genotok.training.settings import configured, from_texts, preset

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["SETTINGS", "compare", "without_test"]

Record = dict[str, Any]

SETTINGS: dict[str, dict[str, Any]] = {
    "base": {},
    "no layer": {"layers": 0},
    "two layers": {"layers": 2},
    "patches of 5": {"tokenizer": "kmer:5:no-overlap"},
    "masked tokens first": {"pretrain_steps": 500},
    "directional": {"alibi": "directional"},
    "one strand": {"strands": "one"},
    "vocabulary of 64": {"vocab": 64},
    "vocabulary of 4096": {"vocab": 4096},
    "mean and maximum": {"pooling": "mean+max"},
    "no place": {"base_position": False},
    "no dropout": {"dropout": 0.0},
    "dropout 0.2": {"dropout": 0.2},
    "hard labels": {"label_smoothing": 0.0},
    "label smoothing 0.1": {"label_smoothing": 0.1},
    "rate 1e-3": {"learning_rate": 1e-3},
    "rate 4e-3": {"learning_rate": 4e-3},
    "linear": {"schedule": "linear"},
    "6 epochs": {"epochs": 6, "evaluations": 6},
    "15 epochs": {"epochs": 15, "evaluations": 15, "max_steps": 9_000},
    "weight decay 0.1": {"weight_decay": 0.1},
}
"""What each setting changes in the preset `bases`."""

CAVEATS = (
    "Dev chooses the epoch of each run, and the settings are compared on it, so these figures are above "
    "those of rows that nothing was chosen on. Test was not read."
)


def without_test(task: Task, folder: Path) -> Task:
    """The set of a task in a folder of links, its dev split in the place of test."""
    place = folder / "sets" / task.name
    place.mkdir(parents=True, exist_ok=True)
    names = split_files(task.folder)
    for split, source in (("train", "train"), ("dev", "dev"), ("test", "dev")):
        suffix = names[source].removeprefix(names[source].partition(".")[0])
        link = place / f"{split}{suffix}"
        if not link.is_symlink():
            link.symlink_to(os.path.abspath(task.folder / names[source]))
    (found,) = find_tasks([place])
    return found


def compare(
    tasks: Sequence[Task],
    folder: Path,
    settings: dict[str, dict[str, Any]],
    *,
    seeds: Sequence[int],
    threads: int | None,
    say: Callable[[str], None] = print,
) -> BenchmarkRecord:
    """Run all settings on all sets, or what is missing of them.

    Raises:
        ArgumentError: A folder holds runs of other settings or contents.
    """
    blind = [without_test(task, folder) for task in tasks]
    cases = []
    for name, changes in settings.items():
        place = folder / name.replace(" ", "-").replace(",", "")
        config = configured(FinetuneConfig, preset("genotok.finetune", "bases"), changes)
        found = finetune(
            blind,
            None,
            place,
            config,
            seeds=seeds,
            with_baseline=False,
            resume=(place / "run.json").exists(),
            device="cpu",
            threads=threads,
            on_status=lambda text, name=name: say(f"{name}: {text}"),
        )
        cases.append({"title": name, "changes": changes, **_scores(found)})
        say(f"{name}: {100 * cases[-1]['mean']:.1f} on dev")
    cases.sort(key=lambda case: -case["mean"])
    return BenchmarkRecord(
        kind="recipe",
        provenance=Provenance.now(("torch", "transformers"), seeds=list(seeds)),
        threads=threads,
        cases=cases,
        caveats=[CAVEATS],
    )


def _scores(found: Record) -> Record:
    """What dev says of a setting: for each set its runs, and the mean over sets and seeds."""
    sets = [
        {
            "name": one["name"],
            "metric": one["metric"],
            "mean": statistics.fmean(run["dev"][one["metric"]] for run in one["runs"]),
            "runs": [
                {key: run[key] for key in ("seed", "dev", "best_step", "steps", "seconds", "cpu_seconds")}
                for run in one["runs"]
            ],
        }
        for one in found["sets"]
    ]
    return {"mean": statistics.fmean(one["mean"] for one in sets), "sets": sets}


def main(words: Sequence[str] | None = None) -> None:
    """Compare the settings and write the record."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("gue", help="the folder of GUE")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, help="the folder of runs, and recipe.json"
    )
    parser.add_argument(
        "--task", action="append", help="a set; may be given again (default: the complete sets)"
    )
    parser.add_argument("--only", help=f"settings, with commas between them (default: {', '.join(SETTINGS)})")
    parser.add_argument("--seeds", default="1,2,3", help="with commas between them (default: 1,2,3)")
    parser.add_argument("--set", action="append", dest="changes", help="KEY=VALUE for all settings")
    parser.add_argument("--threads", type=int, help="threads of torch (default: all cores)")
    given = parser.parse_args(words)
    names = given.only.split(",") if given.only else list(SETTINGS)
    if unknown := [name for name in names if name not in SETTINGS]:
        parser.error(f"--only {unknown[0]}: one of {', '.join(SETTINGS)} is expected")
    shared = from_texts(given.changes or [])
    record = compare(
        find_tasks([given.gue], given.task or COMPLETE),
        given.output,
        {name: {**SETTINGS[name], **shared} for name in names},
        seeds=[int(seed) for seed in given.seeds.split(",")],
        threads=given.threads,
    )
    write_atomic(given.output / "recipe.json", record.text().encode())


if __name__ == "__main__":
    main()
