"""The reference pages that are written by hand list what the code has: exceptions, and keys of files."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pyarrow.ipc
import pytest

import genotok
from genotok import errors
from genotok.corpus import pack_shards
from genotok.dataset.encode import encode
from genotok.run_records.provenance import Provenance
from genotok.run_records.schemas import RunRecord

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"


def rows(text: str) -> list[list[str]]:
    """The cells of the first table in `text`, without its head."""
    lines = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert lines
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[0].splitlines()[2:]]


def keys(name: str) -> list[str]:
    """The first column of the table behind a mark in files.md."""
    text = (REFERENCE / "files.md").read_text(encoding="utf-8")
    found = rows(text.partition(f"<!-- keys: {name} -->\n")[2])
    return [re.findall(r"`([^`]+)`", row[0])[0] for row in found]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The keys of small files of each kind."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "one.fa").write_text(">one\n" + "ACGTTGCA" * 50 + "\n", encoding="utf-8")
    tokenizer = genotok.Tokenizer.train(folder / "one.fa", vocab_size=16)
    tokenizer.save(folder / "tokenizer.json")
    encode(tokenizer, folder / "one.fa", folder / "one.arrow")
    encode(tokenizer, folder / "one.fa", f"{folder}/shards/", window=100)
    pack_shards([str(folder / "one.fa")], folder / "packed")
    with pyarrow.ipc.open_file(folder / "one.arrow") as reader:
        schema = reader.schema
    return {
        "tokenizer": list(json.loads((folder / "tokenizer.json").read_bytes())),
        "columns": schema.names,
        "metadata": [key.decode() for key in schema.metadata],
        "description": list(json.loads(schema.metadata[b"genotok"])),
        "manifest": list(json.loads((folder / "shards" / "manifest.json").read_bytes())),
        "packed": list(json.loads((folder / "packed" / "manifest.json").read_bytes())),
        "record": list(RunRecord(kind="study", provenance=Provenance()).to_json()),
    }


@pytest.mark.parametrize(
    "name", ["tokenizer", "columns", "metadata", "description", "manifest", "packed", "record"]
)
def test_the_keys_of_files_are_those_of_the_page(made: dict[str, Any], name: str) -> None:
    assert keys(name) == made[name]


def test_every_exception_is_on_the_page_with_its_base() -> None:
    found = rows((REFERENCE / "errors.md").read_text(encoding="utf-8"))
    listed = {row[0].strip("`"): row for row in found}
    assert set(listed) == set(errors.__all__)
    for name, row in listed.items():
        exception = getattr(errors, name)
        assert row[1].strip("`") == exception.__bases__[-1].__name__
        assert row[2] == ("1" if issubclass(exception, errors.GenotokError) else "0")
        assert name == "GenotokError" or row[4]
