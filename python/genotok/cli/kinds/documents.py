"""Single files: records, pages, checkpoints of training, tokens as BED, tables of vectors and predictions."""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genotok.cli.kinds.look import Facts, Look
    from genotok.dataset.tables import TableSummary

__all__ = [
    "base_numbers",
    "bed",
    "checkpoint",
    "defects",
    "labelled",
    "places",
    "predictions",
    "record",
    "report",
    "shard_records",
    "token_page",
    "variant_scores",
    "vectors",
]

TITLE = re.compile(r"<title>([^<]{0,200})</title>")
BED_LINE = re.compile(r"[^\t]+\t\d+\t\d+\t[^\t]+\t\d+\t[+-.](\t[^\t]*)*")
SCORED_VCF = re.compile(r"##fileformat=VCF[^\n]*\n##genotok_score=([^\n]*)\n")
SCORED_LINE = re.compile(r"[^\t]+\t\d+\t\d+\t[^\t]+\t\d+")
VALUE_LINE = re.compile(r"[^\t]+\t\d+\t\d+\t-?\d[-+.\de]*")
PAGE = "<!doctype html>"
BROWSE = '<meta name="application-name" content="genotok browse">'
PROVENANCE = (
    "date",
    "command",
    "seconds",
    "peak_memory_bytes",
    "machine",
    "software",
    "genotok",
    "commit",
)


def checkpoint(look: Look) -> Facts | None:
    """The checkpoint of an interrupted `genotok train-bpe`."""
    if look.object.get("format") != "genotok checkpoint":
        return None
    names = ("version", "fingerprint", "word_length", "both_strands", "min_frequency", "max_token_length")
    merges = look.object.get("merges")
    return {
        "merges": len(merges) if isinstance(merges, list) else None,
        "next": "the same command with --resume continues it",
        **{name: look.object[name] for name in names if look.object.get(name) is not None},
    }


def labelled(look: Look) -> Facts | None:
    """A folder of labelled sequences: splits as tables, perhaps with the manifest of `genotok gue split`."""
    splits = [name for name in ("train", "dev", "test") if f"{name}.csv" in look.names]
    if len(splits) < 2:
        return None
    manifest = look.object_inside("manifest.json")
    is_divided = manifest.get("format") == "genotok cluster-disjoint splits"
    told = ("seed", "options", "moved") if is_divided else ()
    found = {name: manifest[name] for name in told if name in manifest}
    return {"splits": splits, "disjoint_loci": is_divided, **found}


def record(look: Look) -> Facts | None:
    """A record of `genotok study` or `gue audit`, or of a benchmark: what `genotok report` shows."""
    found = look.record
    kind = found.get("kind")
    if not isinstance(kind, str):
        return None
    facts: Facts = {"record": kind}
    for key in ("tokenizers", "genomes", "sets"):
        entries = found.get(key)
        if isinstance(entries, list):
            facts[key] = [one.get("name") for one in entries if isinstance(one, dict)]
    known = {name: found[name] for name in PROVENANCE if found.get(name) is not None}
    return {**facts, **known, "next": "genotok report shows it"}


def defects(look: Look) -> Facts | None:
    """What `genotok check --json` tells."""
    files = look.object.get("files")
    if "clean" not in look.object or not isinstance(files, list):
        return None
    if not all(isinstance(one, dict) and {"file", "errors", "warnings"} <= one.keys() for one in files):
        return None
    names = ("errors", "warnings")
    sums = {name: sum(one[name] for one in files if isinstance(one[name], int)) for name in names}
    return {"clean": look.object["clean"], "files": [str(one["file"]) for one in files], **sums}


def report(look: Look) -> Facts | None:
    """A page of `genotok report`."""
    return None if BROWSE in look.text else _page(look)


def token_page(look: Look) -> Facts | None:
    """A page of `genotok browse`."""
    return _page(look) if BROWSE in look.text else None


def _page(look: Look) -> Facts | None:
    """A page of either kind."""
    if not look.text.startswith(PAGE) or 'name="generator" content="genotok' not in look.text:
        return None
    title = TITLE.search(look.text)
    generator = re.search(r'name="generator" content="genotok ([^"]{1,40})"', look.text)
    return {
        "title": title.group(1) if title else None,
        "bytes": look.bytes,
        "genotok": generator.group(1) if generator else None,
    }


