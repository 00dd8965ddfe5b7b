"""Weights from files: what fits is loaded, what does not is named, what could do harm is refused."""

from __future__ import annotations

import json
import os
import pickle
import struct
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs torch: the extra `model`")

from safetensors.torch import load_file, save_file  # noqa: E402

from genotok.model import Encoder, EncoderConfig, MaskedLanguageModel, SequenceClassifier, pack  # noqa: E402
from genotok.model.checkpoint import CheckpointError, load, read, resize_vocabulary, write  # noqa: E402
from tests.support.harmful import Harmful  # noqa: E402

TINY = EncoderConfig(vocab_size=16, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=12)


def model(seed: int = 0) -> Any:
    torch.manual_seed(seed)
    return MaskedLanguageModel(TINY)


def equal(left: Any, right: Any) -> bool:
    mine, other = left.state_dict(), right.state_dict()
    return mine.keys() == other.keys() and all(torch.equal(mine[name], other[name]) for name in mine)


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_weights_come_back_from_files_and_folders(tmp_path: Path, name: str) -> None:
    first, second = model(0), model(1)
    if name.endswith("bin"):
        torch.save(first.state_dict(), tmp_path / name)
    else:
        write(first, tmp_path / name)
    report = load(second, tmp_path)
    assert report.missing == report.unexpected == ()
    assert equal(first, second)
    assert second.cls.predictions.decoder.weight is second.bert.embeddings.word_embeddings.weight
    assert load(model(2), tmp_path / name) == report


def test_the_names_are_the_published_ones(tmp_path: Path) -> None:
    write(model(), tmp_path / "model.safetensors")
    names = set(load_file(tmp_path / "model.safetensors"))
    assert {
        "bert.embeddings.word_embeddings.weight",
        "bert.encoder.layer.0.attention.self.Wqkv.bias",
        "bert.encoder.layer.0.attention.output.LayerNorm.weight",
        "bert.encoder.layer.0.mlp.gated_layers.weight",
        "bert.encoder.layer.0.mlp.layernorm.bias",
        "cls.predictions.transform.LayerNorm.bias",
        "cls.predictions.decoder.weight",
    } <= names
    assert len(names) == 21


def test_names_that_do_not_fit_are_listed(tmp_path: Path) -> None:
    write(model(), tmp_path / "model.safetensors")
    classifier = SequenceClassifier(TINY, 2)
    with pytest.raises(CheckpointError, match=r"4 missing \(bert.pooler.dense.weight.*6 unexpected \(cls"):
        load(classifier, tmp_path)
    report = load(classifier, tmp_path, strict=False)
    assert "classifier.weight" in report.missing
    assert "cls.predictions.decoder.bias" in report.unexpected
    assert torch.equal(
        classifier.bert.encoder.layer[0].mlp.wo.weight, model().bert.encoder.layer[0].mlp.wo.weight
    )


def test_files_of_the_bare_encoder_load_into_both(tmp_path: Path) -> None:
    torch.manual_seed(3)
    encoder = Encoder(TINY)
    write(encoder, tmp_path / "model.safetensors")
    whole = model()
    assert all(name.startswith("cls.") for name in load(whole, tmp_path, strict=False).missing)
    assert equal(whole.bert, encoder)
    write(whole, tmp_path / "model.safetensors")
    other = Encoder(TINY)
    load(other, tmp_path, strict=False)
    assert equal(other, encoder)


def test_a_file_without_the_matrix_of_scores_is_whole(tmp_path: Path) -> None:
    found = {name: tensor.clone() for name, tensor in model().state_dict().items()}
    del found["cls.predictions.decoder.weight"]
    save_file(found, tmp_path / "model.safetensors")
    assert load(model(1), tmp_path).missing == ()
    found["cls.predictions.decoder.weight"] = torch.zeros(16, 8)
    save_file(found, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match="they are one matrix"):
        load(model(1), tmp_path)


