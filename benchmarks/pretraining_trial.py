r"""Does pre-training pay? Encoders with and without the bases under tokens, fine-tuned along the way.

    python -m benchmarks.pretraining_trial GUE/ genomes/*.fa -o trial --steps 8000     # two CPU cores, hours
    python -m benchmarks.pretraining_trial GUE/ chr20.fa.gz -o trial-30m --device auto \
        --encoder small-14m-bases --set layers=12 --set precision=bf16 --steps 2000     # one GPU

Two encoders read the same windows of the same genomes (`genotok pretrain --windows`) in the same order: one
sees the bases under its tokens, one sees tokens alone. The weights at evenly spaced steps, and new weights
beside them, are fine-tuned on each set with each seed by the preset `bases`, and judged on dev and once on
test: first those of the last step and the new ones, then those between. What is finished is kept, and the
same command continues; `--seconds` ends pre-training at the next point, and `--collect` runs nothing.
`OUTPUT/trial.json` is the record of what is finished, a case for each encoder and point: bases that were
seen, bits per base of held-out windows, the results on all sets.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.gue_models import Model, Models
from benchmarks.gue_table import COMPLETE, figures_of
from genotok import Tokenizer
from genotok.files.atomic import write_atomic
from genotok.finetune import find_tasks
from genotok.pretrain import PretrainConfig, pretrain
from genotok.run_records.provenance import Provenance
from genotok.run_records.reading import read_lines
from genotok.run_records.schemas import BenchmarkRecord
from genotok.training.settings import configured, from_texts, preset

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["ENCODERS", "Trial", "main"]

Record = dict[str, Any]

ENCODERS: dict[str, Record] = {"tokens and bases": {}, "tokens alone": {"base_features": "none"}}
"""What each encoder changes in the settings of pre-training."""

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
WEIGHT_FILES = ("config.json", "model.safetensors")
VOCAB = 512
POINTS = 4
BASES = 500
CAVEATS = (
    "Both encoders read the same windows in the same order for as many steps, so that the one with base "
    "features computes more. The learning rate falls to 0 at the last point only: earlier points would be "
    "better with a schedule of their own. New weights have the same architecture and tokenizer. Dev chooses "
    "the step of fine-tuning; test was not used for any choice."
)


class OutOfTimeError(Exception):
    """The seconds of a run of pre-training are over."""


class Trial:
    """The runs below one folder.

    Args:
        folder: The folder.
        genomes: Sequence files to pre-train on.
        config: The settings of pre-training of the encoder that sees bases.
        device: "auto", or "cpu".
        threads: Threads of torch.
    """

    def __init__(
        self,
        folder: Path,
        genomes: Sequence[str],
        config: Record,
        *,
        device: str = "cpu",
        threads: int | None = None,
    ) -> None:
        self.folder, self.genomes, self.config = folder, list(genomes), config
        self.device, self.threads = device, threads

    def tokenizer(self) -> Path:
        """The vocabulary of the genomes."""
        path = self.folder / "tokenizer.json"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            Tokenizer.train(self.genomes, vocab_size=VOCAB).save(path)
        return path

    def settings(self, encoder: str) -> PretrainConfig:
        """The settings of an encoder: weights are kept and judged at `POINTS` evenly spaced steps."""
        config = configured(PretrainConfig, preset("genotok.pretrain", "tiny"), self.config)
        every = max(config.steps // POINTS, 1)
        kept = {"save_every": every, "evaluate_every": every, "keep": POINTS + 1}
        return configured(
            PretrainConfig, preset("genotok.pretrain", "tiny"), {**self.config, **kept, **ENCODERS[encoder]}
        )

    def pretrain(self, encoder: str, seconds: float | None) -> Path:
        """The folder of an encoder, trained to the end or for so long."""
        place, start = self.folder / encoder.replace(" ", "-"), time.monotonic()
        if (place / "pretrain.json").exists():
            return place

        def watch(_: Record) -> None:
            if seconds is not None and time.monotonic() - start > seconds:
                raise OutOfTimeError

        try:
            pretrain(
                self.genomes,
                place,
                self.settings(encoder),
                tokenizer=str(self.tokenizer()),
                windows=BASES,
                resume=(place / "run.json").exists(),
                device=self.device,
                threads=self.threads,
                progress=watch,
            )
        except OutOfTimeError:
            print(f"{encoder}: stopped after {seconds:,.0f} s", flush=True)
        return place

    def points(self, encoder: str) -> list[Record]:
        """What was kept of an encoder, new weights first: step, bases, bits per base, model folder."""
        place = self.folder / encoder.replace(" ", "-")
        entries, _ = read_lines(place / "log.jsonl")
        judged = {one["step"]: one for one in entries if "eval_bits_per_base" in one}
        found: list[Record] = []
        for checkpoint in sorted(place.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1])):
            step = int(checkpoint.name.split("-")[1])
            if step not in judged:
                continue
            target = place / "points" / str(step)
            if not (target / WEIGHT_FILES[-1]).exists():
                target.mkdir(parents=True, exist_ok=True)
                for source in (
                    *(place / name for name in TOKENIZER_FILES),
                    *(checkpoint / name for name in WEIGHT_FILES),
                ):
                    shutil.copy2(source, target / source.name)
            bases = step * self.settings(encoder).batch * BASES
            found.append(
                {
                    "step": step,
                    "bases": bases,
                    "bits_per_base": judged[step]["eval_bits_per_base"],
                    "unigram_bits_per_base": judged[step]["eval_unigram_bits_per_base"],
                    "folder": str(target),
                }
            )
        new = {"step": 0, "bases": 0, "bits_per_base": None, "unigram_bits_per_base": None}
        return [{**new, "folder": found[0]["folder"]}, *found] if found else []


def model_of(encoder: str, point: Record, seed: int) -> Model:
    """What is fine-tuned of a point; at step 0 new weights of the same architecture."""
    title = f"{encoder}, step {point['step']}, seed {seed}"
    return Model(title, folder=point["folder"], is_new=point["step"] == 0)


def case_of(encoder: str, point: Record, seeds: Sequence[Sequence[Record]]) -> Record:
    """A case of the record: an encoder at a point, from the sets of each seed."""
    rows = []
    for parts in zip(*seeds, strict=True):
        metric = parts[0]["metric"]
        runs = [
            {"seed": run["seed"], "dev": run["dev"], "test": figures_of(run["test"], metric)}
            for part in parts
            for run in part["runs"]
        ]
        rows.append({"name": parts[0]["name"], "metric": metric, "runs": runs})
    kept = {key: value for key, value in point.items() if key != "folder"}
    return {"title": f"{encoder}, step {point['step']:,}", "encoder": encoder, **kept, "sets": rows}


@dataclass(slots=True)
class FineTuning:
    """The fine-tuning of all points of a trial, and what of it is finished.

    Attributes:
        points: The points of each encoder, in order.
        works: The work of each seed.
        done: The sets of an encoder, a step and a seed.
    """

    points: dict[str, list[Record]]
    works: dict[int, Models]
    done: dict[tuple[str, int, int], list[Record]] = field(default_factory=dict)

    def run(self, *, collect: bool = False) -> Iterator[str]:
        """Fine-tune one point with one seed after the other, or `collect` those that are; a line on each."""
        work = [
            (0 < number < len(points) - 1, seed, encoder, point)
            for encoder, points in self.points.items()
            for number, point in enumerate(points)
            for seed in self.works
        ]
        for _, seed, encoder, point in sorted(work, key=lambda each: each[:2]):
            tuned, model = self.works[seed], model_of(encoder, point, seed)
            if collect and not all(path.exists() for path in tuned.results(model)):
                continue
            sets = [tuned.run(model, task)["sets"][0] for task in tuned.tasks]
            self.done[encoder, point["step"], seed] = sets
            dev = statistics.fmean(run["dev"][one["metric"]] for one in sets for run in one["runs"])
            yield f"{encoder}, step {point['step']:,}, seed {seed}: {100 * dev:.1f} on dev"

    def cases(self) -> list[Record]:
        """The cases of points that are finished with a seed at least."""
        found = []
        for encoder, points in self.points.items():
            for point in points:
                keys = [(encoder, point["step"], seed) for seed in self.works]
                if seeds := [self.done[key] for key in keys if key in self.done]:
                    found.append(case_of(encoder, point, seeds))
        return found


def main(words: Sequence[str] | None = None) -> None:
    """Run what is missing, and write the record."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pretraining_trial", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("gue", help="the folder of GUE")
    parser.add_argument("genomes", nargs="+", help="sequence files to pre-train on")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the folder of runs and record")
    parser.add_argument("--encoder", default="tiny-1m-bases", help="(default: tiny-1m-bases)")
    parser.add_argument("--steps", type=int, default=8000, help="of pre-training (default: 8000)")
    parser.add_argument("--seconds", type=float, help="of pre-training, for each encoder")
    parser.add_argument("--sets", default=",".join(COMPLETE), help="with commas between them")
    parser.add_argument("--seeds", default="1,2,3", help="with commas between them (default: 1,2,3)")
    parser.add_argument("--set", action="append", dest="changes", help="KEY=VALUE of pre-training")
    parser.add_argument("--finetune", action="append", help="KEY=VALUE of fine-tuning")
    parser.add_argument("--collect", action="store_true", help="the record of what is finished")
    parser.add_argument("--device", default="cpu", help="cpu, or auto, which takes CUDA")
    parser.add_argument("--threads", type=int, help="threads of torch (default: all cores)")
    given = parser.parse_args(words)
    config = {"encoder": given.encoder, "steps": given.steps, **from_texts(given.changes or [])}
    trial = Trial(given.output, given.genomes, config, device=given.device, threads=given.threads)
    tasks, changes = find_tasks([given.gue], given.sets.split(",")), from_texts(given.finetune or [])
    common: Record = {"threads": given.threads, "device": given.device, "with_baselines": False}
    works = {
        seed: Models(given.output / "finetuned", tasks, changes, seeds=[seed], **common)
        for seed in map(int, given.seeds.split(","))
    }
    for encoder in [] if given.collect else ENCODERS:
        trial.pretrain(encoder, given.seconds)
    tuning = FineTuning({encoder: trial.points(encoder) for encoder in ENCODERS}, works)
    curves = {
        encoder: [{key: point[key] for key in ("bases", "bits_per_base")} for point in points[1:]]
        for encoder, points in tuning.points.items()
    }
    genomes = [Path(name).name for name in given.genomes]
    for line in tuning.run(collect=given.collect):
        print(line, flush=True)
        record = BenchmarkRecord(
            kind="pretraining-trial",
            provenance=Provenance.now(("torch", "transformers"), seeds=list(works)),
            threads=given.threads,
            cases=tuning.cases(),
            caveats=[CAVEATS],
            more={
                "pretraining": {**config, "windows": BASES, "vocab": VOCAB},
                "genomes": genomes,
                "curves": curves,
            },
        )
        write_atomic(given.output / "trial.json", record.text().encode())


if __name__ == "__main__":
    main()
