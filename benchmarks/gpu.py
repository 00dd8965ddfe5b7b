"""The encoder on a CUDA device: each backend, and padded encoders of `transformers`, in bfloat16 autocast.

    python -m benchmarks.gpu [--records FOLDER]

Minutes. Before a backend is timed, its outputs and gradients are compared with those of the written-out
formula in 32 bits: they may be twice as far off as the formula in bfloat16 is. A backend that this machine
does not have is named and left out.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import torch

from benchmarks.encoder import OURS, build
from benchmarks.train import RECORDS, write_record
from genotok.model import attention, pack
from genotok.run_records.machine import cpu_cores

BACKENDS = ("sdpa", "flex", "flash")
RIVALS = ("BERT", "ModernBERT")
BATCHES = {
    "ragged 20, 70, 128, 512, sixteen each": [20, 70, 128, 512] * 16,
    "full 256 x 20": [20] * 256,
    "full 64 x 128": [128] * 64,
    "full 16 x 512": [512] * 16,
    "full 8 x 2048": [2048] * 8,
}
LONG = {"sdpa": (10_000, 25_000), "flex": (10_000, 25_000, 50_000, 100_000)}
LONG["flash"] = LONG["flex"]
RUNS = 7

CAVEATS = (
    "Random weights, bfloat16 autocast over weights of 32 bits, medians of seven runs after three that warm "
    "up, on a device of its own. Models of equal size, so BERT has 16 layers in place of 12 and all a "
    "vocabulary of 4,096; ModernBERT looks at all tokens in every third layer only. The padded models run "
    "torch's fused attention (attn_implementation sdpa) on the padding of their batch, as their users' "
    "collators make it; tokens per second count real tokens. genotok's time holds unpadding the batch and "
    "planning attention."
)
Record = dict[str, Any]


def batch(lengths: list[int]) -> tuple[Any, Any]:
    """Seeded ids and mask of a batch padded on the right."""
    mask = torch.zeros(len(lengths), max(lengths), dtype=torch.long)
    for row, length in enumerate(lengths):
        mask[row, :length] = 1
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(5, 4096, mask.shape, generator=generator).where(mask == 1, 3)
    return ids.cuda(), mask.cuda()


def select(model: Any, backend: str) -> None:
    """Let the model use this backend from now on."""
    model.encoder.config = model.encoder.config.with_changes(attention=backend)


def outputs(model: Any, ids: Any, mask: Any, *, autocast: bool) -> list[Any]:
    """Last hidden states, and gradients with respect to a matrix of the first and of the last layer."""
    model.zero_grad()
    with torch.autocast("cuda", dtype=torch.bfloat16, enabled=autocast):
        states = model(input_ids=ids, attention_mask=mask).last_hidden_state
    # A plain sum of normalised vectors, or of their squares, hardly depends on anything.
    torch.manual_seed(2)
    states.float().mul(torch.randn_like(states, dtype=torch.float32)).sum().backward()
    layers = (model.encoder.layer[0], model.encoder.layer[-1])
    return [states.detach().float(), *(layer.attention.self.Wqkv.weight.grad.clone() for layer in layers)]


def apart(left: list[Any], right: list[Any]) -> list[float]:
    """Relative distances in the 2-norm: of states, and of both gradients."""
    return [float((one - other).norm() / other.norm()) for one, other in zip(left, right, strict=True)]


def agreement(model: Any) -> Record:
    """How far each backend is from the formula in 32 bits; backends that disagree end the benchmark."""
    model.eval()
    ids, mask = batch([20, 70, 128, 512])
    select(model, "eager")
    exact = outputs(model, ids, mask, autocast=False)
    found = {"eager": apart(outputs(model, ids, mask, autocast=True), exact)}
    for backend in BACKENDS:
        select(model, backend)
        try:
            found[backend] = apart(outputs(model, ids, mask, autocast=True), exact)
        except ValueError as error:
            print(f"{backend} left out: {error}", file=sys.stderr, flush=True)
            continue
        if any(far > 2 * plain for far, plain in zip(found[backend], found["eager"], strict=True)):
            raise SystemExit(f"{backend} is further from the formula than bfloat16 explains: {found}")
    print(found, file=sys.stderr, flush=True)
    return found


def timed(call: Any, warm: int = 3, runs: int = RUNS) -> Record:
    """Median, least and greatest seconds of a call, and the most memory above what was held before."""
    for _ in range(warm):
        call()
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    seconds = []
    for _ in range(runs):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        call()
        end.record()
        torch.cuda.synchronize()
        seconds.append(round(start.elapsed_time(end) / 1000, 6))
    seconds.sort()
    return {
        "median": seconds[runs // 2],
        "runs": seconds,
        "peak_bytes": torch.cuda.max_memory_allocated() - before,
    }


def speed(model: Any, lengths: list[int]) -> Record:
    """Forward, and forward with backward, on one batch."""
    ids, mask = batch(lengths)

    def forward() -> Any:
        with torch.autocast("cuda", dtype=torch.bfloat16):
            return model(input_ids=ids, attention_mask=mask).last_hidden_state

    def without_gradients() -> None:
        with torch.no_grad():
            forward()

    def both() -> None:
        forward().float().square().mean().backward()
        model.zero_grad()

    model.eval()
    alone = timed(without_gradients)
    model.train()
    together = timed(both)
    tokens = sum(lengths)
    return {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "forward_seconds": alone["median"],
        "both_seconds": together["median"],
        "runs": {"forward": alone["runs"], "forward and backward": together["runs"]},
        "forward_tokens_per_second": round(tokens / alone["median"], 1),
        "both_tokens_per_second": round(tokens / together["median"], 1),
        "peak_bytes": together["peak_bytes"],
    }


def memory(model: Any, length: int) -> Record:
    """Seconds and peak memory of a forward and backward pass on one sequence."""
    ids, packing = torch.randint(5, 4096, (length,), device="cuda"), pack([length], "cuda")

    def both() -> None:
        with torch.autocast("cuda", dtype=torch.bfloat16):
            embedded = model.embeddings(ids)
            last = model.encoder(embedded, packing).last
        last.float().square().mean().backward()
        model.zero_grad()

    found = timed(both, warm=1, runs=2)
    return {"both_seconds": found["median"], "peak_bytes": found["peak_bytes"]}


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=Path, default=RECORDS, help="folder for the record")
    options = parser.parse_args(arguments)
    ours = build(OURS).cuda()
    found = agreement(ours)
    backends = [name for name in BACKENDS if name in found]
    results: dict[str, Record] = {title: {} for title in BATCHES}
    lengths = []
    for backend in backends:
        select(ours, backend)
        for title, sizes in BATCHES.items():
            results[title][f"{OURS}, {backend}"] = speed(ours, sizes)
            print(title, backend, results[title][f"{OURS}, {backend}"], file=sys.stderr, flush=True)
    for backend in backends:
        select(ours, backend)
        for length in LONG[backend]:
            try:
                case = {"tokens": length, "backend": backend, **memory(ours, length)}
            except torch.OutOfMemoryError:
                case = {"tokens": length, "backend": backend, "both_seconds": None, "peak_bytes": None}
                torch.cuda.empty_cache()
            print(case, file=sys.stderr, flush=True)
            lengths.append(case)
    del ours
    for name in RIVALS:
        rival = build(name).cuda()
        for title, sizes in BATCHES.items():
            results[title][name] = speed(rival, sizes)
            print(title, name, results[title][name], file=sys.stderr, flush=True)
        del rival
    packages = ["torch", "transformers", *(["flash-attn"] if attention.flash.kernel() else [])]
    cases = [
        {"title": title, "lengths": BATCHES[title], "results": each, "caveats": CAVEATS}
        for title, each in results.items()
    ]
    device = torch.cuda.get_device_properties(0)
    accelerator = {"name": device.name, "memory_bytes": device.total_memory, "cuda": torch.version.cuda}
    path = write_record(
        cases,
        cpu_cores(),
        "encoder-gpu",
        options.records,
        packages=packages,
        accelerator=accelerator,
        agreement=found,
        long=lengths,
    )
    print(f"written: {path}", file=sys.stderr)


if __name__ == "__main__":
    main()
