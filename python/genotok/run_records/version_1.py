"""Records of version 1 in the form of today.

Version 1 had no `version` and no `provenance`: date, machine, software and command stood among the fields,
benchmarks named their kind `benchmark`, and some keys had other names. Figures stay as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["VERSION", "current", "is_old", "renamed", "upgraded"]

VERSION = 2

KEYS = {
    "unfair": "caveats",
    "looks": "evaluations",
    "bits_per_base_uniform": "bits_per_base_fixed_length",
    "neighbour_bits": "mutual_information",
    "neighbour_bits_permuted": "mutual_information_shuffled",
    "neighbour_share": "mutual_information_share",
    "mirror_share": "reverse_complement_consistency",
    "other_letters": "other_symbols",
    "unknown_letters": "unknown_symbols",
    "eval_hidden_tokens": "eval_masked_tokens",
    "bytes_a_round": "bytes_per_round",
    "packed_bytes_a_worker": "packed_bytes_per_worker",
    "cores": "cpu_cores",
}
"""Key of version 1 to key of today."""

TEXTS = frozenset({"caveats", "claim", "note", "study", "title", "work"})
"""Keys whose texts are sentences of ours."""

PHRASES = (
    ("6-mers side by side", "non-overlapping 6-mers"),
    ("k-mers side by side", "non-overlapping k-mers"),
    ("side by side", "non-overlapping"),
    ("all k-mers end to end", "all non-overlapping k-mers"),
    ("are hidden k in a row, as DNABERT hides them", "are masked k in a row, as DNABERT masks them"),
    ("is guessed k times", "is predicted k times"),
    ("train is not at hand", "train is missing"),
    ("permuted tokens", "shuffled tokens"),
    ("and mirror are", "and reverse-complement consistency are"),
    ("Letters other than", "Symbols other than"),
    ("letters that are no bases", "symbols that are no bases"),
    ("letters to codes", "bases to codes"),
    ("10 Gb/s", "10 Gbit/s"),
)
"""Words of version 1 in such texts, and those of today."""

FLAT = ("date", "machine", "software", "command", "seeds")
VERSIONS = ("genotok", "torch", "transformers")
"""Where records of pre-training kept the versions of software."""


def is_old(record: Mapping[str, Any]) -> bool:
    """Whether a record has the form of version 1."""
    return "version" not in record and "provenance" not in record


def current(found: dict[str, Any]) -> dict[str, Any]:
    """An object of JSON in the form of today, if it is a record; others with their keys renamed."""
    if not is_old(found) or str(found.get("kind", "")).startswith("genotok "):
        return found
    if any(key in found for key in ("kind", "benchmark", "train_loss")):
        return upgraded(found)
    changed: dict[str, Any] = renamed(found)
    return changed


def upgraded(record: dict[str, Any]) -> dict[str, Any]:
    """A record of version 1 in the form of today; records inside it too."""
    found = renamed(record)
    if "benchmark" in found:
        found = {"kind": found.pop("benchmark"), **found}
    if {"config", "files", "hold_out", "train_loss"} <= found.keys():
        found = {"kind": "pretrain", "software": _popped(found, VERSIONS), **found}
    if isinstance(found.get("caveats"), str):
        found["caveats"] = [found["caveats"]]
    for key in ("tokenizers", "records"):
        if isinstance(found.get(key), list):
            found[key] = [_inner(one) for one in found[key]]
    provenance = _popped(found, FLAT)
    head = {"kind": found.pop("kind")} if "kind" in found else {}
    return {**head, "version": VERSION, "provenance": provenance, **found}


def renamed(value: Any, key: str = "") -> Any:  # noqa: ANN401  any JSON
    """A value with the keys and phrases of today, at any depth."""
    if isinstance(value, dict):
        names = {str(name): KEYS.get(str(name), str(name)) for name in value}
        return {now: renamed(value[name], now) for name, now in names.items()}
    if isinstance(value, list):
        return [renamed(one, key) for one in value]
    if isinstance(value, str) and key in TEXTS:
        for before, now in PHRASES:
            value = value.replace(before, now)
    return value


def _inner(one: Any) -> Any:  # noqa: ANN401  any JSON
    """A row of a comparison, whose fine-tuning record is a record; or a record among records."""
    if not isinstance(one, dict):
        return one
    if isinstance(one.get("finetune"), dict) and is_old(one["finetune"]):
        return {**one, "finetune": upgraded(one["finetune"])}
    return upgraded(one) if "sets" in one and is_old(one) else one


def _popped(found: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    """Some keys with their values, which are taken out."""
    return {key: found.pop(key) for key in keys if key in found}
