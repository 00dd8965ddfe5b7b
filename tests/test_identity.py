"""Identities: what a run, a checkpoint or a folder was made of is compared, and what changed is said."""

from __future__ import annotations

import json
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs torch: the extra `train`")
pytest.importorskip("accelerate", reason="needs accelerate: the extra `train`")

from transformers import AutoTokenizer  # noqa: E402

from genotok import Tokenizer  # noqa: E402
from genotok.cli.kinds import recognise  # noqa: E402
from genotok.dataset.encode import encode  # noqa: E402
from genotok.embedding import Embedder  # noqa: E402
from genotok.errors import ArgumentError  # noqa: E402
from genotok.files import identity  # noqa: E402
from genotok.finetune import Classifier, FinetuneConfig, find_tasks, finetune  # noqa: E402
from genotok.model.huggingface import DnaBert2ForSequenceClassification  # noqa: E402
from genotok.model_folder.read import read_folder  # noqa: E402
from genotok.pretrain import PretrainConfig, pretrain  # noqa: E402
from genotok.training.settings import configured  # noqa: E402
from tests.support.labelled import write_set  # noqa: E402

VOCAB = 40
PRETRAIN = configured(
    PretrainConfig,
    {"encoder": "tiny-1m", "steps": 3, "warmup": 0, "batch": 4, "micro_batch": 4, "max_tokens": 32},
    {"save_every": 1, "log_every": 1, "evaluate_every": 3, "evaluate_sequences": 4, "learning_rate": 1e-3},
)
FINETUNE = FinetuneConfig(max_steps=1, warmup=0, batch=4, evaluations=1)


pytestmark = pytest.mark.usefixtures("one_thread")


def genome(path: Path, seed: int) -> Path:
    path.write_text(f">chr{seed}\n" + "".join(random.Random(seed).choices("ACGT", k=6000)) + "\n")
    return path


class Stop(Exception):  # noqa: N818 - no error
    """Ends a run."""


def stop_at(step: int) -> Callable[[dict[str, Any]], None]:
    def stop(event: dict[str, Any]) -> None:
        if event.get("step") == step:
            raise Stop

    return stop


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two genomes, their tokenizers of equal size, a stopped pre-training, and a tuned model."""
    place = tmp_path_factory.mktemp("made")
    for seed, name in enumerate(("one", "other"), 1):
        source = genome(place / f"{name}.fa", seed)
        Tokenizer.train(source, vocab_size=VOCAB).save(place / f"{name}.json")
    options = {"tokenizer": str(place / "one.json"), "device": "cpu"}
    with pytest.raises(Stop):
        pretrain([str(place / "one.fa")], place / "stopped", PRETRAIN, progress=stop_at(2), **options)
    shutil.copytree(place / "stopped", place / "model")
    pretrain([str(place / "one.fa")], place / "model", PRETRAIN, resume=True, **options)
    write_set(place / "set", {"train": 8, "dev": 4, "test": 4})
    tune(place, place / "model", place / "results")
    return place


def tune(place: Path, model: Path, output: Path, sets: tuple[str, ...] = ("set",), **options: Any) -> Any:
    tasks = find_tasks([place / name for name in sets])
    options = {"seeds": [1], "with_baseline": False, "device": "cpu", **options}
    return finetune(tasks, model, output, FINETUNE, **options)


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil; it is another folder, so content decides already."""
    return shutil.copytree(made, tmp_path / "copy")


def resume(place: Path, source: str = "one.fa", tokenizer: str = "one.json", **options: Any) -> Any:
    return pretrain(
        [str(place / source)],
        place / "stopped",
        PRETRAIN,
        tokenizer=str(place / tokenizer),
        device="cpu",
        resume=True,
        **options,
    )


