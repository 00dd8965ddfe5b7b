"""Both strands, new encoders without a model, and the settings of their training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: the extra `train`")
pytest.importorskip("accelerate", reason="needs accelerate: the extra `train`")
pytest.importorskip("sklearn", reason="needs scikit-learn: the extra `train`")

from pyarrow import parquet  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

from genotok import Tokenizer  # noqa: E402
from genotok.errors import ArgumentError  # noqa: E402
from genotok.evaluation.problem import Problem  # noqa: E402
from genotok.finetune import Classifier, FinetuneConfig, find_tasks, finetune  # noqa: E402
from genotok.finetune.config import EARLIER  # noqa: E402
from genotok.finetune.data import TokenizedRows, TrainingRows, encode, task_data  # noqa: E402
from genotok.finetune.outputs import outputs_of  # noqa: E402
from genotok.finetune.shuffled import changed_by_shuffling, shuffled  # noqa: E402
from genotok.finetune.start import of_train  # noqa: E402
from genotok.finetune.train import fine_tune, smooth_loss  # noqa: E402
from genotok.gue import read_labelled  # noqa: E402
from genotok.model import EncoderConfig  # noqa: E402
from genotok.model.huggingface import DnaBert2Config, DnaBert2ForMaskedLM  # noqa: E402
from genotok.options.learning import ModelRunOptions  # noqa: E402
from genotok.tokenizer.special_ids import SpecialIds  # noqa: E402
from genotok.training.settings import configured, preset  # noqa: E402
from tests.support.labelled import write_set  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
QUICK: dict[str, Any] = {"epochs": 1, "evaluations": 2, "vocab": 32, "max_steps": 4}
SPECIAL = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


def other_strand(sequence: str) -> str:
    return sequence.translate(COMPLEMENT)[::-1]


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def motif(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = {"train": 80, "dev": 20, "test": 20}
    return write_set(tmp_path_factory.mktemp("sets") / "motif", rows, names="ab", length=30)


def tune(folder: Path, data: Path, model: Path | None = None, **changes: Any) -> dict[str, Any]:
    options = {key: changes.pop(key) for key in ("seeds", "resume", "stranded", "aligned") if key in changes}
    config = configured(FinetuneConfig, preset("genotok.finetune", "bases"), QUICK, changes)
    options = {"seeds": (1,), "with_baseline": False, **options}
    return finetune(find_tasks([data]), model, folder, config, device="cpu", threads=1, **options)


@pytest.fixture(scope="module")
def tuned(motif: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tuned") / "results"
    tune(folder, motif, seeds=(1, 2))
    return folder


def rows_of(path: Path) -> list[list[str]]:
    return [line.split(",") for line in path.read_text().splitlines()[1:]]


def config_of(results: Path, name: str = "motif") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((results / name / "model" / "config.json").read_text())
    return found


# -- strands ----------------------------------------------------------------------------------------


def test_a_row_and_its_reverse_complement_have_one_prediction(tuned: Path, tmp_path: Path) -> None:
    sequences = ["ACGTTGCATTAGGNCCAT", "TTTTTTTTTTTTACG", "GATTACA" * 9]
    for name, turn in (("as-is", str), ("turned", other_strand)):
        (tmp_path / f"{name}.csv").write_text("sequence\n" + "".join(f"{turn(one)}\n" for one in sequences))
        records = "".join(f">{number}\n{turn(one)}\n" for number, one in enumerate(sequences))
        (tmp_path / f"{name}.fa").write_text(records)
    model = Classifier(tuned / "motif" / "model", device="cpu")
    assert model.both_strands
    found = {}
    for path in sorted(tmp_path.glob("*.*")):
        model.predict(path, tmp_path / f"{path.name}.parquet")
        found[path.name] = parquet.read_table(tmp_path / f"{path.name}.parquet")["prob_a"].to_numpy()
    for each in found.values():
        np.testing.assert_allclose(each, found["as-is.csv"], atol=1e-6)
    model.both_strands = False
    model.predict(tmp_path / "as-is.csv", tmp_path / "one.parquet")
    one = parquet.read_table(tmp_path / "one.parquet")["prob_a"].to_numpy()
    assert np.abs(one - found["as-is.csv"]).max() > 1e-4


def test_test_is_predicted_as_predict_does(tuned: Path, motif: Path, tmp_path: Path) -> None:
    (found,) = json.loads((tuned / "results.json").read_text())["sets"]
    assert (found["both_strands"], found["base_position"]) == (True, False)
    best = max(found["runs"], key=lambda run: run["dev"]["mcc"])
    model = Classifier(tuned / "motif" / "model", device="cpu")
    model.predict(motif / "test.csv", tmp_path / "again.parquet")
    kept = parquet.read_table(tuned / "motif" / f"seed-{best['seed']}" / "predictions.parquet")
    again = parquet.read_table(tmp_path / "again.parquet")
    np.testing.assert_allclose(again["prob_a"].to_numpy(), kept["prob_a"].to_numpy(), atol=1e-6)
    assert model.evaluate(motif / "test.csv").scores.mcc == pytest.approx(best["test"]["mcc"])
    assert "a sequence and its reverse complement" in (tuned / "motif" / "model" / "README.md").read_text()


def test_sets_of_one_strand_are_read_as_they_are(motif: Path, tmp_path: Path) -> None:
    found = tune(tmp_path / "declared", motif, stranded=True)["sets"][0]
    assert found["both_strands"] is False
    assert config_of(tmp_path / "declared")["both_strands"] is False
    assert not Classifier(tmp_path / "declared" / "motif" / "model", device="cpu").both_strands
    known = tmp_path / "prom_core_tata"
    write_set(known, {"train": 40, "dev": 20, "test": 20})
    found = tune(tmp_path / "known", known)["sets"][0]
    assert (found["both_strands"], found["base_position"]) == (False, True)
    assert config_of(tmp_path / "known", "prom_core_tata")["base_position"] is True
    found = tune(tmp_path / "other", known, stranded=False, aligned=False)["sets"][0]
    assert (found["both_strands"], found["base_position"]) == (True, False)


def test_strands_are_drawn_for_each_row_and_epoch(motif: Path) -> None:
    tokenizer = Tokenizer.kmer(1, overlap=False, special_tokens=SPECIAL)
    rows = encode(tokenizer, read_labelled(motif / "train.csv"), both_strands=True)
    whole = [tokenizer.decode(one[1:-1]) for one in rows.ids]
    assert [tokenizer.decode(one[1:-1]) for one in rows.reverse] == [other_strand(one) for one in whole]
    rows = encode(tokenizer, read_labelled(motif / "train.csv"), 9, both_strands=True)
    assert {len(one) for one in (*rows.ids, *rows.reverse)} == {9}
    labelled = type(rows)(rows.ids, np.arange(len(rows)), 0, 0, rows.reverse)
    shown: dict[int, set[bool]] = {}
    first, again = TrainingRows(labelled, 800, 3), TrainingRows(labelled, 800, 3)
    for place in range(800):
        ids, row = first[place]
        shown.setdefault(int(row), set()).add(ids is rows.reverse[row])
    assert sum(len(one) == 2 for one in shown.values()) > 70  # of 80 in ten epochs
    for place in (750, 10, 799, 0):
        assert first[place][0] is again[place][0]
    plain = TrainingRows(type(rows)(rows.ids, labelled.labels, 0, 0), 80, 3)
    assert [plain[place][1] for place in range(80)] == [first[place][1] for place in range(80)]


def test_pairs_are_turned_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("sequence1,sequence2,label\nAACC,ACTT,0\n")
    tokenizer = Tokenizer.kmer(1, overlap=False, special_tokens=SPECIAL)
    found = encode(tokenizer, read_labelled(tmp_path / "x.csv"), both_strands=True)
    special = encode(tokenizer, read_labelled(tmp_path / "x.csv")).ids[0]
    text = tokenizer.decode(
        [number for number in found.reverse[0] if number not in {special[0], special[-1]}]
    )
    assert text == "GGTT" + "AAGT"


# -- without a model --------------------------------------------------------------------------------


def test_a_new_encoder_is_trained_on_labelled_sequences_alone(tmp_path: Path) -> None:
    data = tmp_path / "organism"
    data.mkdir()
    rows = []
    for name, label in (("lambda_phage", "phage"), ("yeast_chrI", "yeast")):
        bases = "".join((ROOT / "genomes" / f"{name}.fa").read_text().split("\n")[1:])
        rows += [f"{bases[at : at + 200]},{label}" for at in range(0, 12_000, 200)]
    order = np.random.default_rng(1).permutation(len(rows))
    for split, part in (("train", order[:80]), ("dev", order[80:100]), ("test", order[100:])):
        lines = ["sequence,label", *(rows[number] for number in part)]
        (data / f"{split}.csv").write_text("\n".join(lines) + "\n")
    record = tune(tmp_path / "results", data, epochs=4, max_steps=None, vocab=64)
    assert (record["model"], record["scratch"]) == ("tiny-1m-bases", True)
    assert record["config"]["vocab"] == 64
    (found,) = record["sets"]
    assert found["steps"] == 5
    model = Classifier(tmp_path / "results" / "organism" / "model", device="cpu")
    assert model.tokenizer.vocab_size == 64
    assert model.evaluate(data / "test.csv").scores.mcc == pytest.approx(found["mean"])
    manifest = json.loads((tmp_path / "results" / "organism" / "model" / "genotok.json").read_text())
    assert manifest["base"] is None
    said, known = manifest["metrics"], found["runs"][0]["test"]
    assert said["mcc"] == known["mcc"]
    assert said.items() <= known.items()


def test_the_vocabulary_is_of_train_alone(motif: Path, tuned: Path) -> None:
    settings = configured(FinetuneConfig, QUICK)
    start = of_train(read_labelled(motif / "train.csv"), settings, stranded=False, threads=1)
    kept = Classifier(tuned / "motif" / "model", device="cpu").tokenizer
    assert start.tokenizer.merges == kept.merges
    other = of_train(read_labelled(motif / "dev.csv"), settings, stranded=False, threads=1)
    assert other.tokenizer.merges != kept.merges
    assert start.encoder.base_features == "kmer+conv"


def test_results_of_a_resumed_run_are_the_same(tuned: Path, motif: Path, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    tune(folder, motif)
    both = tune(folder, motif, resume=True, seeds=(1, 2))
    whole = json.loads((tuned / "results.json").read_text())
    for one in (*both["sets"][0]["runs"], *whole["sets"][0]["runs"]):
        for name in ("seconds", "cpu_seconds"):
            one.pop(name)
    assert both["sets"] == whole["sets"]
    for name in ("seed-1/predictions.parquet", "seed-2/predictions.parquet"):
        tables = [parquet.read_table(place / "motif" / name) for place in (folder, tuned)]
        assert tables[0].equals(tables[1])
    weights = [(place / "motif" / "model" / "model.safetensors").read_bytes() for place in (folder, tuned)]
    assert weights[0] == weights[1]
    for changes in ({"vocab": 40}, {"strands": "one"}, {"encoder": "mini-5m-bases"}, {"stranded": True}):
        with pytest.raises(ArgumentError, match=f"{next(iter(changes))}=.*: the run to resume has"):
            tune(folder, motif, resume=True, **changes)


# -- settings ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model without base features whose pre-training had no dropout."""
    folder = tmp_path_factory.mktemp("plain")
    tokenizer = Tokenizer.kmer(2, overlap=False, special_tokens=SPECIAL)
    tokenizer.save(folder / "tokenizer.json")
    sizes = EncoderConfig.preset("tiny-1m", vocab_size=tokenizer.vocab_size, hidden_dropout=0.0)
    DnaBert2ForMaskedLM(DnaBert2Config(**sizes.to_published())).save_pretrained(folder)
    return folder


