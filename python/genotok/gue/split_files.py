"""Cluster-disjoint splits as files: a table for each split, a manifest, and the rows that moved."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from genotok.files.identity import files_sha256
from genotok.files.outputs import write_files

if TYPE_CHECKING:
    import os

    from genotok.gue.divide import ClusterSplit
    from genotok.gue.files import LabelledSplit

__all__ = ["MANIFEST", "MOVED", "write_split"]

MANIFEST, MOVED = "manifest.json", "moved.csv"
VERSION = 1

MAX_COUNTED = 100
"""Labels that the manifest counts."""


def write_split(
    found: ClusterSplit, folder: str | os.PathLike[str], *, force: bool = False
) -> dict[str, Any]:
    """Write the new splits as tables, with `manifest.json` and `moved.csv`; returns the manifest.

    `moved.csv` has a row for each row that changes its split: the original split and line, the new split,
    the cluster.

    Raises:
        ArgumentError: A file exists with other contents, and `force` is not given.
        OSError: A file cannot be read or written.
    """
    names, divided = list(found.splits), found.divided()
    texts = {f"{name}.csv": _table(split) for name, split in divided.items()}
    texts[MOVED] = _moved(found)
    manifest = {
        "format": "genotok cluster-disjoint splits",
        "version": VERSION,
        "seed": found.seed,
        "options": dataclasses.asdict(found.options),
        "inputs": dict(zip(names, files_sha256([one.path for one in found.splits.values()]), strict=True)),
        "outputs": {name: sha256(text.encode()).hexdigest() for name, text in texts.items()},
        "splits": {
            name: {
                "rows_before": len(found.splits[name]),
                "rows": len(divided[name]),
                "labels_before": _counts(found.splits[name]),
                "labels": _counts(divided[name]),
            }
            for name in names
        },
        "moved": found.moved(),
        "clean_test_rows_before": found.clean,
    }
    texts[MANIFEST] = json.dumps(manifest, indent=1) + "\n"
    write_files(folder, texts, force=force)
    return manifest


def _counts(split: LabelledSplit) -> dict[str, int]:
    """The number of rows of each label; empty for more than `MAX_COUNTED` labels."""
    values, counts = np.unique(np.array(split.texts), return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True)) if len(values) <= MAX_COUNTED else {}


def _table(split: LabelledSplit) -> str:
    """A split as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if split.partners:
        writer.writerow(("sequence1", "sequence2", "label"))
        writer.writerows(zip(split.sequences, split.partners, split.texts, strict=True))
    else:
        writer.writerow(("sequence", "label"))
        writer.writerows(zip(split.sequences, split.texts, strict=True))
    return text.getvalue()


def _moved(found: ClusterSplit) -> str:
    """The rows that change their split, as CSV."""
    names = list(found.splits)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("split", "line", "new_split", "cluster"))
    for number, name in enumerate(names):
        rows = np.flatnonzero(found.targets[name] != number).tolist()
        lines, clusters = found.splits[name].lines, found.clusters[name]
        writer.writerows((name, lines[row], names[found.targets[name][row]], clusters[row]) for row in rows)
    return text.getvalue()
