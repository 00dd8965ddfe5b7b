"""Small folders as `genotok pretrain`, `finetune` and `compare` leave them, without training anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Record = dict[str, Any]

CONFIG: Record = {
    "encoder": "tiny-1m",
    "steps": 40,
    "max_tokens": 128,
    "batch": 16,
    "warmup": 6,
    "learning_rate": 0.002,
    "mask_share": 0.3,
    "mask_span": 1,
}


def pretraining_log(steps: int = 40, every: int = 2, evaluate: int = 8) -> list[Record]:
    """What the trainer logs."""
    found: list[Record] = []
    for step in range(every, steps + 1, every):
        loss = 5.2 + 1.2 * 0.9**step
        found.append({"step": step, "loss": loss, "learning_rate": 1e-3, "tokens_per_second": 14000.5})
        if step % evaluate == 0 or step == steps:
            found.append(
                {
                    "step": step,
                    "eval_loss": loss + 0.1,
                    "eval_bits_per_base": (loss + 0.1) / 2.7,
                    "eval_accuracy": 0.03 + step / 1000,
                    "eval_unigram_loss": 5.46,
                    "eval_unigram_bits_per_base": 2.072,
                    "eval_masked_tokens": 228.0,
                }
            )
    return found


def write_pretraining(folder: Path, *, finished: bool = True, steps: int = 40, **config: Any) -> Path:
    """The folder of a run: finished, or killed at `steps` with half a line at the end of its log."""
    folder.mkdir(parents=True)
    settings = {"config": {**CONFIG, **config}, "files": ["yeast.fa"], "hold_out": ["chrX"]}
    log = pretraining_log(steps)
    _json(folder / "run.json", settings)
    text = "".join(json.dumps(one) + "\n" for one in log)
    (folder / "log.jsonl").write_text(text if finished else text + '{"step": 42, "lo', encoding="utf-8")
    checkpoint = folder / f"checkpoint-{steps}"
    checkpoint.mkdir()
    _json(checkpoint / "trainer_state.json", {"log_history": []})
    (folder / "tokens").mkdir()
    _json(
        folder / "tokens" / "manifest.json", {"kind": "genotok shards", "version": 2, "totals": {"rows": 2}}
    )
    _json(folder / "tokenizer.json", {"version": "1.0", "added_tokens": [], "model": {}})
    if finished:
        figures = {key: value for key, value in log[-1].items() if key.startswith("eval_")}
        report = {
            **settings,
            "kind": "pretrain",
            "version": 2,
            "provenance": {"software": {"genotok": "0.1.0"}},
            "tokens": 71_501,
            "train_sequences": 562,
            "held_out_sequences": 6,
            "steps": steps,
            "parameters": 609_920,
            "device": "cpu",
            "resumed_at": 20,
            "seconds": 6.4,
            **figures,
        }
        _json(folder / "pretrain.json", report)
        write_model(folder)
    return folder


def write_model(folder: Path, classes: tuple[str, ...] = ()) -> Path:
    """A model, as far as its names go."""
    folder.mkdir(parents=True, exist_ok=True)
    config: Record = {"architectures": ["DnaBert2ForMaskedLM"], "hidden_size": 128, "vocab_size": 512}
    if classes:
        config |= {
            "architectures": ["DnaBert2ForSequenceClassification"],
            "id2label": {str(number): name for number, name in enumerate(classes)},
        }
    _json(folder / "config.json", config)
    (folder / "model.safetensors").write_bytes(bytes(2_000_000))
    return folder


def run_of(seed: int, mcc: float, half_width: float = 0.1) -> Record:
    """The result of one seed on 70 sequences of two classes."""
    right = round(35 * (1 + mcc) / 2)
    return {
        "seed": seed,
        "parameters": 609_410,
        "steps": 12,
        "best_step": 8,
        "dev": {"mcc": mcc + 0.1, "loss": 0.6},
        "evaluations": [[4, 0.0, 0.7], [8, mcc + 0.1, 0.6], [12, mcc, 0.65]],
        "test": {
            "mcc": mcc,
            "f1": (1 + mcc) / 2,
            "accuracy": (1 + mcc) / 2,
            "precision": [0.7, 0.75],
            "recall": [0.76, 0.69],
            "f1_of_class": [0.73, 0.72],
            "confusion": [[right, 35 - right], [35 - right, right]],
            "calibration_error": 0.05,
            "low": mcc - half_width,
            "high": mcc + half_width,
        },
        "seconds": 2.5,
    }


def set_of(name: str, values: list[float], baseline: float | None = 0.69) -> Record:
    """The results of a set, with a run for each value."""
    one: Record = {
        "name": name,
        "task": "",
        "metric": "mcc",
        "classes": ["phage", "yeast"],
        "rows": {"train": 280, "dev": 50, "test": 70},
        "max_tokens": 64,
        "cut": {"train": 0, "dev": 0, "test": 0},
        "note": "",
        "parameters": 609_410,
        "steps": 12,
        "runs": [run_of(seed, value) for seed, value in enumerate(values, 1)],
    }
    if baseline is not None:
        one["baseline"] = {"penalty": 0.01, "test": run_of(0, baseline)["test"], "seconds": 1.0}
    return one


def finetuned_of(sets: list[Record], model: str = "model") -> Record:
    """A record of `genotok finetune`."""
    return {
        "kind": "gue",
        "model": model,
        "scratch": False,
        "config": {"learning_rate": 0.001, "batch": 64},
        "version": 2,
        "provenance": {"date": "2026-11-28", "software": {"genotok": "0.1.0"}, "seeds": [1, 2]},
        "threads": 2,
        "device": "cpu",
        "parameters": 609_410,
        "sets": sets,
    }


def write_finetuning(folder: Path, *, finished: bool = True) -> Path:
    """The folder of a run on two sets; not finished, the second set has no result and there is no record."""
    record = finetuned_of([set_of("organism", [0.46, 0.12]), set_of("mouse_0", [0.52, 0.61])])
    folder.mkdir(parents=True)
    _json(folder / "run.json", {key: record[key] for key in ("kind", "model", "scratch", "config")})
    for one in record["sets"]:
        for run in one["runs"]:
            place = folder / one["name"] / f"seed-{run['seed']}"
            place.mkdir(parents=True)
            if finished or one["name"] == "organism":
                _json(place / "result.json", run)
        write_model(folder / one["name"] / "model", tuple(one["classes"]))
    if finished:
        _json(folder / "results.json", record)
    return folder


def compared_of(values: dict[str, list[float]]) -> Record:
    """A record of `genotok compare`: for each tokenizer the results of its seeds on each of two sets."""
    found = []
    for number, (name, results) in enumerate(values.items()):
        sets = [set_of(each, results, 0.69 if number == 0 else None) for each in ("organism", "mouse_0")]
        figures = {key: value for key, value in pretraining_log()[-1].items() if key.startswith("eval_")}
        found.append(
            {
                "name": name,
                "kind": "bpe",
                "vocab_size": 512,
                "overlap_bases": 5 if name == "kmer:6" else 0,
                "pretrain": {"parameters": 610_000, "seconds": 3.0, "tokens_per_window": 33.5, **figures},
                "finetune": finetuned_of(sets, name),
            }
        )
    return {
        "kind": "models",
        "files": ["yeast.fa"],
        "sets": ["organism", "mouse_0"],
        "pretrain": CONFIG,
        "finetune": {"learning_rate": 0.001},
        "window": 128,
        "version": 2,
        "provenance": {"seeds": [1, 2]},
        "bases": 81_920,
        "tokenizers": found,
        "caveats": ["All encoders see the same windows."],
        "seconds": 20.0,
    }


def write_comparison(folder: Path, *, finished: bool = True) -> Path:
    """The folder of a comparison of two tokenizers; not finished, the second is only pre-trained in part."""
    record = compared_of({"bpe": [0.5, 0.4], "kmer:6": [0.7, 0.72]})
    folder.mkdir(parents=True)
    names = [one["name"] for one in record["tokenizers"]]
    settings = {key: record[key] for key in ("kind", "files", "sets", "pretrain", "finetune", "window")}
    _json(folder / "run.json", {**settings, "tokenizers": names})
    for name in names:
        is_done = finished or name == "bpe"
        place = folder / name.replace(":", "-")
        write_pretraining(place / "model", finished=is_done, steps=40 if is_done else 16)
        if is_done:
            write_finetuning(place / "results")
    if finished:
        _json(folder / "compared.json", record)
    return folder


def _json(path: Path, content: Record) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
