"""A tokenizer as transformers' users know it: called, looked into, decoded, saved to a folder and loaded."""

from __future__ import annotations

import itertools
import json
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import genotok
from genotok import ArgumentError, Tokenizer
from tests.support.foreign import SUPPORTED, WHOLE, around, base, template

TEXTS = ["ACGTNNACGTAAAAATTGCA", "GATTACAGATTACA", "", "acgtTTTTTTTTTTTTTGCAGC"]
GENOME = "genomes/lambda_phage.fa"
OTHERS = [text for text in TEXTS if text]  # transformers takes one empty text_pair for none
KEYS = ("input_ids", "attention_mask", "token_type_ids")


def foreign() -> Tokenizer:
    """A file of others, with its own template and segments."""
    return Tokenizer.from_json(
        json.dumps(
            base(
                post_processor={
                    "type": "RobertaProcessing",
                    "sep": ["[SEP]", 2],
                    "cls": ["[CLS]", 1],
                    "trim_offsets": True,
                    "add_prefix_space": False,
                }
            )
        )
    )


MADE = {
    "byte pairs": lambda: Tokenizer.train(GENOME, vocab_size=60),
    "k-mers": lambda: Tokenizer.kmer(3, overlap=False),
    "RoBERTa": foreign,
    "no template": lambda: Tokenizer.from_json(json.dumps(SUPPORTED["plain"])),
}


@pytest.fixture(scope="module", params=MADE)
def both(request: pytest.FixtureRequest) -> tuple[Tokenizer, Any]:
    pytest.importorskip("transformers")
    made = MADE[request.param]()
    return made, made.to_hf()


def same(made: Tokenizer, rival: Any, *inputs: Any, **options: Any) -> None:
    """Equal entries from both; or an error from both."""
    try:
        expected = rival(*inputs, return_token_type_ids=True, **options)
    except Exception:  # noqa: BLE001  of several classes
        with pytest.raises(ArgumentError):
            made(*inputs, return_token_type_ids=True, **options)
        return
    found = made(*inputs, return_token_type_ids=True, **options)
    for key in KEYS:
        one, other = (
            [*map(list, value)] if isinstance(value, np.ndarray) else value
            for value in (found[key], expected[key])
        )
        assert one == other, (key, inputs, options)


# -- calls ------------------------------------------------------------------------------------------


def test_one_many_and_pairs_are_those_of_transformers(both: tuple[Tokenizer, Any]) -> None:
    made, rival = both
    for special in (True, False):
        for text in (TEXTS[0], TEXTS[2], TEXTS, TEXTS[:1]):
            same(made, rival, text, add_special_tokens=special)
        for one, other in itertools.product(TEXTS, OTHERS):
            same(made, rival, one, other, add_special_tokens=special)
        for one, other in itertools.product(TEXTS, TEXTS):
            same(made, rival, [one], [other], add_special_tokens=special)
        same(made, rival, TEXTS, TEXTS[::-1], add_special_tokens=special)


def test_rows_are_filled_up_as_by_transformers(both: tuple[Tokenizer, Any]) -> None:
    made, rival = both
    for padding in (True, "longest", False, "do_not_pad"):
        same(made, rival, TEXTS, padding=padding)
        same(made, rival, TEXTS, TEXTS[::-1], padding=padding)
    for text in (TEXTS, TEXTS[0]):
        same(made, rival, text, padding="max_length", max_length=40)
        same(made, rival, text, padding="max_length", max_length=4)


def test_long_inputs_are_cut_as_by_transformers(both: tuple[Tokenizer, Any]) -> None:
    made, rival = both
    for length, strategy in itertools.product((3, 4, 7, 10, 200), (True, "only_first", "longest_first")):
        for text in (TEXTS[0], TEXTS[2]):
            same(made, rival, text, truncation=strategy, max_length=length)
    for length, strategy in itertools.product((5, 6, 8, 11, 14), (True, "only_first", "only_second")):
        for one, other in itertools.product(TEXTS, TEXTS):
            same(made, rival, [one], [other], truncation=strategy, max_length=length)
    same(made, rival, TEXTS, truncation=True, max_length=6, padding=True, return_tensors="np")
    # Without a longest input nothing is cut.
    same(made, rival, TEXTS, truncation=True)
    assert made.encode(TEXTS[0]) == made(TEXTS[0], add_special_tokens=False, max_length=3)["input_ids"]


