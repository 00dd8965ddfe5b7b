"""The encoder on a CPU: speed against padded encoders of `transformers`, and memory over length.

    python -m benchmarks.encoder speed
    python -m benchmarks.encoder memory

Some minutes each on two cores: what takes long is not timed again. Each model, and each length of the second,
has a process of its own; models take turns. Before a batch is timed, packed results are compared with the
written-out formula.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.answering import AnsweringProcess, answer_each
from benchmarks.measure import ROOT, peak_bytes

if TYPE_CHECKING:
    from genotok.run_records.schemas import BenchmarkRecord

OURS = "genotok"
MODELS = (OURS, "BERT", "ModernBERT")
BATCHES: dict[str, list[int]] = {  # from little memory to much
    "full 16 x 20": [20] * 16,
    "full 8 x 70": [70] * 8,
    "full 4 x 128": [128] * 4,
    "full 1 x 512": [512],
    "ragged 20, 70, 128, 512": [20, 70, 128, 512],
    "full 1 x 2048": [2048],
}
LENGTHS = (10_000, 25_000, 50_000, 100_000)
SMALL = {"hidden_size": 32, "num_layers": 1, "num_heads": 1, "intermediate_size": 64}
SECONDS = 20.0
"""Time for each model after which a forward, or a forward and backward, is not timed again."""

CAVEATS = (
    "Random weights; the models take turns, the best of the runs counts, and nothing else ran. "
    "Models of equal size are compared, so BERT has 16 layers in place of 12 "
    "and a vocabulary of 4,096; ModernBERT has its 22 layers and looks at all tokens in every third layer "
    "only, at 128 in the others, and has no dropout. The padded models are given the padding of their "
    "batch, as their users' collators do; tokens per second count real tokens."
)
Record = dict[str, Any]


def build(name: str, attention: str = "sdpa") -> Any:
    """A model of some 117 million parameters that takes ids and a mask."""
    import torch
    import transformers

    torch.manual_seed(0)
    if name == OURS:
        from genotok.model.huggingface import DnaBert2Config, DnaBert2Model

        return DnaBert2Model(DnaBert2Config(attention=attention), add_pooling_layer=False)
    if name == "BERT":
        config = transformers.BertConfig(
            vocab_size=4096, num_hidden_layers=16, max_position_embeddings=2048, attn_implementation="sdpa"
        )
        return transformers.BertModel(config, add_pooling_layer=False)
    ids = dict.fromkeys(("bos_token_id", "cls_token_id"), 1) | dict.fromkeys(
        ("eos_token_id", "sep_token_id"), 2
    )
    config = transformers.ModernBertConfig(vocab_size=4096, pad_token_id=3, attn_implementation="sdpa", **ids)
    return transformers.ModernBertModel(config)


class Child(AnsweringProcess):
    """A process with one model, which runs a batch when it is told to, so that models take turns."""

    def __init__(self, name: str, threads: int) -> None:
        command = [sys.executable, "-m", "benchmarks.encoder", "child", json.dumps(["speed", name])]
        environment = {"OMP_NUM_THREADS": str(threads), "TOKENIZERS_PARALLELISM": "false"}
        super().__init__(name, command, environment)

    def run(self, kind: str, lengths: list[int], columns: int | None = None) -> Record:
        """`seconds` and `peak_bytes` of one run.

        Args:
            kind: "forward", "forward and backward", or "check", which compares with the formula.
            lengths: Tokens of each sequence.
            columns: If not all of them, how many of the padded batch.

        Raises:
            RuntimeError: The child has ended; its own message is above.
        """
        return self.ask([kind, lengths, columns])


def run_when_told(name: str) -> None:
    """Be a child."""
    model = build(name)

    def work(question: tuple[str, list[int], int | None]) -> Record:
        kind, lengths, columns = question
        return check(model, *batch(lengths)) if kind == "check" else timed(model, kind, lengths, columns)

    answer_each(work)


def batch(lengths: list[int]) -> tuple[Any, Any]:
    """Ids and mask of a padded batch."""
    import torch

    mask = torch.zeros(len(lengths), max(lengths), dtype=torch.long)
    for row, length in enumerate(lengths):
        mask[row, :length] = 1
    ids = torch.randint(5, 4096, mask.shape, generator=torch.Generator().manual_seed(1))
    return ids.where(mask == 1, 3), mask


def timed(model: Any, kind: str, lengths: list[int], columns: int | None) -> Record:
    """One run, with the peak memory that it needed."""
    import torch

    backward = kind != "forward"
    model.train(backward)
    ids, mask = (part[:, :columns] for part in batch(lengths))
    forget_peak()
    start = time.perf_counter()
    with torch.set_grad_enabled(backward):
        out = model(input_ids=ids, attention_mask=mask).last_hidden_state
    if backward:
        out.square().mean().backward()
        model.zero_grad()
    seconds = round(time.perf_counter() - start, 4)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return {"seconds": seconds, "peak_bytes": peak_bytes(), "parameters": parameters}


def forget_peak() -> None:
    """Let the process's peak memory begin anew; elsewhere than on Linux it stays that of all so far."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def check(model: Any, ids: Any, mask: Any) -> Record:
    """How far the packed batch is from what the formula gives; an error if it is far."""
    import torch

    model.eval()
    with torch.no_grad():
        found = model(input_ids=ids, attention_mask=mask).last_hidden_state
        expected = model(input_ids=ids, attention_mask=mask, output_attentions=True).last_hidden_state
    worst = float((found - expected).abs().max())
    if worst > 1e-4:
        raise SystemExit(f"packed and written-out attention differ by {worst}; no figure is worth recording")
    return {"difference": worst}


