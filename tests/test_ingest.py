"""The same content is read alike on every way: as a file, packed, through a pipe, in any batches and threads.

A regular file may be read in blocks by several threads, a pipe is read from its start to its end. Each answer
is compared with that of a pipe on one thread: rows, places, ids, digests, report, warnings, and the message
of an error. Rows are also compared with the contract in plain Python (`tests.support.reading`).

GENOTOK_INGEST_FILES says how many random files, 250 if it says nothing; with more than that, features stand
at all bytes around all borders, otherwise at some.
"""

from __future__ import annotations

import os
import random
from dataclasses import replace
from pathlib import Path

import pytest

import genotok
from genotok.files.paths import Bed
from genotok.options import RowOptions
from tests.support.encoded import TOKENIZER
from tests.support.nasty import (
    CR,
    CRLF,
    FAULTS,
    FEATURES,
    LF,
    READ_BYTES,
    near,
    random_file,
    reads_with_byte,
    spoiled,
    with_feature,
)
from tests.support.reading import Record, Refused, known_runs, parse, windows, words
from tests.support.routes import ROUTES, Answer, Ask, answer

ORDINARY = 250
NUM_FILES = int(os.environ.get("GENOTOK_INGEST_FILES", str(ORDINARY)))
IS_LONG = NUM_FILES > ORDINARY
BORDERS = (4 << 10, 64 << 10, 256 << 10, 1 << 20)
LONG_BORDERS = (2 << 20, 4 << 20)
LARGE = 200_000
"""More symbols than this are not cut into batches of a few bases, which takes long."""

KMERS = genotok.Tokenizer.kmer(3)
"""It does not know lower case; `TOKENIZER` reads it as upper case."""
CALM = RowOptions(allow_unknown=1.0)
WINDOWS = RowOptions(window=1000, allow_unknown=1.0)