def test_dropout_is_that_of_fine_tuning(plain: Path, motif: Path, tmp_path: Path) -> None:
    tune(tmp_path / "own", motif, plain, max_steps=1)
    assert config_of(tmp_path / "own")["hidden_dropout_prob"] == 0.1
    tune(tmp_path / "kept", motif, plain, max_steps=1, dropout="none")
    assert config_of(tmp_path / "kept")["hidden_dropout_prob"] == 0.0


def test_pooling_and_places_are_settings(plain: Path, motif: Path, tmp_path: Path) -> None:
    tune(tmp_path / "mean", motif, plain, max_steps=1, pooling="mean+max")
    assert config_of(tmp_path / "mean")["pooling"] == "mean+max"
    again = tune(
        tmp_path / "again", motif, tmp_path / "mean" / "motif" / "model", max_steps=1, pooling="skip"
    )
    assert again["sets"][0]["steps"] == 1
    with pytest.raises(ArgumentError, match="base_position=True: the encoder has no features of bases"):
        tune(tmp_path / "places", motif, plain, base_position=True)
    assert not (tmp_path / "places").exists()
    tune(tmp_path / "aligned", motif, plain, max_steps=1, aligned=True)
    assert "base_position" not in config_of(tmp_path / "aligned")


def test_runs_of_earlier_versions_are_resumed_as_they_were(plain: Path, motif: Path, tmp_path: Path) -> None:
    def published(folder: Path, **changes: Any) -> Any:
        settings = {"strands": "one", "label_smoothing": 0.0, "schedule": "linear", "dropout": "none"}
        settings["layers"] = "none"
        return tune(folder, motif, plain, max_steps=1, **{**settings, **changes})

    folder = tmp_path / "results"
    published(folder)
    run = json.loads((folder / "run.json").read_text())
    new = {*EARLIER, "encoder", "vocab", "mask_share", "teacher_weight"}
    run["config"] = {key: value for key, value in run["config"].items() if key not in new}
    del run["teacher"]
    (folder / "run.json").write_text(json.dumps({**run, "stranded": None}))
    config = config_of(folder)
    del config["both_strands"]
    (folder / "motif" / "model" / "config.json").write_text(json.dumps(config))
    assert len(published(folder, resume=True, seeds=(1, 2))["sets"][0]["runs"]) == 2
    for changes in ({"dropout": 0.1}, {"strands": "both"}, {"schedule": "one-cycle"}):
        with pytest.raises(ArgumentError, match=f"{next(iter(changes))}=.*: the run to resume has"):
            published(folder, resume=True, **changes)


