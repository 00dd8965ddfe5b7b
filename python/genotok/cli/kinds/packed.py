"""Packed files and folders of them: what `genotok pack` writes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from genotok import _native
from genotok.corpus.packed import MAGIC
from genotok.errors import SequenceFileError

if TYPE_CHECKING:
    from genotok.cli.kinds.look import Facts, Look

__all__ = ["packed_file", "packed_folder"]

FORMAT = "genotok packed corpus"
MANIFEST = "manifest.json"
SUMS = ("records", "words", "bases")


def packed_file(look: Look) -> Facts | None:
    """What is in a packed file; its checksums are compared, so all of it is read."""
    if not look.head.startswith(MAGIC):
        return None
    return {"bytes": look.bytes, **_native.packed_contents(look.path)}


def packed_folder(look: Look) -> Facts | None:
    """What the manifest of a folder of packed files says."""
    manifest = look.object if look.object.get("format") == FORMAT else look.object_inside(MANIFEST)
    if manifest.get("format") != FORMAT:
        return None
    try:
        inputs, shards = manifest["inputs"], manifest["shards"]
        skipped: Counter[str] = Counter()
        for each in inputs:
            skipped.update({str(kind): int(number) for kind, number in each["skipped"].items()})
        return {
            "version": int(manifest["version"]),
            "shards": len(shards),
            "bytes": sum(int(shard["bytes"]) for shard in shards),
            "inputs": [{"name": str(each["name"]), "blake3": str(each["checksum"])} for each in inputs],
            **{name: sum(int(each[name]) for each in inputs) for name in SUMS},
            "skipped": dict(skipped),
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SequenceFileError(
            f"{look.path}: damaged: its manifest lacks what it should have: {error!r}"
        ) from None