def measure_memory(length: int) -> Record:
    """Peak memory of a small encoder on one sequence, above what the process held before."""
    import torch

    from genotok.model import EncoderConfig, MaskedLanguageModel, pack

    model = MaskedLanguageModel(EncoderConfig(**SMALL))
    ids, packing = torch.randint(5, 4096, (length,)), pack([length])
    labels = torch.full_like(ids, -100)
    labels[:: max(length // 100, 1)] = 7
    model(ids[:64], pack([64]), labels=labels[:64].clamp(min=7))[0].backward()  # loads what torch loads late
    before = peak_bytes()
    start = time.perf_counter()
    with torch.no_grad():
        model(ids, packing, labels=labels)
    forward, forward_peak = time.perf_counter() - start, peak_bytes()
    model(ids, packing, labels=labels)[0].backward()
    both = time.perf_counter() - start - forward
    return {
        "tokens": length,
        "before_bytes": before,
        "forward_bytes": forward_peak - before,
        "both_bytes": peak_bytes() - before,
        "forward_seconds": round(forward, 2),
        "both_seconds": round(both, 2),
    }


def in_a_child(threads: int, *job: Any) -> Record:
    """Measure in a fresh process.

    Raises:
        subprocess.CalledProcessError: The child failed; its message is passed on.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "TOKENIZERS_PARALLELISM": "false"}
    command = [sys.executable, "-m", "benchmarks.encoder", "child", json.dumps(job)]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: Record = json.loads(done.stdout.splitlines()[-1])
    return found


def speed(threads: int, runs: int) -> list[Record]:
    """All batches, with all models."""
    with ExitStack() as stack:
        children = [stack.enter_context(Child(name, threads)) for name in MODELS]
        cases = []
        for title, lengths in BATCHES.items():
            children[0].run("check", lengths)
            results: dict[str, Record] = {child.name: {} for child in children}
            for kind, name in (("forward", "forward"), ("forward and backward", "both")):
                for child, found in zip(children, in_turns(children, kind, lengths, runs), strict=True):
                    seconds = [one["seconds"] for one in found]
                    results[child.name] |= {
                        "parameters": found[0]["parameters"],
                        f"{name}_seconds": min(seconds),
                        f"{name}_runs": seconds,
                        f"{name}_tokens_per_second": round(sum(lengths) / min(seconds), 1),
                        "peak_bytes": max(one["peak_bytes"] for one in found),
                    }
                    print(title, kind, child.name, seconds, file=sys.stderr, flush=True)
            cases.append({"title": title, "lengths": lengths, "results": results, "caveats": CAVEATS})
    return cases


def in_turns(children: list[Child], kind: str, lengths: list[int], runs: int) -> list[list[Record]]:
    """For each child its runs: all once, then all again, until enough or `SECONDS` are over."""
    found: list[list[Record]] = [[] for _ in children]
    for child in children:
        child.run(kind, lengths, 16)  # warms up, on little
    start = time.perf_counter()
    while len(found[0]) < runs and (not found[0] or time.perf_counter() - start < SECONDS * len(children)):
        for child, done in zip(children, found, strict=True):
            done.append(child.run(kind, lengths))
    return found


def memory(threads: int) -> list[Record]:
    """One sequence after the other, longer each time."""
    cases = []
    for length in LENGTHS:
        cases.append({**in_a_child(threads, "memory", length), "config": SMALL})
        print(cases[-1], file=sys.stderr, flush=True)
    return cases


def record(kind: str, cases: list[Record], threads: int) -> Path:
    """Write the record of today."""
    # Not at the top: what is measured in children should not hold what only their parent needs.
    from benchmarks.train import RECORDS, write_record

    return write_record(cases, threads, f"encoder-{kind}", RECORDS, packages=("torch", "transformers"))


def markdown(record: BenchmarkRecord) -> str:
    """The speeds of a record as a table, with the caveats below."""
    versions = record.provenance.software
    where = (record.more.get("accelerator") or {}).get("name") or (
        f"{record.provenance.machine['cpu']}, {record.threads} threads"
    )
    lines = [
        "| batch, tokens | model | forward, tokens/s | forward and backward, tokens/s | peak memory, GB |",
        "|---|---|---:|---:|---:|",
    ]
    for case in record.cases:
        best = max(result["both_tokens_per_second"] for result in case["results"].values())
        for name, result in case["results"].items():
            both = f"{result['both_tokens_per_second']:,.0f}"
            lines.append(
                f"| {case['title']} | {name} | {result['forward_tokens_per_second']:,.0f} "
                f"| {f'**{both}**' if result['both_tokens_per_second'] == best else both} "
                f"| {result['peak_bytes'] / 1e9:.1f} |"
            )
    tools = ", ".join(
        f"{name} {versions[name]}" for name in ("torch", "transformers", "flash-attn") if name in versions
    )
    caveats = dict.fromkeys([*record.caveats, *(case["caveats"] for case in record.cases)])
    return "\n".join([*lines, "", f"{where}; {tools}; {record.provenance.date}. {' '.join(caveats)}"])


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.encoder", description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=["speed", "memory", "child"])
    parser.add_argument("job", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5, help="timed runs of each, at most (default 5)")
    options = parser.parse_args(arguments)
    if options.kind == "child":
        what, job = json.loads(options.job)
        if what == "speed":
            run_when_told(job)
        else:
            print(json.dumps(measure_memory(job)))
        return
    cases = speed(options.threads, options.runs) if options.kind == "speed" else memory(options.threads)
    print(f"written: {os.path.relpath(record(options.kind, cases, options.threads))}", file=sys.stderr)


if __name__ == "__main__":
    main()