def bed(look: Look) -> Facts | None:
    """Tokens as lines of BED, plain or compressed; nothing tells how they were made."""
    lines = look.text.splitlines()[:-1] if look.text.count("\n") > 1 else look.text.splitlines()
    rows = [line for line in lines if not line.startswith(("#", "track ", "browser "))]
    if not rows or not all(map(BED_LINE.fullmatch, rows[:100])):
        return None
    first = rows[0].split("\t")
    about = [line for line in lines if line.startswith(("#", "track "))]
    return {"bytes": look.bytes, "first": " ".join(first[:6]), "says": about[0][:200] if about else None}


def shard_records(look: Look) -> Facts | None:
    """The list of records in a folder of shards."""
    if not look.text.startswith("file\trecord\tlength\trefget\n"):
        return None
    return {"bytes": look.bytes, "columns": ["file", "record", "length", "refget"]}


def places(look: Look) -> Facts | None:
    """Predictions as BED, with the class and its probability as a score, or as bedGraph."""
    lines = look.text.splitlines()[:-1] if look.text.count("\n") > 1 else look.text.splitlines()
    for form, pattern in (("bed", SCORED_LINE), ("bedgraph", VALUE_LINE)):
        if lines and all(map(pattern.fullmatch, lines[:100])):
            return {"bytes": look.bytes, "format": form, "first": lines[0].replace("\t", " ")}
    return None


def variant_scores(look: Look) -> Facts | None:
    """The file of `genotok score`: a VCF, or a table."""
    if found := SCORED_VCF.match(look.text):
        try:
            about = json.loads(found.group(1))
        except ValueError:
            about = None
        facts = about if isinstance(about, dict) else {}
        return {
            "bytes": look.bytes,
            "format": "vcf",
            **{name: facts.get(name) for name in ("genotok", "options")},
        }
    columns = _columns(look)
    return columns[1] if columns is not None and {"contig", "tokens_before"} <= set(columns[0]) else None


def base_numbers(look: Look) -> Facts | None:
    """A table of `genotok track`; its bedGraph is as that of any other tool."""
    columns = _columns(look)
    if columns is None or not {"contig", "base"} <= set(columns[0]):
        return None
    return columns[1] if {"entropy", "attribution"} & set(columns[0]) else None


def vectors(look: Look) -> Facts | None:
    """The file of `genotok embed`."""
    found = _columns(look)
    return found[1] if found is not None and {"embedding", "v0"} & set(found[0]) else None


def predictions(look: Look) -> Facts | None:
    """The file of `genotok predict`, and of a seed of `genotok finetune`."""
    found = _columns(look)
    if found is None or "predicted" not in found[0]:
        return None
    classes = [name.partition("_")[2] for name in found[0] if name.startswith(("share_", "prob_"))]
    if not classes and not {"line", "record"} & set(found[0]):
        return None  # somebody else's
    return {**found[1], "classes": classes}


def _columns(look: Look) -> tuple[list[str], Facts] | None:
    """The columns of a table, Parquet or text, and what is told of it; None of what is none."""
    table = _table(look)
    if table is not None:
        return list(table.columns), {
            "bytes": look.bytes,
            "rows": table.rows,
            "columns": dict(table.columns),
            **table.facts,
        }
    line = look.text.partition("\n")[0]
    if line.startswith("{"):
        try:
            names = list(json.loads(line))
        except (ValueError, RecursionError):
            return None
        form = "jsonl"
    else:
        form = "tsv" if "\t" in line else "csv"
        try:
            names = next(csv.reader([line], delimiter="\t" if form == "tsv" else ","), [])
        except csv.Error:
            return None
    return names, {"bytes": look.bytes, "format": form, "columns": names}


def _table(look: Look) -> TableSummary | None:
    """The summary of a Parquet file."""
    if not look.head.startswith(b"PAR1"):
        return None
    from genotok.dataset.tables import summary_of

    return summary_of(look.path)
