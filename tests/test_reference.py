"""The reference is the specification: here it is held against Hugging Face, and against hand-made cases."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from genotok.tokenizer import reference
from tests.support import dna, huggingface

ANY_TEXT = st.lists(
    st.one_of(
        dna.words,
        dna.words.map(str.lower),
        st.sampled_from([*dna.SPECIAL_TOKENS, "[sep]", "[UNK", "N", "n", " ", "é", "7", "ß", ""]),
        st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=5),
    ),
    max_size=8,
).map("".join)


# -- training ---------------------------------------------------------------------------------------


@given(dna.corpora(), dna.vocab_sizes, dna.min_frequencies, dna.token_lengths)
@example(["AAAA"], 5000, 0, None)
@example(["A", "C", "A"], 5000, 0, None)
@example(["AAAAAAAAAAAAAAAAAAAAA", "AAAAA", "AAAAA"], 5000, 0, 5)
def test_merges_and_ids_equal_hugging_face(
    words: list[str], vocab_size: int, min_frequency: int, max_token_length: int | None
) -> None:
    merges = reference.train(
        words, vocab_size, min_frequency=min_frequency, max_token_length=max_token_length
    )
    rival = huggingface.train(
        words, vocab_size, min_frequency=min_frequency, max_token_length=max_token_length
    )
    assert merges == huggingface.merges(rival)
    assert list(reference.vocabulary(merges).items()) == list(huggingface.vocabulary(rival).items())


@given(dna.corpora(), dna.vocab_sizes)
def test_both_strands_are_the_corpus_and_its_reverse_complements(words: list[str], vocab_size: int) -> None:
    doubled = words + [reference.reverse_complement(word) for word in words]
    assert reference.train(words, vocab_size, both_strands=True) == reference.train(doubled, vocab_size)


@given(dna.corpora(), dna.vocab_sizes)
def test_weights_are_repetitions(words: list[str], vocab_size: int) -> None:
    weights = {word: words.count(word) for word in words}
    assert reference.train(weights, vocab_size) == reference.train(words, vocab_size)


@given(dna.corpora(), st.integers(dna.MIN_VOCAB, 60))
def test_a_smaller_vocabulary_is_a_prefix(words: list[str], vocab_size: int) -> None:
    merges = reference.train(words, 60)
    assert reference.train(words, vocab_size) == merges[: vocab_size - dna.MIN_VOCAB]


@given(dna.corpora(), dna.token_lengths)
def test_no_token_arises_twice_and_none_is_too_long(words: list[str], max_token_length: int | None) -> None:
    merges = reference.train(words, dna.EXHAUSTING_VOCAB, max_token_length=max_token_length)
    products = [left + right for left, right in merges]
    assert len(set(products)) == len(products)
    assert all(len(product) <= (max_token_length or len(product)) for product in products)


@pytest.mark.parametrize(
    ("words", "merges"),
    [
        (["AAAA"], [("A", "A"), ("AA", "AA")]),
        (["AAAAA"], [("A", "A"), ("AA", "A"), ("AA", "AAA")]),  # AA AA A: (AA, A) ties, A has the smaller id
        (["GT", "AC"], [("A", "C"), ("G", "T")]),  # a tie: the smaller left id
        (["AT", "AC"], [("A", "C"), ("A", "T")]),  # a tie: the smaller right id
        (["TT", "AC", "TT"], [("T", "T"), ("A", "C")]),  # the count before the id
        (["ACACA"], [("A", "C"), ("AC", "A"), ("AC", "ACA")]),
        (["A", "C", ""], []),
        ([], []),
    ],
)
def test_training_by_hand(words: list[str], merges: list[tuple[str, str]]) -> None:
    assert reference.train(words, 100) == merges
    if words:
        assert huggingface.merges(huggingface.train(words, 100)) == merges


def test_min_frequency_is_the_smallest_count_merged() -> None:
    words = ["AC"] * 3 + ["GT"] * 2 + ["CA"]
    for min_frequency, merged in [(0, 3), (1, 3), (2, 2), (3, 1), (4, 0)]:
        assert len(reference.train(words, 100, min_frequency=min_frequency)) == merged


def test_hugging_face_counts_the_longest_token_one_too_high() -> None:
    """There 1, 2 and 3 all mean two bases, and n > 3 means n - 1; a limit of one base cannot be expressed."""
    words = ["A" * 31]

    def longest(limit: int) -> int:
        rival = huggingface.train(words, 100, max_token_length=limit - 1)  # ours is one less
        return max(map(len, (left + right for left, right in huggingface.merges(rival))))

    assert [longest(limit) for limit in (1, 2, 3, 4, 5, 9)] == [2, 2, 2, 3, 4, 8]
    assert reference.train(words, 100, max_token_length=1) == []


@pytest.mark.parametrize(
    ("words", "options", "message"),
    [
        (["ACN"], {}, "not A, C, G or T"),
        (["acgt"], {}, "not A, C, G or T"),
        (["AC"], {"vocab_size": 8}, "too small for"),
        (["AC"], {"max_token_length": 0}, "at least 1"),
        (["AC"], {"special_tokens": ["gat"]}, "DNA"),
        (["AC"], {"special_tokens": [""]}, "empty"),
        (["AC"], {"special_tokens": ["[UNK]", "[UNK]"]}, "twice"),
    ],
)
def test_what_cannot_be_is_refused(words: list[str], options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        reference.train(words, **{"vocab_size": 100, **options})  # type: ignore[arg-type]


# -- words ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sequence", "word_length", "words"),
    [
        ("", None, []),
        ("NNN", None, []),
        ("acGTNNacgRT", None, ["ACGT", "ACG", "T"]),
        ("ACGTACG", 3, ["ACG", "TAC", "G"]),
        ("ACNGTAC", 2, ["AC", "GT", "AC"]),
        ("AC", 5, ["AC"]),
    ],
)
def test_words(sequence: str, word_length: int | None, words: list[str]) -> None:
    assert reference.words_of(sequence, word_length) == words


@given(dna.words)
def test_the_reverse_complement_is_its_own_inverse(word: str) -> None:
    assert reference.reverse_complement(reference.reverse_complement(word)) == word


def test_the_reverse_complement_by_hand() -> None:
    assert reference.reverse_complement("AACGT") == "ACGTT"


# -- encoding ---------------------------------------------------------------------------------------


@given(dna.corpora(), dna.vocab_sizes, ANY_TEXT)
def test_ids_equal_hugging_face(words: list[str], vocab_size: int, text: str) -> None:
    rival = huggingface.upper_casing(huggingface.train(words, vocab_size))
    merges = reference.train(words, vocab_size)
    assert reference.encode(text, merges) == huggingface.encode(rival, text)


@given(dna.corpora())
def test_training_words_are_encoded_as_they_were_merged(words: list[str]) -> None:
    """Once the corpus is used up, each of its words is one token."""
    merges = reference.train(words, dna.EXHAUSTING_VOCAB)
    assert all(reference.tokenize(word, merges) == [word] for word in words)


@given(dna.corpora(), dna.words)
def test_decoding_gives_the_sequence_back(words: list[str], sequence: str) -> None:
    merges = reference.train(words, dna.EXHAUSTING_VOCAB)
    assert reference.decode(reference.encode(sequence, merges), merges) == sequence


@given(dna.corpora(), dna.words)
def test_each_step_of_the_explanation_is_one_merge(words: list[str], sequence: str) -> None:
    merges = reference.train(words, 60)
    steps = list(reference.explain(sequence, merges))
    assert steps[0] == (None, list(sequence))
    for (_, before), (rank, after) in pairwise(steps):
        assert rank is not None
        assert len(after) == len(before) - 1
        assert "".join(after) == sequence
        assert "".join(merges[rank]) in after
    assert steps[-1][1] == reference.tokenize(sequence, merges)


def test_there_is_no_id_beyond_the_vocabulary() -> None:
    for number in (-1, 9):
        with pytest.raises(KeyError):
            reference.decode([number], [])