def test_lora_needs_a_model(motif: Path, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="lora: trains a model that is there"):
        tune(tmp_path / "results", motif, lora=True)
    assert not (tmp_path / "results").exists()


def test_training_stops_when_dev_is_no_longer_better(motif: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"max_steps": 12, "epochs": 20, "evaluations": 12, "patience": 1}
    found = tune(tmp_path / "results", motif, learning_rate=1e-8, **options)["sets"][0]["runs"][0]
    assert found["stopped_at"] == len(found["evaluations"]) < found["steps"] == 12
    assert found["best_step"] == found["stopped_at"] - 1


def test_smooth_labels_have_the_loss_of_their_shares() -> None:
    scores = torch.tensor([[1.0, -0.5, 0.2], [0.1, 0.0, 2.0]])
    shares = torch.tensor([[0.8, 0.1, 0.1], [0.1, 0.1, 0.8]])
    expected = -(shares * scores.log_softmax(1)).sum(1).mean()
    assert float(smooth_loss(scores, torch.tensor([0, 2]), 0.3)) == pytest.approx(float(expected))
    labels = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    smooth = labels * 0.8 + 0.1
    chance = scores.sigmoid()
    expected = -(smooth * chance.log() + (1 - smooth) * (1 - chance).log()).mean()
    found = smooth_loss(scores, labels, 0.2, exclusive=False)
    assert float(found) == pytest.approx(float(expected), rel=1e-5)


