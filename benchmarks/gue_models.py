"""Small encoders on the complete sets of GUE: with and without the bases under tokens, new and pre-trained.

    python -m benchmarks.gue_models GUE/ -o models                      # from scratch, three seeds
    python -m benchmarks.gue_models GUE/ -o models --model "bases=pretrained/bases"
    python -m benchmarks.gue_models GUE/ -o models --part 1/2           # half of it; the other: --part 2/2

Each run is `genotok finetune` with its default settings, the preset `bases`, on one set, in
`OUTPUT/MODEL/SET`; the baselines of a set are fitted once, in `OUTPUT/baselines/SET`, and each model is
averaged with them by a weight that is chosen on dev. Test is scored once, at the end of a run. What is
finished is kept, and the same command continues. At the end `OUTPUT/gue.json` is the record of what is
finished; as `benchmarks/record/MACHINE/DATE-gue-bases.json` it becomes a table of the
documentation, and with `--only` and pre-trained models as `DATE-gue-pretrained.json`.
"""

from __future__ import annotations

import argparse
import re
import shlex
import shutil
import statistics
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.gue_table import COMPLETE
from benchmarks.matched import portion
from genotok.baseline import baselines
from genotok.files.atomic import write_atomic
from genotok.finetune import FinetuneConfig, find_tasks, finetune
from genotok.finetune.run import RESULTS
from genotok.run_records.provenance import Provenance
from genotok.run_records.reading import read_record
from genotok.run_records.schemas import FinetuneRecord, RunRecord
from genotok.training.settings import configured, from_texts, preset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genotok.gue import Task

__all__ = ["Model", "Models", "main"]

Record = dict[str, Any]

LEFT_OUT = ("baselines", "unknown", "cut")
"""What the record of a set leaves out: baselines have a record of their own."""

CAVEATS = """\
Settings are those of the preset `bases`, chosen on dev of three sets (record `recipe`). Dev also chooses \
the step that is kept, and the weight of the average; test is scored once.
Other work ran beside the runs; CPU time is that of one thread.""".splitlines()


@dataclass(frozen=True, slots=True)
class Model:
    """What is fine-tuned.

    Attributes:
        title: Its name.
        changes: Settings that differ from the preset `bases`.
        folder: The pre-trained model; None to train from new weights.
        is_new: Whether the folder gives architecture and vocabulary only.
    """

    title: str
    changes: tuple[tuple[str, Any], ...] = ()
    folder: str | None = None
    is_new: bool = False


SCRATCH = (Model("tokens and bases"), Model("tokens alone", (("base_features", "none"),)))


