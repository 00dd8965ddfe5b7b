"""Pre-training on a CPU: genotok's trainer against transformers' with BERT of the same size.

    python -m benchmarks.pretraining

Both train on the same batches, in processes that take turns; the first quarter of the steps warms up.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import ROOT

if TYPE_CHECKING:
    from genotok.run_records.schemas import BenchmarkRecord

OURS, RIVAL = "genotok", "Hugging Face Trainer, BERT"
BATCH, MAX_TOKENS = 64, 128
CAVEATS = (
    "Models of equal width, depth and number of parameters in their layers; BERT has a table of positions "
    "besides, and ours an attention penalty. No dropout in either. Batches are full, so that BERT pays for "
    "no padding. The models take turns, and the best run of each counts, as other work ran at times. Both "
    "collate with genotok's masking; saving and evaluation are left out."
)
Record = dict[str, Any]


def data() -> tuple[Any, Any]:
    """The sequences of a run on the genomes that come with the repository, and its special ids."""
    from genotok import Tokenizer
    from genotok.dataset import TokenDataset
    from genotok.dataset.encode import encode
    from genotok.pretrain.corpus import PretrainingCorpus, TrainingRun
    from genotok.tokenizer.special_ids import SpecialIds
    from genotok.training.batches import Masking

    folder = Path(tempfile.gettempdir()) / "genotok-benchmark-pretraining"
    folder.mkdir(exist_ok=True)
    genomes = str(ROOT / "genomes" / "*.fa")
    tokenizer = Tokenizer.train(genomes, vocab_size=4096)
    encode(tokenizer, genomes, folder / "genomes.arrow", force=True, unknown="split", uppercase=True)
    special = SpecialIds.of(tokenizer)
    pieces = PretrainingCorpus.of(TokenDataset(folder / "genomes.arrow"), special, MAX_TOKENS, 0.0, []).train
    return TrainingRun(pieces, Masking(special), 10**6, 1), special


def trainer(name: str, steps: int, folder: str) -> Any:
    """A trainer of one of the two, ready."""
    import torch
    import transformers

    from genotok.model import EncoderConfig
    from genotok.model.huggingface import DnaBert2Config, DnaBert2ForMaskedLM
    from genotok.training.masked_batches import collate
    from genotok.training.trainer import OrderedTrainer

    torch.manual_seed(1)
    run, special = data()
    run.count = steps * BATCH
    sizes = EncoderConfig.preset("tiny-1m", hidden_dropout=0.0)
    if name == OURS:
        model: Any = DnaBert2ForMaskedLM(DnaBert2Config(**sizes.to_published()))
    else:
        config = transformers.BertConfig(
            vocab_size=4096,
            hidden_size=sizes.hidden_size,
            num_hidden_layers=sizes.num_layers,
            num_attention_heads=sizes.num_heads,
            intermediate_size=sizes.intermediate_size * 3 // 2,  # two matrices for our three
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            attn_implementation="sdpa",
        )
        model = transformers.BertForMaskedLM(config)
    arguments = transformers.TrainingArguments(
        output_dir=folder,
        max_steps=steps,
        per_device_train_batch_size=BATCH,
        learning_rate=1e-3,
        logging_strategy="no",
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        use_cpu=True,
        train_sampling_strategy="sequential",
    )
    kind = OrderedTrainer if name == OURS else transformers.Trainer
    return kind(
        model=model,
        args=arguments,
        train_dataset=run,
        data_collator=partial(collate, padding=special.padding),
        callbacks=[_clock(steps)],
    )


def _clock(steps: int) -> Any:
    """A callback that notes when a quarter of the steps is over."""
    import transformers

    class Clock(transformers.TrainerCallback):
        start = 0.0

        def on_step_end(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
            if state.global_step == steps // 4:
                Clock.start = time.perf_counter()

    return Clock()


def measure(name: str, steps: int) -> Record:
    """Tokens per second over the last three quarters of the steps."""
    with tempfile.TemporaryDirectory() as folder:
        made = trainer(name, steps, folder)
        made.train()
        clock = next(one for one in made.callback_handler.callbacks if hasattr(one, "start"))
        seconds = time.perf_counter() - clock.start
        parameters = made.model.num_parameters()
        waiting = made.counters.take()["waiting"] if name == OURS else None
    counted = steps - steps // 4
    tokens = sum(len(made.train_dataset[place][0]) for place in range((steps // 4) * BATCH, steps * BATCH))
    return {
        "tokens_per_second": round(tokens / seconds, 1),
        "seconds": round(seconds, 2),
        "steps": counted,
        "parameters": parameters,
        "waiting": waiting,
    }


def markdown(record: BenchmarkRecord) -> str:
    """The record as a table."""
    lines = ["| trainer | parameters | tokens/s | waiting for batches |", "|---|---:|---:|---:|"]
    for name, found in record.cases[0]["results"].items():
        waiting = "" if found["waiting"] is None else f"{found['waiting']:.1%}"
        lines.append(f"| {name} | {found['parameters']:,} | {found['tokens_per_second']:,.0f} | {waiting} |")
    made = record.provenance
    where = f"{made.machine['cpu']}, {record.threads} threads"
    versions = ", ".join(f"{name} {made.software[name]}" for name in ("torch", "transformers"))
    return "\n".join([*lines, "", f"{where}; {versions}; {made.date}. {record.cases[0]['caveats']}"])


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pretraining", description=__doc__.splitlines()[0]
    )
    parser.add_argument("child", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    if options.child:
        print(json.dumps(measure(options.child, options.steps)))
        return
    runs: dict[str, list[Record]] = {OURS: [], RIVAL: []}
    for _ in range(options.runs):
        for name, done in runs.items():
            command = [sys.executable, "-m", "benchmarks.pretraining", name, "--steps", str(options.steps)]
            environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads)}
            child = subprocess.run(
                command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
            )
            done.append(json.loads(child.stdout.splitlines()[-1]))
            print(name, done[-1], file=sys.stderr, flush=True)
    from benchmarks.train import RECORDS, write_record

    results = {}
    for name, done in runs.items():
        best = max(done, key=lambda one: one["tokens_per_second"])
        results[name] = {**best, "runs": [one["tokens_per_second"] for one in done]}
    case = {"title": f"tiny-1m, {BATCH} x {MAX_TOKENS} tokens", "results": results, "caveats": CAVEATS}
    path = write_record([case], options.threads, "pretraining", RECORDS, packages=("torch", "transformers"))
    print(f"written: {os.path.relpath(path)}", file=sys.stderr)


if __name__ == "__main__":
    main()
