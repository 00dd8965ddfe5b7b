"""What is in a file or a folder of encoded sequences, for `genotok info`."""

from __future__ import annotations

import json
import os

from genotok.cli import figures
from genotok.cli.figures import count
from genotok.cli.messages import one_line

__all__ = ["describe_encoded", "is_encoded", "print_encoded"]

ENDINGS = (".arrow", ".arrows", ".parquet", ".bin", ".idx")


def is_encoded(path: str) -> bool:
    """Whether `path` is called as encoded sequences are, or is a folder."""
    return os.path.isdir(path) or path.lower().endswith(ENDINGS)


def describe_encoded(path: str) -> dict[str, object]:
    """What is in it, and how it was made as far as it says."""
    from genotok.dataset import TokenDataset
    from genotok.dataset.metadata import facts_of
    from genotok.dataset.shards import open_shard
    from genotok.dataset.writers import Counts

    if os.path.isdir(path):
        manifest = TokenDataset(path).manifest
        if manifest is None:
            raise TypeError("a folder of shards has a manifest")
        head, totals = manifest.head, manifest.totals()
        return {
            "path": path,
            "format": head.format,
            "shards": totals.shards,
            "bytes": sum(file.bytes for file in manifest.files),
            "inputs": len(head.inputs),
            "records": totals.records,
            "rows": totals.rows,
            "bases": totals.bases,
            "tokens": totals.tokens,
            "tokenizer_sha256": head.tokenizer.sha256,
            "vocab_size": head.vocab_size,
            "options": head.options,
            "genotok": head.genotok,
        }
    shard = open_shard(path)
    counts = Counts()
    for batch in shard.batches():
        counts.add(batch, None)
    return {
        "path": path,
        "format": shard.form.name,
        "bytes": sum(os.path.getsize(part) for part in shard.form.paths(path)),
        "rows": counts.rows,
        # Megatron's files do not know it.
        **({"bases": counts.bases, **facts_of(shard.schema)} if shard.schema else {}),
        "tokens": counts.tokens,
    }


def print_encoded(facts: dict[str, object]) -> None:
    """The same as a table."""
    from genotok.cli.console import print_facts, standard_output

    numbers = {key: value for key, value in facts.items() if isinstance(value, int)}
    bases, tokens = numbers.get("bases", 0), numbers["tokens"]
    ratio = f", {bases / tokens:.2f} bases per token" if bases and tokens else ""
    options = facts.get("options")
    chosen = options.items() if isinstance(options, dict) else ()
    settings = ", ".join(f"{name} {json.dumps(value)}" for name, value in chosen if value)
    size = figures.memory(numbers["bytes"])
    shards = f", {count(numbers['shards'], 'shard')}" if "shards" in numbers else ""
    vocabulary = f"{count(numbers['vocab_size'], 'token')}, " if "vocab_size" in numbers else ""
    digest = facts.get("tokenizer_sha256")
    rows = [
        ("format", f"{facts['format']}, {size}{shards}"),
        (
            "input",
            f"{count(numbers['inputs'], 'file')}, {count(numbers['records'], 'record')}" if shards else "",
        ),
        ("rows", f"{numbers['rows']:,}" + (f", {count(bases, 'base')}" if "bases" in numbers else "")),
        ("tokens", f"{tokens:,}{ratio}"),
        ("tokenizer", f"{vocabulary}sha256 {one_line(str(digest))}" if digest else ""),
        ("options", settings),
    ]
    print_facts(standard_output(), str(facts["path"]), rows)