def test_one_cycle_rises_and_falls(motif: Path) -> None:
    settings = configured(FinetuneConfig, preset("genotok.finetune", "bases"), QUICK)
    splits, labels = find_tasks([motif])[0].read()
    start = of_train(splits["train"], settings, stranded=True, threads=1)
    problem = Problem(labels.type, labels.names)
    data = task_data(start.tokenizer, splits, problem, "mcc", None)
    run = ModelRunOptions(device="cpu")
    found = fine_tune(start.classifier(problem), data, settings, steps=10, run=run)
    rates = [one["learning_rate"] for one in found.log if "learning_rate" in one]
    assert len(rates) == 10
    assert max(rates) == pytest.approx(2e-3)
    assert rates[0] < rates[1] < rates[2] > rates[5] > rates[8] > rates[9]
    assert rates[9] < 1e-4


@pytest.mark.parametrize("kind", ["regression", "multilabel"])
def test_other_labels_are_learned_on_both_strands(tmp_path: Path, kind: str) -> None:
    data = tmp_path / "data"
    write_set(data, {"train": 40, "dev": 20, "test": 20})
    for path in data.glob("*.csv"):
        rows = [
            f"{one},{number % 7 + 0.5 if kind == 'regression' else ('x;y', 'y', '')[number % 3]}"
            for number, (one, _) in enumerate(rows_of(path))
        ]
        path.write_text("sequence,label\n" + "\n".join(rows) + "\n")
    config = configured(FinetuneConfig, preset("genotok.finetune", "bases"), QUICK)
    options: dict[str, Any] = {"problem_type": kind, "with_baseline": False, "seeds": (1,), "device": "cpu"}
    record = finetune(find_tasks([data]), None, tmp_path / "results", config, **options)
    kept = parquet.read_table(tmp_path / "results" / "data" / "seed-1" / "predictions.parquet")
    model = Classifier(tmp_path / "results" / "data" / "model", device="cpu")
    assert model.both_strands
    assert record["sets"][0]["both_strands"]
    model.predict(data / "test.csv", tmp_path / "again.parquet")
    again = parquet.read_table(tmp_path / "again.parquet")
    name = "predicted" if kind == "regression" else "prob_x"
    np.testing.assert_allclose(again[name].to_numpy(), kept[name].to_numpy(), rtol=1e-4)


