"""The sections of models: what is drawn, marked and said of runs, sets, seeds, intervals and ties."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from genotok.compare.table import comparison_rows, comparison_summary
from genotok.evaluation.results import markdown
from genotok.report import page, read_records
from genotok.report.canvas import Axis
from genotok.report.estimates import forests
from genotok.report.finetuning import finetuning_section
from genotok.report.forest import MAX_ROWS, Estimate, Estimates, forest
from genotok.report.plots import Level, Series, lines, stems
from genotok.report.pretraining import pretraining_section
from genotok.report.records import FoundRecord
from genotok.report.studies import study_section
from genotok.report.training_log import MAX_POINTS, curve
from genotok.run_records.schemas import ComparisonRecord, FinetuneRecord
from tests.support.page import Page
from tests.support.records import HOSTILE, study
from tests.support.run_folders import (
    compared_of,
    finetuned_of,
    set_of,
    write_comparison,
    write_finetuning,
    write_pretraining,
)


def found(data: dict[str, Any], kind: str = "gue") -> FoundRecord:
    return FoundRecord("results", "results", kind, data)


# -- plots draw what is -----------------------------------------------------------------------------


def test_a_single_point_is_a_marker_and_no_point_is_said() -> None:
    plot = lines("one", [Series("point", [6], [1.0]), Series("none", [], [])], Axis("x"), Axis("y"))
    assert plot.svg.count("var(--s1)") >= 1
    assert [key.note for key in plot.series] == ["", "no data"]


def test_no_series_hides_another() -> None:
    same = [Series(name, [1, 2, 3], [4, 5, 6]) for name in ("below", "above")]
    plot = lines("same", [*same, Series("other", [1, 2, 3], [4, 5, 7])], Axis("x"), Axis("y"))
    assert [key.note for key in plot.series] == ["", "the same values as below", ""]
    wide = {part.split('"')[0] for part in plot.svg.split('stroke-width="')[1:]}
    assert {"4.6", "3", "1.4"} <= wide  # each is wider than the ones that are drawn over it
    points = lines("points", [Series(name, [6], [1.0]) for name in "ab"], Axis("x"), Axis("y"))
    assert points.svg.index("var(--s1)") < points.svg.index("var(--s2)")


def test_six_mers_have_one_length_and_one_number_of_tokens() -> None:
    """Both are points: no line leads to them."""
    record = study()
    for one in record["curves"]:
        one["genome"], one["tokenizer"] = "one", "kmer:6"
    record["genomes"], record["measures"] = record["genomes"][:1], record["measures"][:2]
    place = {"tokenizer": "kmer:6", "genome": "one"}
    record["curves"] = [
        {**place, "kind": "token length", "x": [6], "y": [1.0]},
        {**place, "kind": "tokens per window", "window": 2000, "x": [0, 50, 100], "y": [1995, 1995, 1995]},
    ]
    plots = {each.caption: each.svg for each in study_section(found(record)).figures}
    windows = next(svg for caption, svg in plots.items() if "tokens per window" in caption)
    lengths = plots["one: token lengths"]
    for svg in (windows, lengths):
        lines_drawn = [part for part in re.findall(r"<path [^>]*>", svg) if 'stroke-width="1.4"' in part]
        assert not [part for part in lines_drawn if "L" in part.partition(' d="')[2].partition('"')[0]]
        assert "<use" in svg


def test_whole_numbers_of_a_wide_range_have_a_logarithmic_axis() -> None:
    narrow = stems("lengths", [Series("a", [1, 6], [0.5, 0.5])], Axis("bases"), Axis("%"))
    wide = stems("lengths", [Series("a", [1, 60], [0.5, 0.5])], Axis("bases"), Axis("%"))
    assert ">6</text>" in narrow.svg
    assert ">50</text>" in wide.svg
    assert "<use" in stems("odd", [Series("a", [0, 1e15], [0.5, 0.5])], Axis("bases"), Axis("%")).svg


def test_values_that_a_logarithmic_axis_lacks_are_drawn_on_a_plain_one() -> None:
    plot = lines("zero", [Series("a", [1, 2], [0.0, 5.0])], Axis("x", log=True), Axis("y", log=True))
    assert ">0</text>" in plot.svg


def test_levels_are_in_the_legend() -> None:
    plot = lines(
        "l", [Series("a", [1], [1.0])], Axis("x"), Axis("y"), levels=[Level("unigram baseline", 2.0)]
    )
    assert plot.series[-1].name == "unigram baseline"


def test_a_forest_has_seeds_intervals_and_references() -> None:
    rows = [f"set {number}" for number in range(MAX_ROWS + 1)]
    one = Estimates("model", tuple(Estimate(50.0, 40.0, 60.0, (45.0, 55.0)) for _ in rows))
    none = Estimates("nothing", tuple(None for _ in rows))
    known = Estimates("paper", (Estimate(70.0), *(None for _ in rows[1:])), is_reference=True)
    first, second = forest("all", rows, [one, none, known], Axis("%"))
    assert [(key.name, key.note) for key in first.series] == [
        ("model", ""),
        ("nothing", "no data"),
        ("paper", ""),
    ]
    assert [key.name for key in second.series] == ["model", "nothing"]
    assert "(2 of 2)" in second.caption
    assert "small circles: seeds" in first.note
    alone = forest("alone", rows[:1], [one], Axis("%"))[0]
    bare = forest("alone", rows[:1], [Estimates("model", (Estimate(50.0),))], Axis("%"))[0]
    assert alone.svg.count("var(--s1)") > bare.svg.count("var(--s1)")


# -- fine-tuning ------------------------------------------------------------------------------------


def test_a_finetuning_is_summed_up_drawn_and_tabled(tmp_path: Path) -> None:
    section = finetuning_section(read_records([str(write_finetuning(tmp_path / "results"))])[0])
    assert section.summary.startswith(
        "model on 2 sets: beyond the intervals better than the k-mer baseline on 0, "
    )
    assert [one.label for one in section.headlines] == ["model: MCC, %", "k-mer baseline: MCC, %"]
    captions = [each.caption for each in section.figures]
    assert captions == ["Test split: each set", "organism: evaluations on dev", "mouse_0: evaluations on dev"]
    names = [key.name for key in section.figures[0].series]
    assert names == ["model", "k-mer baseline", "DNABERT-2, published", "NT-2500M-multi, published"]
    matrix = next(table for table in section.tables if "confusion matrix" in table.caption)
    assert [cell.text for cell in matrix.rows[0]] == ["phage", "46 (66 %)", "24 (34 %)"]
    assert matrix.fold == "organism: single classes"


@pytest.mark.parametrize(("value", "verdict"), [(0.5, "do not differ"), (0.1, "differ")])
def test_a_single_set_is_summed_up_with_its_interval(value: float, verdict: str) -> None:
    section = finetuning_section(found(finetuned_of([set_of("organism", [value])])))
    low, high = 100 * value - 10, 100 * value + 10
    assert section.summary.strip() == (
        f"model on organism: MCC {100 * value:.1f} % (95 % interval {low:.1f}–{high:.1f}), "
        f"k-mer baseline 69.0 % (59.0–79.0): they {verdict} beyond the intervals."
    )


def test_ties_are_marked_alike() -> None:
    """What does not differ from the best beyond the intervals is as bold as the best."""
    record = finetuned_of([set_of("organism", [0.68, 0.70], 0.69), set_of("other", [0.1, 0.1], 0.69)])
    rows = finetuning_section(found(record)).tables[0].rows
    assert [cell.strong for cell in rows[0]][1:5] == [True, False, True, False]
    assert [cell.strong for cell in rows[1]][1:5] == [False, False, True, False]
    table = markdown([FinetuneRecord.from_json(record)]).splitlines()
    assert table[2].startswith("| organism | **69.0** | **69.0 ± 1.4** |")
    assert table[3].startswith("| other | **69.0** | 10.0 ± 0.0 |")


@pytest.mark.parametrize(
    ("metric", "test", "unit"),
    [
        ("pearson", {"pearson": 0.8, "rmse": 1.5, "intervals": {"pearson": [0.7, 0.9]}}, "Pearson"),
        ("rmse", {"rmse": 153.2, "intervals": {}}, "RMSE, in the unit of the labels"),
        (
            "map",
            {"map": 0.5, "precision": [0.5], "f1_of_label": [0.1], "average_precision": [None]},
            "mAP, %",
        ),
    ],
)
def test_other_problems_than_classes_have_a_page(metric: str, test: dict[str, Any], unit: str) -> None:
    one = set_of("expression", [0.5, 0.6], None)
    one |= {"metric": metric, "classes": [], "problem_type": "regression"}
    for run in one["runs"]:
        value = test[metric]
        run["test"] = {**test, "low": 0.9 * value, "high": 1.1 * value}
    (plot,) = forests("all", {"model": FinetuneRecord.from_json(finetuned_of([one]))})
    assert unit in plot.svg
    text = Page(page([found(finetuned_of([one]))])).text
    assert "expression" in text


def test_many_classes_have_figures_and_no_matrix() -> None:
    one = set_of("species", [0.5], None)
    one["classes"] = [f"class {number}" for number in range(20)]
    test = one["runs"][0]["test"]
    test["confusion"] = [[1] * 20 for _ in range(20)]
    test |= {key: [0.5] * 20 for key in ("precision", "recall", "f1_of_class")}
    tables = finetuning_section(found(finetuned_of([one]))).tables
    assert [table.caption for table in tables[1:]] == ["species, model: figures of each class"]
    assert len(tables[1].rows) == 20


@pytest.mark.parametrize("count", [2, 130])
def test_any_number_of_finetunings(tmp_path: Path, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("genotok.report.page"), "MAX_DETAILED", 2)  # eight take longer
    for number in range(count):
        folder = tmp_path / f"run-{number}"
        folder.mkdir()
        record = finetuned_of([set_of("organism", [0.5, 0.6])], f"model-{number}")
        (folder / "results.json").write_text(json.dumps(record))
    text = Page(page(read_records([str(tmp_path)]))).text
    assert f"{count} runs of fine-tuning, {count} results." in text
    assert all(f"run-{number}" in text for number in range(count))


# -- comparisons ------------------------------------------------------------------------------------


def test_equal_tokenizers_are_level() -> None:
    record = ComparisonRecord.from_json(compared_of({"one": [0.5, 0.5], "other": [0.5, 0.5]}))
    assert comparison_summary(record) == "Ahead on 2 sets: one and other level on 2."
    assert [row.best for row in comparison_rows(record) if row.is_set] == [{0, 1, 2}, {0, 1, 2}]
    three = ComparisonRecord.from_json(compared_of({"one": [0.9], "other": [0.9], "third": [0.1]}))
    mean = comparison_rows(three)[-1]
    assert mean.best == {0, 1}
    clear = ComparisonRecord.from_json(compared_of({"one": [0.9], "other": [0.5]}))
    assert comparison_summary(clear) == (
        "Ahead on 2 sets: one on 2, of which 2 beyond the intervals of all others."
    )


def test_a_comparison_draws_its_tokenizers_together(tmp_path: Path) -> None:
    text = Page(page(read_records([str(write_comparison(tmp_path / "compared"))]))).text
    for part in (
        "Test split: each set",
        "Held-out sequences: bits per base",
        "Pre-training: bits per base of held-out sequences",
        "Pre-training: masked-token accuracy",
        "unigram baseline",
        "All encoders see the same windows.",
    ):
        assert part in text


def test_a_record_of_tokenizers_of_any_number() -> None:
    for count in (1, 20):
        record = compared_of({f"t{number} {HOSTILE}": [0.5] for number in range(count)})
        source = page([found(record, "models")])
        assert HOSTILE not in source
        assert (f"({count + 1 - 18} more are in the table)" in source) == (count > 17)


# -- pre-training -----------------------------------------------------------------------------------


def test_curves_stand_beside_the_unigram_baseline(tmp_path: Path) -> None:
    section = pretraining_section(read_records([str(write_pretraining(tmp_path / "model"))])[0])
    loss, bits = section.figures[:2]
    assert [key.name for key in loss.series] == ["training", "held-out sequences", "unigram baseline"]
    assert [key.name for key in bits.series] == ["model", "unigram baseline", "uniform guessing of bases"]
    assert "about 2,014 tokens each" in loss.svg
    assert section.headlines[0].note == "unigram baseline 2.072"
    assert any("228 masked tokens" in caveat for caveat in section.caveats)
    assert dict(section.facts)["resumed at"] == "step 20"


def test_overlapping_tokens_carry_their_caveat(tmp_path: Path) -> None:
    folder = write_pretraining(tmp_path / "model", mask_span=6)
    section = pretraining_section(read_records([str(folder)])[0])
    assert any(caveat.startswith("6 neighbouring tokens are masked together") for caveat in section.caveats)


def test_a_long_log_is_drawn_as_means() -> None:
    log = [{"step": step, "loss": 1.0 + step % 2} for step in range(1, 20_001)]
    line = curve({"log": log}, "loss", "training")
    assert len(line.x) == MAX_POINTS
    assert set(line.y) == {1.5}