def refused(call: Callable[[], object], *said: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        call()
    assert len(str(caught.value).splitlines()) == 1
    for one in said:
        assert one in str(caught.value)


# -- pre-training -----------------------------------------------------------------------------------


def test_a_run_is_resumed_with_the_same_contents_under_other_names(place: Path) -> None:
    run = json.loads((place / "stopped" / "run.json").read_text())
    assert {"tokenizer", "tokens"} <= run["digests"].keys()
    (place / "one.fa").rename(place / "renamed.fa")
    assert resume(place, "renamed.fa")["resumed_at"] == 1
    same = (place / "stopped" / "model.safetensors").read_bytes()
    assert same == (place / "model" / "model.safetensors").read_bytes()


def test_a_run_is_not_resumed_with_another_genome_or_tokenizer(place: Path) -> None:
    shutil.copy(place / "other.fa", place / "one.fa")
    refused(lambda: resume(place), "one.fa: is not the file that", "was started with", "its checksum differs")
    refused(lambda: resume(place, "other.fa"), "other.fa: is not the file that")
    refused(lambda: resume(place, tokenizer="other.json"), "was started with other contents of tokenizer;")
    (place / "one.fa").unlink()
    messages: list[str] = []
    resume(place, on_status=messages.append)
    assert any("is missing; the tokens that" in text for text in messages)


def test_a_run_is_not_resumed_with_other_tokens(place: Path) -> None:
    """A folder of tokens that is given, and the one that a run has made."""
    for name in ("one", "other"):
        tokens = f"{place}/tokens-{name}/"
        encode(Tokenizer.from_file(place / "one.json"), str(place / f"{name}.fa"), tokens, unknown="split")
    options: dict[str, Any] = {"tokenizer": str(place / "one.json"), "device": "cpu"}
    run = place / "run"
    with pytest.raises(Stop):
        pretrain([f"{place}/tokens-one"], run, PRETRAIN, progress=stop_at(2), **options)
    shutil.rmtree(place / "tokens-one")
    (place / "tokens-other").rename(place / "tokens-one")
    refused(
        lambda: pretrain([f"{place}/tokens-one"], run, PRETRAIN, resume=True, **options),
        f"{run}: was started with other contents of tokens; give those",
    )
    shutil.rmtree(place / "stopped" / "tokens")
    shutil.copytree(place / "tokens-one", place / "stopped" / "tokens")
    refused(lambda: resume(place, "other.fa"), "was started with other contents of tokens")


def test_altered_tokens_of_a_run_are_encoded_anew(place: Path) -> None:
    (shard,) = (place / "stopped" / "tokens").glob("*.arrow")
    body = shard.read_bytes()
    middle = len(body) // 2
    shard.write_bytes(body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :])
    refused(lambda: resume(place), f"{shard}: was cut or altered", "remove the folder", "to encode anew")
    shutil.rmtree(shard.parent)
    assert resume(place)["resumed_at"] == 1
    assert shard.read_bytes() == body