def test_outputs_are_the_mean_of_both_strands(tuned: Path, motif: Path) -> None:
    model = Classifier(tuned / "motif" / "model", device="cpu")
    problem, device = Problem("classification", ("a", "b")), torch.device("cpu")
    rows = encode(model.tokenizer, read_labelled(motif / "test.csv"), both_strands=True)
    parts = [
        outputs_of(model._model, problem, type(rows)(ids, rows.labels, 0, 0), 3, 500, device)
        for ids in (rows.ids, rows.reverse)
    ]
    mean = outputs_of(model._model, problem, rows, 3, 500, device)
    np.testing.assert_array_equal(mean, (parts[0] + parts[1]) / 2)


def test_new_encoders_differ_in_one_thing(motif: Path, tmp_path: Path) -> None:
    task = find_tasks([motif])[0]
    common: dict[str, Any] = {"max_steps": 2, "epochs": 1, "evaluations": 1}
    bag = {"layers": 0, "pooling": "mean+max", "base_features": "none"}
    tune(tmp_path / "bag", motif, **common, **bag)
    assert changed_by_shuffling(tmp_path / "bag" / "motif" / "model", task, device="cpu") == 0
    found = tune(tmp_path / "none", motif, **common, token_identities=False, tokenizer="kmer:5:no-overlap")
    assert found["sets"][0]["vocab_size"] == 1035
    model = Classifier(tmp_path / "none" / "motif" / "model", device="cpu")
    words = load_file(tmp_path / "none" / "motif" / "model" / "model.safetensors")
    assert not words["bert.embeddings.word_embeddings.weight"].any()
    assert model.tokenizer.vocab_size == 1035
    for changes, said in (
        ({"token_identities": False, "base_features": "none"}, "base_features, and no pretrain_steps"),
        ({"tokenizer": "kmer:6"}, "its tokens overlap"),
        ({"tokenizer": "words"}, "bpe, bases or kmer"),
        ({"encoder": "tiny-1m", "alibi": "directional", "layers": -1}, "layers=-1"),
    ):
        with pytest.raises(ArgumentError, match=said):
            tune(tmp_path / "refused", motif, **{**common, **changes})


def test_shuffled_tokens_stay_between_special_ones() -> None:
    special = SpecialIds.of(Tokenizer.kmer(1))
    ids = special.around(np.arange(5, 9).repeat(20))
    rows = TokenizedRows([ids, ids], np.empty(0), 0, 0, [ids])
    found = shuffled(rows, special, seed=1)
    for one in (*found.ids, *found.reverse):
        assert sorted(one) == sorted(ids)
        assert (one[0], one[-1]) == (ids[0], ids[-1])
        assert (one != ids).any()
    assert (found.ids[0] != found.ids[1]).any()
