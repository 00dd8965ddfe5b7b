"""`genotok convert`: a published folder becomes one of genotok, to the last bit, and nothing in it runs."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: the extra `model`")
transformers = pytest.importorskip("transformers", reason="needs transformers: the extra `model`")

from safetensors.torch import load_file, save_file  # noqa: E402

from genotok import Tokenizer, _native  # noqa: E402
from genotok.cli import app as program  # noqa: E402
from genotok.embedding import Embedder  # noqa: E402
from genotok.errors import ArgumentError  # noqa: E402
from genotok.files import folders  # noqa: E402
from genotok.model_folder.convert import convert  # noqa: E402
from tests.support.encoder_cases import GOLDEN, difference, own_case  # noqa: E402
from tests.support.harmful import Harmful  # noqa: E402

ROWS = ["ACGTTGCANNACG", "acgtACGTTGCA", "ACG", "TTTTTTTACCCCCCCATTGCATCGATCGTACGATCGATCA"]
FILES = [
    "README.md",
    "config.json",
    "genotok.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
]


def weights(kind: str) -> dict[str, Any]:
    """Tensors under published names: of DNABERT-2 as it is, or of the bare encoder with pooler, DNABERT-S."""
    _, found, _ = own_case()
    found = {name: tensor.float().clone() for name, tensor in found.items()}
    if kind == "DNABERT-2":
        return {name: one for name, one in found.items() if "pooler" not in name and "classifier" not in name}
    bare = {name: one for name, one in found.items() if name.startswith("bert.")}
    return {name.removeprefix("bert."): one for name, one in bare.items()}


def publish(folder: Path, tensors: dict[str, Any], *, name: str = "pytorch_model.bin") -> Path:
    """A folder such as Hugging Face has it: configuration, weights and a tokenizer that knows upper case."""
    folder.mkdir()
    sizes = json.loads((GOLDEN / "case.json").read_text())["config"]
    foreign = {
        "_name_or_path": "zhihan1996/DNABERT-2-117M",
        "alibi_starting_size": 512,
        "auto_map": {"AutoModel": "zhihan1996/DNABERT-2-117M--bert_layers.BertModel"},
        "model_type": "bert",
        "torch_dtype": "float32",
        "pad_token_id": 0,
    }
    (folder / "config.json").write_text(json.dumps({**sizes, **foreign}))
    (folder / "bert_layers.py").write_text("raise SystemExit('this code was run')\n")
    ours = json.loads(Tokenizer.train(GOLDEN.parents[2] / "genomes/lambda_phage.fa", vocab_size=64).to_json())
    around = {"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]}
    changes = {"normalizer": None, "pre_tokenizer": {"type": "Whitespace"}, "post_processor": around}
    (folder / "tokenizer.json").write_text(json.dumps({**ours, **changes}))
    roles = {"unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "pad": "[PAD]", "mask": "[MASK]"}
    named = {f"{role}_token": token for role, token in roles.items()}
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", **named}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (torch.save if name.endswith(".bin") else save_file)(tensors, folder / name)
    return folder


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish(tmp_path_factory.mktemp("hub") / "DNABERT-2-117M", weights("DNABERT-2"))


@pytest.fixture(scope="module")
def converted(published: Path) -> Path:
    target = published.parent / "converted"
    convert(published, target)
    return target


Run = Callable[..., tuple[Any, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """The program in this process: exit code, standard output, and its messages."""

    def call(*arguments: str) -> tuple[Any, str, str]:
        monkeypatch.setattr(sys, "argv", ["genotok", *arguments])
        code = program._run()
        sys.stdout.flush()
        return (code, *capfd.readouterr())

    return call


def batch() -> dict[str, Any]:
    _, _, outputs = own_case()
    return {name: outputs[name] for name in ("input_ids", "attention_mask", "token_type_ids")}


def test_every_tensor_is_there_to_the_last_bit(published: Path, converted: Path) -> None:
    before = torch.load(published / "pytorch_model.bin", weights_only=True)
    after = load_file(converted / "model.safetensors")
    assert before.keys() - after.keys() == {"cls.predictions.decoder.weight"}  # the words, once more
    assert all(torch.equal(before[name], after[name]) for name in after)
    assert sorted(path.name for path in converted.iterdir()) == FILES


def test_the_masked_scores_are_those_of_the_published_code(converted: Path) -> None:
    model = transformers.AutoModelForMaskedLM.from_pretrained(converted).eval()
    assert difference(model(**batch()).logits, own_case()[2]["mlm_logits"]) < 1e-4
    assert model.config.pad_token_id == 3


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.safetensors"])
def test_a_bare_encoder_with_its_pooler_becomes_one(name: str, tmp_path: Path) -> None:
    source = publish(tmp_path / "DNABERT-S", weights("DNABERT-S"), name=name)
    manifest = convert(source, tmp_path / "new")
    assert manifest["architecture"] == "DnaBert2Model"
    model = transformers.AutoModel.from_pretrained(tmp_path / "new").eval()
    found, outputs = model(**batch()), own_case()[2]
    assert difference(found.last_hidden_state, outputs["layer.1"]) < 1e-4
    assert difference(found.pooler_output, outputs["pooled"]) < 1e-4
    read = load_file(tmp_path / "new" / "model.safetensors")
    assert read.keys() == {f"bert.{one}" for one in weights("DNABERT-S")}


def test_numbers_keep_their_type_and_nothing_is_dropped(tmp_path: Path) -> None:
    pooler = {name: one for name, one in own_case()[1].items() if "pooler" in name}
    tensors = {name: one.to(torch.bfloat16) for name, one in {**weights("DNABERT-2"), **pooler}.items()}
    convert(publish(tmp_path / "source", tensors), tmp_path / "new")
    found = load_file(tmp_path / "new" / "model.safetensors")
    assert {tensor.dtype for tensor in found.values()} == {torch.bfloat16}
    assert found.keys() >= pooler.keys()
    assert json.loads((tmp_path / "new" / "config.json").read_text())["dtype"] == "bfloat16"


def test_transformers_and_genotok_make_the_same_of_it(published: Path, converted: Path) -> None:
    fast, before = (transformers.AutoTokenizer.from_pretrained(path) for path in (converted, published))
    assert [fast(row)["input_ids"] for row in ROWS] == [before(row)["input_ids"] for row in ROWS]
    expected = Embedder(converted, device="cpu").vectors(ROWS)
    np.testing.assert_array_equal(Embedder(published, device="cpu").vectors(ROWS), expected)
    pipe = transformers.pipeline("feature-extraction", str(converted), device="cpu")
    np.testing.assert_allclose([np.mean(one[0], 0) for one in pipe(ROWS)], expected, atol=1e-5)
    filled = transformers.pipeline("fill-mask", str(converted), device="cpu")("ACGT[MASK]GGATT")
    assert len(filled) == 5


def test_digests_are_printed_and_kept(published: Path, tmp_path: Path, run: Run) -> None:
    target = str(tmp_path / "new")
    code, out, _ = run("convert", str(published), "-o", target)
    assert code == 0
    manifest = json.loads((tmp_path / "new" / "genotok.json").read_text())
    for one in manifest["data"]:
        assert one["SHA-256"] in out
    assert manifest["tensors_sha256"] in out
    assert manifest["files"]["model.safetensors"] in out
    assert {one["file"] for one in manifest["data"]} == {
        "pytorch_model.bin",
        "config.json",
        "tokenizer.json",
    }
    code, out, _ = run("convert", str(published), "-o", target, "--force", "--json")
    assert json.loads(out)["tensors_sha256"] == manifest["tensors_sha256"]


def test_what_is_there_stays(published: Path, tmp_path: Path, run: Run) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "notes.txt").write_text("of my own")
    (tmp_path / "file").write_text("of my own")
    link = tmp_path / "link"
    link.symlink_to(published)
    shutil.copytree(published, tmp_path / "copy")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for force in ([], ["--force"]):
        for output, said in (
            (mine, "is there already, and is no folder that this command made"),
            (tmp_path / "file", "is a file, where a folder is to be"),
            (link, "is read by this command"),
            (tmp_path / "no" / "such", "does not exist; make it first"),
            (tmp_path / "copy", "no folder that this command made"),
            (Path("-"), "name a folder"),
        ):
            code, out, err = run("convert", str(published), "-o", str(output), *force)
            assert (code, out, len(err.splitlines())) == (1, "", 1)
            assert said in err
    assert run("convert", str(published), "-o", str(tmp_path / "new"), "-q") == (0, "", "")
    assert (
        "is there already; --force replaces it" in run("convert", str(published), "-o", f"{tmp_path}/new/")[2]
    )
    claim = _native.Claim(str(tmp_path / "new"))
    assert "is writing to it" in run("convert", str(published), "-o", f"{tmp_path}/new", "--force")[2]
    claim.release()
    assert {path: path.read_bytes() for path in before} == before


def spoil(folder: Path, what: str) -> None:
    """Make something of a published folder that is none."""
    if what == "code":
        torch.save({"weight": Harmful(folder / "harm")}, folder / "pytorch_model.bin")
    elif what == "no weights":
        (folder / "pytorch_model.bin").unlink()
    elif what == "two matrices":
        tensors = weights("DNABERT-2")
        tensors["cls.predictions.decoder.weight"] += 1
        torch.save(tensors, folder / "pytorch_model.bin")
    elif what == "another tokenizer":
        Tokenizer.kmer(1, overlap=False).save(folder / "tokenizer.json")
    elif what == "BERT":
        tensors = {"bert.encoder.layer.0.attention.self.query.weight": torch.ones(4, 4)}
        torch.save(tensors, folder / "pytorch_model.bin")
    else:
        (folder / what).unlink()


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("code", "pytorch_model.bin"),
        ("no weights", "none of model.safetensors, pytorch_model.bin"),
        ("two matrices", "they are one matrix"),
        ("another tokenizer", "the tokenizer has 11"),
        ("BERT", "not of a DNABERT-2"),
        ("config.json", "config.json"),
        ("tokenizer.json", "tokenizer.json"),
    ],
)
def test_what_is_no_such_model_is_refused(
    published: Path, tmp_path: Path, what: str, said: str, run: Run
) -> None:
    source = shutil.copytree(published, tmp_path / "source")
    spoil(source, what)
    code, out, err = run("convert", str(source), "-o", f"{tmp_path}/new")
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert said in err
    assert not (source / "harm").exists()
    assert os.listdir(tmp_path) == ["source"]


@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_folder_is_replaced_whole_or_stays(
    published: Path, tmp_path: Path, can_exchange: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "new"
    convert(published, target)
    (target / "README.md").write_text("the one before")
    if not can_exchange:
        monkeypatch.setattr(folders, "_exchange", lambda _one, _other: False)
    for broken in ("_flush", "_fsync"):
        with monkeypatch.context() as patch:
            patch.setattr(folders, broken, failing)
            with pytest.raises(OSError, match="No space left"):
                convert(published, target, force=True)
        assert (target / "README.md").read_text() == "the one before"
        assert os.listdir(tmp_path) == ["new"]
    convert(published, target, force=True)
    assert (target / "README.md").read_text() != "the one before"
    assert sorted(os.listdir(target)) == FILES
    assert os.listdir(tmp_path) == ["new"]


def failing(*_: Any) -> None:
    raise OSError(28, "No space left on device")


def test_weights_that_do_not_reach_the_disk_leave_nothing(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "genotok.model_folder.plain.save_file", lambda _tensors, path, **_: save_file({}, path)
    )
    with pytest.raises(ArgumentError, match="differs from what was written"):
        convert(published, tmp_path / "new")
    assert os.listdir(tmp_path) == []
