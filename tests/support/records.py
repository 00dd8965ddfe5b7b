"""Records of every kind, small, with names that would break a page that trusts them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HOSTILE = "<script>window.broken=1</script>"
DOLLARS = r"$\frac{1}{0}$ & _under"
MACHINE = {"cpu": f"CPU {HOSTILE}", "cpu_cores": 2, "memory_bytes": 2**34, "system": "Linux"}
MADE: dict[str, Any] = {
    "date": "2026-11-22",
    "machine": MACHINE,
    "software": {"python": "3.11", HOSTILE: "1"},
    "command": f"genotok study {HOSTILE}",
}
HEAD: dict[str, Any] = {"version": 2, "provenance": MADE}


def study() -> dict[str, Any]:
    """A study of two tokenizers on two genomes; one has no figure for the windows."""
    names, places = (HOSTILE, DOLLARS), ("one", f"two {HOSTILE}")
    measures = [
        {
            "tokenizer": name,
            "genome": place,
            "tokens_per_kb": 200.0 + 10 * number,
            "bases_per_token": 5.0,
            "bits_per_base": 2.0 + number / 10,
            "bits_per_base_fixed_length": None if number == 2 else 2.4 + number,
            "vocab_used": 4000,
            "vocab_used_share": 0.9,
            "unknown_share": 0.0,
            "flops_per_base": 4.7e7,
            "mutual_information": 1.5,
            "mutual_information_shuffled": -1e-9,
            "mutual_information_share": None,
            "shift_tokens": 1.2,
            "shift_share": 0.01,
            "substitution_tokens": 1.5,
            "reverse_complement_consistency": 0.05,
            "fit_1000": 1.0,
            "fit_2000": 0.5,
            "fit_4000": 0.0,
            "fit_10000": None,
        }
        for number, (name, place) in enumerate((name, place) for place in places for name in names)
    ]
    curves = [
        {"tokenizer": name, "genome": place, **curve}
        for name in names
        for place in places
        for curve in (
            {"kind": "zipf", "x": [1, 2, 30], "y": [0.5, 0.01, 1e-5]},
            {"kind": "token length", "x": [1, 5], "y": [0.3, 0.7]},
            {"kind": "tokens per window", "window": 1000, "x": [0, 50, 100], "y": [180, 200, 230]},
            {"kind": "tokens per window", "window": 2000, "x": [0, 50, 100], "y": [380, 400, 430]},
        )
    ]
    tokenizers = [
        {"name": name, "kind": "bpe", "vocab_size": 4096, "longest_token_bases": 9, "overlap_bases": 0}
        for name in names
    ]
    genomes = [
        {"name": place, "files": [HOSTILE], "records": 1, "bases": 10**6, "other_symbols": 0, "gc": 0.4}
        for place in places
    ]
    claim = {"claim": "short", "published": 5.0, "measured": 4.9, "unit": "bases per token"}
    return {
        "kind": "study",
        **HEAD,
        "tokenizers": tokenizers,
        "genomes": genomes,
        "measures": measures,
        "curves": curves,
        "agreement": [
            {
                "left": HOSTILE,
                "right": DOLLARS,
                "vocab_size": 4096,
                "shared_tokens": 3,
                "jaccard": 0.1,
                "rank_correlation": None,
            }
        ],
        "claims": [{**claim, "tokenizer": HOSTILE, "genome": "one"}],
        "caveats": [f"all of it, {HOSTILE}"],
    }


def _cases() -> list[dict[str, Any]]:
    """Two cases with two tools each."""
    return [
        {
            "title": f"case {number} {HOSTILE}",
            "vocab_size": 4096,
            "bases": 10**6,
            "caveats": "the same reason for both",
            "results": [
                {
                    "engine": tool,
                    "threads": threads,
                    "version": "1",
                    "best_seconds": 0.5 * threads + number,
                    "median_seconds": 0.6 * threads + number,
                    "best_bases_per_second": 10**6 / (0.5 * threads + number),
                    "peak_bytes": 10**8,
                    "runs": [0.5],
                    "same": "equal",
                }
                for tool, threads in (("genotok", 1), (DOLLARS, 2))
            ],
        }
        for number in range(2)
    ]


def pytest_benchmark() -> dict[str, Any]:
    """What pytest-benchmark saves, as far as the report looks."""
    stats = {"min": 0.01, "median": 0.02, "stddev": 0.001, "rounds": 5}
    benchmarks = [
        {"name": f"test_{number}[{HOSTILE}]", "group": None, "stats": stats, "extra_info": info}
        for number, info in enumerate(({}, {"bases": 10**6, "caveats": "it is not fair"}))
    ]
    return {
        "machine_info": {"cpu": {"brand_raw": "CPU"}, "machine": "x86_64", "system": "Linux", "release": "6"},
        "commit_info": {"id": "0123456789abcdef"},
        "datetime": "2026-11-22T00:00:00",
        "version": "5.3.1",
        "benchmarks": benchmarks,
    }


def finetuned() -> dict[str, Any]:
    """A result of `genotok finetune`."""
    runs = [{"test": {"mcc": value, "low": value - 0.1, "high": value + 0.1}} for value in (0.5, 0.6)]
    own = {
        "name": HOSTILE,
        "metric": "mcc",
        "note": HOSTILE,
        "cut": {"test": 3},
        "max_tokens": 9,
        "runs": runs,
    }
    known = {**own, "name": "mouse_0", "note": "", "cut": {"test": 0}, "baseline": runs[0]}
    return {
        "kind": "gue",
        **HEAD,
        "model": HOSTILE,
        "scratch": False,
        "parameters": 10**6,
        "sets": [own, known],
    }


def all_records() -> dict[str, dict[str, Any]]:
    """A record of each kind by the name of its file, and one that no one knows."""
    speeds = {"forward_tokens_per_second": 9.5, "both_tokens_per_second": 3.5, "peak_bytes": 10**9}
    memory = {"tokens": 100, "forward_bytes": 10**6, "both_bytes": 2 * 10**6}
    return {
        "study.json": study(),
        "train.json": {"kind": "train", **HEAD, "threads": 2, "cases": _cases()},
        "encode.json": {"kind": "encode", **HEAD, "threads": 2, "cases": _cases()},
        "memory.json": {
            "kind": "encoder-memory",
            **HEAD,
            "cases": [memory, {**memory, "tokens": 200, "forward_seconds": 1.0}],
        },
        "speed.json": {
            "kind": "encoder-speed",
            **HEAD,
            "cases": [
                {"title": "full", "caveats": "random weights", "results": {"x": speeds, HOSTILE: speeds}}
            ],
        },
        "studies.json": {
            "kind": "pytest",
            **HEAD,
            "missing": {HOSTILE: "is not installed"},
            "cases": [{**case, "study": f"a study {HOSTILE}"} for case in _cases()],
        },
        "gue.json": finetuned(),
        "training.json": {
            "kind": "pretraining",
            **HEAD,
            "cases": [
                {
                    "title": "full",
                    "caveats": "no",
                    "results": {
                        HOSTILE: {"tokens_per_second": 9.5, "parameters": 10**6, "waiting": None},
                        "genotok": {"tokens_per_second": 10.5, "parameters": 10**6, "waiting": 0.02},
                    },
                }
            ],
        },
        "pytest.json": pytest_benchmark(),
        "odd.json": {"kind": HOSTILE},
        "nameless.json": {"tokens": 3},
    }


def write_records(folder: Path) -> None:
    """Write them all."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, record in all_records().items():
        (folder / name).write_text(json.dumps(record), encoding="utf-8")
