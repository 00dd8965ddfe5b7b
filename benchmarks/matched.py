"""The matched trial: tokenizers, base features and attention of small encoders from scratch, on sets of GUE.

    python -m benchmarks.matched GUE/ -o matched        # all arms, seven sets, three seeds: days
    python -m benchmarks.matched GUE/ -o matched --core --sets mouse_2,mouse_0 --seeds 1,2 --set epochs=4
    python -m benchmarks.matched GUE/ -o matched --arm "patches of 10 + features" --equal compute

An arm is the preset `bases` of `genotok finetune` without a model, with other settings of tokenizer and
encoder; each run is `finetune` on one set, in `OUTPUT/EQUAL/ARM/SET`. At equal `bases` all arms see the same
rows for the same epochs. At equal `compute` all spend the floating-point operations of the reference arm
(`genotok.model.operations`), so that cheaper arms train for more steps. Runs that are finished are kept, and
the same command continues; with `--part 1/2` and `--part 2/2` two processes share the work. At the end
`OUTPUT/matched.json` is the record of all runs below OUTPUT that are finished, whoever started them.
"""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.gue_table import COMPLETE, figures_of
from benchmarks.matched_arms import CORE, REFERENCE, all_arms, arm_of, settings_of
from genotok.errors import ArgumentError
from genotok.files.atomic import write_atomic
from genotok.finetune import FinetuneConfig, Task, find_tasks
from genotok.finetune.run import RESULTS, finetune_model
from genotok.finetune.shuffled import changed_by_shuffling
from genotok.finetune.start import encoder_of
from genotok.options.learning import FinetuneOptions, ModelRunOptions
from genotok.run_records.provenance import Provenance
from genotok.run_records.reading import read_record
from genotok.run_records.schemas import BenchmarkRecord
from genotok.training.settings import configured, from_texts, preset

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from genotok.compare.trial import Arm

__all__ = ["Trial", "main", "portion"]

Record = dict[str, Any]

EQUAL = ("bases", "compute")
SHUFFLED = "shuffled.json"
KEPT = ("seed", "dev", "best_step", "steps", "seconds", "cpu_seconds", "operations")

CAVEATS = """\
All arms are the preset `bases` of genotok finetune without a model: an encoder of one layer of width 128, \
trained from new weights on the train split of each set. Nothing is pre-trained or larger.
Equal bases: the same rows, epochs and order. Equal compute: the operations of training of the reference arm \
and the epochs that this takes. Operations are products of matrices and convolutions, without the optimizer \
and without lookups; large tables cost more time than they say.
Dev chooses the epoch that is kept. Test was not used for any choice.
Overlapping k-mers have no base features, as their tokens do not spell a sequence. Single bases with base \
features see the 6-mer at each base.""".splitlines()


class Trial:
    """Runs of arms on sets, below one folder.

    Args:
        folder: The folder.
        tasks: The sets.
        changes: Settings of all arms.
        seeds: A run for each.
        threads: Threads of torch.
        device: "auto", or "cpu".
    """

    def __init__(
        self,
        folder: Path,
        tasks: Sequence[Task],
        changes: Record,
        *,
        seeds: Sequence[int] = (1, 2, 3),
        threads: int | None = None,
        device: str = "cpu",
    ) -> None:
        self.folder, self.tasks, self.changes = folder, tasks, changes
        self.options = FinetuneOptions(seeds=tuple(seeds), with_baseline=False)
        self.process = ModelRunOptions(device=device, threads=threads)

    def config(self, arm: Arm) -> FinetuneConfig:
        """The settings of an arm."""
        return configured(FinetuneConfig, preset("genotok.finetune", "bases"), settings_of(arm), self.changes)

    def place(self, arm: Arm, equal: str, task: Task) -> Path:
        """The folder of an arm on a set."""
        return self.folder / equal / re.sub(r"[^\w+-]+", "-", arm.title) / task.name

    def run(self, arm: Arm, equal: str, task: Task) -> Record:
        """An arm on a set with all seeds, or what is missing of it; the set's part of its record.

        Raises:
            ArgumentError: The folder holds a run of other settings or contents, or another process runs it.
        """
        place = self.place(arm, equal, task)
        budget = None
        if equal == "compute":
            reference = self.run(REFERENCE, "bases", task)
            budget = {task.name: reference["runs"][0]["operations"]}
        config = self.config(arm)
        found = self._finished(place, config)
        if found is None:
            resume = (place / "run.json").exists()
            options = replace(self.options, resume=resume, budgets=budget)
            found = finetune_model([task], None, place, config, options, self.process)
        share = place / SHUFFLED
        if not share.exists():
            changed = changed_by_shuffling(place / task.name / "model", task, device=self.process.device)
            write_atomic(share, json.dumps(changed).encode())
        return self._figures(arm, found["sets"][0], json.loads(share.read_text()))

    def _finished(self, place: Path, config: FinetuneConfig) -> Record | None:
        """The record of a run with these settings and seeds, if it is finished."""
        if not (place / RESULTS).exists():
            return None
        found = read_record(place / RESULTS)
        seeds = [run["seed"] for run in found["sets"][0]["runs"]]
        is_same = found["config"] == asdict(config) and seeds == list(self.options.seeds)
        return found if is_same else None

    def _figures(self, arm: Arm, one: Record, changed: float | None) -> Record:
        """The part of a record that an arm has of a set."""
        metric = one["metric"]
        unused = 0 if arm.identities else one["vocab_size"] * encoder_of(self.config(arm)).hidden_size
        return {
            "name": one["name"],
            "metric": metric,
            "vocab_size": one["vocab_size"],
            "tokens_per_row": round(one["tokens_per_row"], 3),
            "parameters": one["parameters"] - unused,
            "shuffled": changed,
            "runs": [
                {key: run[key] for key in KEPT} | {"test": figures_of(run["test"], metric)}
                for run in one["runs"]
            ],
        }

    def record(self, jobs: Sequence[tuple[Arm, str]]) -> BenchmarkRecord:
        """The record of the arms that are finished on all sets."""
        cases: list[Record] = []
        digests: Record = {}
        for task in self.tasks:
            done = self._finished(self.place(REFERENCE, "bases", task), self.config(REFERENCE))
            digests |= done["provenance"]["inputs"].get("sets", {}) if done else {}
        for arm, equal in jobs:
            if all((self.place(arm, equal, task) / SHUFFLED).exists() for task in self.tasks):
                sets = [self.run(arm, equal, task) for task in self.tasks]
                cases.append({"title": arm.title, "equal": equal, "arm": asdict(arm), "sets": sets})
        return BenchmarkRecord(
            kind="matched",
            provenance=Provenance.now(
                ("torch", "transformers"), seeds=list(self.options.seeds), inputs={"sets": digests}
            ),
            threads=self.process.threads,
            cases=cases,
            caveats=CAVEATS,
            more={"config": asdict(self.config(REFERENCE)), "reference": REFERENCE.title},
        )


