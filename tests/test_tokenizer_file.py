"""tokenizer.json: Hugging Face reads ours, we read theirs, with equal ids; damaged ones are refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as HuggingFaceTokenizer

import genotok
from genotok import _native
from genotok.options import TrainOptions
from genotok.tokenizer import reference
from tests.support import dna, huggingface

CORPUS = ["ACGTTGCAACGGTTACATTTTTTTTGATTACA", "CCCCCCCCCGCGCGCGATATATATA", "GGGATTACAGGG"]
MERGES = reference.train(CORPUS, 40)
UNICODE = st.characters(exclude_categories=["Cs"])

texts = st.lists(
    st.one_of(
        dna.words,
        dna.words.map(str.lower),
        st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", max_size=20),
        st.sampled_from(
            [*dna.SPECIAL_TOKENS, "[sep]", "[UNK", "[[SEP]]", "SEP]", " ", "\n", "\t", "0123", "é", "ß"]
        ),
        st.sampled_from(["\ufeff", "e\u0301", "\u0130", "\x00", "🧬", "Ａ", "ﬀ", "\u2028"]),
        st.text(alphabet=UNICODE, max_size=6),
    ),
    max_size=8,
).map("".join)


@pytest.fixture(scope="module")
def ours() -> Any:
    """A tokenizer of forty tokens."""
    return _native.Tokenizer.train_words(
        [(word, 1) for word in CORPUS],
        TrainOptions(vocab_size=40, special_tokens=tuple(dna.SPECIAL_TOKENS)),
        threads=1,
        seed=None,
    )


@pytest.fixture(scope="module")
def document(ours: Any) -> dict[str, Any]:
    """Its file, parsed."""
    parsed: dict[str, Any] = json.loads(ours.to_json())
    return parsed


# -- in Hugging Face --------------------------------------------------------------------------------


@given(texts)
@settings(max_examples=300)
def test_tokenizers_gives_equal_ids(ours: Any, text: str) -> None:
    rival = HuggingFaceTokenizer.from_str(ours.to_json())
    ids = ours.encode(text)
    assert ids == huggingface.encode(rival, text)
    assert ids == reference.encode(text, MERGES)


@pytest.fixture(scope="module")
def fast(ours: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The file, loaded as users of transformers load it."""
    transformers = pytest.importorskip("transformers")
    path = tmp_path_factory.mktemp("fast") / "tokenizer.json"
    ours.save(str(path))
    return transformers.PreTrainedTokenizerFast(tokenizer_file=str(path))


@given(texts)
def test_transformers_gives_equal_ids(ours: Any, fast: Any, text: str) -> None:
    assert ours.encode(text) == fast(text, add_special_tokens=False)["input_ids"]


@given(dna.corpora(), dna.words)
def test_any_trained_tokenizer_loads_with_equal_ids(
    train_words: Callable[..., Any], words: list[str], text: str
) -> None:
    trained = train_words(words, vocab_size=dna.EXHAUSTING_VOCAB)
    rival = HuggingFaceTokenizer.from_str(trained.to_json())
    assert trained.merges == huggingface.merges(rival)
    assert trained.vocab == huggingface.vocabulary(rival)
    for sequence in (text, text.lower(), *words):
        assert trained.encode(sequence) == huggingface.encode(rival, sequence)


@given(st.lists(st.integers(0, 39), max_size=30))
def test_decoding_joins_the_tokens_and_so_does_hugging_face(ours: Any, ids: list[int]) -> None:
    rival = HuggingFaceTokenizer.from_str(ours.to_json())
    assert ours.decode(ids) == reference.decode(ids, MERGES)
    assert ours.decode(ids) == rival.decode(ids, skip_special_tokens=False)


@pytest.mark.parametrize("number", [40, 2**16, 2**32])
def test_decoding_an_id_that_does_not_exist_is_refused(ours: Any, number: int) -> None:
    with pytest.raises((ValueError, OverflowError)) as caught:
        ours.decode([5, number])
    assert "\n" not in str(caught.value)


