"""The documentation's tables, made from the newest records.

    python -m benchmarks.table README.md docs/benchmarks.md

That of training stands between `<!-- table:train -->` and `<!-- /table:train -->`, those of encoding and of
the studies of `pytest --benchmark` likewise between `table:encode` and `table:pytest`. A file has places for
those it wants; all else in it stays as it is.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import cluster, encode, encoder, inputs, pretraining, results, shards
from benchmarks.train import OURS, RECORDS, RIVAL, ratio
from genotok.compare import table as comparison
from genotok.evaluation import results as gue_results

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = ("train", "train-quick")
Record = dict[str, Any]


def newest(folder: Path = RECORDS, kinds: tuple[str, ...] = KINDS) -> Record:
    """The newest record; a full one where there is any, else a quick one.

    Raises:
        FileNotFoundError: There is none.
    """
    for kind in kinds:
        paths = sorted(
            folder.glob(f"*/????-??-??-{kind}.json"), key=lambda path: (path.name, path.parent.name)
        )
        if paths:
            record: Record = json.loads(paths[-1].read_text())
            return record
    raise FileNotFoundError(f"no record of the benchmark {kinds[0]} under {folder}")


def markdown(record: Record) -> str:
    """The table of a record, the machine below it, then what is unfair."""
    lines = [
        f"| corpus, vocabulary | {OURS} | peak memory | {RIVAL} | peak memory | times faster |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for case in record["cases"]:
        by_engine = {result["engine"]: result for result in case["results"]}
        ours, rival = by_engine.get(OURS), by_engine.get(RIVAL)
        faster = f"**{ratio(rival['median_seconds'], ours['median_seconds'])}**" if ours and rival else "–"
        cells = [f"{case['title']}, {case['vocab_size']:,}", *_figures(ours), *_figures(rival), faster]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", _conditions(record), "", *_reasons(record)])


def _reasons(record: Record) -> list[str]:
    """What is unfair, once each, with the rows it is said of."""
    rows: dict[str, list[str]] = {}
    for case in record["cases"]:
        rows.setdefault(case["unfair"], []).append(case["title"])
    return [f"- {'; '.join(titles)}: {reason}" for reason, titles in rows.items()]


def _figures(result: Record | None) -> tuple[str, str]:
    """Seconds and memory of one engine, or dashes."""
    if result is None:
        return "–", "–"
    seconds, peak = result["median_seconds"], result["peak_bytes"]
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s", f"{peak / 1e9:.2f} GB"


def _conditions(record: Record) -> str:
    """One sentence on machine, versions and runs."""
    machine, software = record["machine"], record["software"]
    versions = {result["engine"]: result["version"] for case in record["cases"] for result in case["results"]}
    runs = max(len(result["runs"]) for case in record["cases"] for result in case["results"])
    tools = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"Equal merges asserted wherever both ran; medians of {runs} runs at most, "
        f"{record['threads']} threads, {machine['cpu']}, "
        f"{machine['cores']} cores, {machine['memory_bytes'] / 2**30:.0f} GiB; {tools}, "
        f"Python {software['python']}; {record['date']}. What is unfair:"
    )


def insert(text: str, name: str, table: str) -> str:
    """The text with the table between its two markers.

    Raises:
        ValueError: A marker is missing, given twice, or the two stand in the wrong order.
    """
    start, end = f"<!-- table:{name} -->", f"<!-- /table:{name} -->"
    if text.count(start) != 1 or text.count(end) != 1 or text.index(start) > text.index(end):
        raise ValueError(f"the text needs {start} and below it {end}, once each")
    before, rest = text.split(start)
    after = rest.split(end)[1]
    return f"{before}{start}\n{table}\n{end}{after}"


TABLES: dict[str, tuple[tuple[str, ...], Callable[[Record], str]]] = {
    "train": (KINDS, markdown),
    "encode": (("encode", "encode-quick"), encode.markdown),
    "pytest": (("pytest-large", "pytest"), results.markdown),
    "encoder-speed": (("encoder-speed",), encoder.markdown),
    "encoder-gpu": (("encoder-gpu",), encoder.markdown),
    "pretraining": (("pretraining",), pretraining.markdown),
    "inputs": (("inputs",), inputs.markdown),
    "shards-pack": (("shards-pack",), shards.markdown),
    "shards-large": (("shards-large",), shards.markdown),
    "shards-ray": (("shards-ray",), shards.markdown),
    "cluster": (("cluster",), cluster.markdown),
    "models": (("models",), comparison.comparison_markdown),
    "gue": (("gue",), lambda record: gue_results.markdown(record["records"])),
}
"""For each table the kinds of record it may be made of, the best first, and how."""


def renewed(text: str, folder: Path = RECORDS) -> str:
    """The text with each table that it has a place for; one that no record is for stays as it is."""
    for name, (kinds, written) in TABLES.items():
        if f"<!-- table:{name} -->" in text:
            try:
                record = newest(folder, kinds)
            except FileNotFoundError:
                continue
            text = insert(text, name, written(record))
    return text


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.table", description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="+", help="Markdown files, changed in place")
    for path in parser.parse_args(arguments).files:
        path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