def jobs_of(arms: Sequence[Arm], equal: Sequence[str]) -> list[tuple[Arm, str]]:
    """Arms at equal bases, then at equal compute, where the reference is the same as at equal bases."""
    return [(arm, one) for one in equal for arm in arms if (arm, one) != (REFERENCE, "compute")]


def _chosen(given: argparse.Namespace) -> list[Arm]:
    """The arms that the command names."""
    arms = [arm for arm in all_arms() if not given.core or arm in CORE]
    if given.only:
        arms = [arm for arm in arms if re.search(given.only, arm.title)]
    return arms + [one for one in map(arm_of, given.arm or []) if one not in arms]


def portion(text: str) -> tuple[int, int]:
    """`1/2` as (0, 2)."""
    number, _, count = text.partition("/")
    if not (number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count)):
        raise argparse.ArgumentTypeError(f"{text}: a part such as 1/2 is expected")
    return int(number) - 1, int(count)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.matched", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("gue", help="the folder of GUE")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the folder of runs and record")
    parser.add_argument("--sets", default=",".join(COMPLETE), help="with commas between them")
    parser.add_argument("--seeds", default="1,2,3", help="with commas between them (default: 1,2,3)")
    parser.add_argument("--equal", choices=(*EQUAL, "both"), default="both", help="(default: both)")
    parser.add_argument("--core", action="store_true", help=f"{len(CORE)} arms, for the main questions")
    parser.add_argument("--only", metavar="REGEX", help="the arms whose titles match")
    parser.add_argument(
        "--arm", action="append", help="one more arm by its title, such as 'BPE 128 + features'"
    )
    parser.add_argument("--set", action="append", dest="changes", help="KEY=VALUE for all arms")
    parser.add_argument("--part", type=portion, default=(0, 1), help="K/N: every N-th run, from the K-th")
    parser.add_argument("--threads", type=int, help="threads of torch (default: all cores)")
    parser.add_argument("--device", default="cpu", help="cpu, or auto, which takes CUDA")
    parser.add_argument("--list", action="store_true", help="show the arms, run nothing")
    parser.add_argument(
        "--collect", action="store_true", help="write the record of finished arms, run nothing"
    )
    return parser


def main(words: Sequence[str] | None = None) -> None:
    """Run what is missing, and write the record."""
    parser = _parser()
    given = parser.parse_args(words)
    try:
        arms = _chosen(given)
    except ArgumentError as error:
        parser.error(str(error))
    jobs = jobs_of(arms, EQUAL if given.equal == "both" else (given.equal,))
    if given.list or not jobs:
        print("\n".join(f"equal {equal}: {arm.title}" for arm, equal in jobs))
        return
    trial = Trial(
        given.output,
        find_tasks([given.gue], given.sets.split(",")),
        from_texts(given.changes or []),
        seeds=[int(seed) for seed in given.seeds.split(",")],
        threads=given.threads,
        device=given.device,
    )
    for arm, equal, task in [] if given.collect else _mine(trial, jobs, *given.part):
        found = trial.run(arm, equal, task)
        dev = sum(run["dev"][found["metric"]] for run in found["runs"]) / len(found["runs"])
        seconds = sum(run["cpu_seconds"] for run in found["runs"])
        print(
            f"equal {equal}, {arm.title}, {task.name}: {100 * dev:.1f} on dev, {seconds:.0f} CPU s",
            flush=True,
        )
    write_atomic(given.output / "matched.json", trial.record(jobs).text().encode())


def _mine(
    trial: Trial, jobs: Sequence[tuple[Arm, str]], number: int, count: int
) -> Iterator[tuple[Arm, str, Task]]:
    """The runs of one of `count` processes; those of the reference at equal bases come first."""
    runs = [(arm, equal, task) for arm, equal in jobs for task in trial.tasks]
    yield from runs[number::count]


if __name__ == "__main__":
    main()
