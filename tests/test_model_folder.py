"""Folders of models: what is read of them, and that every fault is one line, found before memory is taken."""

from __future__ import annotations

import copy
import json
import os
import random
import shutil
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="needs torch: the extra `model`")
pytest.importorskip("transformers", reason="needs transformers: the extra `train`")

from safetensors.torch import save_file  # noqa: E402

from genotok import Tokenizer  # noqa: E402
from genotok.cli.kinds import recognise  # noqa: E402
from genotok.embedding import Embedder  # noqa: E402
from genotok.errors import ArgumentError, GenotokError  # noqa: E402
from genotok.finetune import Classifier, FinetuneConfig, find_tasks, finetune  # noqa: E402
from genotok.model.huggingface import (  # noqa: E402
    DnaBert2Config,
    DnaBert2ForMaskedLM,
    DnaBert2ForSequenceClassification,
    DnaBert2ForTokenClassification,
    DnaBert2Model,
)
from genotok.model.stored import CheckpointError, stored_in  # noqa: E402
from genotok.model_folder.pretrained import config_of, load_pretrained  # noqa: E402
from genotok.model_folder.read import read_folder  # noqa: E402
from genotok.model_folder.write_errors import write_errors  # noqa: E402
from tests.support.commands import run  # noqa: E402
from tests.support.labelled import write_set  # noqa: E402

VOCAB = 24
SIZES = {
    "vocab_size": VOCAB,
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 12,
}
NAMES = {0: "no", 1: "yes", 2: "maybe"}
PUBLISHED = {
    "_name_or_path": "zhihan1996/DNABERT-2-117M",
    "alibi_starting_size": 512,
    "auto_map": {"AutoConfig": "configuration_bert.BertConfig", "AutoModel": "bert_layers.BertModel"},
    "gradient_checkpointing": False,
    "max_position_embeddings": 512,
    "model_type": "bert",
    "pad_token_id": 0,
    "position_embedding_type": "absolute",
    "torch_dtype": "float32",
    "transformers_version": "4.28.0",
    "use_cache": True,
}


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    source = tmp_path_factory.mktemp("dna") / "some.fa"
    source.write_text(">a\n" + "ACGTTGCATTAGGACCATG" * 40 + "\n")
    return Tokenizer.train(source, vocab_size=VOCAB)


def write_model(folder: Path, tokenizer: Tokenizer, kind: type[Any]) -> Path:
    torch.manual_seed(1)
    config = DnaBert2Config(**SIZES, id2label=NAMES, label2id={name: key for key, name in NAMES.items()})
    kind(config).save_pretrained(folder)
    tokenizer.save(folder / "tokenizer.json")
    return folder


@pytest.fixture(scope="module")
def classifier(tokenizer: Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("tuned"), tokenizer, DnaBert2ForSequenceClassification)


@pytest.fixture(scope="module")
def masked(tokenizer: Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("masked"), tokenizer, DnaBert2ForMaskedLM)


@pytest.fixture
def folder(classifier: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return shutil.copytree(classifier, tmp_path / "model")


def change(folder: Path, **keys: Any) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **keys}))


def one_line(call: Callable[[], object]) -> str:
    """The message of the fault that a call ends in, at once."""
    start = time.monotonic()
    with pytest.raises((GenotokError, OSError)) as caught:
        call()
    assert time.monotonic() - start < 5
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert len(message) < 700
    return message


# -- what is read -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    [
        DnaBert2ForMaskedLM,
        DnaBert2ForSequenceClassification,
        DnaBert2ForTokenClassification,
        DnaBert2Model,
    ],
)
def test_what_is_saved_is_read(kind: type[Any], tokenizer: Tokenizer, tmp_path: Path) -> None:
    """The table of tensors is that of our own modules, for each of them."""
    found = read_folder(write_model(tmp_path, tokenizer, kind))
    assert found.classes == ("no", "yes", "maybe")
    assert found.settings.architecture == kind.__name__
    assert found.tokenizer() == tokenizer
    model = load_pretrained(kind, found)
    assert found.parameters == sum(one.numel() for one in model.parameters())
    saved = kind.from_pretrained(tmp_path).state_dict()
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, saved[name]), name


