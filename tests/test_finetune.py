"""Fine-tuning learns what is there and nothing that is not, tells what it cut, and predicts afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: the extra `train`")
pytest.importorskip("accelerate", reason="needs accelerate: the extra `train`")
pytest.importorskip("peft", reason="needs peft: the extra `train`")
pytest.importorskip("sklearn", reason="needs scikit-learn: the extra `train`")

from pyarrow import parquet  # noqa: E402

from genotok import Tokenizer  # noqa: E402
from genotok.errors import ArgumentError, SequenceFileError  # noqa: E402
from genotok.evaluation.problem import Problem  # noqa: E402
from genotok.evaluation.results import lines  # noqa: E402
from genotok.finetune import Classifier, FinetuneConfig, find_tasks, finetune  # noqa: E402
from genotok.finetune.data import assemble, collate, encode  # noqa: E402
from genotok.finetune.train import classifier, outputs_of, steps_of  # noqa: E402
from genotok.gue import gue_set, read_labelled, read_splits  # noqa: E402
from genotok.gue.splits import with_train  # noqa: E402
from genotok.model import EncoderConfig  # noqa: E402
from genotok.model.huggingface import DnaBert2Config, DnaBert2ForMaskedLM  # noqa: E402
from genotok.model_folder.read import read_folder  # noqa: E402
from genotok.rows import Tokens  # noqa: E402
from genotok.run_records.schemas import FinetuneRecord  # noqa: E402
from genotok.tokenizer.special_ids import SpecialIds  # noqa: E402
from genotok.training.settings import configured, preset, presets  # noqa: E402
from tests.support.labelled import MOTIF, write_set  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
QUICK = {"learning_rate": 2e-3, "batch": 32, "warmup": 5, "epochs": 1, "max_steps": 4}


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small encoder with fresh weights and a tokenizer that has the motif as few tokens."""
    folder = tmp_path_factory.mktemp("model")
    source = folder / "motifs.fa"
    draw = np.random.default_rng(1)
    source.write_text("".join(f">{n}\n{''.join(draw.choice(list('ACGT'), 40))}{MOTIF}\n" for n in range(400)))
    Tokenizer.train(source, vocab_size=32).save(folder / "tokenizer.json")
    sizes = EncoderConfig.preset("tiny-1m", vocab_size=32, hidden_dropout=0.0)
    torch.manual_seed(0)
    DnaBert2ForMaskedLM(DnaBert2Config(**sizes.to_published())).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def motif(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_set(
        tmp_path_factory.mktemp("sets") / "motif",
        {"train": 600, "dev": 100, "test": 200},
        names="ab",
        length=30,
    )


def tune(folder: Path, model: Path, data: Path, **changes: Any) -> dict[str, Any]:
    options = {
        key: changes.pop(key) for key in ("seeds", "scratch", "resume", "with_baseline") if key in changes
    }
    config = configured(FinetuneConfig, QUICK, changes)
    options = {"seeds": (1,), "with_baseline": False, **options}
    return finetune(find_tasks([data]), model, folder, config, device="cpu", **options)


@pytest.fixture(scope="module")
def trained(model: Path, motif: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "results"
    tune(folder, model, motif, epochs=12, max_steps=200, seeds=(1, 2), with_baseline=True)
    return folder


@pytest.mark.slow
def test_a_motif_is_learned(trained: Path) -> None:
    (found,) = json.loads((trained / "results.json").read_text())["sets"]
    assert found["classes"] == ["a", "b"]
    assert found["mean"] > 0.5
    assert found["baselines"]["kmers"]["runs"][0]["test"]["mcc"] > 0.5
    assert [run["seed"] for run in found["baselines"]["average"]["runs"]] == [1, 2]
    assert found["cut"] == {"train": 0, "dev": 0, "test": 0}
    for one in found["runs"]:
        assert np.sum(one["test"]["confusion"]) == 200
        assert one["test"]["low"] <= one["test"]["mcc"] <= one["test"]["high"]
        assert one["dev"]["mcc"] == max(value for _, value, _ in one["evaluations"])


@pytest.mark.slow
def test_predictions_of_every_test_row_are_kept_and_said_again(
    trained: Path, motif: Path, tmp_path: Path
) -> None:
    (found,) = json.loads((trained / "results.json").read_text())["sets"]
    best = max(found["runs"], key=lambda run: run["dev"]["mcc"])
    kept = parquet.read_table(trained / "motif" / f"seed-{best['seed']}" / "predictions.parquet")
    assert kept.column_names == ["line", "label", "predicted", "prob_a", "prob_b"]
    tuned = Classifier(trained / "motif" / "model", device="cpu")
    report = tuned.predict(motif / "test.csv", tmp_path / "again.parquet")
    assert (report["rows"], report["cut"]) == (200, 0)
    again = parquet.read_table(tmp_path / "again.parquet")
    assert again["line"].to_pylist() == kept["line"].to_pylist() == list(range(2, 202))
    assert again["predicted"].to_pylist() == kept["predicted"].to_pylist()
    np.testing.assert_allclose(again["prob_a"].to_numpy(), kept["prob_a"].to_numpy(), atol=1e-6)
    assert tuned.evaluate(motif / "test.csv").scores.mcc == pytest.approx(best["test"]["mcc"])
    (tmp_path / "new.csv").write_text("id,sequence\n1,ACGTACGT\n2,acgtnnacgt\n")
    assert tuned.predict(tmp_path / "new.csv", tmp_path / "new.parquet")["rows"] == 2
    names = parquet.read_table(tmp_path / "new.parquet").column_names
    assert names == ["line", "id", "sequence", "predicted", "prob_a", "prob_b"]
    assert tuned.pairs is False
    (tmp_path / "odd.csv").write_text("sequence,label\nACGT,c\n")
    with pytest.raises(SequenceFileError, match=r"odd\.csv, line 2: label 'c'; one of a, b is expected"):
        tuned.evaluate(tmp_path / "odd.csv")


@pytest.mark.slow
def test_models_are_averaged_with_the_baselines_by_a_weight_from_dev(trained: Path) -> None:
    (found,) = json.loads((trained / "results.json").read_text())["sets"]
    runs = found["with_baselines"]["runs"]
    assert [run["seed"] for run in runs] == [1, 2]
    for run, model, floor in zip(runs, found["runs"], found["baselines"]["average"]["runs"], strict=True):
        place = trained / "motif"
        names = (f"seed-{run['seed']}", f"baselines/seed-{run['seed']}")

        def second(name: str, place: Path = place) -> np.ndarray:
            return parquet.read_table(place / name)["prob_b"].to_numpy()

        weight = run["weight_of_model"]
        one, other = second(f"{names[0]}/predictions.parquet"), second(f"{names[1]}/average.parquet")
        mixed = weight * one + (1 - weight) * other
        np.testing.assert_allclose(second(f"{names[0]}/with-baselines.parquet"), mixed, atol=1e-12)
        assert run["dev"]["mcc"] >= max(model["dev"]["mcc"], floor["dev"]["mcc"])
        labels = parquet.read_table(place / f"{names[0]}/predictions.parquet")["label"].to_pylist()
        right = np.mean((mixed > 0.5) == (np.array(labels) == "b"))
        assert run["test"]["accuracy"] == pytest.approx(right)
    record = FinetuneRecord.from_json(json.loads((trained / "results.json").read_text()))
    assert "averaged with the baselines" in " ".join(lines([record])[0].notes)


@pytest.mark.slow
def test_shuffled_labels_teach_nothing(model: Path, motif: Path, tmp_path: Path) -> None:
    data = tmp_path / "shuffled"
    data.mkdir()
    draw = np.random.default_rng(5)
    for path in motif.glob("*.csv"):
        head, *rows = path.read_text().splitlines()
        labels = draw.permutation([row.split(",")[1] for row in rows])
        rows = [f"{row.split(',')[0]},{label}" for row, label in zip(rows, labels, strict=True)]
        (data / path.name).write_text("\n".join([head, *rows]) + "\n")
    found = tune(tmp_path / "results", model, data, epochs=4, max_steps=75)
    assert abs(found["sets"][0]["mean"]) < 0.25


def test_padding_does_not_change_predictions(model: Path, motif: Path) -> None:
    problem = Problem("classification", ("a", "b"))
    network = classifier(read_folder(model), problem).eval()
    rows = encode(Tokenizer.from_file(model / "tokenizer.json"), read_labelled(motif / "test.csv"))
    device = torch.device("cpu")
    together = outputs_of(network, problem, rows, 3, 100_000, device)
    alone = outputs_of(network, problem, rows, 3, 1, device)
    np.testing.assert_allclose(together, alone, atol=1e-6)
    long = collate([(rows.ids[0], 0), (np.resize(rows.ids[1], 200), 0)], 3)
    with torch.inference_mode():
        found = network(input_ids=long["input_ids"], attention_mask=long["attention_mask"]).logits
    assert found[0].softmax(-1).numpy() == pytest.approx(alone[0], abs=1e-6)


def test_what_is_cut_is_told(model: Path, motif: Path, tmp_path: Path) -> None:
    found = tune(tmp_path / "results", model, motif, max_tokens=12)["sets"][0]
    assert found["max_tokens"] == 12
    assert found["cut"]["test"] > 100
    long = tmp_path / "long.csv"
    long.write_text(f"sequence,label\n{'ACGTTGCA' * 250_000},a\nACGT,b\n")
    tokenizer = Tokenizer.from_file(model / "tokenizer.json")
    rows = encode(tokenizer, read_labelled(long), 50)
    assert (rows.cut, len(rows.ids[0])) == (1, 50)
    assert encode(tokenizer, read_labelled(long)).lengths[0] > 500_000


def test_pairs_are_two_sequences_and_lose_both_ends(model: Path, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(f"sequence1,sequence2,label\n{'ACGA' * 9},{'TTGC' * 9},0\n")
    tokenizer = Tokenizer.from_file(model / "tokenizer.json")
    split = read_labelled(tmp_path / "x.csv")
    (ids,) = encode(tokenizer, split).ids
    first, second = tokenizer.encode("ACGA" * 9), tokenizer.encode("TTGC" * 9)
    assert ids.tolist() == [1, *first, 2, *second, 2]
    short = encode(tokenizer, split, 9)
    assert (short.ids[0].tolist(), short.cut) == ([1, *first[:3], 2, *second[:3], 2], 1)


@pytest.mark.parametrize("changes", [{"lora": True}, {"scratch": True}, {"choose_by": "loss"}])
def test_other_ways_to_train_run(model: Path, motif: Path, tmp_path: Path, changes: dict[str, Any]) -> None:
    found = tune(tmp_path / "results", model, motif, **changes)
    assert found["sets"][0]["runs"][0]["steps"] == 4
    Classifier(tmp_path / "results" / "motif" / "model", device="cpu").evaluate(motif / "dev.csv")


def test_seeds_that_are_done_are_kept(model: Path, motif: Path, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    first = tune(folder, model, motif)
    with pytest.raises(ArgumentError, match="is there already; --resume"):
        tune(folder, model, motif)
    with pytest.raises(ArgumentError, match="batch=16: the run to resume has 32"):
        tune(folder, model, motif, resume=True, batch=16)
    result = folder / "motif" / "seed-1" / "result.json"
    result.write_text(result.read_text().replace('"seconds"', '"marked": 1, "seconds"'))
    both = tune(folder, model, motif, resume=True, seeds=(1, 2))
    assert both["sets"][0]["runs"][0]["marked"] == 1
    assert len(both["sets"][0]["runs"]) == 2
    assert (folder / "motif" / "model" / "model.safetensors").exists()
    assert "| motif |" in (folder / "results.md").read_text()
    again = tune(tmp_path / "again", model, motif)
    for one in (first, again):
        for name in ("seconds", "cpu_seconds"):
            one["sets"][0]["runs"][0].pop(name)
    assert first["sets"] == again["sets"]


def test_a_set_without_train_is_trained_on_dev_and_marked(model: Path, motif: Path, tmp_path: Path) -> None:
    folder = tmp_path / "EMP" / "H3"
    write_set(folder, {"dev": 40, "test": 20})
    found = tune(tmp_path / "results", model, tmp_path)["sets"][0]
    assert (found["name"], found["rows"]) == ("emp_H3", {"dev": 6, "test": 20, "train": 34})
    assert "train is missing" in found["note"]
    splits, note = with_train(read_splits(motif)[0])
    assert note == ""
    assert set(splits) == {"train", "dev", "test"}
    parts, _ = with_train(read_splits(folder)[0])
    assert not set(parts["train"].lines.tolist()) & set(parts["dev"].lines.tolist())


def test_steps_are_epochs_up_to_a_limit() -> None:
    paper = configured(FinetuneConfig, preset("genotok.finetune", "published"))
    assert steps_of(paper, 6478, gue_set("mouse_0").settings) == 1000
    assert steps_of(paper, 11971, gue_set("emp_H3").settings) == -(-11971 * 3 // 32)
    assert steps_of(paper, 100, None) == 10
    assert (
        steps_of(configured(FinetuneConfig, {"epochs": 5, "batch": 10}), 100, gue_set("mouse_0").settings)
        == 50
    )
    for name in presets("genotok.finetune"):
        configured(FinetuneConfig, preset("genotok.finetune", name))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"batch": 0}, "batch=0"),
        ({"batch": 100, "micro_batch": 64}, "a multiple of micro_batch=64"),
        ({"choose_by": "luck"}, "one of metric, loss"),
        ({"max_tokens": 2}, "at least 4"),
        ({"lora_dropout": 1.0}, "a share"),
    ],
)
def test_settings_are_checked(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        configured(FinetuneConfig, changes)


def test_folders_that_hold_no_model_are_named(model: Path, motif: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"config\.json"):
        Classifier(tmp_path)
    with pytest.raises(ArgumentError, match="is no classifier: its weights lack"):
        Classifier(model)
    (tmp_path / "bad").mkdir()
    for name in ("config.json", "tokenizer.json"):
        (tmp_path / "bad" / name).write_bytes((model / name).read_bytes())
    (tmp_path / "bad" / "model.safetensors").write_bytes(b"\x80\x04cos\nsystem\n")
    with pytest.raises(ArgumentError, match="bad"):
        Classifier(tmp_path / "bad")
    with pytest.raises(ArgumentError, match="bad"):
        tune(tmp_path / "results", tmp_path / "bad", motif)


@pytest.mark.parametrize(("max_tokens", "cut"), [(None, 0), (5, 0), (4, 1)])
def test_a_row_that_fits_is_not_cut(max_tokens: int | None, cut: int) -> None:
    special = SpecialIds(0, 1, 2, 3, 4, (0, 1, 2, 3, 4), 9, (1,), (2,), None)
    rows = Tokens(np.array([5, 6, 7, 8]), np.array([0, 3, 4]))
    ids, number = assemble(special, [rows], max_tokens)
    kept = 3 - cut
    assert [row.tolist() for row in ids] == [[1, *[5, 6, 7][:kept], 2], [1, 8, 2]]
    assert number == cut


def test_shares_of_masks_and_of_a_teacher_may_be_all() -> None:
    config = FinetuneConfig(mask_share=1.0, teacher_weight=1.0)
    assert (config.mask_share, config.teacher_weight) == (1, 1)
    for name in ("mask_share", "teacher_weight"):
        with pytest.raises(ArgumentError, match=f"{name}=1.5: a share from 0 to 1"):
            FinetuneConfig(**{name: 1.5})