def test_a_lone_surrogate_is_refused_as_by_hugging_face(ours: Any) -> None:
    with pytest.raises(UnicodeError):
        ours.encode("AC\ud800GT")


@given(
    dna.corpora(),
    dna.vocab_sizes,
    st.lists(st.text(alphabet="<>[]_abcXYZ7", min_size=1, max_size=6), unique=True, max_size=4),
    texts,
)
def test_other_special_tokens_give_equal_ids(
    train_words: Callable[..., Any], words: list[str], vocab_size: int, specials: list[str], text: str
) -> None:
    """Any mixture: some inside others, some in the middle of the list before [UNK]."""
    specials = [*specials, "[UNK]"]
    assume(not any(set(special) <= set("ACGTacgt") for special in specials))
    assume(vocab_size >= len(specials) + 4)
    trained = train_words(words, vocab_size=vocab_size, special_tokens=specials)
    rival = HuggingFaceTokenizer.from_str(trained.to_json())
    text = "".join(part for special in specials for part in (special, text))
    assert trained.encode(text) == huggingface.encode(rival, text)


# -- the same bytes ---------------------------------------------------------------------------------


@given(dna.corpora(), dna.vocab_sizes)
def test_loading_and_writing_gives_the_same_bytes(
    train_words: Callable[..., Any], words: list[str], vocab_size: int
) -> None:
    text = train_words(words, vocab_size=vocab_size).to_json()
    again = _native.Tokenizer.from_json(text)
    assert again.to_json() == text
    assert all(train_words(words, vocab_size=vocab_size, threads=n).to_json() == text for n in (1, 2, 4))