def test_an_altered_checkpoint_is_not_resumed(place: Path) -> None:
    folder = place / "stopped"
    (latest,) = folder.glob("checkpoint-*")
    older = shutil.copytree(latest, folder / "checkpoint-0")
    names = sorted(path.name for path in latest.iterdir() if path.name != identity.CHECKSUMS)
    assert {"model.safetensors", "optimizer.pt", "trainer_state.json"} <= set(names)
    for name in names:
        body = (latest / name).read_bytes()
        flipped = body[: len(body) // 2] + bytes([body[len(body) // 2] ^ 1]) + body[len(body) // 2 + 1 :]
        for changed in (flipped, body[:-1], b"") if name == "optimizer.pt" else (flipped,):
            (latest / name).write_bytes(changed)
            refused(
                lambda: resume(place),
                f"{latest / name}: was cut or altered since it was written",
                "remove the folder checkpoint-1 (then checkpoint-0 is resumed)",
            )
        (latest / name).unlink()
        refused(lambda: resume(place), f"{name}: is missing")
        (latest / name).write_bytes(body)
    shutil.rmtree(older)
    (latest / "model.safetensors").write_bytes(b"")
    refused(lambda: resume(place), "remove the folder checkpoint-1 (then the run starts anew)")
    shutil.rmtree(latest)
    assert resume(place)["resumed_at"] == 0


def test_runs_from_before_are_resumed_with_a_note(place: Path) -> None:
    folder = place / "stopped"
    run = json.loads((folder / "run.json").read_text())
    del run["digests"]
    (folder / "run.json").write_text(json.dumps(run | {"files": [str(place / "one.fa")]}))
    (folder / "checkpoint-1" / identity.CHECKSUMS).unlink()
    messages: list[str] = []
    assert resume(place, on_status=messages.append)["resumed_at"] == 1
    assert any("begun by an older genotok, without digests" in text for text in messages)
    assert any("written by an older genotok, without checksums" in text for text in messages)


# -- fine-tuning ------------------------------------------------------------------------------------


def test_results_are_kept_for_the_same_contents_only(place: Path) -> None:
    folder = place / "results"
    before = (folder / "set" / "seed-1" / "result.json").read_bytes()
    (place / "model").rename(place / "renamed")
    tune(place, place / "renamed", folder, resume=True)
    assert (folder / "set" / "seed-1" / "result.json").read_bytes() == before

    def again(sets: tuple[str, ...] = ("set",)) -> Any:
        return tune(place, place / "renamed", folder, sets, resume=True)

    for name in ("test", "dev", "train"):
        file = place / "set" / f"{name}.csv"
        kept = file.read_bytes()
        file.write_bytes(kept.replace(b",1\n", b",0\n", 1))
        refused(again, f"{folder}: was started with other contents of sets/set/{name}; give those")
        file.write_bytes(kept)
    (place / "set" / "dev.csv").unlink()
    refused(again, "other contents of sets/set/dev")
    (place / "set" / "dev.csv").write_bytes(kept)
    refused(again, "other contents of sets/set/dev")


def test_results_of_other_weights_under_the_same_name_are_refused(place: Path) -> None:
    model = place / "model"
    (model / "genotok.json").unlink()
    kept = (model / "model.safetensors").read_bytes()
    (model / "model.safetensors").write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    refused(lambda: tune(place, model, place / "results", resume=True), "other contents of model/weights;")
    (model / "model.safetensors").write_bytes(kept)
    assert tune(place, model, place / "results", resume=True)
    shutil.copy(place / "other.json", model / "tokenizer.json")
    refused(lambda: tune(place, model, place / "results", resume=True), "trained with another tokenizer")


@pytest.mark.parametrize("content", ["", "{", "{}", "[" * 100_000])
def test_damaged_files_of_a_run_are_one_line(place: Path, content: str) -> None:
    for name in ("set/seed-1/result.json", "run.json"):
        file = place / "results" / name
        kept = file.read_text()
        file.write_text(content)
        refused(lambda: tune(place, place / "model", place / "results", resume=True), f"{file}: ")
        file.write_text(kept)


def test_sets_may_be_added(place: Path) -> None:
    write_set(place / "second", {"train": 8, "dev": 4, "test": 4}, seed=5)
    found = tune(place, place / "model", place / "results", ("set", "second"), resume=True)
    assert [one["name"] for one in found["sets"]] == ["set", "second"]
    assert set(json.loads((place / "results" / "run.json").read_text())["digests"]["sets"]) == {
        "set",
        "second",
    }


# -- models -----------------------------------------------------------------------------------------


def test_a_tokenizer_of_another_training_is_refused(place: Path) -> None:
    for model in (place / "model", place / "results" / "set" / "model"):
        said = f"{model}: the model was trained with another tokenizer of {VOCAB} tokens than the tokenizer"
        refused(lambda model=model, said=said: Embedder(model, place / "other.json", device="cpu"), said)
        assert Embedder(model, place / "one.json", device="cpu").width == 128
        shutil.copy(place / "other.json", model / "tokenizer.json")
        refused(lambda model=model: Embedder(model, device="cpu"), f"than {model / 'tokenizer.json'}")
    refused(lambda: Classifier(place / "results" / "set" / "model"), "trained with another tokenizer")


def test_the_digest_of_a_tokenizer_outlives_transformers(place: Path, tmp_path: Path) -> None:
    """Saved by transformers, a model knows its tokenizer; template and padding do not matter to it."""
    model = place / "results" / "set" / "model"
    DnaBert2ForSequenceClassification.from_pretrained(model).save_pretrained(tmp_path / "again")
    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer(["ACGT", "ACGTACGT"], padding=True, truncation=True, max_length=5)
    tokenizer.save_pretrained(tmp_path / "again")
    found = read_folder(tmp_path / "again")
    assert found.settings.tokenizer_sha256 == read_folder(model).settings.tokenizer_sha256 is not None
    assert Classifier(tmp_path / "again", device="cpu").classes == ("0", "1")
    shutil.copy(place / "other.json", tmp_path / "again" / "tokenizer.json")
    refused(lambda: Classifier(tmp_path / "again", device="cpu"), "trained with another tokenizer")


def test_a_flipped_bit_of_the_weights_is_found(place: Path) -> None:
    model = place / "results" / "set" / "model"
    weights = model / "model.safetensors"
    body = bytearray(weights.read_bytes())
    body[-3] ^= 4
    weights.write_bytes(body)
    said = f"{weights}: was altered or replaced since it was written"
    refused(
        lambda: Classifier(model, device="cpu"), said, "if you replaced it on purpose, remove genotok.json"
    )
    refused(lambda: Embedder(model, device="cpu"), said)
    refused(lambda: tune(place, model, place / "fresh"), said)
    (model / "genotok.json").unlink()
    assert Classifier(model, device="cpu").classes == ("0", "1")


def test_info_tells_identities(place: Path) -> None:
    model = place / "results" / "set" / "model"
    kind, facts = recognise(str(model))
    assert kind == "model"
    assert facts["identity"] == "all files are as written (genotok.json)"
    assert facts["weights_sha256"] == identity.file_sha256(model / "model.safetensors")
    config = json.loads((model / "config.json").read_text())
    assert facts["vocabulary_sha256"] == config["tokenizer_sha256"]
    shutil.copy(place / "other.json", model / "tokenizer.json")
    (model / "tokenizer_config.json").unlink()
    _, facts = recognise(str(model))
    assert facts["identity"] == (
        "does not match: tokenizer.json was altered since, tokenizer_config.json is missing, "
        "tokenizer.json is not that of the model"
    )
    _, facts = recognise(str(place / "model"))
    assert facts["identity"] == "all files are as written (genotok.json)"
    assert facts["digests"]["tokenizer"] == facts["vocabulary_sha256"]
    _, facts = recognise(str(place / "results"))
    assert {"model/weights", "tokenizer", "sets/set/train", "sets/set/test"} <= facts["digests"].keys()
    checkpoint = place / "stopped" / "checkpoint-1"
    _, facts = recognise(str(checkpoint))
    assert facts["identity"] == "all files are as written (SHA256SUMS)"
    (checkpoint / "optimizer.pt").write_bytes(b"")
    _, facts = recognise(str(checkpoint))
    assert facts["identity"].startswith("does not match")
    assert "optimizer.pt: was cut or altered" in facts["identity"]


def test_folders_without_digests_are_read(place: Path) -> None:
    model = place / "results" / "set" / "model"
    (model / "genotok.json").unlink()
    config = json.loads((model / "config.json").read_text())
    assert re.fullmatch("[0-9a-f]{64}", config.pop("tokenizer_sha256"))
    (model / "config.json").write_text(json.dumps(config))
    assert Classifier(model, device="cpu").classes == ("0", "1")


def test_digests_of_tokenizers_tell_what_gives_ids_from_what_does_not() -> None:
    kinds = [
        Tokenizer.kmer(3, overlap=overlap, canonical=canonical)
        for overlap in (False, True)
        for canonical in (False, True)
        if overlap or not canonical
    ]
    digests = {identity.vocabulary_sha256(one) for one in kinds}
    assert len(digests) == len(kinds)
    upper = Tokenizer.kmer(3, overlap=True, uppercase=True)
    assert identity.vocabulary_sha256(upper) in digests
