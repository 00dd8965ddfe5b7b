"""Small labelled data sets that a model, or k-mers, can learn: sequences of class 1 contain a motif."""

from __future__ import annotations

from pathlib import Path

import numpy as np

MOTIF = "TATAAAGGCC"


def write_set(
    folder: Path, rows: dict[str, int], *, seed: int = 0, length: int = 60, names: str = "01"
) -> Path:
    """Splits with so many rows each; the labels are the two characters of `names`."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(seed)
    for split, count in rows.items():
        lines = ["sequence,label"]
        for number in range(count):
            sequence = "".join(draw.choice(list("ACGT"), length))
            if number % 2:
                place = int(draw.integers(0, length - len(MOTIF)))
                sequence = sequence[:place] + MOTIF + sequence[place + len(MOTIF) :]
            lines.append(f"{sequence},{names[number % 2]}")
        (folder / f"{split}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def write_labels(
    folder: Path, labels: dict[str, list[str]], *, column: str = "label", length: int = 40
) -> Path:
    """Splits of random sequences with these labels, quoted."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(len(labels))
    for split, texts in labels.items():
        rows = [f'{"".join(draw.choice(list("ACGT"), 40))},"{text}"' for text in texts]
        (folder / f"{split}.csv").write_text(
            "\n".join([f"sequence,{column}", *rows]) + "\n", encoding="utf-8"
        )
    return folder