@pytest.mark.parametrize("form", ["safetensors", "bin", "half"])
def test_a_published_folder_is_read(masked: Path, tmp_path: Path, form: str) -> None:
    """Keys of the published code do nothing; names, padding and forms of file are as published."""
    shutil.copy(masked / "tokenizer.json", tmp_path)
    saved = DnaBert2ForMaskedLM.from_pretrained(masked)
    weights = {name: tensor.clone() for name, tensor in saved.state_dict().items()}
    if form == "half":
        weights = {name: tensor.half() for name, tensor in weights.items()}
    if form == "bin":
        torch.save(weights, tmp_path / "pytorch_model.bin")
    else:
        save_file(weights, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps({**SIZES, **PUBLISHED}))
    found = read_folder(tmp_path)
    model = load_pretrained(DnaBert2ForMaskedLM, found)
    assert model.config.pad_token_id == 3
    for name, tensor in model.state_dict().items():
        assert tensor.dtype == torch.float32
        assert torch.allclose(tensor, saved.state_dict()[name], atol=1e-3), name
    assert Embedder(tmp_path, device="cpu").vectors(["ACGT"]).shape == (1, 8)


def test_a_folder_of_links_is_read(classifier: Path, tmp_path: Path) -> None:
    """As the cache of a hub has it."""
    for path in classifier.iterdir():
        (tmp_path / path.name).symlink_to(path)
    assert read_folder(tmp_path).is_classifier


# -- faults of config.json --------------------------------------------------------------------------

CONFIGS: list[tuple[dict[str, Any], str]] = [
    ({"_attn_implementation": "evil/kernel"}, r"_attn_implementation='evil/kernel': one of eager, sdpa"),
    ({"attn_implementation": "flash_attention_2"}, "attn_implementation='flash_attention_2': one of"),
    ({"quantization_config": {"quant_method": "gptq"}}, "quantization_config: has no meaning"),
    ({"transformers_weights": "../other.safetensors"}, "transformers_weights: has no meaning"),
    ({"num_hidden_layers": 10**6}, "num_hidden_layers=1000000: at most 1,000 is expected"),
    ({"num_hidden_layers": 3}, "num_hidden_layers=3, and the weights have 2 layers"),
    ({"hidden_size": 10**9}, "hidden_size=1000000000: a model of at most"),
    ({"intermediate_size": 10**9}, "intermediate_size=1000000000: a model of at most"),
    ({"vocab_size": 10**100}, "vocab_size=1000"),
    ({"vocab_size": True}, "vocab_size=True: a whole number"),
    ({"hidden_size": 16}, r"has the shape \(24, 8\); \(24, 16\) is expected by the sizes"),
    ({"hidden_dropout_prob": 10**400}, "hidden_dropout_prob=1000"),
    ({"num_attention_heads": 3}, "hidden_size=8: a multiple of num_heads=3"),
    ({"hidden_act": "relu"}, "hidden_act='relu'"),
    ({"torch_dtype": "int8"}, "torch_dtype='int8': one of float32"),
    ({"dtype": "float8_e4m3fn"}, "dtype='float8_e4m3fn': one of float32"),
    ({"model_type": "gpt2"}, "model_type=.gpt2.: one of genotok-dnabert2"),
    ({"problem_type": "ranking"}, "problem_type='ranking': one of"),
    ({"attention": "evil/kernel"}, "attention='evil/kernel': one of"),
    ({"pad_token_id": VOCAB}, "pad_token_id=24: the id of a token, from 0 to 23, is expected"),
    ({"mask_token_id": -1}, "mask_token_id=-1: the id of a token"),
    ({"cls_token_id": [1]}, r"cls_token_id=\[1\]: the id of a token"),
    ({"id2label": {"0": "no", "2": "yes", "3": "maybe"}}, "class 1 of 3 has no name; the numbers have a gap"),
    ({"id2label": {"0": "no", "1": "no", "2": "yes"}}, "two classes are called 'no'"),
    ({"id2label": {"0": "no", "1": 1, "2": "yes"}}, "class 1 is 1; a name is expected"),
    ({"id2label": {"0": "no", "01": "yes", "2": "maybe"}}, "class 1 of 3 has no name"),
    ({"id2label": ["no", "yes", "maybe"]}, "id2label: an object"),
    (
        {"id2label": {"0": "no", "1": "yes"}, "label2id": None},
        r"shape \(3, 8\); \(2, 8\) is",
    ),
    ({"label2id": {"no": 1, "yes": 0, "maybe": 2}}, "label2id: does not say 0 for 'no'"),
    ({"label2id": {"no": 0, "yes": 1, "maybe": 2, "x": 3}}, "label2id: has 4 names, and id2label 3"),
    ({"num_labels": 2}, "num_labels=2: id2label has 3 classes"),
    ({"tokenizer_sha256": "abc"}, "tokenizer_sha256='abc': 64 hexadecimal digits"),
]