class Models:
    """Runs of models on sets below one folder.

    Args:
        folder: The folder.
        tasks: The sets.
        changes: Settings of all models.
        seeds: A run for each.
        threads: Threads of torch.
        device: "auto", or "cpu".
        with_baselines: Whether models are averaged with the baselines.
    """

    def __init__(
        self,
        folder: Path,
        tasks: Sequence[Task],
        changes: Record,
        *,
        seeds: Sequence[int],
        threads: int | None,
        device: str = "cpu",
        with_baselines: bool = True,
    ) -> None:
        self.folder, self.tasks, self.changes = folder, tasks, changes
        self.seeds, self.threads, self.device = tuple(seeds), threads, device
        self.with_baselines = with_baselines

    def place(self, model: Model, task: Task) -> Path:
        """The folder of a model on a set."""
        return self.folder / model.title.replace(" ", "-").replace(",", "") / task.name

    def results(self, model: Model) -> list[Path]:
        """Where the results of a model are, or will be, for each set."""
        return [self.place(model, task) / RESULTS for task in self.tasks]

    def run(self, model: Model, task: Task) -> Record:
        """A model on a set with all seeds, or what is missing of it; the record.

        Raises:
            ArgumentError: The folder holds a run of other settings or contents.
        """
        common: Record = {"seeds": self.seeds, "device": self.device, "threads": self.threads}
        place, floors = self.place(model, task), self.folder / "baselines" / task.name
        config = configured(
            FinetuneConfig, preset("genotok.finetune", "bases"), dict(model.changes), self.changes
        )

        def tuned(*, with_baseline: bool) -> Record:
            return finetune(
                [task],
                model.folder,
                place,
                config,
                scratch=model.is_new,
                with_baseline=with_baseline,
                resume=(place / "run.json").exists(),
                **common,
            )

        found = tuned(with_baseline=False)
        if not self.with_baselines:
            return found
        baselines([task], floors, resume=(floors / "run.json").exists(), **common)
        shutil.copytree(floors / task.name, place / task.name / "baselines", dirs_exist_ok=True)
        return tuned(with_baseline=True)

    def record(self, models: Sequence[Model], command: str) -> RunRecord:
        """The record of what is finished: of each model the sets with all seeds and averages."""
        records = []
        for model in models:
            paths = self.results(model)
            parts = [FinetuneRecord.from_json(read_record(path)) for path in paths if path.exists()]
            sets = [one for part in parts for one in part.sets if "with_baselines" in one]
            if sets:
                rows = [
                    {key: _rounded(value) for key, value in one.items() if key not in LEFT_OUT}
                    for one in sets
                ]
                records.append(replace(parts[0], model=model.title, sets=rows).to_json())
        return RunRecord(
            kind="gue",
            provenance=Provenance.now(("torch", "transformers"), seeds=list(self.seeds)),
            more={"commands": [command], "caveats": CAVEATS, "records": records},
        )


def _rounded(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """What JSON has, numbers with six digits: they have fewer, and a record should be readable."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list) else value


def main(words: Sequence[str] | None = None) -> None:
    """Run what is missing, and write the record."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gue_models", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("gue", help="the folder of GUE")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the folder of runs and record")
    parser.add_argument("--sets", default=",".join(COMPLETE), help="with commas between them")
    parser.add_argument("--seeds", default="1,2,3", help="with commas between them (default: 1,2,3)")
    parser.add_argument("--model", action="append", metavar="TITLE=FOLDER", help="a pre-trained model, too")
    parser.add_argument("--only", metavar="REGEX", default="", help="the models whose titles match")
    parser.add_argument("--set", action="append", dest="changes", help="KEY=VALUE for all models")
    parser.add_argument("--part", type=portion, default=(0, 1), help="K/N: every N-th set, from the K-th")
    parser.add_argument("--threads", type=int, help="threads of torch (default: all cores)")
    given = parser.parse_args(words)
    models = list(SCRATCH)
    for text in given.model or []:
        title, equals, folder = text.partition("=")
        if not equals:
            parser.error(f"--model {text}: TITLE=FOLDER is expected")
        models.append(Model(title, folder=folder))
    models = [model for model in models if re.search(given.only, model.title)]
    work = Models(
        given.output,
        find_tasks([given.gue], given.sets.split(",")),
        from_texts(given.changes or []),
        seeds=[int(seed) for seed in given.seeds.split(",")],
        threads=given.threads,
    )
    number, count = given.part
    # A set is the work of one process, as its models share baselines.
    for model, task in ((model, task) for task in work.tasks[number::count] for model in models):
        (one,) = work.run(model, task)["sets"]
        dev = statistics.fmean(run["dev"][one["metric"]] for run in one["runs"])
        seconds = sum(run["cpu_seconds"] for run in one["runs"])
        print(f"{model.title}, {task.name}: {100 * dev:.1f} on dev, {seconds:,.0f} CPU s", flush=True)
    asked = sys.argv[1:] if words is None else words
    command = shlex.join(["python", "-m", "benchmarks.gue_models", "GUE/", *asked[1:]])
    write_atomic(given.output / "gue.json", work.record(models, command).text().encode())


if __name__ == "__main__":
    main()