def drawn_rows(dice: random.Random, *, is_large: bool) -> RowOptions:
    """Options of rows, all kinds of them but regions."""
    window = dice.choice((None, 100, 1000, 1000) if is_large else (None, None, 1, 7, 60, 1000))
    has_stride = window is not None and dice.random() < 0.5
    stride = dice.choice((1 + window // 2, window, 3 * window)) if window and has_stride else None
    return RowOptions(
        window=window,
        stride=stride,
        unknown=dice.choice(("token", "token", "split", "error")),
        allow_unknown=dice.choice((1.0, 1.0, 0.1)),
        uppercase=dice.random() < 0.4,
        reverse_complement=dice.random() < 0.2,
        add_special_tokens=dice.random() < 0.1,
    )


def with_regions(dice: random.Random, rows: RowOptions, records: list[Record]) -> RowOptions:
    """The options for some parts of the records, as regions or as lines of a BED file."""
    parts = []
    for name, symbols in dice.sample(records, min(3, len(records))):
        start = dice.randrange(len(symbols) + 1)
        end = dice.randrange(start, len(symbols) + 1)
        if name.isalnum() and start < end:
            parts.append((name, start, end, dice.choice("+-")))
    if not parts:
        return rows
    if dice.random() < 0.5:
        return replace(rows, region=[f"{name}:{start + 1}-{end}" for name, start, end, _ in parts])
    lines = "".join(f"{name}\t{start}\t{end}\tn\t0\t{strand}\n" for name, start, end, strand in parts)
    return replace(rows, bed=[Bed("regions.bed", lines.encode())])


# -- the contract in plain Python ---------------------------------------------------------------------


def expected(records: list[Record], ask: Ask) -> list[tuple[object, ...]]:
    """Names, starts, ends and ids of the rows of records."""
    rows, places = ask.rows, []
    in_both_cases = rows.uppercase or ask.tokenizer is TOKENIZER
    for name, symbols in records:
        for start, end in windows(len(symbols), rows.window, rows.stride):
            split = rows.unknown == "split"
            runs = known_runs(symbols, start, end, uppercase=in_both_cases) if split else [(start, end)]
            places += [(name, *run, symbols[slice(*run)]) for run in runs]
    texts = [text.translate(OTHER_STRAND)[::-1] if rows.reverse_complement else text for *_, text in places]
    ids = ask.tokenizer.encode_batch(
        texts, uppercase=rows.uppercase, add_special_tokens=rows.add_special_tokens, unknown="token"
    ).to_list()
    return [(*place[:3], row) for place, row in zip(places, ids, strict=True)]


OTHER_STRAND = str.maketrans("ACGTacgt", "TGCAtgca")


def check_with_contract(text: bytes, ask: Ask, found: Answer) -> None:
    """The rows are those of the contract, or there is an error where it refuses the file."""
    rows = ask.rows
    try:
        records = parse(text)
        words(records)
    except Refused:
        # a residue in a gap between windows is in no row, and not found
        assert found.report is None or (rows.stride or 0) > (rows.window or 0)
        return
    if rows.unknown == "error" or rows.allow_unknown < 1:
        return  # refused or not by rules that the contract does not have
    assert found.report is not None, found.said
    right = expected(records, ask)
    assert found.report["records"] == len(records)
    assert [one[1] for one in found.report["digests"]] == [record.name for record in records]
    if not right:
        assert found.rows == ()
        return
    names, starts, ends, lengths, ids = found.rows
    assert list(zip(names, starts, ends, strict=True)) == [row[:3] for row in right]
    assert lengths == [len(row[3]) for row in right]
    assert ids == [number for row in right for number in row[3]]


Batches = tuple[int | None, ...]
SMALL: Batches = (None, None, 1, 1000, 50_000, 1 << 31)
BIG: Batches = (None, None, 20_000, 500_000, 1 << 31)
"""Bases in a batch, for files of few symbols and of many; None is the default."""

# -- every way ----------------------------------------------------------------------------------------


def compare(text: bytes, ask: Ask, ways: list[tuple[str, Ask]], folder: Path) -> Answer:
    """Read the content through a pipe on one thread, then on each way, and compare.

    The error of a symbol has a line only in a file, which can be read again; so files are also compared with
    each other.
    """
    with ROUTES["pipe"](text, folder) as path:
        first = answer([path], ask)
    of_file: Answer | None = None
    for route, other in ways:
        with ROUTES[route](text, folder) as path:
            found = answer([path], other)
        difference = first.difference(found.without_lines())
        if route not in {"pipe", "input"}:
            of_file = of_file or found
            difference = difference or of_file.difference(found)
        if difference:
            (folder / "differs").write_bytes(text)
            pytest.fail(f"pipe and {route}, {other}, content in {folder / 'differs'}: {difference}")
    return first


def check_line(text: bytes, at: int, end: bytes, ask: Ask, folder: Path) -> None:
    """The error names the line of byte `at`, on one thread and on two."""
    line = text.count(end, 0, at) + 1
    with ROUTES["file"](text, folder) as path:
        for threads in (1, 2):
            assert f"FILE, line {line}: " in answer([path], ask.but(threads=threads)).said[-1]


def drawn_ways(dice: random.Random, ask: Ask, number: int, batches: Batches = SMALL) -> list[tuple[str, Ask]]:
    """A file on two threads, and other ways."""
    ways = [("file", ask.but(threads=2))]
    for route in dice.choices(list(ROUTES), k=number):
        batch = dice.choice(batches)
        ways.append((route, ask.but(threads=dice.choice((1, 2)), batch=batch)))
    return ways


@pytest.mark.timeout(60 + NUM_FILES // 4)  # seconds
def test_random_files_are_read_alike_on_every_way(tmp_path: Path) -> None:
    dice = random.Random(22)
    for number in range(NUM_FILES):
        num_symbols = dice.choice((1, 30, 300, 3000, 30_000)) if number % 40 else 10 * LARGE
        text = random_file(dice, num_symbols)
        if dice.random() < 0.4:
            text = spoiled(dice, text)
        rows = drawn_rows(dice, is_large=num_symbols > LARGE)
        ask = Ask(rows, dice.choice((TOKENIZER, KMERS)), digests=dice.random() < 0.8)
        batches = SMALL if num_symbols <= LARGE else BIG
        found = compare(text, ask, drawn_ways(dice, ask, 2, batches), tmp_path)
        if ask.digests and (IS_LONG or num_symbols <= LARGE or number % 80 == 0):
            check_with_contract(text, ask, found)


def test_regions_are_read_alike_on_every_way(tmp_path: Path) -> None:
    dice = random.Random(23)
    for number in range(NUM_FILES // 5):
        text = random_file(dice, dice.choice((300, 3000)) if number % 10 else 2 * LARGE)
        try:
            records = parse(text)
        except Refused:
            continue
        rows = with_regions(dice, drawn_rows(dice, is_large=len(text) > LARGE), records)
        ask = Ask(rows, dice.choice((TOKENIZER, KMERS)), digests=dice.random() < 0.5)
        compare(text, ask, drawn_ways(dice, ask, 2, SMALL if len(text) <= LARGE else BIG), tmp_path)


@pytest.mark.parametrize("feature", FEATURES)
def test_what_stands_at_a_border_is_read_alike(feature: str, tmp_path: Path) -> None:
    dice = random.Random(feature)
    cases = [(at, end) for at in near(BORDERS) for end in (LF, CRLF, CR)]
    long = [(at, LF) for at in near(LONG_BORDERS)]
    for at, end in cases + long if IS_LONG else dice.sample(cases, 4) + dice.sample(long, 1):
        text = with_feature(FEATURES[feature], at, end)
        ask = Ask(dice.choice((CALM, WINDOWS, drawn_rows(dice, is_large=True))))
        route = dice.choice(("file", "file", "bgzf", "zstd"))
        found = compare(text, ask, [("file", ask.but(threads=2)), (route, ask.but(batch=70_000))], tmp_path)
        if IS_LONG or at <= BORDERS[2] + 3:
            check_with_contract(text, ask, found)
        if feature in {"a byte that is no symbol", "an amino acid", "two faults"}:
            check_line(text, at, end, ask, tmp_path)


@pytest.mark.parametrize("end", [LF, CRLF], ids=["LF", "CRLF"])
@pytest.mark.parametrize("fault", [b"", *FAULTS[:8]])
def test_every_byte_of_a_read_may_stand_at_a_border(fault: bytes, end: bytes, tmp_path: Path) -> None:
    dice = random.Random(repr(fault))
    places = range(READ_BYTES + 4 * len(end))
    cases = [(border, which) for border in BORDERS for which in places]
    for border, which in cases if IS_LONG else dice.sample(cases, 4):
        text = reads_with_byte(which, border, end, fault)
        ask = Ask(dice.choice((CALM, CALM, WINDOWS)))
        found = compare(text, ask, [("file", ask.but(threads=2)), ("file", ask.but(batch=20_000))], tmp_path)
        if IS_LONG or border < BORDERS[2]:
            check_with_contract(text, ask, found)


def test_features_stand_where_they_are_put() -> None:
    for at in near((4096,)):
        for end in (LF, CRLF, CR):
            for feature in FEATURES.values():
                written = feature.replace(LF, end)
                text = with_feature(feature, at, end)
                assert text[at : at + len(written)] == written
                assert text[at - 1 : at] in {b"A", b"C", b"G", b"T"}
        for which in range(READ_BYTES + 4):
            text = reads_with_byte(which, at, LF)
            assert len(parse(text)) > 40
            assert (text[at] == ord("@") and text[at - 1 : at] == LF) or which