def test_arrays_and_tensors() -> None:
    torch = pytest.importorskip("torch")
    made = MADE["byte pairs"]()
    lists = made(TEXTS, padding=True)
    arrays = made(TEXTS, padding=True, return_tensors="np")
    assert list(lists) == ["input_ids", "attention_mask"]
    assert lists.input_ids is lists["input_ids"]
    assert arrays["input_ids"].dtype == np.int64
    assert arrays["input_ids"].tolist() == lists["input_ids"]
    tensors = made(TEXTS, padding=True, return_tensors="pt").to("cpu")
    assert tensors["attention_mask"].dtype == torch.int64
    assert tensors["attention_mask"].tolist() == lists["attention_mask"]
    assert made(TEXTS[0], return_tensors="np")["input_ids"].shape == (1, len(made(TEXTS[0])["input_ids"]))
    assert made([]) == made([], []) == {"input_ids": [], "attention_mask": []}
    assert made([], return_tensors="np")["input_ids"].shape == (0, 0)
    assert list(made("A", return_attention_mask=False)) == ["input_ids"]
    with pytest.raises(AttributeError):
        _ = lists.token_type_ids


def test_bytes_iterables_and_many_sequences() -> None:
    made = MADE["byte pairs"]()
    assert made(b"ACGT") == made("ACGT")
    assert made(iter(TEXTS)) == made(tuple(TEXTS)) == made([text.encode() for text in TEXTS])
    many = made(["ACGTTGCA" * 3] * 20_000, padding=True, return_tensors="np")["input_ids"]
    assert (many == many[0]).all()
    assert many.shape[0] == 20_000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"padding": "max_length"}, "give max_length"),
        ({"padding": "long"}, "padding='long'"),
        ({"truncation": "all"}, "truncation='all'"),
        ({"truncation": True, "max_length": -1}, "max_length=-1"),
        ({"truncation": True, "max_length": 1}, "special tokens alone are 2"),
        ({"return_tensors": "tf"}, "return_tensors='tf'"),
        ({"return_tensors": "np"}, "give padding=True"),
        ({"text_pair": "ACGT"}, "text_pair: one sequence goes with one"),
        ({"text_pair": ["ACGT"]}, "text_pair: 1 sequences are given for 4"),
    ],
)
def test_wrong_arguments_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        MADE["byte pairs"]()(TEXTS, **options)


def test_what_is_no_sequence_is_named() -> None:
    made = MADE["byte pairs"]()
    for wrong in (5, None):
        with pytest.raises(TypeError, match="text: str, bytes, or an iterable"):
            made(wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"sequences\[1\]: str or bytes"):
        made(["A", 5])  # type: ignore[list-item]
    bare = Tokenizer.train(GENOME, vocab_size=20, special_tokens=["[UNK]"])
    assert bare("ACN")["input_ids"] == bare.encode("ACN")
    with pytest.raises(ArgumentError, match="no padding token"):
        bare(TEXTS, padding=True)


def test_tensors_without_torch_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r"genotok\[model\]"):
        MADE["byte pairs"]()("A", return_tensors="pt")


# -- encode and decode ------------------------------------------------------------------------------


def test_encode_takes_pairs_bytes_and_special_tokens(both: tuple[Tokenizer, Any]) -> None:
    made, rival = both
    for one in TEXTS:
        assert made.encode(one.encode()) == made.encode(one)
        if made.template is not None:
            assert made.encode(one, add_special_tokens=True) == rival.encode(one)
        for other in OTHERS:
            for special in (True, False):
                expected = rival.encode(one, other, add_special_tokens=special)
                assert made.encode(one, other.encode(), add_special_tokens=special) == expected
    assert made.explain(b"ACGT") == made.explain("ACGT")


def test_encode_refuses_what_it_cannot_do() -> None:
    bare = Tokenizer.train(GENOME, vocab_size=20, special_tokens=["[UNK]"])
    with pytest.raises(ArgumentError, match=r"no \[CLS\] and \[SEP\]"):
        bare.encode("A", add_special_tokens=True)
    for wrong, kind, message in (
        (5, TypeError, "str or bytes is expected, found int"),
        (None, TypeError, "found NoneType"),
        (b"AC\xff", ArgumentError, "the byte at 2 is not UTF-8"),
        ("\ud800", UnicodeError, "surrogate"),
    ):
        for call in (bare.encode, bare.explain):
            with pytest.raises(kind, match=message):
                call(wrong)  # type: ignore[arg-type]
    inner = template([around("x"), WHOLE], x=[4])
    nested = Tokenizer.from_json(
        json.dumps(base(post_processor={"type": "Sequence", "processors": [inner, inner]}))
    )
    with pytest.raises(ArgumentError, match="no template of two sequences"):
        nested.encode("A", "C", add_special_tokens=True)


