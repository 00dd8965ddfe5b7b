"""`genotok info --model`: what an encoder costs, and what those it is compared with do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from genotok.cli.shared import figures
from genotok.errors import ArgumentError

if TYPE_CHECKING:
    from rich.text import Text

    from genotok.model import EncoderConfig

__all__ = ["describe", "print_description"]

BASES = (500, 1_000, 10_000, 100_000)
"""Lengths of the table; the first is the one the paper compares models at."""


def describe(name: str) -> dict[str, object]:
    """Parameters, operations and memory of the preset `name`, or of the model in the folder `name`.

    Raises:
        ArgumentError: There is no such preset, or the folder's configuration is against its rules.
        OSError: The configuration cannot be read.
    """
    from genotok.model import cost

    config = _config(name)
    ours = cost.sizes_of(config, name)
    compared = BASES[0]
    own = ours.operations(ours.tokens(compared))
    return {
        "model": name,
        "parameters": ours.parameters(),
        "parts": ours.parts(),
        "weight_bytes": cost.weight_bytes(config),
        "bases_per_token": cost.DNABERT2_BASES_PER_TOKEN,
        "lengths": [
            {
                "bases": bases,
                "tokens": round(ours.tokens(bases)),
                "operations": ours.operations(ours.tokens(bases)),
                "training_bytes": cost.training_bytes(config, round(ours.tokens(bases))),
            }
            for bases in BASES
        ],
        "compared_at_bases": compared,
        "others": [
            {
                "model": rival.name,
                "parameters": rival.parameters(),
                "tokens": round(rival.tokens(compared)),
                "times_parameters": rival.parameters() / ours.parameters(),
                "times_operations": rival.operations(rival.tokens(compared)) / own,
            }
            for rival in cost.RIVALS
        ],
    }


def _config(name: str) -> EncoderConfig:
    """The configuration that a preset or a folder stands for."""
    from genotok.model import PRESETS, EncoderConfig

    if name in PRESETS:
        return EncoderConfig.preset(name)
    if not Path(name).exists():
        names = ", ".join(PRESETS)
        raise ArgumentError(f"--model={name}: one of {names}, or a folder with a config.json")
    from genotok.model_folder.read import read_folder, read_settings

    path = Path(name)
    return (read_folder(path, need_weights=False).settings if path.is_dir() else read_settings(path)).encoder


def print_description(facts: dict[str, object]) -> None:
    """The description as tables."""
    from genotok.cli.shared.console import print_facts, standard_output

    parts, lengths, others = (_dictionaries(facts[name]) for name in ("parts", "lengths", "others"))
    rows: list[tuple[str, str | Text]] = [
        ("parameters", f"{facts['parameters']:,}"),
        ("", ""),
        ("by part", "\n".join(f"{number:>12,}  {part}" for part, number in parts[0].items())),
        ("weights", f"{figures.memory(_number(facts['weight_bytes']))} in 32 bits"),
        ("a sequence", "\n".join(map(_length_line, lengths))),
        (
            f"at {_number(facts['compared_at_bases']):,.0f} bases",
            "\n".join(
                f"{row['model']:<14} {_number(row['parameters']) / 1e6:>6,.0f} M parameters "
                f"({_number(row['times_parameters']):>5.2f} times), {row['tokens']:>4} tokens, "
                f"{_number(row['times_operations']):>6.2f} times the operations"
                for row in others
            ),
        ),
    ]
    print_facts(standard_output(), str(facts["model"]), rows)


def _length_line(row: dict[str, object]) -> str:
    """One length: tokens, operations, memory."""
    operations = _number(row["operations"]) / 1e9
    return (
        f"{_number(row['bases']):>9,.0f} bases {_number(row['tokens']):>8,.0f} tokens "
        f"{operations:>12,.1f} GFLOP "
        f"{figures.memory(_number(row['training_bytes'])):>8} kept in training"
    )


def _dictionaries(value: object) -> list[dict[str, object]]:
    """One dictionary, or a list of them, as a list."""
    return [value] if isinstance(value, dict) else list(value) if isinstance(value, list) else []


def _number(value: object) -> float:
    """A value that is known to be a number."""
    return cast("float", value)