@pytest.mark.parametrize(("keys", "said"), CONFIGS)
def test_a_configuration_that_is_not_ours_is_refused(folder: Path, keys: dict[str, Any], said: str) -> None:
    change(folder, **keys)
    with pytest.raises(ArgumentError, match=said):
        read_folder(folder)
    assert str(folder) in one_line(lambda: read_folder(folder))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a JSON object is expected"),
        ("[]", "a JSON object is expected"),
        ("{}", "hidden_size: is not there; the configuration of a DNABERT-2 is expected"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ('{"hidden_size": 8, "hidden_size": 16}', "the key 'hidden_size' is there twice"),
        ('{"hidden_size": NaN}', "NaN is no number of JSON"),
        ('{"hidden_size": ' + "9" * 5000 + "}", "a JSON object is expected"),
        ("\xff\xfe{", "a JSON object is expected"),
        (" " * (1 << 24) + "{}", "bytes; at most"),
    ],
)
def test_a_configuration_that_is_no_plain_object_is_refused(folder: Path, text: str, said: str) -> None:
    (folder / "config.json").write_bytes(text.encode("latin-1"))
    assert said in one_line(lambda: read_folder(folder))


def test_every_command_says_the_same_of_a_folder(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(folder, _attn_implementation="evil/kernel")
    data = write_set(tmp_path / "set", {"train": 8, "dev": 4, "test": 4})
    (tmp_path / "a.fa").write_text(">a\nACGTACGT\n")
    said = f"{folder / 'config.json'}: _attn_implementation='evil/kernel'"
    for command in (
        ("embed", tmp_path / "a.fa", "-m", folder, "-o", tmp_path / "v.parquet"),
        ("predict", data / "test.csv", "-m", folder, "-o", tmp_path / "p.parquet"),
        ("evaluate", data / "test.csv", "-m", folder),
        ("finetune", data, "-m", folder, "-o", tmp_path / "results"),
        ("info", folder),
        ("info", "--model", folder),
    ):
        assert run(*command) == 1, command
        error = capsys.readouterr().err
        assert said in error, command
        assert len(error.splitlines()) == 1, error


# -- faults of other files --------------------------------------------------------------------------


def test_what_is_no_plain_file_is_refused(folder: Path) -> None:
    for name in ("config.json", "model.safetensors"):
        kept = (folder / name).read_bytes()
        (folder / name).unlink()
        os.mkfifo(folder / name)
        assert f"{folder / name}: is no regular file" in one_line(lambda: read_folder(folder))
        (folder / name).unlink()
        (folder / name).symlink_to(folder / "nowhere")
        assert str(folder / name) in one_line(lambda: read_folder(folder))
        (folder / name).unlink()
        (folder / name).mkdir()
        assert str(folder / name) in one_line(lambda: read_folder(folder))
        (folder / name).rmdir()
        assert str(folder) in one_line(lambda: read_folder(folder))
        (folder / name).write_bytes(kept)
    read_folder(folder)


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"])
def test_a_tokenizer_that_is_a_pipe_is_refused(folder: Path, name: str) -> None:
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    assert f"{folder / name}: is no regular file" in one_line(read_folder(folder).tokenizer)


def test_adapters_and_weights_in_several_files_are_refused(folder: Path) -> None:
    (folder / "adapter_config.json").write_text("{}")
    assert "belongs to an adapter; merge it" in one_line(lambda: read_folder(folder))
    (folder / "adapter_config.json").unlink()
    (folder / "model.safetensors").rename(folder / "model-00001-of-00001.safetensors")
    (folder / "model.safetensors.index.json").write_text("{}")
    assert "in several files; save them as one" in one_line(lambda: read_folder(folder))


def test_weights_that_do_not_fit_are_refused(folder: Path) -> None:
    file = folder / "model.safetensors"
    good = DnaBert2ForSequenceClassification.from_pretrained(folder).state_dict()
    wo = "bert.encoder.layer.0.mlp.wo.weight"
    for changes, said in [
        ({wo: good[wo].to(torch.int8)}, f"{wo} is I8; one of F32, F16, BF16 is expected"),
        ({wo: good[wo].to(torch.float8_e4m3fn)}, f"{wo} is F8_E4M3; one of"),
        ({wo: good[wo].double()}, f"{wo} is F64; one of"),
        ({wo: good[wo].T.contiguous()}, f"{wo} has the shape (12, 8); (8, 12) is expected"),
        ({wo: None}, f"the weights lack 1 names, such as {wo}"),
        ({"bert.extra": torch.ones(2)}, "the weights have besides 1 names, such as bert.extra"),
        ({"bert.encoder.layer.0.attention.self.query.weight": torch.ones(2)}, "the weights of a BERT"),
        ({"bert.encoder.layer.0.mlp.wo.lora_A.weight": torch.ones(2)}, "the weights of an adapter"),
    ]:
        save_file({name: one for name, one in {**good, **changes}.items() if one is not None}, file)
        assert said in one_line(lambda: read_folder(folder))
    for bad in (float("nan"), float("inf"), -float("inf")):
        spoilt = good[wo].clone()
        spoilt[3, 5] = bad
        save_file({**good, wo: spoilt}, file)
        read_folder(folder)  # the table is right
        assert f"{wo} holds numbers that are not finite" in one_line(lambda: Classifier(folder, device="cpu"))
        assert f"{wo} holds numbers that are not finite" in one_line(lambda: Embedder(folder, device="cpu"))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("form", ["safetensors", "bin"])
def test_what_is_not_finite_is_found_in_every_form(folder: Path, dtype: torch.dtype, form: str) -> None:
    """Also by what does not need torch, as `info`."""
    good = DnaBert2ForSequenceClassification.from_pretrained(folder).to(dtype).state_dict()
    (folder / "model.safetensors").unlink()
    for bad in (None, float("nan"), float("inf"), -float("inf")):
        weights = {name: tensor.clone() for name, tensor in good.items()}
        if bad is not None:
            weights["classifier.bias"][1] = bad
        if form == "bin":
            torch.save(weights, folder / "pytorch_model.bin")
        else:
            save_file(weights, folder / "model.safetensors")
        found = read_folder(folder)
        if bad is None:
            found.check_finite()
            assert recognise(str(folder))[1]["parameters"] == found.parameters
        else:
            for call in (found.check_finite, lambda: recognise(str(folder))):
                assert "classifier.bias holds numbers that are not finite" in one_line(call)


def test_a_tokenizer_of_another_size_is_refused(folder: Path, tokenizer: Tokenizer) -> None:
    tokenizer.truncate(VOCAB - 4).save(folder / "tokenizer.json")
    said = "the model knows 24 tokens and the tokenizer has 20"
    assert said in one_line(lambda: Classifier(folder, device="cpu"))
    assert said in one_line(lambda: Embedder(folder, device="cpu"))


def test_a_model_is_judged_before_anything_is_trained(folder: Path, tmp_path: Path) -> None:
    """No baseline, and no folder of results."""
    change(folder, num_hidden_layers=3)
    tasks = find_tasks([write_set(tmp_path / "set", {"train": 8, "dev": 4, "test": 4})])
    messages: list[str] = []
    said = one_line(
        lambda: finetune(tasks, folder, tmp_path / "results", FinetuneConfig(), on_status=messages.append)
    )
    assert "num_hidden_layers=3" in said
    assert not messages
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("backend", ["flash", "flex"])
def test_an_attention_that_is_not_here_is_refused(folder: Path, tmp_path: Path, backend: str) -> None:
    change(folder, attention=backend)
    tasks = find_tasks([write_set(tmp_path / "set", {"train": 8, "dev": 4, "test": 4})])
    for call in (
        lambda: Classifier(folder, device="cpu"),
        lambda: finetune(tasks, folder, tmp_path / "results", FinetuneConfig(), device="cpu"),
    ):
        assert f'config.json: attention="{backend}" needs' in one_line(call)
    assert not (tmp_path / "results").exists()


def test_sizes_without_weights_must_fit_the_machine(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    assert "none of model.safetensors, pytorch_model.bin" in one_line(lambda: read_folder(folder))
    assert read_folder(folder, need_weights=False).parameters == 0
    change(folder, hidden_size=1 << 14, intermediate_size=1 << 15, num_hidden_layers=3)
    if os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") < 32e9:
        assert "parameters take 32 GB, and the machine has" in one_line(
            lambda: read_folder(folder, need_weights=False)
        )


# -- torch's own files ------------------------------------------------------------------------------


def test_a_bin_file_that_takes_more_than_it_has_is_refused(folder: Path) -> None:
    """Parts that unfold, tensors larger than their numbers, objects made by a program, other formats."""
    good = DnaBert2ForSequenceClassification.from_pretrained(folder).state_dict()
    (folder / "model.safetensors").unlink()
    file = folder / "pytorch_model.bin"
    torch.save(good, file)
    assert stored_in(file).keys() == good.keys()
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    root = next(iter(parts)).partition("/")[0]

    def write(changes: dict[str, bytes], form: int = zipfile.ZIP_STORED) -> None:
        with zipfile.ZipFile(file, "w", form) as made:
            for name, data in {**parts, **changes}.items():
                made.writestr(name, data)

    write({f"{root}/data/0": bytes(50_000_000)}, zipfile.ZIP_DEFLATED)
    assert "unfold to more than the file" in one_line(lambda: read_folder(folder))
    write({}, zipfile.ZIP_DEFLATED)
    assert "refused" in one_line(lambda: read_folder(folder))
    program = b"\x80\x02c__builtin__\nbytearray\nJ\x00\x00\x00\x7f\x85R."
    write({f"{root}/data.pkl": program})
    assert "it asks for __builtin__.bytearray); refused" in one_line(lambda: read_folder(folder))
    write({f"{root}/data.pkl": b"\x80\x02}r\xff\xff\xff\x7f."})
    assert "it has the instruction LONG_BINPUT" in one_line(lambda: read_folder(folder))
    torch.save({"x": torch.ones(1).expand(10**12)}, file)
    assert "larger than the numbers that it has" in one_line(lambda: read_folder(folder))
    torch.save(good, file, _use_new_zipfile_serialization=False)
    assert "of a torch before 1.6" in one_line(lambda: read_folder(folder))


def test_a_published_folder_is_tuned(masked: Path, tmp_path: Path) -> None:
    """`config.json` and `pytorch_model.bin` as published, and no safetensors."""
    shutil.copy(masked / "tokenizer.json", tmp_path)
    torch.save(DnaBert2ForMaskedLM.from_pretrained(masked).state_dict(), tmp_path / "pytorch_model.bin")
    (tmp_path / "config.json").write_text(json.dumps({**SIZES, **PUBLISHED}))
    tasks = find_tasks([write_set(tmp_path / "set", {"train": 8, "dev": 4, "test": 4})])
    quick = FinetuneConfig(max_steps=1, warmup=0, batch=4, evaluations=1)
    found = finetune(
        tasks, tmp_path, tmp_path / "results", quick, seeds=[1], with_baseline=False, device="cpu"
    )
    assert found["sets"][0]["rows"]["test"] == 4
    assert Classifier(tmp_path / "results" / "set" / "model", device="cpu").classes == ("0", "1")


# -- anything at all --------------------------------------------------------------------------------

ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-2, 40)
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.sampled_from(["genotok-dnabert2", "eager", "float16", "regression", "no"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
def test_any_value_of_any_key_is_read_or_refused_in_one_line(classifier: Path, data: st.DataObject) -> None:
    config = json.loads((classifier / "config.json").read_text())
    keys = [*config, "num_labels", "problem_type", "_attn_implementation", "quantization_config", "dtype"]
    for key in data.draw(st.lists(st.sampled_from(keys), min_size=1, max_size=3)):
        if data.draw(st.booleans()):
            config[key] = data.draw(ODD)
        else:
            config.pop(key, None)
    place = classifier.parent / "mutated"
    place.mkdir(exist_ok=True)
    for name in ("model.safetensors", "tokenizer.json"):
        if not (place / name).exists():
            (place / name).symlink_to(classifier / name)
    (place / "config.json").write_text(json.dumps(config))
    try:
        found = read_folder(place)
    except (GenotokError, OSError) as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017 - either end is right
    else:
        assert found.settings.encoder.hidden_size == 8
        config_of(found)


def test_any_bytes_of_a_bin_file_are_read_or_refused_in_one_line(classifier: Path, tmp_path: Path) -> None:
    file, draw = tmp_path / "pytorch_model.bin", random.Random(1)
    torch.save(DnaBert2ForSequenceClassification.from_pretrained(classifier).state_dict(), file)
    body = file.read_bytes()
    ends = [*range(6000), *range(len(body) - 4000, len(body))]  # the pickle, and the list of the archive
    refused = 0
    for _ in range(150):
        altered = bytearray(body)
        for place in draw.choices(ends, k=draw.choice([1, 2, 5])):
            altered[place] = draw.choice([draw.randrange(256), altered[place] ^ 1, 0, 255])
        file.write_bytes(altered)
        try:
            stored_in(file)
        except CheckpointError as error:
            refused += 1
            assert len(str(error).splitlines()) == 1  # noqa: PT017 - either end is right
    assert 20 < refused < 150


@given(st.data())
def test_any_table_of_weights_is_read_or_refused_in_one_line(classifier: Path, data: st.DataObject) -> None:
    body = (classifier / "model.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", body[:8])
    table: dict[str, Any] = json.loads(body[8 : 8 + length])
    changed = copy.deepcopy(table)
    for name in data.draw(st.lists(st.sampled_from(sorted(table)), min_size=1, max_size=2)):
        key = data.draw(st.sampled_from(["dtype", "shape", "data_offsets", None]))
        if key is None or name == "__metadata__":
            changed[name] = data.draw(ODD)
        else:
            changed[name][key] = data.draw(ODD | st.lists(st.integers(0, 100), max_size=2))
        if not isinstance(changed[name], dict):
            break
    text = json.dumps(changed).encode()
    path = classifier.parent / "mutated.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + body[8 + length :])
    try:
        found = stored_in(path)
    except CheckpointError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017 - either end is right
        assert str(path) in str(error)  # noqa: PT017
    else:
        tensors = {name for name in table if name != "__metadata__"}
        assert found.keys() == tensors


def test_a_full_disk_is_an_error_of_the_system_whoever_writes(tmp_path: Path) -> None:
    for write in (
        lambda: torch.save({"a": torch.zeros(9)}, "/dev/full"),
        lambda: Path("/dev/full").write_text("{}"),
        lambda: save_file({"a": torch.zeros(9)}, tmp_path / "missing" / "model.safetensors"),
    ):
        with pytest.raises(OSError, match="folder"), write_errors(tmp_path / "folder"):
            write()
    with pytest.raises(RuntimeError, match="something else"), write_errors(tmp_path):
        raise RuntimeError("something else")
