"""Baselines: spectra against counting by hand, a network on motifs, choices that no test label can change."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("sklearn", reason="needs scikit-learn: the extra `train`")
torch = pytest.importorskip("torch", reason="needs torch: the extra `train`")

from genotok.baseline import NetworkConfig, baselines, kmers  # noqa: E402
from genotok.baseline.average import WEIGHTS, averaged, choose_weight  # noqa: E402
from genotok.baseline.bases import both_strands, codes_of  # noqa: E402
from genotok.baseline.blind import BlindSet  # noqa: E402
from genotok.baseline.network import PADDING, SmallNetwork  # noqa: E402
from genotok.baseline.training import epochs_for, train_network  # noqa: E402
from genotok.errors import ArgumentError  # noqa: E402
from genotok.evaluation.metrics import confusion, score  # noqa: E402
from genotok.evaluation.problem import Problem  # noqa: E402
from genotok.gue import LabelledSplit, find_tasks, gue_sets, read_splits  # noqa: E402
from tests.support.commands import run  # noqa: E402
from tests.support.labelled import write_set  # noqa: E402

CPU = torch.device("cpu")
CLASSES = Problem("classification", ("0", "1"))
QUICK = NetworkConfig(batch=32, max_epochs=8)
SMALL = {"train": 160, "dev": 60, "test": 60}

bases = st.text("ACGTNacgt", max_size=40)


def complement(sequence: str) -> str:
    return sequence.translate(str.maketrans("ACGTacgt", "TGCAtgca"))[::-1]


def mcc(split: LabelledSplit, outputs: Any) -> float:
    return score(confusion(split.labels, outputs.argmax(1), outputs.shape[1]), "mcc")


def blind_set(folder: Path, rows: dict[str, int] = SMALL, **options: Any) -> tuple[BlindSet, LabelledSplit]:
    splits, _ = read_splits(write_set(folder, rows))
    return BlindSet(splits, CLASSES, "mcc", **options), splits["test"]


# -- k-mers -----------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.lists(bases, min_size=1, max_size=5), st.integers(1, 4))
def test_spectra_are_shares_of_kmers(sequences: list[str], k: int) -> None:
    found = kmers.spectrum(sequences, [k]).toarray()
    assert found.shape == (len(sequences), 4**k)
    for row, sequence in zip(found, sequences, strict=True):
        upper = sequence.upper()
        words = (upper[at : at + k] for at in range(len(upper) - k + 1))
        counts = Counter(word for word in words if set(word) <= set("ACGT"))
        total = max(counts.total(), 1)
        expected = sorted(counts["".join(bases)] / total for bases in product("ACGT", repeat=k))
        assert sorted(row.tolist()) == pytest.approx(expected, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(bases, min_size=1, max_size=5), st.integers(1, 4))
def test_spectra_of_both_strands_do_not_tell_them_apart(sequences: list[str], k: int) -> None:
    found = kmers.spectrum(sequences, [k], both_strands=True).toarray()
    others = kmers.spectrum([complement(one) for one in sequences], [k], both_strands=True).toarray()
    np.testing.assert_allclose(found, others, atol=1e-6)
    names = {min(name, complement(name)) for name in map("".join, product("ACGT", repeat=k))}
    assert found.shape == (len(sequences), len(names))
    single = kmers.spectrum(sequences, [k]).toarray()
    np.testing.assert_allclose(found.sum(1), single.sum(1), atol=1e-6)


def test_the_same_kmer_has_the_same_column() -> None:
    found = kmers.spectrum(["ACGTT", "TTACG"], [3]).toarray()
    assert (found[0] * found[1]).max() == pytest.approx(1 / 9)


def test_a_motif_is_learnt_and_shuffled_labels_are_not(tmp_path: Path) -> None:
    blind, test = blind_set(tmp_path, {"train": 400, "dev": 100, "test": 200}, stranded=True)
    fitted = kmers.fit(blind)
    assert mcc(test, fitted.test) > 0.6
    assert fitted.scores[fitted.penalty] == max(fitted.scores.values())
    assert fitted.test.sum(1) == pytest.approx(1)
    train = blind.splits["train"]
    labels = np.random.default_rng(1).permutation(train.labels)
    shuffled = blind.splits | {"train": replace(train, labels=labels)}
    assert abs(mcc(test, kmers.fit(BlindSet(shuffled, CLASSES, "mcc", stranded=True)).test)) < 0.25


def test_one_class_is_nothing_to_tell_apart(tmp_path: Path) -> None:
    splits, _ = read_splits(write_set(tmp_path, {"train": 20, "dev": 10, "test": 10}))
    one = splits["train"].taken(np.arange(0, 20, 2))
    with pytest.raises(ArgumentError, match="all rows have one label"):
        BlindSet(splits | {"train": one}, CLASSES, "mcc")


def test_pairs_have_both_spectra_and_both_sides(tmp_path: Path) -> None:
    write_set(tmp_path, {"train": 60, "dev": 20, "test": 20})
    for path in tmp_path.glob("*.csv"):
        rows = [line.split(",") for line in path.read_text().splitlines()[1:]]
        text = "".join(f"ACGTACGTAA,{sequence},{label}\n" for sequence, label in rows)
        path.write_text(f"sequence1,sequence2,label\n{text}")
    blind = BlindSet(read_splits(tmp_path)[0], CLASSES, "mcc")
    assert kmers.fit(blind, sizes=(3, 4)).test.shape == (20, 2)
    config = replace(QUICK, max_epochs=5)
    assert train_network(blind, config, 1, CPU).test.shape == (20, 2)


# -- the network ------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text("ACGTNacgt", min_size=1, max_size=40), min_size=1, max_size=5))
def test_codes_of_the_other_strand_are_those_of_the_reverse_complement(sequences: list[str]) -> None:
    split = LabelledSplit("a.csv", tuple(sequences), (), (), np.arange(len(sequences)), np.empty(0, np.int64))
    found = both_strands(split)
    np.testing.assert_array_equal(found.forward[0], codes_of(sequences))
    np.testing.assert_array_equal(found.reverse[0], codes_of([complement(one) for one in sequences]))
    assert found.symbols == sum(map(len, sequences))


@pytest.mark.parametrize("width", [None, 30, 40, 6])
def test_outputs_do_not_depend_on_the_batch(width: int | None) -> None:
    torch.manual_seed(1)
    network = SmallNetwork(3, width=width).eval()
    sequences = ["ACGTTGCAAC" * 3, "ACNGT", "TTTTGCA" * 9]
    together = torch.from_numpy(codes_of(sequences))
    with torch.no_grad():
        expected = torch.cat([network([torch.from_numpy(codes_of([one]))]) for one in sequences])
        torch.testing.assert_close(network([together]), expected)
        wider = torch.nn.functional.pad(together, (0, 7), value=PADDING)
        torch.testing.assert_close(network([wider]), expected)


def test_the_network_has_the_size_that_its_page_states() -> None:
    sizes = [sum(one.numel() for one in SmallNetwork(2, width=width).parameters()) for width in (None, 70)]
    assert sizes == [70_146, 71_170]


def test_a_network_learns_a_motif_on_either_strand_and_is_reproducible(tmp_path: Path) -> None:
    blind, test = blind_set(tmp_path, {"train": 300, "dev": 80, "test": 100})
    found, again = (train_network(blind, QUICK, 1, CPU) for _ in range(2))
    assert mcc(test, found.test) > 0.6
    assert found.test.tolist() == again.test.tolist()
    assert found.evaluations[found.epoch - 1] == max(found.evaluations)
    turned = replace(blind.splits["test"], sequences=tuple(map(complement, test.sequences)))
    other = train_network(replace(blind, splits=blind.splits | {"test": turned}), QUICK, 1, CPU)
    np.testing.assert_allclose(other.test, found.test, atol=1e-5)
    assert train_network(blind, QUICK, 2, CPU).test.tolist() != found.test.tolist()


def test_places_are_learnt_where_they_mean_something(tmp_path: Path) -> None:
    """The same motif in all rows: only its place tells the classes apart."""
    draw = np.random.default_rng(2)
    for name, rows in {"train": 240, "dev": 60, "test": 100}.items():
        lines = ["sequence,label"]
        for row in range(rows):
            text = "".join(draw.choice(list("ACGT"), 64))
            place = 10 if row % 2 else 50
            lines.append(f"{text[:place]}TATAAAGGCC{text[place + 10 :]},{row % 2}")
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n")
    splits, _ = read_splits(tmp_path)
    blind = BlindSet(splits, CLASSES, "mcc", stranded=True, aligned=True)
    assert mcc(splits["test"], train_network(blind, QUICK, 1, CPU).test) > 0.8


def test_epochs_follow_the_bases_to_train_on() -> None:
    config = NetworkConfig()
    assert [epochs_for(config, symbols) for symbols in (10, 1_600_000, 10**9)] == [20, 10, 5]


# -- choices ----------------------------------------------------------------------------------------


def test_the_weight_is_the_best_on_dev_and_of_equal_ones_that_of_the_least_loss(tmp_path: Path) -> None:
    blind, _ = blind_set(tmp_path)
    labels = blind.splits["dev"].labels
    right, wrong = np.eye(2)[labels], np.eye(2)[1 - labels]
    sure, unsure = 0.5 + 0.4 * (right - 0.5), 0.5 + 0.1 * (right - 0.5)
    assert choose_weight(right, wrong, blind) == (1.0, 1.0)
    assert choose_weight(wrong, right, blind) == (0.0, 1.0)
    assert choose_weight(unsure, sure, blind) == (0.0, 1.0)
    mixed = np.where(np.arange(len(labels))[:, None] % 3, sure, wrong)
    weight, value = choose_weight(mixed, sure, blind)
    assert 0 <= weight < 0.5
    assert value == 1.0
    assert WEIGHTS[0] == 0
    assert WEIGHTS[-1] == 1
    np.testing.assert_allclose(averaged(right, wrong, 0.25), 0.25 * right + 0.75 * wrong)


def fitted_set(data: Path, output: Path, **options: Any) -> dict[str, Any]:
    record = baselines(find_tasks([data]), output, QUICK, seeds=[1], device="cpu", **options)
    found: dict[str, Any] = record["sets"][0]["baselines"]
    return found


def choices(found: dict[str, Any]) -> list[Any]:
    hidden = {"test", "seconds", "cpu_seconds"}
    runs = (run for one in found.values() for run in one["runs"])
    return [{key: value for key, value in run.items() if key not in hidden} for run in runs]


def test_no_label_of_test_can_change_a_choice(tmp_path: Path) -> None:
    """Labels of test as they are, then all of them inverted: a choice by test would be inverted as well."""
    honest = fitted_set(write_set(tmp_path / "data", SMALL), tmp_path / "one")
    test = tmp_path / "data" / "test.csv"
    head, *rows = test.read_text().splitlines()
    turned = [f"{row[:-1]}{'10'[int(row[-1])]}" for row in rows]
    test.write_text("\n".join([head, *turned]) + "\n")
    other = fitted_set(tmp_path / "data", tmp_path / "two")
    assert choices(other) == choices(honest)
    for key, found in honest.items():
        values = [one["runs"][0]["test"]["mcc"] for one in (found, other[key])]
        assert values[0] == pytest.approx(-values[1])


def test_a_set_without_labels_of_test_is_all_that_is_fitted(tmp_path: Path) -> None:
    blind, test = blind_set(tmp_path)
    assert len(blind.splits["test"].labels) == 0
    assert blind.splits["test"].texts == ()
    assert blind.splits["test"].sequences == test.sequences
    assert len(test.labels) == 60


# -- runs -------------------------------------------------------------------------------------------


def test_what_is_done_is_kept_and_scored_anew(tmp_path: Path) -> None:
    data, output = write_set(tmp_path / "data", SMALL), tmp_path / "out"
    first = fitted_set(data, output)
    assert len(list((output / "data").rglob("*.parquet"))) == 5
    fitted = [path for name in ("dev", "predictions") for path in output.rglob(f"{name}.parquet")]
    kept = {path: path.stat().st_mtime_ns for path in fitted}
    record = baselines(find_tasks([data]), output, QUICK, seeds=[1, 2], device="cpu", resume=True)
    found = record["sets"][0]["baselines"]
    assert [run["seed"] for run in found["cnn"]["runs"]] == [1, 2]
    assert found["cnn"]["runs"][0] == first["cnn"]["runs"][0]
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    with pytest.raises(ArgumentError, match="aligned=True: the run to resume has"):
        fitted_set(data, output, resume=True, aligned=True)
    (output / "data" / "seed-1" / "fitted.json").write_text("{}")
    with pytest.raises(ArgumentError, match=r"fitted\.json: is damaged; remove .*seed-1 to fit this part"):
        fitted_set(data, output, resume=True)


def test_the_registry_knows_sets_of_one_strand() -> None:
    stranded = {one.name for one in gue_sets() if one.is_stranded}
    assert stranded == {
        *(f"prom_{part}_{kind}" for part in ("300", "core") for kind in ("all", "notata", "tata")),
        "splice_reconstructed",
    }
    assert stranded == {one.name for one in gue_sets() if one.is_aligned}


def test_the_command_says_what_it_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_set(tmp_path / "data", SMALL)
    command = ("baseline", "data", "--seeds", "1", "--device", "cpu", "--stranded", "-o", "out")
    assert run(*command) == 0
    out, err = capsys.readouterr()
    assert out.split()[:7] == ["set", "k-mer", "95", "%", "CNN", "95", "%"]
    assert "data: CNN baseline, seed 1" in err
    assert "| data |" in (tmp_path / "out" / "results.md").read_text()
    record = json.loads((tmp_path / "out" / "results.json").read_text())
    found = record["sets"][0]["baselines"]
    assert (found["kmers"]["stranded"], found["cnn"]["aligned"]) == (True, False)
    assert found["kmers"]["runs"][0]["parameters"] == 5_441
    assert run("info", "out") == 0
    assert "baselines" in capsys.readouterr().out
    assert run("report", "out", "-o", "report.html") == 0
    page = (tmp_path / "report.html").read_text()
    assert "averaged baseline" in page
    assert "Choices, each made on dev" in page
    (tmp_path / "out" / "results.json").unlink()
    assert run("info", "out") == 0
    assert "unfinished; genotok baseline --resume" in capsys.readouterr().out
    for part in ("out", "out/data", "out/data/seed-1"):
        assert run("report", part, "-o", "none.html") == 1
    assert "the run is not finished: genotok baseline with --resume" in capsys.readouterr().err