def test_decode_leaves_special_tokens_out(both: tuple[Tokenizer, Any]) -> None:
    made, rival = both
    rows = [made.encode(text, add_special_tokens=made.template is not None) for text in TEXTS]
    for row in rows:
        for skip in (False, True):
            expected = rival.decode(row, skip_special_tokens=skip, clean_up_tokenization_spaces=False)
            assert made.decode(row, skip_special_tokens=skip).replace(" ", "") == expected.replace(" ", "")
    assert made.decode_batch(rows, skip_special_tokens=True) == [
        made.decode(np.array(row), skip_special_tokens=True) for row in rows
    ]
    plain = made.encode_batch(TEXTS)
    assert made.decode_batch(plain) == [made.decode(row) for row in plain]
    assert made.decode_batch([*rows, None], skip_special_tokens=True, nulls="null")[-1] is None


def test_decoding_k_mers_that_overlap_gives_the_sequence() -> None:
    for canonical in (False, True):
        kmers = Tokenizer.kmer(3, canonical=canonical)
        rows = [kmers.encode(text, add_special_tokens=True) for text in ("ACGTANACGTA", "ACG", "", "AC")]
        assert kmers.decode_batch(rows) == [kmers.decode(row) for row in rows]
        assert kmers.decode_batch(rows, skip_special_tokens=True) == [
            kmers.decode(row, skip_special_tokens=True) for row in rows
        ]
    kmers = Tokenizer.kmer(3)
    ids = kmers.encode("ACGTANACGTA", add_special_tokens=True)
    assert kmers.decode_batch([ids]) == ["[CLS]ACGTA[UNK]ACGTA[SEP]"]
    assert kmers.decode(ids, skip_special_tokens=True) == "ACGTAACGTA"
    assert kmers.decode_batch([ids] * 3000)[2999] == kmers.decode(ids)


def test_an_added_token_that_is_not_special_stays() -> None:
    made = base()
    made["added_tokens"].append({"id": len(made["model"]["vocab"]), "content": "hello", "special": False})
    loaded = Tokenizer.from_json(json.dumps(made))
    ids = loaded.encode("AChelloG[SEP]")
    assert loaded.decode(ids, skip_special_tokens=True) == "AChelloG"


@pytest.mark.parametrize(
    ("ids", "kind", "message"),
    [
        ([60], ArgumentError, "id=60: must be below 60"),
        ([3, -1], ArgumentError, "id=-1"),
        ([1 << 40], ArgumentError, "id=1099511627776"),
        ([3, 1.5], TypeError, r"ids\[1\]: an integer is expected, found float"),
        (["A"], TypeError, r"ids\[0\]: an integer is expected, found str"),
        (np.array([0.5]), TypeError, "an integer is expected"),
        ("12", TypeError, "ids: an iterable of integers is expected, found str"),
        (b"12", TypeError, "ids: an iterable of integers is expected, found bytes"),
        (5, TypeError, "ids: an iterable of integers is expected, found int"),
    ],
)
def test_wrong_ids_are_named(ids: Any, kind: type[Exception], message: str) -> None:
    made = MADE["byte pairs"]()
    for call in (made.decode, lambda ids: made.decode(ids, skip_special_tokens=True)):
        with pytest.raises(kind, match=message):
            call(ids)
    with pytest.raises(kind, match=message):
        made.decode_batch([ids])


# -- the vocabulary ---------------------------------------------------------------------------------


def test_tokens_ids_and_roles_are_those_of_transformers(both: tuple[Tokenizer, Any]) -> None:
    made, rival = both
    assert made.get_vocab() == rival.get_vocab() == made.vocab
    for token, number in made.vocab.items():
        assert (made.token_to_id(token), made.id_to_token(number)) == (number, token)
    assert (made.token_to_id("nothing"), made.id_to_token(made.vocab_size)) == (None, None)
    for role in ("unk", "cls", "sep", "pad", "mask", "bos", "eos"):
        for name in (f"{role}_token", f"{role}_token_id"):
            assert getattr(made, name) == getattr(rival, name), name
    assert set(made.all_special_ids) == set(rival.all_special_ids)
    with pytest.raises(ArgumentError, match="id=-1"):
        made.id_to_token(-1)
    with pytest.raises(TypeError, match="integer"):
        made.id_to_token(1.5)  # type: ignore[arg-type]