def test_saving_and_loading_gives_the_same_bytes(ours: Any, tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    ours.save(str(first))
    genotok.Tokenizer.from_file(first).save(second)
    assert first.read_bytes() == second.read_bytes() == ours.to_json().encode()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.json", "second.json"]


def test_loading_keeps_everything(ours: Any) -> None:
    again = _native.Tokenizer.from_json(ours.to_json())
    assert again.merges == ours.merges
    assert list(again.vocab.items()) == list(ours.vocab.items())
    assert again.special_tokens == ours.special_tokens == dna.SPECIAL_TOKENS


# -- files of others --------------------------------------------------------------------------------


@given(dna.corpora(), dna.vocab_sizes, texts)
def test_a_file_that_hugging_face_trained_loads_with_equal_ids(
    words: list[str], vocab_size: int, text: str
) -> None:
    """Without a normalizer lower case is unknown, as its writer meant it."""
    rival = huggingface.train(words, vocab_size)
    loaded = _native.Tokenizer.from_json(rival.to_str())
    assert loaded.merges == huggingface.merges(rival)
    assert loaded.encode(text) == huggingface.encode(rival, text)


def test_merges_in_the_old_notation_load(ours: Any, document: dict[str, Any]) -> None:
    """Files from before 2024 have "A C" where newer ones have ["A", "C"]."""
    old = copy.deepcopy(document)
    old["model"]["merges"] = [" ".join(pair) for pair in ours.merges]
    assert _native.Tokenizer.from_json(json.dumps(old)).merges == ours.merges


@given(st.permutations(range(31)), dna.words)
@settings(max_examples=100)
def test_merges_in_a_foreign_order_are_replayed_as_by_hugging_face(
    ours: Any, order: list[int], text: str
) -> None:
    """Parts ranked after their product, merges that never apply: the rule still says what happens."""
    parsed = json.loads(ours.to_json())
    parsed["model"]["merges"] = [parsed["model"]["merges"][place] for place in order]
    shuffled = json.dumps(parsed)
    rival = HuggingFaceTokenizer.from_str(shuffled)
    try:
        loaded = _native.Tokenizer.from_json(shuffled)
    except genotok.VocabularyError:
        return  # refusing is allowed, another answer is not
    assert loaded.encode(text) == huggingface.encode(rival, text)


@pytest.fixture(scope="module")
def dnabert2(shared: Path) -> Path:
    """The tokenizer published with DNABERT-2."""
    return shared / "tokenizers" / "dnabert2" / "tokenizer.json"


@given(texts)
@settings(max_examples=200)
def test_dnabert2_gives_equal_ids(dnabert2: Path, text: str) -> None:
    """White space splits and vanishes there; lower case is unknown."""
    rival, loaded = _both(dnabert2)
    assert loaded.encode(text) == huggingface.encode(rival, text)


_LOADED: dict[Path, tuple[Any, Any]] = {}


def _both(path: Path) -> tuple[Any, Any]:
    """The same file in Hugging Face and in genotok."""
    if path not in _LOADED:
        _LOADED[path] = HuggingFaceTokenizer.from_file(str(path)), genotok.Tokenizer.from_file(path)
    return _LOADED[path]


def test_dnabert2_on_real_sequence(dnabert2: Path, own_genomes: Path) -> None:
    rival, loaded = _both(dnabert2)
    assert len(loaded.merges) == 4087
    assert loaded.vocab_size == 4096
    sequence = next(dna.read_fasta(own_genomes / "lambda_phage.fa"))
    assert loaded.encode(sequence) == huggingface.encode(rival, sequence)
    assert loaded.decode(loaded.encode(sequence)) == sequence
    assert set(loaded.encode(sequence[:100].lower())) == {rival.token_to_id("[UNK]")}


# -- damaged files ----------------------------------------------------------------------------------


def model(**changes: Any) -> Callable[[dict[str, Any]], None]:
    """Change keys of the model."""
    return lambda document: document["model"].update(changes)


def without(*keys: str) -> Callable[[dict[str, Any]], None]:
    """Take out the key at the end of a path of keys."""

    def change(document: dict[str, Any]) -> None:
        for key in keys[:-1]:
            document = document[key]
        del document[keys[-1]]

    return change


def token(name: str, number: Any) -> Callable[[dict[str, Any]], None]:
    """Give a token another id, or give an id to a new one."""
    return lambda document: document["model"]["vocab"].update({name: number})


def merge(*pair: Any) -> Callable[[dict[str, Any]], None]:
    """Append a merge."""
    return lambda document: document["model"]["merges"].append(list(pair))


def special(content: Any, number: Any) -> Callable[[dict[str, Any]], None]:
    """Append a special token, a copy of the first but for this."""
    return lambda document: document["added_tokens"].append(
        {**document["added_tokens"][0], "content": content, "id": number}
    )


DAMAGES: dict[str, Callable[[dict[str, Any]], None]] = {
    "no model": without("model"),
    "no vocabulary": without("model", "vocab"),
    "no merges": without("model", "merges"),
    "a base is missing": without("model", "vocab", "G"),
    "the unknown token is missing": without("model", "vocab", "[UNK]"),
    "the model is a list": lambda document: document.update(model=[]),
    "the vocabulary is a list": model(vocab=["A", "C", "G", "T"]),
    "the merges are a number": model(merges=7),
    "the merges are an object": model(merges={"A": "C"}),
    "another kind of model": model(type="WordPiece"),
    "an unknown kind of model": model(type="Unheard"),
    "dropout": model(dropout=0.1),
    "a prefix inside words": model(continuing_subword_prefix="##"),
    "a suffix at the end of words": model(end_of_word_suffix="</w>"),
    "an id is a string": token("A", "5"),
    "an id is negative": token("A", -5),
    "an id is a fraction": token("A", 5.5),
    "an id is null": token("A", None),
    "an id is given twice": token("A", 6),
    "an id leaves a gap": token("NEW", 1000),
    "an id is beyond 32 bits": token("A", 2**32 + 5),
    "an id is beyond 64 bits": token("A", 2**64 + 5),
    "an id is enormous": token("A", 10**400),
    "a merge of an unknown token": merge("A", "CCCCCCCCCCCCCCCCCCC"),
    "a merge without its product": merge("TTTTTTTT", "CCCCCCCC"),
    "a merge of three": merge("A", "C", "G"),
    "a merge of one": merge("A"),
    "a merge of numbers": merge(1, 2),
    "a merge of the empty string": merge("", "A"),
    "a merge that is a number": lambda document: document["model"]["merges"].append(3),
    "a merge that is one word": lambda document: document["model"]["merges"].append("ACGT"),
    "a special token that is DNA": special("ACG", 40),
    "a special token that is lower-case DNA": special("gattaca", 40),
    "an empty special token": special("", 40),
    "a special token that is a number": special(7, 40),
    "a special token without an id": special("[NEW]", None),
    "a special token with the id of a base": special("[NEW]", 5),
    "a special token with two ids": special("[CLS]", 3),
    "the special tokens are a string": lambda document: document.update(added_tokens="[UNK]"),
}


def assert_refused(call: Callable[[], object]) -> None:
    """The call raises one of our errors, and its message is one short line."""
    with pytest.raises(genotok.GenotokError) as caught:
        call()
    assert isinstance(caught.value, genotok.VocabularyError | genotok.SequenceFileError)
    message = str(caught.value)
    assert message
    assert "\n" not in message
    assert len(message) < 1000


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_file_is_refused(document: dict[str, Any], tmp_path: Path, name: str) -> None:
    damaged = copy.deepcopy(document)
    DAMAGES[name](damaged)
    text = json.dumps(damaged)
    assert_refused(lambda: _native.Tokenizer.from_json(text))
    path = tmp_path / "tokenizer.json"
    path.write_text(text)
    with pytest.raises(genotok.GenotokError, match=r"tokenizer\.json"):
        genotok.Tokenizer.from_file(path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "null",
        "7",
        "[]",
        "{}",
        '"tokenizer"',
        "not JSON",
        '{"model": ',
        "[" * 100_000,
        '{"model":' * 100_000,
        '{"model": 1e400}',
        '{"model": {"type": "BPE", "vocab": {}, "merges": []}}',
        "\x00" * 1000,
        ">r1\nACGT\n",
        "A" * 1_000_000,
    ],
    ids=lambda text: repr(text[:20]),
)
def test_what_is_not_a_tokenizer_is_refused(tmp_path: Path, text: str) -> None:
    assert_refused(lambda: _native.Tokenizer.from_json(text))
    path = tmp_path / "tokenizer.json"
    path.write_text(text)
    assert_refused(lambda: genotok.Tokenizer.from_file(path))


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(b"\xff\xfe\x00{")
    assert_refused(lambda: genotok.Tokenizer.from_file(path))


