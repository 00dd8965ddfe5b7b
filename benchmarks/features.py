"""What features of bases cost the encoder on a CPU: time and memory of a step with and without them.

    python -m benchmarks.features

A step is that of pre-training: a batch of windows of yeast, masked, forward, and forward and backward. Each
encoder has a process of its own; they take turns. Some minutes on two cores.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from contextlib import ExitStack
from typing import Any

from benchmarks.answering import ROOT, AnsweringProcess, answer_each
from benchmarks.encoder import forget_peak
from benchmarks.measure import peak_bytes

WINDOWS, BASES, VOCAB = 16, 500, 4096
SIZES = ("tiny-1m", "mini-5m")
KINDS = {"forward": "forward", "both": "forward and backward"}
CAVEATS = (
    "Random weights, no dropout, a vocabulary of 4,096 tokens of yeast; the encoders take turns, and the "
    "best of the runs counts. The presets with features have eight heads in place of two and four; the same "
    "encoder with eight heads and without features is beside them. Peak memory is that of the process, with "
    "torch. The update of the weights is left out."
)
Record = dict[str, Any]


def encoders_of(size: str) -> dict[str, str]:
    """What is compared at a size: without features, the same with the heads of the third, with features."""
    return {
        "no features": size,
        "no features, 8 heads": f"{size}, 8 heads",
        "kmer+conv": f"{size}-bases",
    }


def answer_for(name: str) -> None:
    """Be the process of an encoder."""
    import torch

    from genotok import Tokenizer
    from genotok.model import EncoderConfig, MaskedLanguageModel, pack
    from genotok.model_folder.spelling import spelling_for
    from genotok.tokenizer.special_ids import SpecialIds
    from genotok.training.batches import Masking

    genome = ROOT / "genomes" / "yeast_chrIII.fa"
    tokenizer = Tokenizer.train(genome, vocab_size=VOCAB)
    size, _, heads = name.partition(", ")
    changes: Record = {"num_heads": 8} if heads else {}
    if size.endswith("-bases"):
        changes["spelling"] = spelling_for(tokenizer)
    torch.manual_seed(1)
    model = MaskedLanguageModel(
        EncoderConfig.preset(size, vocab_size=tokenizer.vocab_size, hidden_dropout=0.0, **changes)
    )
    text = "".join(genome.read_text().split("\n")[1:]).upper()
    special = SpecialIds.of(tokenizer)
    masking = Masking(special, 0.3)
    windows = [text[at : at + BASES] for at in range(0, WINDOWS * BASES, BASES)]
    rows = [
        masking.apply(special.around(ids.values), number)
        for number, ids in enumerate(tokenizer.encode_batch([window]) for window in windows)
    ]
    ids, labels = (torch.cat([torch.from_numpy(row[part]) for row in rows]) for part in (0, 1))
    packing = pack([len(inputs) for inputs, _ in rows])

    def work(kind: str) -> Record:
        """One forward, or forward and backward, with its peak memory."""
        forget_peak()
        start = time.perf_counter()
        with torch.set_grad_enabled(kind == "both"):
            loss, _ = model(ids, packing, labels=labels)
        if kind == "both":
            loss.backward()
            model.zero_grad()
        seconds = round(time.perf_counter() - start, 4)
        parameters = sum(one.numel() for one in model.parameters())
        return {"seconds": seconds, "peak_bytes": peak_bytes(), "parameters": parameters, "tokens": len(ids)}

    answer_each(work)


def compared(size: str, threads: int, runs: int) -> Record:
    """The encoders of one size, run after run in turns."""
    with ExitStack() as stack:
        command = [sys.executable, "-m", "benchmarks.features", "--child"]
        environment = {"OMP_NUM_THREADS": str(threads), "TOKENIZERS_PARALLELISM": "false"}
        children = [
            stack.enter_context(AnsweringProcess(name, [*command, encoder], environment))
            for name, encoder in encoders_of(size).items()
        ]
        results: dict[str, Record] = {child.name: {} for child in children}
        for kind, title in KINDS.items():
            for child in children:
                child.ask(kind)  # warms up
            found: dict[str, list[Record]] = {child.name: [] for child in children}
            for _ in range(runs):
                for child in children:
                    found[child.name].append(child.ask(kind))
            for name, done in found.items():
                seconds = [one["seconds"] for one in done]
                results[name] |= {
                    "parameters": done[0]["parameters"],
                    "tokens": done[0]["tokens"],
                    f"{kind}_seconds": min(seconds),
                    f"{kind}_runs": seconds,
                    f"{kind}_tokens_per_second": round(done[0]["tokens"] / min(seconds), 1),
                    "peak_bytes": max(one["peak_bytes"] for one in done),
                }
                print(title, name, seconds, file=sys.stderr, flush=True)
    return {"title": f"{size}, {WINDOWS} x {BASES} bases", "results": results, "caveats": CAVEATS}


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.features", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=7, help="timed runs of each (default 7)")
    options = parser.parse_args(arguments)
    if options.child:
        answer_for(options.child)
        return
    cases = [compared(size, options.threads, options.runs) for size in SIZES]
    # Not at the top: what is measured in children should not hold what only their parent needs.
    from benchmarks.train import RECORDS, write_record

    path = write_record(
        cases, options.threads, "encoder-features", RECORDS, packages=("torch", "transformers")
    )
    print(f"written: {os.path.relpath(path)}", file=sys.stderr)


if __name__ == "__main__":
    main()
