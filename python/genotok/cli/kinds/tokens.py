"""Files and folders of encoded sequences: what `genotok encode` writes, but for BED."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from genotok.cli.shared import figures
from genotok.cli.shared.figures import count
from genotok.cli.shared.messages import one_line
from genotok.errors import SequenceFileError
from genotok.files.checksums import digits_of
from genotok.files.reading import open_reading

if TYPE_CHECKING:
    from genotok.cli.kinds.look import Facts, Look

__all__ = ["print_tokens", "token_file", "token_folder", "unfinished_folder"]

KIND = "genotok shards"
MAX_JOURNAL_BYTES = 1 << 28


def token_folder(look: Look) -> Facts | None:
    """What the manifest of a folder of shards says."""
    is_manifest = look.object.get("kind") == KIND
    if not is_manifest and look.object_inside("manifest.json").get("kind") != KIND:
        return None
    from genotok.dataset.manifest import MANIFEST, Manifest

    manifest = Manifest.read(look.path if is_manifest else os.path.join(look.path, MANIFEST))
    head, totals = manifest.head, manifest.totals()
    sums = {shard.checksum for shard in manifest.shards}
    return {
        "format": head.format,
        "shards": totals.shards,
        "bytes": sum(file.bytes for file in manifest.files),
        "inputs": len(head.inputs),
        "records": totals.records,
        "rows": totals.rows,
        "bases": totals.bases,
        "tokens": totals.tokens,
        "tokenizer_sha256": digits_of(head.tokenizer.checksum),
        "vocab_size": head.vocab_size,
        "options": head.options,
        "genotok": head.genotok,
        "checksums": None if None in sums else "blake3",
        "input_files": [
            {"path": entry.path, "checksum": entry.checksum}
            for portion in manifest.portions
            for entry in portion.inputs
        ],
    }


def unfinished_folder(look: Look) -> Facts | None:
    """How far the run of a folder without a manifest came, as its journal tells."""
    from genotok.dataset.manifest import JOURNAL, MANIFEST, Head, Portion
    from genotok.dataset.plain import from_line

    if JOURNAL not in look.names or MANIFEST in look.names:
        return None
    path = os.path.join(look.path, JOURNAL)
    with open_reading(path) as file:
        # The last line may have been cut short by a kill.
        lines = file.read(MAX_JOURNAL_BYTES).split(b"\n")[:-1]
    state = "unfinished; genotok encode --resume continues it"
    if not lines:
        return {"state": state, "portions": 0}
    try:
        head = from_line(Head, lines[0], "head")
        portions = [from_line(Portion, line, f"line {number}") for number, line in enumerate(lines[1:], 2)]
    except (ValueError, RecursionError) as error:
        raise SequenceFileError(f"{path}: damaged: {error}") from None
    shards = [shard for portion in portions for shard in portion.shards]
    return {
        "state": state,
        "format": head.format,
        "inputs": len(head.inputs),
        "inputs_done": sum(len(portion.inputs) for portion in portions),
        "shards": len(shards),
        "rows": sum(shard.rows for shard in shards),
        "bases": sum(shard.bases for shard in shards),
        "tokens": sum(shard.tokens for shard in shards),
        "tokenizer_sha256": digits_of(head.tokenizer.checksum),
        "vocab_size": head.vocab_size,
        "options": head.options,
        "genotok": head.genotok,
    }


def token_file(look: Look) -> Facts | None:
    """What is in a file, or Megatron's pair, all of which is read and compared with its checksums."""
    if look.is_folder:
        return None
    from genotok._native import EncodedRows
    from genotok.dataset.columns import KINDS
    from genotok.dataset.counts import Counts
    from genotok.dataset.formats import found_in
    from genotok.dataset.shards import open_shard
    from genotok.dataset.tables import summary_of

    form = found_in(look.path)
    if form is None:
        return None
    summary = summary_of(look.path)
    if summary is not None and tuple(summary.columns) not in KINDS:
        return None
    shard, counts = open_shard(look.path), Counts()
    for batch in shard.batches():
        counts.add(EncodedRows(batch))
    return {
        "format": form.name,
        "bytes": sum(os.path.getsize(part) for part in form.paths(look.path)),
        "rows": counts.rows,
        # Megatron's files do not know it.
        **({"bases": counts.bases} if shard.schema else {}),
        "tokens": counts.tokens,
        "batches": len(shard.batch_rows),
        **shard.facts,
        "checksums": "blake3" if shard.checksums else None,
    }


def print_tokens(path: str, facts: Facts) -> None:
    """What is in a file or a folder as a table."""
    from genotok.cli.shared.console import print_facts, standard_output

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
        ("is", str(facts["kind"])),
        ("format", f"{facts['format']}, {size}{shards}"),
        (
            "input",
            f"{count(numbers['inputs'], 'file')}, {count(numbers['records'], 'record')}" if shards else "",
        ),
        ("rows", f"{numbers['rows']:,}" + (f", {count(bases, 'base')}" if "bases" in numbers else "")),
        ("tokens", f"{tokens:,}{ratio}"),
        ("tokenizer", f"{vocabulary}sha256 {one_line(str(digest))}" if digest else ""),
        ("options", one_line(settings)),
        ("made by", f"genotok {one_line(str(facts['genotok']))}" if facts.get("genotok") else ""),
        ("checksums", _checksums(facts)),
    ]
    print_facts(standard_output(), one_line(path), rows)


def _checksums(facts: Facts) -> str:
    """Whether altered ids would be found."""
    if not facts["checksums"]:
        return "none: written by an older version or by others; altered ids cannot be told"
    return f"{facts['checksums']}, one for each record batch"
