"""`genotok report` on any folder: runs that ended, go on or were killed; many of them; what is not ours."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from genotok import ArgumentError
from genotok.cli import app
from genotok.report import make_page, page, pretraining, read_records
from genotok.report.tables import Figure
from tests.support.page import Page
from tests.support.records import HOSTILE, write_records
from tests.support.run_folders import (
    write_comparison,
    write_finetuning,
    write_model,
    write_pretraining,
)

Runner = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Runner:
    """`genotok report` with these words, in the folder of the test."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("sys.argv", ["genotok", "report", *words])
        code = app._run()
        return subprocess.CompletedProcess(words, int(code or 0), *capsys.readouterr())

    return run


def kinds(folder: Path) -> list[tuple[str, str]]:
    """Kind and name of each record that is found."""
    return [(each.kind, each.name) for each in read_records([str(folder)])]


def text_of(*paths: Path) -> str:
    return Page(page(read_records(list(map(str, paths))))).text


# -- what is found ----------------------------------------------------------------------------------


def test_each_folder_is_one_record(tmp_path: Path) -> None:
    assert kinds(write_pretraining(tmp_path / "model")) == [("pretrain", "model")]
    assert kinds(write_finetuning(tmp_path / "results")) == [("gue", "results")]
    assert kinds(write_comparison(tmp_path / "compared")) == [("models", "compared")]
    assert kinds(write_model(tmp_path / "plain")) == [("model", "plain")]
    assert kinds(tmp_path / "model" / "tokens") == [("genotok shards", "tokens")]
    assert kinds(tmp_path / "results" / "organism") == [("gue", "organism")]
    assert kinds(tmp_path / "results" / "organism" / "seed-2") == [("gue", "seed-2")]
    assert kinds(tmp_path / "results" / "organism" / "model") == [("model", "model")]


def test_a_folder_of_folders_is_searched(tmp_path: Path) -> None:
    write_pretraining(tmp_path / "a" / "deep" / "model")
    write_finetuning(tmp_path / "b" / "results")
    write_finetuning(tmp_path / "a" / "deep" / "model" / "results")
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("not ours")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "x.json").write_text("{")
    write_records(tmp_path / "records")
    found = kinds(tmp_path)
    assert [one for one in found if one[0] in {"gue", "pretrain"}] == [
        ("gue", "a/deep/model/results"),
        ("gue", "b/results"),
        ("gue", "records/gue.json"),
        ("pretrain", "a/deep/model"),
    ]
    assert ("study", "records/study.json") in found
    assert len(found) == 3 + 11


def test_a_file_of_a_run_stands_for_the_run(tmp_path: Path) -> None:
    write_pretraining(tmp_path / "model")
    write_finetuning(tmp_path / "results")
    for name in ("log.jsonl", "pretrain.json", "run.json"):
        assert kinds(tmp_path / "model" / name) == [("pretrain", "model")]
    assert kinds(tmp_path / "results" / "results.json") == [("gue", "results")]
    both = read_records([str(tmp_path / "model"), str(tmp_path / "model" / "log.jsonl"), str(tmp_path)])
    assert [each.kind for each in both] == ["gue", "pretrain"]


def test_runs_of_one_name_are_told_apart(tmp_path: Path) -> None:
    one, other = write_model(tmp_path / "a" / "model"), write_model(tmp_path / "b" / "model")
    names = {each.name for each in read_records([str(one), str(other)])}
    assert names == {str(one), str(other)}


@pytest.mark.parametrize("count", [1, 2, 130])
def test_any_number_of_runs(
    tmp_path: Path, report: Runner, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_module("genotok.report.page"), "MAX_DETAILED", most := 3)  # eight take longer
    for number in range(count):
        folder = write_pretraining(tmp_path / "runs" / f"run-{number}", finished=False, steps=16)
        (folder / "log.jsonl").write_text('{"step": 16, "loss": 5.0}\n')
    done = report("runs")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"report.html: {count} record")
    source = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert all(f"run-{number}" in source for number in range(count))
    detailed = source.count('Pre-training <span class="source">')
    assert detailed == min(count, most)
    assert ("more records of this kind have no section" in source) == (count > most)
    assert ("Pre-training: all runs" in source) == (count > 1)


