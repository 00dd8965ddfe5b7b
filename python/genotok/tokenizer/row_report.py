"""What encoding files tells of them."""

from typing import NotRequired, TypedDict

__all__ = ["RecordDigest", "RowReport"]


class RecordDigest(TypedDict):
    """A whole record: its length in symbols and its GA4GH refget digest, `SQ.` and 32 characters."""

    file: str
    record: str
    length: int
    digest: str


class RowReport(TypedDict):
    """What `TokenReader.report()` tells: what was found in the rows given so far, at the end in all files.

    `bases` are the symbols of all rows, `unknown` those of them outside the vocabulary, by kind, and
    `lower_case` those of these that the vocabulary has in upper case. `duplicate_names` counts records
    that have the name of an earlier one in the same file (of the first 4 million). `digests`, and
    `checksums`, the BLAKE3 sum of each file read to its end, None of a pipe, are there if asked for.
    """

    files: int
    records: int
    rows: int
    bases: int
    tokens: int
    unknown: dict[str, int]
    lower_case: int
    duplicate_names: int
    digests: NotRequired[list[RecordDigest]]
    checksums: NotRequired[list[str | None]]