def test_a_duplicate_key_does_not_hide_a_token(ours: Any) -> None:
    """JSON allows a key twice; whichever is taken, the ids then have a gap or a double."""
    text = ours.to_json().replace('"A"', '"A": 77, "A"', 1)
    assert_refused(lambda: _native.Tokenizer.from_json(text))


@given(st.data())
@settings(max_examples=400)
def test_no_damage_does_worse_than_an_error(ours: Any, data: st.DataObject) -> None:
    """Cut out, double, or replace a piece of the file: it loads, or it is refused; nothing else happens."""
    text = ours.to_json()
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    piece = data.draw(
        st.one_of(
            st.just(""),
            st.just(text[start:end] * 2),
            st.sampled_from(
                ["null", "-1", "1e999", "[]", "{}", '"', "]", "}", ",", "18446744073709551616", "\\u0000"]
            ),
            st.text(max_size=5, alphabet=UNICODE),
        )
    )
    message = ""
    try:
        loaded = _native.Tokenizer.from_json(text[:start] + piece + text[end:])
        loaded.encode("ACGTN[SEP]acgt" + piece)
        assert _native.Tokenizer.from_json(loaded.to_json()).vocab == loaded.vocab
    except genotok.GenotokError as error:
        message = str(error)
    assert "\n" not in message
