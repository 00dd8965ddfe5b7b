"""The encoder on a processor: speed against padded encoders of `transformers`, and memory over length.

    python -m benchmarks.encoder speed
    python -m benchmarks.encoder memory

Some minutes each on two cores: what takes long is not timed again. Each model, and each length of the second,
has a process of its own. Before a batch is timed, packed results are compared with the written-out formula.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.measure import ROOT, peak_bytes

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
SECONDS = 12.0
"""Processor time after which a forward, or a forward and backward, is not timed again."""

UNFAIR = (
    "Random weights; seconds are those of the processor, all threads added up, as other work shared the "
    "machine; the best of the runs. Models of equal size are compared, so BERT has 16 layers in place of 12 "
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


def measure_speed(name: str, batches: dict[str, list[int]], runs: int) -> Record:
    """What `measure_batch` finds for each batch; a model is made once, as that takes longer than a batch."""
    model = build(name)
    return {title: measure_batch(model, name, lengths, runs) for title, lengths in batches.items()}


def measure_batch(model: Any, name: str, lengths: list[int], runs: int) -> Record:
    """Processor seconds of forward, and of forward and backward, on one padded batch; peak memory."""
    import torch

    mask = torch.zeros(len(lengths), max(lengths), dtype=torch.long)
    for row, length in enumerate(lengths):
        mask[row, :length] = 1
    ids = torch.randint(5, 4096, mask.shape, generator=torch.Generator().manual_seed(1)).where(mask == 1, 3)
    if name == OURS:
        check(model, ids, mask)
    forget_peak()  # that of the check, and of earlier batches
    seconds: dict[str, list[float]] = {"forward": [], "forward and backward": []}
    for kind, times in seconds.items():
        model.train(kind != "forward")
        for number in range(runs + 1):
            if number > 1 and sum(times[1:]) > SECONDS:
                break
            rows = slice(0, 16 if number == 0 else None)  # the first warms up, on little
            start = time.process_time()
            with torch.set_grad_enabled(kind != "forward"):
                out = model(input_ids=ids[:, rows], attention_mask=mask[:, rows]).last_hidden_state
            if kind != "forward":
                out.square().mean().backward()
                model.zero_grad()
            times.append(round(time.process_time() - start, 4))
    return {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "forward_seconds": min(seconds["forward"][1:]),
        "both_seconds": min(seconds["forward and backward"][1:]),
        "runs": {kind: times[1:] for kind, times in seconds.items()},
        "peak_bytes": peak_bytes(),
    }


def forget_peak() -> None:
    """Let the process's peak memory begin anew; elsewhere than on Linux it stays that of all so far."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def check(model: Any, ids: Any, mask: Any) -> None:
    """An error if the packed batch does not give what the formula gives."""
    import torch

    model.eval()
    with torch.no_grad():
        found = model(input_ids=ids, attention_mask=mask).last_hidden_state
        expected = model(input_ids=ids, attention_mask=mask, output_attentions=True).last_hidden_state
    worst = float((found - expected).abs().max())
    if worst > 1e-4:
        raise SystemExit(f"packed and written-out attention differ by {worst}; no figure is worth recording")


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
    measured = {name: in_a_child(threads, "speed", name, BATCHES, runs) for name in MODELS}
    cases = []
    for title, lengths in BATCHES.items():
        results = {}
        for name in MODELS:
            found = measured[name][title]
            for kind in ("forward", "both"):
                found[f"{kind}_tokens_per_second"] = round(sum(lengths) / found[f"{kind}_seconds"], 1)
            results[name] = found
            rates = (found["forward_tokens_per_second"], found["both_tokens_per_second"])
            print(title, name, *rates, found["peak_bytes"] / 1e9, file=sys.stderr, flush=True)
        cases.append({"title": title, "lengths": lengths, "results": results, "unfair": UNFAIR})
    return cases


def memory(threads: int) -> list[Record]:
    """One sequence after the other, longer each time."""
    cases = []
    for length in LENGTHS:
        cases.append({**in_a_child(threads, "memory", length), "config": SMALL})
        print(cases[-1], file=sys.stderr, flush=True)
    return cases


def record(kind: str, cases: list[Record], threads: int) -> Path:
    """Write the record of today."""
    import torch
    import transformers

    # Not at the top: what is measured in children should not hold what only their parent needs.
    from benchmarks.train import RECORDS, write_record

    software = {**machine.software(), "torch": torch.__version__, "transformers": transformers.__version__}
    return write_record(cases, threads, f"encoder-{kind}", RECORDS, software=software)


def markdown(record: Record) -> str:
    """The speeds of a record as a table, with what is unfair below."""
    versions = record["software"]
    where = (record.get("accelerator") or {}).get("name") or (
        f"{record['machine']['cpu']}, {record['threads']} threads"
    )
    lines = [
        "| batch, tokens | model | forward, tokens/s | forward and backward, tokens/s | peak memory, GB |",
        "|---|---|---:|---:|---:|",
    ]
    for case in record["cases"]:
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
    unfair = dict.fromkeys(
        text for text in (record.get("unfair"), *(case["unfair"] for case in record["cases"])) if text
    )
    return "\n".join([*lines, "", f"{where}; {tools}; {record['date']}. {' '.join(unfair)}"])


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.encoder", description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=["speed", "memory", "child"])
    parser.add_argument("job", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=2, help="timed runs of each (default 2)")
    options = parser.parse_args(arguments)
    if options.kind == "child":
        what, *job = json.loads(options.job)
        print(json.dumps(measure_speed(*job) if what == "speed" else measure_memory(*job)))
        return
    cases = speed(options.threads, options.runs) if options.kind == "speed" else memory(options.threads)
    print(f"written: {os.path.relpath(record(options.kind, cases, options.threads))}", file=sys.stderr)


if __name__ == "__main__":
    main()