def test_encoded_sequences_and_trained_tokenizers_are_told_of(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    begun.mkdir()
    (begun / "unfinished.jsonl").write_text('{"format": "arrow", "inputs": ["yeast.fa"]}\n{"inp')
    (begun / "tokenizer.json").write_text('{"version": "1.0", "added_tokens": [], "model": {}}')
    assert kinds(begun) == [("genotok shards", "begun")]
    assert "not finished; genotok encode with --resume continues it" in text_of(begun)
    training = {
        "vocab_size": 512,
        "merges": 503,
        "rounds": 8,
        "fingerprint": "78",
        "stopped": "vocabulary full",
    }
    (tmp_path / "training.json").write_text(json.dumps({**training, "longest_tokens": [HOSTILE]}))
    assert "512 tokens, 503 merges; stopped: vocabulary full." in text_of(tmp_path / "training.json")
    (tmp_path / "check.json").write_text('{"clean": true, "strict": false, "files": []}')
    with pytest.raises(ArgumentError, match="output of genotok check"):
        text_of(tmp_path / "check.json")


def test_nothing_is_an_error_in_one_line(tmp_path: Path, report: Runner) -> None:
    (tmp_path / "empty" / "deeper").mkdir(parents=True)
    (tmp_path / "tokenizer.json").write_text('{"version": "1.0", "added_tokens": [], "model": {}}')
    (tmp_path / "predictions.parquet").write_bytes(b"PAR1\xe0\xff")
    (tmp_path / "old.html").write_text("<!doctype html>")
    for name, part in (
        ("empty", "holds no record"),
        ("tokenizer.json", "genotok info shows it"),
        ("predictions.parquet", "not a record"),
        ("old.html", "not a record"),
        ("missing", "No such file"),
    ):
        done = report(name)
        assert done.returncode != 0
        assert name in done.stderr
        assert part in done.stderr
        assert done.stderr.count("\n") == 1
    assert not (tmp_path / "report.html").exists()


# -- runs that did not end --------------------------------------------------------------------------


def test_a_killed_pretraining_is_shown_as_far_as_it_went(tmp_path: Path) -> None:
    text = text_of(write_pretraining(tmp_path / "model", finished=False, steps=16))
    assert "step 16 of 40 is the last that was logged" in text
    assert "--resume continues it from step 16" in text
    assert "1 lines of the log could not be read" in text
    assert "Evaluations on held-out sequences" in text


def test_a_run_that_goes_on_is_called_running(tmp_path: Path) -> None:
    folder = write_pretraining(tmp_path / "model", finished=False, steps=16)
    before = sorted(os.listdir(folder))
    with (folder / ".genotok-folder.lock").open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert "running: step 16 of 40" in text_of(folder)
    assert "not finished: step 16 of 40" in text_of(folder)
    assert set(os.listdir(folder)) == {*before, ".genotok-folder.lock"}


def test_a_run_without_a_step_has_a_page(tmp_path: Path) -> None:
    folder = write_pretraining(tmp_path / "model", finished=False)
    (folder / "log.jsonl").unlink()
    assert "step 0 of 40" in text_of(folder)


def test_a_finetuning_that_was_stopped_shows_the_sets_that_are_there(tmp_path: Path) -> None:
    folder = write_finetuning(tmp_path / "results", finished=False)
    text = text_of(folder)
    assert "organism" in text
    assert "The run is not finished" in text
    (one,) = read_records([str(folder)])
    assert [each["name"] for each in one.data["sets"]] == ["organism"]
    for path in (folder / "organism").glob("seed-*/result.json"):
        path.unlink()
    assert "no result yet" in text_of(folder)


def test_a_comparison_that_was_stopped_shows_its_runs(tmp_path: Path) -> None:
    folder = write_comparison(tmp_path / "compared", finished=False)
    found = read_records([str(folder)])
    assert sorted((each.kind, each.name) for each in found if not each.why) == [
        ("gue", "bpe/results"),
        ("pretrain", "bpe/model"),
        ("pretrain", "kmer-6/model"),
        ("unfinished comparison", "compared"),
    ]
    assert "genotok compare with --resume continues it" in text_of(folder)


# -- what cannot be trusted -------------------------------------------------------------------------


def test_a_damaged_file_among_others_is_named(tmp_path: Path, report: Runner) -> None:
    write_pretraining(tmp_path / "all" / "model")
    (tmp_path / "all" / "broken.json").write_text('{"kind": "gue", "x": NaN}')
    (tmp_path / "all" / "list.json").write_text("[1]")
    (tmp_path / "all" / "half.json").write_text('{"kind": "gue", "sets": 3}')
    done = report("all", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["not_shown"] == ["broken.json", "list.json", "half.json"]
    assert done.stderr.count("\n") == 3
    text = Page((tmp_path / "report.html").read_text(encoding="utf-8")).text
    assert all(name in text for name in ("broken.json", "list.json", "half.json", "NaN"))
    with pytest.raises(ArgumentError, match=r"half\.json"):
        page(read_records([str(tmp_path / "all" / "half.json"), str(tmp_path / "all" / "model")]))


ODD = (None, True, -1, 10**400, 1e308, "x", HOSTILE, [], [[]], {}, {"a": {}}, [None, "x", {"step": "x"}])


@pytest.mark.parametrize("name", ["run.json", "pretrain.json", "config.json"])
def test_hostile_values_in_a_run_are_shown_or_refused(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each value of a file is replaced by odd ones: a page, or one line that names the folder."""
    monkeypatch.setattr(pretraining, "lines", lambda *_, **__: Figure("not drawn here", ""))
    folder = write_pretraining(tmp_path / "model", finished=name != "run.json")
    record = json.loads((folder / name).read_text(encoding="utf-8"))
    for key in record:
        for value in ODD if key in {"config", "id2label"} else ODD[::3]:
            (folder / name).write_text(json.dumps({**record, key: value}))
            try:
                source = page(read_records([str(folder)]))
            except ArgumentError as error:
                assert "model" in str(error)  # noqa: PT017
                assert "\n" not in str(error)  # noqa: PT017
            else:
                assert HOSTILE not in source
                assert source.count("<script") == 1


def test_hostile_values_in_a_log_are_not_drawn(tmp_path: Path) -> None:
    folder = write_pretraining(tmp_path / "model")
    keys = ("step", "loss", "eval_loss", "eval_bits_per_base", "learning_rate")
    with (folder / "log.jsonl").open("a", encoding="utf-8") as file:
        for key in keys:
            for value in (*ODD, "nan", -1e99):
                file.write(json.dumps({"step": 41, "eval_loss": 5.0, key: value}) + "\n")
    source = page(read_records([str(folder)]))
    assert HOSTILE not in source
    assert source.count("<script") == 1
    assert "values that are not finite, from step 41" in source


def test_names_of_folders_stay_text(tmp_path: Path) -> None:
    folder = write_finetuning(tmp_path / "<b>bold<b>")
    source = page(read_records([str(folder)]))
    assert "<b>bold" not in source
    assert "&lt;b&gt;bold" in source


def test_a_page_does_not_depend_on_the_order_of_the_paths(tmp_path: Path) -> None:
    one, other = write_pretraining(tmp_path / "a"), write_finetuning(tmp_path / "b")
    first = make_page(read_records([str(one), str(other)]))
    assert first.html == make_page(read_records([str(other), str(one)])).html
    assert first.shown == 2
