"""What genotok does not write: what it looks like, and which command may help."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genotok.cli.kinds.look import Look

__all__ = ["looks_like"]

COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"\xfd7zXZ\x00": "xz",
    b"(\xb5/\xfd": "zstd",
    b"BZh": "bzip2",
    b"PK\x03\x04": "zip",
    b'\x04"M\x18': "lz4",
}
TABLES = {b"PAR1": "Parquet", b"ARROW1": "Arrow", b"\xff\xff\xff\xff": "Arrow"}
SEQUENCES = {">": "FASTA", "@": "FASTQ"}
PAGES = ("<!doctype", "<html")
NAMES_SHOWN = 4


def looks_like(look: Look) -> str:
    """The end of a sentence: what a path holds, if it is nothing that genotok writes."""
    if look.is_folder:
        return f"a folder with {_some(look)}; name a file in it"
    if not look.bytes:
        return "an empty file"
    for start, table in TABLES.items():
        if look.head.startswith(start):
            return f"{table} with other columns than those of genotok"
    text = look.text.lstrip("\ufeff \r\n\t")
    packed = next(
        (f" compressed by {name}" for start, name in COMPRESSED.items() if look.head.startswith(start)), ""
    )
    if text[:1] in SEQUENCES:
        return f"a {SEQUENCES[text[:1]]} file{packed}, which genotok reads; try genotok check {look.path}"
    if packed:
        return f"a file{packed}; if it holds sequences, try genotok check {look.path}"
    return _json(look, text) or _text(look, text)


def _json(look: Look, text: str) -> str:
    """What JSON there is; nothing if it is none."""
    if isinstance(look.json, dict):
        return f"JSON with the keys {', '.join(list(look.json)[:NAMES_SHOWN]) or 'none'}"
    if isinstance(look.json, list):
        return f"JSON, a list of {len(look.json):,}"
    return "JSON that is cut short, damaged or too large" if text.startswith(("{", "[")) else ""


def _text(look: Look, text: str) -> str:
    """What else begins like this."""
    if "sequence" in text.partition("\n")[0].lower().replace('"', "").split(","):
        return f"a CSV file of sequences; try genotok embed or genotok predict {look.path}"
    if text.lower().startswith(PAGES):
        return "a page of HTML"
    is_text = "\ufffd" not in text and all(c.isprintable() or c in "\t\r\n\f" for c in text)
    return "a text file" if is_text else "a binary file"


def _some(look: Look) -> str:
    """Some names of a folder."""
    names = sorted(look.names)
    shown = ", ".join(names[:NAMES_SHOWN])
    return (
        f"{shown} and {len(names) - NAMES_SHOWN:,} more" if len(names) > NAMES_SHOWN else shown or "nothing"
    )
