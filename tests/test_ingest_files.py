"""Many files are read as each alone; `pack` and `train-bpe` read the same content alike on every way.

`test_ingest` compares the ways of one file into rows.
"""

from __future__ import annotations

import hashlib
import os
import random
from itertools import chain
from pathlib import Path

import pytest

import genotok
from genotok.options import RowOptions
from tests.support.nasty import FEATURES, LF, near, random_file, spoiled, with_feature
from tests.support.reading import Refused, parse, words
from tests.support.routes import ROUTES, Answer, Ask, answer, without_names

NUM_FILES = int(os.environ.get("GENOTOK_INGEST_FILES", "250")) // 5
OTHERS = [route for route in ROUTES if route != "file"]
CALM = RowOptions(allow_unknown=1.0)


# -- many files ---------------------------------------------------------------------------------------


def joined(answers: list[Answer]) -> Answer:
    """What a reader says of files in their order, from its answers for each alone."""
    for one in answers:
        if one.report is None:
            return one
    reports = [one.report for one in answers if one.report is not None]
    total = dict(reports[0])
    for other in reports[1:]:
        for key, value in other.items():
            if isinstance(value, dict):
                total[key] = {
                    kind: total[key].get(kind, 0) + value.get(kind, 0) for kind in total[key] | value
                }
            else:
                total[key] = total[key] + value
    rows = zip(*(one.rows for one in answers if one.rows), strict=True)
    return Answer(tuple(list(chain.from_iterable(column)) for column in rows), total, ())


@pytest.mark.parametrize("num_faults", [0, 1, 2])
@pytest.mark.parametrize("threads", [1, 2])
def test_many_files_are_read_as_each_alone(num_faults: int, threads: int, tmp_path: Path) -> None:
    dice = random.Random(100 * threads + num_faults)
    for number in range(max(1, NUM_FILES // 10)):
        ask = Ask(RowOptions(window=dice.choice((None, 60)), allow_unknown=1.0), threads=threads)
        alone, paths = [], []
        faulty = dice.sample(range(12), num_faults)
        while len(paths) < 12:
            text = random_file(dice, dice.choice((1, 300, 3000, 100_000)))
            text = spoiled(dice, text) if len(paths) in faulty else text
            path = tmp_path / f"{number}-{len(paths):02}.fa"
            path.write_bytes(text)
            one = answer([str(path)], ask.but(threads=1))
            if (one.report is None) == (len(paths) in faulty):
                alone.append(one)
                paths.append(str(path))
        for batch in (None, 1000):
            together = answer(paths, ask.but(batch=batch))
            right = joined(alone)
            assert together.said == right.said
            assert together.difference(right) == ""


# -- packing and training ------------------------------------------------------------------------------


def packed(path: str, output: Path, threads: int) -> tuple[object, ...]:
    """The bytes of the packed file by their digest and the report; or the error."""
    try:
        report = genotok.pack(path, output, allow_unknown=1.0, threads=threads)
    except genotok.GenotokError as error:
        return (type(error).__name__, without_names(str(error), [path]))
    return hashlib.sha256(output.read_bytes()).hexdigest(), {**report, "output": ""}


def trained(path: str, threads: int) -> tuple[object, ...]:
    """The merges and the counts of the report; or the error."""
    try:
        tokenizer = genotok.Tokenizer.train(path, vocab_size=24, allow_unknown=1.0, threads=threads)
    except genotok.GenotokError as error:
        return (type(error).__name__, without_names(str(error), [path]))
    report = dict(tokenizer.report or {})
    return tokenizer.merges, {
        key: report[key] for key in ("records", "words", "bases", "skipped", "fingerprint")
    }


def contents(dice: random.Random) -> bytes:
    """A random file, in two of five cases a spoiled one; or one with a feature near 256 KiB or 1 MiB."""
    if dice.random() < 0.1:
        at = dice.choice(list(near((256 << 10, 1 << 20))))
        return with_feature(FEATURES[dice.choice(list(FEATURES))], at, LF)
    text = random_file(dice, dice.choice((1, 30, 300, 3000, 30_000)))
    return spoiled(dice, text) if dice.random() < 0.4 else text


def test_packing_is_alike_on_every_way(tmp_path: Path) -> None:
    dice = random.Random(24)
    output = tmp_path / "one.pack"
    for _ in range(2 * NUM_FILES):
        text = contents(dice)
        with ROUTES["file"](text, tmp_path) as path:
            first = packed(path, output, 1)
            assert packed(path, output, 2) == first
        with ROUTES[dice.choice(OTHERS)](text, tmp_path) as path:
            assert packed(path, output, dice.choice((1, 2))) == first
        if len(text) < 100_000:
            check_words(text, first)


def check_words(text: bytes, found: tuple[object, ...]) -> None:
    """The counts are those of the contract, or there is an error where it refuses the file."""
    try:
        right = words(parse(text))
    except Refused:
        assert isinstance(found[1], str)
        return
    if right:  # a file without a base is refused by another rule
        assert isinstance(found[1], dict), found
        assert (found[1]["words"], found[1]["bases"]) == (len(right), sum(map(len, right)))


def test_training_is_alike_on_every_way(tmp_path: Path) -> None:
    dice = random.Random(25)
    for _ in range(NUM_FILES // 2):
        text = contents(dice)
        with ROUTES["file"](text, tmp_path) as path:
            first = trained(path, 1)
            assert trained(path, 2) == first
        with ROUTES[dice.choice(OTHERS)](text, tmp_path) as path:
            assert trained(path, dice.choice((1, 2))) == first


# -- what others have collected ------------------------------------------------------------------------


def check_files(paths: list[Path], folder: Path) -> int:
    """Read each file as it is, and through a pipe; how many are read without an error."""
    num_read = 0
    for path in paths:
        text = path.read_bytes()
        for ask in (Ask(CALM), Ask(RowOptions(window=50, stride=20, unknown="split", uppercase=True))):
            with ROUTES["pipe"](text, folder) as pipe:
                first = answer([pipe], ask)
            for other in (ask.but(threads=2), ask.but(threads=2, batch=500)):
                found = answer([str(path)], other)
                assert first.difference(found.without_lines()) == "", path
            num_read += first.report is not None
    return num_read


def test_specimens_are_read_alike(shared: Path, tmp_path: Path) -> None:
    paths = [path for path in sorted((shared / "specimens").rglob("*")) if path.is_file()]
    assert check_files(paths, tmp_path) > 60


def test_genomes_are_read_alike(own_genomes: Path, tmp_path: Path) -> None:
    paths = [own_genomes / name for name in ("lambda_phage.fa", "yeast_chrI.fa")]
    assert check_files(paths, tmp_path) == 2 * len(paths)
