"""The documentation's tables, made from the newest records.

    python -m benchmarks.table              # every document that has a place for a table
    python -m benchmarks.table docs/evidence/speed.md

That of training stands between `<!-- table:train -->` and `<!-- /table:train -->`, those of encoding and of
the studies of `pytest --benchmark` likewise between `table:encode` and `table:pytest`. A file has places for
those it wants; all else in it stays as it is.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import (
    cluster,
    encode,
    encoder,
    gue_loci,
    gue_table,
    inputs,
    machine,
    matched_tables,
    model_tables,
    pretraining,
    results,
    scaling,
    shards,
)
from benchmarks.ingest import tables as ingest
from benchmarks.train import OURS, RECORDS, RIVAL, ROOT, newest_record, ratio
from genotok.compare.table import comparison_markdown
from genotok.run_records.schemas import (
    AuditRecord,
    BaselineRecord,
    BenchmarkRecord,
    ComparisonRecord,
)

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
        if record := newest_record(kind, folder):
            return record
    raise FileNotFoundError(f"no record of the benchmark {kinds[0]} under {folder}")


def markdown(record: BenchmarkRecord) -> str:
    """The table of a record, the machine below it, then the caveats."""
    lines = [
        f"| corpus, vocabulary | {OURS} | peak memory | {RIVAL} | peak memory | times faster |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for case in record.cases:
        by_engine = {result["engine"]: result for result in case["results"]}
        ours, rival = by_engine.get(OURS), by_engine.get(RIVAL)
        faster = f"**{ratio(rival['median_seconds'], ours['median_seconds'])}**" if ours and rival else "–"
        cells = [f"{case['title']}, {case['vocab_size']:,}", *_figures(ours), *_figures(rival), faster]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", _conditions(record), "", *_reasons(record)])


def _reasons(record: BenchmarkRecord) -> list[str]:
    """The caveats, once each, with the rows that they hold for."""
    rows: dict[str, list[str]] = {}
    for case in record.cases:
        rows.setdefault(case["caveats"], []).append(case["title"])
    return [f"- {'; '.join(titles)}: {reason}" for reason, titles in rows.items()]


def _figures(result: Record | None) -> tuple[str, str]:
    """Seconds and memory of one engine, or dashes."""
    if result is None:
        return "–", "–"
    seconds, peak = result["median_seconds"], result["peak_bytes"]
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s", f"{peak / 1e9:.2f} GB"


def _conditions(record: BenchmarkRecord) -> str:
    """One sentence on machine, versions and runs."""
    made = record.provenance
    versions = {result["engine"]: result["version"] for case in record.cases for result in case["results"]}
    runs = max(len(result["runs"]) for case in record.cases for result in case["results"])
    tools = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"Equal merges asserted wherever both ran; medians of {runs} runs at most, "
        f"{record.threads} threads, {machine.described(made)}; {tools}, "
        f"Python {made.software['python']}; {made.date}. Caveats:"
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


def _benchmark(written: Callable[[BenchmarkRecord], str]) -> Callable[[Record], str]:
    """The table of a benchmark, from the JSON of its record."""
    return lambda record: written(BenchmarkRecord.from_json(record))


def _baselines(written: Callable[[BaselineRecord], str]) -> Callable[[Record], str]:
    """The table of baselines, with the further sets."""
    return lambda record: written(gue_table.completed(BaselineRecord.from_json(record)))


def _matched(written: Callable[[BenchmarkRecord], str]) -> Callable[[Record], str]:
    """A table of the matched trial, with the arms of other records."""
    return lambda record: written(matched_tables.with_others(BenchmarkRecord.from_json(record)))


TABLES: dict[str, tuple[tuple[str, ...], Callable[[Record], str]]] = {
    "train": (KINDS, _benchmark(markdown)),
    "train-scaling": (("train-scaling",), _benchmark(scaling.markdown)),
    "encode": (("encode", "encode-quick"), _benchmark(encode.markdown)),
    "pytest": (("pytest-large", "pytest"), _benchmark(results.markdown)),
    "encoder-speed": (("encoder-speed",), _benchmark(encoder.markdown)),
    "encoder-gpu": (("encoder-gpu",), _benchmark(encoder.markdown)),
    "encoder-features": (("encoder-features",), _benchmark(encoder.markdown)),
    "pretraining": (("pretraining",), _benchmark(pretraining.markdown)),
    "inputs": (("inputs",), _benchmark(inputs.markdown)),
    "ingest": (("ingest",), _benchmark(ingest.markdown)),
    "ingest-memory": (("ingest-memory",), _benchmark(ingest.memory_markdown)),
    "shards-pack": (("shards-pack",), _benchmark(shards.markdown)),
    "shards-large": (("shards-large",), _benchmark(shards.markdown)),
    "shards-ray": (("shards-ray",), _benchmark(shards.markdown)),
    "cluster": (("cluster",), _benchmark(cluster.markdown)),
    "models": (("models",), lambda record: comparison_markdown(ComparisonRecord.from_json(record))),
    "matched": (("matched",), _matched(matched_tables.arms)),
    "matched-figure": (("matched",), lambda _: matched_tables.FIGURE),
    "matched-sets": (("matched",), _matched(matched_tables.sets_markdown)),
    "matched-choices": (("matched",), _matched(matched_tables.choices_markdown)),
    "matched-contrasts": (("matched",), _matched(matched_tables.contrasts_markdown)),
    "matched-conditions": (("matched",), _matched(matched_tables.conditions)),
    "gue-published": (("baseline",), _baselines(lambda one: gue_table.markdown(one, gue_table.given()))),
    "gue-baselines": (("baseline",), _baselines(gue_table.costs)),
    "gue-differences": (("baseline",), _baselines(gue_table.differences)),
    "gue-loci": (("audit",), lambda record: gue_loci.markdown(AuditRecord.from_json(record))),
    "gue-bases": (("gue-bases",), model_tables.markdown),
    "gue-pretrained": (("gue-pretrained",), model_tables.markdown),
    "gue-means": (("gue-bases",), model_tables.means),
    "variants-speed": (("variants-speed",), _benchmark(model_tables.speed_markdown)),
    "coding-variants": (("coding-variants",), _benchmark(model_tables.coding_markdown)),
    "pretraining-trial": (("pretraining-trial",), _benchmark(model_tables.pretraining_markdown)),
    "recipe": (("recipe",), _benchmark(model_tables.recipe_markdown)),
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


def documents() -> list[Path]:
    """The documents that have a place for a table."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [path for path in found if "<!-- table:" in path.read_text(encoding="utf-8")]


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.table", description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="*", help="Markdown files, changed in place (default: all)")
    for path in parser.parse_args(arguments).files or documents():
        path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
