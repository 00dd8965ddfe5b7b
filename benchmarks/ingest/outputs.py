"""What an output holds, apart from how it is cut into batches: digests to compare builds by.

Encoded rows are read by pyarrow, not by the build under test. A digest covers the values of a column over all
batches and shards, so that a build may choose other batch sizes, but no other rows.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

if TYPE_CHECKING:
    from collections.abc import Iterator

Facts = dict[str, Any]


def facts(path: str) -> Facts:
    """What a file or folder of encoded rows, a packed file or a tokenizer holds.

    For rows: the number of rows of each file, and a digest for each column. For a folder also what its
    manifest says of inputs, records and symbols, and the refget digests. Of other files a digest of all.
    """
    place = Path(path)
    if place.is_dir():
        manifest = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
        shards = [place / file["name"] for shard in _shards(manifest) for file in shard["files"]]
        return {**_rows(shards), "portions": [_portion(place, one) for one in manifest["portions"]]}
    if place.suffix in {".arrow", ".parquet"}:
        return _rows([place])
    return {"sha256": hashlib.sha256(place.read_bytes()).hexdigest()}


def differences(one: Facts, other: Facts) -> list[str]:
    """The names of the facts that are not the same."""
    return sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))


def _shards(manifest: Facts) -> Iterator[Facts]:
    for portion in manifest["portions"]:
        yield from portion["shards"]


def _portion(folder: Path, portion: Facts) -> Facts:
    """What a portion holds, without the names and sizes of files, and checksums, whose kind may change."""
    digests = portion["digests"]
    return {
        **{key: portion[key] for key in ("records", "symbols", "unknown", "lower_case")},
        "inputs": [(one["path"], one["bytes"]) for one in portion["inputs"]],
        "digests": (folder / digests["name"]).read_text(encoding="utf-8") if digests else None,
        "shards": [{key: shard[key] for key in ("rows", "bases", "tokens")} for shard in portion["shards"]],
    }


def _rows(paths: list[Path]) -> Facts:
    """Rows of each file, and digests of the columns over all of them."""
    digests: dict[str, Any] = defaultdict(hashlib.sha256)
    rows = []
    for path in paths:
        rows.append(0)
        for batch in _batches(path):
            rows[-1] += batch.num_rows
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                for part, data in _bytes(column):
                    digests[f"{name}: {part}"].update(data)
    return {"rows": rows, **{name: digest.hexdigest() for name, digest in digests.items()}}


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    """The batches of a file."""
    if path.suffix == ".parquet":
        with parquet.ParquetFile(path) as file:
            yield from file.iter_batches(batch_size=1 << 16)
        return
    with pa.memory_map(str(path)) as file:
        reader = pa.ipc.open_file(file)
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)


def _bytes(column: pa.Array) -> Iterator[tuple[str, bytes]]:
    """The values of a column as bytes, part by part, whatever the width of offsets and dictionaries."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    yield "nulls", column.is_null().to_numpy(zero_copy_only=False).tobytes()
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        yield (
            "lengths",
            pc.list_value_length(column).cast(pa.int64()).to_numpy(zero_copy_only=False).tobytes(),
        )
        yield "values", column.flatten().to_numpy(zero_copy_only=False).astype("<u4").tobytes()
    elif pa.types.is_integer(column.type):
        yield "values", column.to_numpy(zero_copy_only=False).astype("<i8").tobytes()
    else:
        texts = column.to_pylist()
        yield "values", "\0".join(map(str, texts)).encode() + b"\0"