def hostile_files(folder: Path) -> dict[str, Path]:
    """Files that must be refused, by what is wrong with them."""
    good = folder / "good.safetensors"
    write(model(), good)
    data = good.read_bytes()
    header = json.loads(data[8 : 8 + struct.unpack("<Q", data[:8])[0]])
    first = next(name for name in header if name != "__metadata__")
    far = {**header, first: {**header[first], "data_offsets": [0, 1 << 40]}}
    text = json.dumps(far).encode()
    files = {
        "truncated": data[: len(data) // 2],
        "empty": b"",
        "header too long": struct.pack("<Q", 1 << 62) + data[8:],
        "not JSON": struct.pack("<Q", 8) + b"{{{{{{{{",
        "offsets outside": struct.pack("<Q", len(text)) + text,
        "noise": os.urandom(1000),
    }
    for name, content in files.items():
        (folder / f"{name}.safetensors").write_bytes(content)
    torch.save({"weight": Harmful(folder / "harm")}, folder / "code.bin")
    (folder / "bare pickle.bin").write_bytes(pickle.dumps({"weight": Harmful(folder / "harm")}))
    torch.save(model().state_dict(), folder / "whole.bin")
    whole = (folder / "whole.bin").read_bytes()
    (folder / "half.bin").write_bytes(whole[: len(whole) // 2])
    (folder / "noise.bin").write_bytes(os.urandom(1000))
    (folder / "empty.bin").write_bytes(b"")
    torch.save([1, 2], folder / "list.bin")
    torch.save({"weight": torch.ones(3, dtype=torch.int64)}, folder / "integers.bin")
    torch.save({1: torch.ones(3)}, folder / "numbered.bin")
    left = {"good.safetensors", "whole.bin"}
    return {path.name: path for path in folder.iterdir() if path.name not in left}


def test_hostile_files_are_refused_and_nothing_in_them_runs(tmp_path: Path) -> None:
    files = hostile_files(tmp_path)
    assert len(files) == 14
    for name, path in files.items():
        with pytest.raises(CheckpointError) as caught:
            load(model(), path)
        assert str(path) in str(caught.value), name
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "harm").exists()
    assert isinstance(read(tmp_path / "whole.bin"), dict)


def test_tensors_of_other_shapes_change_nothing(tmp_path: Path) -> None:
    found = {name: tensor.clone() for name, tensor in model(1).state_dict().items()}
    found["bert.encoder.layer.0.mlp.wo.weight"] = torch.zeros(12, 8)
    save_file(found, tmp_path / "model.safetensors")
    target = model(0)
    with pytest.raises(CheckpointError, match=r"mlp\.wo\.weight \(12, 8\) for \(8, 12\)"):
        load(target, tmp_path, strict=False)
    assert equal(target, model(0))


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none of model\.safetensors, pytorch_model\.bin"):
        load(model(), tmp_path)
    with pytest.raises(FileNotFoundError):
        load(model(), tmp_path / "absent.safetensors")
    with pytest.raises(CheckpointError, match=r"a name in \.safetensors is expected"):
        write(model(), tmp_path / "model.bin")


def test_writing_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "model.safetensors"
    write(model(0), target)
    before = target.read_bytes()

    def broken(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="No space left"):
        write(model(1), target)
    assert target.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


@pytest.mark.parametrize("size", [5, 16, 30])
def test_another_vocabulary(size: int) -> None:
    resized = model()
    expected = model()(torch.tensor([1, 4, 2]), pack([3]))[1]
    resize_vocabulary(resized, size, generator=torch.Generator().manual_seed(0))
    found = resized(torch.tensor([1, 4, 2]), pack([3]))[1]
    assert found.shape == (3, size)
    kept = min(size, 16)
    resized.eval()
    whole = model().eval()
    assert torch.allclose(
        resized(torch.tensor([1, 4, 2]), pack([3]))[1][:, :kept],
        whole(torch.tensor([1, 4, 2]), pack([3]))[1][:, :kept],
        atol=1e-6,
    )
    assert expected.shape == (3, 16)
    assert resized.config.vocab_size == resized.bert.config.vocab_size == size
    assert resized.cls.predictions.decoder.weight is resized.bert.embeddings.word_embeddings.weight
    with pytest.raises(ValueError, match="vocab_size=0"):
        resize_vocabulary(resized, 0)