def test_k_mers_of_any_length_know_their_ids_without_a_list() -> None:
    kmers = Tokenizer.kmer(12)
    number = kmers.token_to_id("ACGTACGTACGT")
    assert number is not None
    assert kmers.id_to_token(number) == "ACGTACGTACGT"
    assert kmers.encode("ACGTACGTACGT") == [number]
    assert (kmers.cls_token_id, kmers.pad_token, kmers.eos_token) == (2, "[PAD]", None)
    assert kmers.token_to_id("ACG") is None
    both = Tokenizer.kmer(3, canonical=True)
    assert all(both.token_to_id(token) == number for token, number in both.vocab.items())


# -- folders ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MADE)
def test_a_saved_folder_is_one_of_transformers(name: str, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    made = MADE[name]()
    made.save_pretrained(tmp_path / "folder")
    rival = transformers.AutoTokenizer.from_pretrained(tmp_path / "folder")
    same(made, rival, TEXTS, TEXTS[::-1], padding=True)
    assert list(rival(TEXTS)) == ["input_ids", "attention_mask"]
    assert rival.model_max_length > 10**20
    assert set(rival.all_special_tokens) == set(made.special_tokens)
    again = Tokenizer.from_pretrained(tmp_path / "folder")
    assert (again.vocab, again.roles, again.model_max_length) == (made.vocab, made.roles, None)
    assert again.special_tokens == made.special_tokens
    assert again.templates == made.templates


def test_the_longest_input_is_kept(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    made = MADE["byte pairs"]()
    made.model_max_length = 7
    made.save_pretrained(tmp_path)
    assert transformers.AutoTokenizer.from_pretrained(tmp_path).model_max_length == 7
    for again in (
        Tokenizer.from_pretrained(tmp_path),
        Tokenizer.from_pretrained(tmp_path / "tokenizer.json"),
    ):
        assert again.model_max_length == 7
        assert pickle.loads(pickle.dumps(again)).model_max_length == 7
        assert len(again(TEXTS[0], truncation=True)["input_ids"]) == 7
        assert len(again(TEXTS[2], padding="max_length")["input_ids"]) == 7


def test_what_is_there_stays(tmp_path: Path) -> None:
    made, other = MADE["byte pairs"](), Tokenizer.train(GENOME, vocab_size=40)
    made.save_pretrained(tmp_path)
    made.save_pretrained(tmp_path)  # the same bytes are no loss
    (tmp_path / "tokenizer.json").unlink()
    (tmp_path / "tokenizer_config.json").write_text("{}\n")
    with pytest.raises(ArgumentError, match=r"tokenizer_config\.json: is there already"):
        made.save_pretrained(tmp_path)
    assert not (tmp_path / "tokenizer.json").exists()
    made.save_pretrained(tmp_path, force=True)
    with pytest.raises(ArgumentError, match=r"tokenizer\.json: is there already"):
        other.save_pretrained(tmp_path)
    assert Tokenizer.from_pretrained(tmp_path) == made
    other.save_pretrained(tmp_path, force=True)
    assert Tokenizer.from_pretrained(tmp_path) == other
    with pytest.raises(FileNotFoundError, match="nothing is downloaded"):
        Tokenizer.from_pretrained("zhihan1996/DNABERT-2-117M")


def test_an_old_file_gets_its_template_and_k_mers_that_overlap_say_whom_they_are_for(tmp_path: Path) -> None:
    made = MADE["byte pairs"]()
    other_form = made._native.to_json_in_other_form()
    assert other_form is not None
    Tokenizer.from_json(other_form).save_pretrained(tmp_path / "old")
    assert Tokenizer.from_pretrained(tmp_path / "old") == made
    kmers = Tokenizer.kmer(6)
    kmers.save_pretrained(tmp_path / "kmers")
    assert Tokenizer.from_pretrained(tmp_path / "kmers") == kmers
    settings = json.loads((tmp_path / "kmers" / "tokenizer_config.json").read_text())
    assert settings["tokenizer_class"] == "GenotokKmerTokenizer"
    pytest.importorskip("genotok.model.huggingface")
    rival = pytest.importorskip("transformers").AutoTokenizer.from_pretrained(tmp_path / "kmers")
    for text in ("ACGTACGTAC", "ACGTNACGTACG", ""):
        assert rival(text)["input_ids"] == kmers(text)["input_ids"]
    assert (
        rival(["ACGTACGTAC", "ACGTAC"], padding=True)["input_ids"]
        == kmers(["ACGTACGTAC", "ACGTAC"], padding=True)["input_ids"]
    )
    assert rival.mask_token_id == kmers.mask_token_id
    with pytest.raises(genotok.VocabularyError, match="overlap"):
        kmers.to_hf()
