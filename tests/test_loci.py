"""Rows of one locus: against comparing all rows on all diagonals, in audits, records and reports."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genotok.gue import LabelledSplit, Labels, audit, find_loci, read_splits
from genotok.gue.loci import KINDS
from genotok.options import LocusOptions
from genotok.run_records.reading import read_record
from genotok.run_records.schemas import AuditRecord
from tests.support.commands import run

FLIP = str.maketrans("ACGT", "TGCA")
SHORT = LocusOptions(min_overlap=8, min_identity=0.8)


def flipped(text: str) -> str:
    return text[::-1].translate(FLIP)


def split_of(rows: Sequence[str], partners: Sequence[str] = (), labels: Sequence[int] = ()) -> LabelledSplit:
    numbers = np.array(labels or [0] * len(rows))
    lines = np.arange(len(rows))
    return LabelledSplit("x.csv", tuple(rows), tuple(partners), ("0",) * len(rows), lines, numbers)


def draw(number: int, length: int, seed: int = 7) -> list[str]:
    generator = np.random.default_rng(seed)
    return ["".join(generator.choice(list("ACGT"), length)) for _ in range(number)]


# -- the reference ----------------------------------------------------------------------------------


def agreement(row: str, other: str, shift: int) -> list[bool]:
    """Whether the bases of the overlap are equal, if `row` starts at base `shift` of `other`."""
    first, last = max(0, -shift), min(len(row), len(other) - shift)
    return [row[at] == other[at + shift] and row[at] != "N" for at in range(first, last)]


def longest_run(same: list[bool]) -> int:
    return max(map(len, "".join("x" if one else " " for one in same).split()), default=0)


def naive_kind(row: str, other: str, options: LocusOptions) -> int:
    """The first of the four kinds by which a row is linked to another; 0 for none."""
    found = {1} if row == other else set()
    found |= {3} if row == flipped(other) else set()
    for shift in range(-len(row), len(other) + 1):
        for text in (row, flipped(row)):
            same = agreement(text, other, shift)
            if text == row and len(same) >= options.min_overlap and all(same):
                found.add(2)
            enough = sum(same) >= options.min_identity * len(same)
            if longest_run(same) >= options.min_overlap and enough:
                found.add(4)
    return min(found, default=0)


def naive_clusters(rows: Sequence[str], options: LocusOptions) -> list[int]:
    """The components of all rows, numbered by their first row."""
    clusters = list(range(len(rows)))
    for one in range(len(rows)):
        for other in range(one):
            if naive_kind(rows[one], rows[other], options):
                joined = {clusters[one], clusters[other]}
                clusters = [min(joined) if each in joined else each for each in clusters]
    order = {cluster: number for number, cluster in enumerate(dict.fromkeys(clusters))}
    return [order[each] for each in clusters]


CUTS = st.lists(st.tuples(st.integers(0, 30), st.integers(5, 24), st.booleans()), min_size=1, max_size=5)


@settings(max_examples=25, deadline=None)
@given(st.text("ACGT", min_size=54, max_size=54), CUTS, CUTS, st.integers(0, 20))
def test_links_and_clusters_are_those_of_comparing_all(
    text: str, train: list[tuple[int, int, bool]], test: list[tuple[int, int, bool]], edit: int
) -> None:
    def rows(cuts: list[tuple[int, int, bool]], source: str) -> list[str]:
        cut = [(source[first : first + length], other) for first, length, other in cuts]
        return [flipped(row) if other else row for row, other in cut]

    changed = text[:edit] + "N" + text[edit + 1 :]
    parts = {"train": rows(train, text), "test": rows(test, changed)}
    loci = find_loci({name: split_of(part) for name, part in parts.items()}, SHORT)
    found = loci.links("test", "train")
    for row, kind in zip(parts["test"], found.kinds.tolist(), strict=True):
        kinds = [naive_kind(row, other, SHORT) for other in parts["train"]]
        assert kind == min(filter(None, kinds), default=0)
    within = loci.links("test", "test").kinds.tolist()
    for number, row in enumerate(parts["test"]):
        kinds = [naive_kind(row, other, SHORT) for other in parts["test"][:number]]
        assert within[number] == min(filter(None, kinds), default=0)
    every = [*loci.clusters["train"].tolist(), *loci.clusters["test"].tolist()]
    assert every == naive_clusters([*parts["train"], *parts["test"]], SHORT)


# -- kinds, shifts, labels --------------------------------------------------------------------------


def planted() -> dict[str, LabelledSplit]:
    """200 bases of train in test: as they are, shifted, reversed, edited; and a row of its own."""
    genome = draw(6, 400)
    train = [one[100:300] for one in genome]
    edited = genome[3][100:200] + genome[3][200].translate(FLIP) + genome[3][201:300]
    test = [train[0].lower(), genome[1][160:360], flipped(train[2]), edited, flipped(genome[4][50:250])]
    test += [genome[5][251:399], *draw(1, 200, seed=8)]  # an overlap of 49 bases is no locus
    labels = [0, 1, 0, 1, 0, 1]
    return {"train": split_of(train, labels=labels), "test": split_of(test, labels=[0, 1, 1, 1, 0, 1, 0])}


def test_planted_rows_have_their_kinds_shifts_and_labels() -> None:
    splits = planted()
    links = find_loci(splits).links("test", "train")
    names = ["", *KINDS]
    assert [names[kind] for kind in links.kinds] == [
        "exact",
        "windows",
        "reverse",
        "similar",
        "similar",
        "",
        "",
    ]
    assert links.partners.tolist() == [0, 1, 2, 3, 4, -1, -1]
    assert links.shifts[1] == 60
    assert links.overlaps[:5].tolist() == [200, 140, 200, 200, 150]
    audited = audit(splits, Labels(("0", "1")))
    assert audited.loci.across == 5
    found = audited.splits["test"].against["train"]
    assert (found.exact, found.windows, found.reverse, found.similar, found.rows) == (1, 1, 1, 2, 5)
    assert found.same_label == {"exact": 1, "windows": 1, "reverse": 0, "similar": 2}
    assert (found.shifts, found.conflicting, found.near) == ({60: 1}, 1, 3)


def test_clean_rows_share_no_cluster_with_another_split() -> None:
    genome = draw(1, 600)[0]
    far = draw(2, 200, seed=3)
    # The second row of test overlaps no row of train, but the first one, which does.
    splits = {
        "train": split_of([genome[:200], far[0]]),
        "test": split_of([genome[120:320], genome[250:450], far[1]]),
    }
    loci = find_loci(splits)
    assert loci.links("test", "train").kinds.tolist() == [2, 0, 0]
    assert loci.is_clean("test", ["train"]).tolist() == [False, False, True]
    assert loci.clusters["test"].tolist() == [0, 0, 2]
    statistics = audit(splits, Labels(("0",))).loci
    assert (statistics.clusters, statistics.largest, statistics.across) == (3, 3, 1)
    assert statistics.sizes == {1: 2, 3: 1}


def test_repeats_are_no_loci_but_their_copies_are() -> None:
    repeat = draw(1, 100)[0]
    rows = [f"{flank}{repeat}" for flank in draw(40, 3, seed=2)]
    few = LocusOptions(max_sequences=10)
    parts = {"train": split_of(rows[:20]), "test": split_of(rows[20:])}
    found = find_loci(parts, few)
    assert found.frequent_kmers > 0
    assert found.frequent_sequences == len(set(rows[:20])) + len(set(rows[20:]))
    assert not (found.links("test", "train").kinds == 4).any()
    every = find_loci(parts)
    assert every.frequent_kmers == 0
    assert (every.links("test", "train").kinds > 0).all()
    again = find_loci({"train": split_of(rows), "test": split_of(rows)}, few)
    assert (again.links("test", "train").kinds == 1).all()


@pytest.mark.parametrize("threads", [1, 2])
def test_the_result_does_not_depend_on_threads(threads: int) -> None:
    splits = planted()
    one, other = find_loci(splits), find_loci(splits, threads=threads)
    for key in one.found:
        assert (one.found[key] == other.found[key]).all()


# -- pairs ------------------------------------------------------------------------------------------


def test_each_side_of_pairs_is_compared() -> None:
    left, right = draw(5, 120), draw(5, 120, seed=1)
    train = split_of(left[:3], right[:3])
    test = split_of(
        [left[0], flipped(left[1]), left[2][30:], left[3]],
        [right[0], flipped(right[1]), right[3], right[4]],
    )
    found = audit({"train": train, "test": test}, Labels(("0",))).splits["test"]
    pairs = found.against["train"]
    assert (pairs.exact, pairs.windows, pairs.reverse, pairs.similar) == (1, 0, 1, 0)
    first, second = (side["train"] for side in found.sides)
    assert (first.exact, first.windows, first.reverse) == (1, 1, 1)
    assert (second.exact, second.windows, second.reverse) == (1, 0, 1)
    assert found.clean == 1  # the third row shares its first side
    loci = find_loci({"train": train, "test": test})
    assert loci.clusters["test"].tolist() == [0, 1, 2, 3]


# -- the command ------------------------------------------------------------------------------------


def write_set(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name, split in planted().items():
        rows = zip(split.sequences, split.labels.tolist(), strict=True)
        text = "".join(f"{row},{label}\n" for row, label in rows)
        (folder / f"{name}.csv").write_text(f"sequence,label\n{text}")


def test_an_audit_is_a_table_a_record_and_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_set(tmp_path / "mine")
    record = tmp_path / "audit.json"
    assert run("gue", "audit", tmp_path / "mine", "-o", record) == 0
    printed = capsys.readouterr().out
    for said in ("in a locus of train", "overlapping windows", "clean rows", "2 (28.6%)", "5 (71.4%)"):
        assert said in printed
    found = AuditRecord.from_json(read_record(record))
    (one,) = found.sets
    assert one["splits"]["test"]["against"]["train"]["shifts"] == [[60, 1]]
    assert found.options == {"min_overlap": 50, "min_identity": 0.9, "max_sequences": 200}
    assert set(found.provenance.inputs["mine"]) == {"train", "test"}
    page = tmp_path / "audit.html"
    assert run("report", record, "-o", page) == 0
    for said in ("Loci of labelled sets", "mine: shifts of test rows", "clean test rows"):
        assert said in page.read_text()
    capsys.readouterr()
    assert run("info", record) == 0
    assert "genotok report shows it" in capsys.readouterr().out
    assert run("gue", "audit", tmp_path / "mine", "--json", "--min-overlap", "49") == 0
    found_json = json.loads(capsys.readouterr().out)
    assert found_json["mine"]["splits"]["test"]["against"]["train"]["windows"] == 2


def test_the_splits_of_a_folder_are_those_of_the_library(tmp_path: Path) -> None:
    write_set(tmp_path)
    splits, _ = read_splits(tmp_path)
    assert find_loci(splits).links("test", "train").kinds.tolist() == [1, 2, 3, 4, 4, 0, 0]
