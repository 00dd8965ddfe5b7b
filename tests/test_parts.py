"""Edits of a sequence, substitutions and places of tokens, against whole encodings in plain Python."""

from __future__ import annotations

import json
import random
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import genotok
from genotok.tokenizer import reference, reference_parts
from tests.support import dna
from tests.support.foreign import base, document, fallback, lower, plain_specials, replace, shuffled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from genotok.tokenizer.parts import EditTuple, Reencoding

COMPLEMENT = str.maketrans("ACGTacgtRYKMBVDHrykmbvdh", "TGCAtgcaYRMKVBHDyrmkvbhd")

sequences = st.lists(
    st.one_of(dna.words, st.sampled_from(["N", "NNN", "n", "acgt", "R", "-"])), max_size=6
).map("".join)
replacements = st.one_of(
    st.sampled_from(["", *"ACGT", "N", "a"]), dna.words, st.text(alphabet="ACGTNacgtR-", max_size=5)
)
drafts = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 6), replacements), max_size=12)


@pytest.fixture(scope="module")
def tokenizer(own_genomes: Path) -> genotok.Tokenizer:
    return genotok.Tokenizer.train(str(own_genomes / "lambda_phage.fa"), vocab_size=512)


def reverse_complement(text: str) -> str:
    return text.translate(COMPLEMENT)[::-1]


def edits_of(drawn: Iterable[tuple[int, int, str]], length: int) -> list[tuple[int, int, str]]:
    """Edits that fit a sequence: insertions, deletions and replacements, also at its ends."""
    starts = [(min(start, length), width, new) for start, width, new in drawn]
    return [(start, min(start + width, length), new) for start, width, new in starts]


def plain(found: Reencoding) -> tuple[int, int, list[int], list[int]]:
    return found.start, found.end, found.before.tolist(), found.after.tolist()


def length_of(tokenizer: genotok.Tokenizer, number: int) -> int:
    token = tokenizer.id_to_token(number)
    return 1 if number == tokenizer.unknown_id else len(token or "")


def check(tokenizer: genotok.Tokenizer, sequence: str, edits: list[tuple[int, int, str]]) -> None:
    """All edits on both strands, at once and one by one, are what whole encodings say."""
    length = partial(length_of, tokenizer)
    expected = [reference_parts.reencode(sequence, edit, tokenizer.encode, length) for edit in edits]
    found = tokenizer.reencode_many(sequence, edits)
    assert [*map(plain, found)] == expected
    assert [plain(tokenizer.reencode(sequence, *edit)) for edit in edits[:3]] == expected[:3]
    for edit, one in zip(edits, found, strict=True):
        changed = sequence[: edit[0]] + edit[2] + sequence[edit[1] :]
        old, new = tokenizer.encode(sequence), tokenizer.encode(changed)
        first = tokenizer.boundaries(old).tolist().index(one.start)
        rest = len(old) - first - len(one.before)
        assert [*old[:first], *one.after, *old[len(old) - rest :]] == new
    other = reverse_complement(sequence)
    size = len(sequence)
    turned = [(size - end, size - start, reverse_complement(new)) for start, end, new in edits]
    reverse = [plain(one) for one in tokenizer.reencode_many(sequence, edits, strand="-")]
    assert reverse == [reference_parts.reencode(other, edit, tokenizer.encode, length) for edit in turned]


def trained(words: Iterable[str], vocab_size: int) -> genotok.Tokenizer:
    merges = reference.train(words, vocab_size)
    return genotok.Tokenizer.from_json(json.dumps(document("ACGT", merges)))


@given(dna.corpora(), st.integers(dna.MIN_VOCAB, 60), sequences, drafts)
@example(["A" * 9], 20, "A" * 50, [(20, 1, "C"), (20, 0, "A"), (21, 3, ""), (0, 50, ""), (50, 0, "A")])
@example(["ACGT" * 5], 20, "ACGTACGT", [(4, 0, "N"), (0, 0, "N"), (8, 0, "")])
@example(["AC"], 12, "", [(0, 0, ""), (0, 0, "ACNA")])
def test_changes_are_those_of_whole_encodings(
    corpus: list[str], vocab_size: int, sequence: str, drawn: list[tuple[int, int, str]]
) -> None:
    check(trained(corpus, vocab_size), sequence, edits_of(drawn, len(sequence)))


@given(st.integers(1, 6), st.booleans(), st.booleans(), sequences, drafts)
@example(3, False, False, "ACGTACGTAC", [(3, 3, "AC"), (3, 6, ""), (4, 5, "N"), (9, 10, ""), (2, 5, "ANC")])
def test_changes_of_kmers_are_those_of_whole_encodings(
    k: int, canonical: bool, uppercase: bool, sequence: str, drawn: list[tuple[int, int, str]]
) -> None:
    tokenizer = genotok.Tokenizer.kmer(k, overlap=False, canonical=canonical, uppercase=uppercase)
    check(tokenizer, sequence, edits_of(drawn, len(sequence)))


@st.composite
def merges_in_any_order(draw: st.DrawFn) -> list[tuple[str, str]]:
    """Merges whose parts may rank after them, of strings that may be made in several ways."""
    tokens, merges = [*"ACGT"], []
    for left, right in draw(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=25)):
        pair = tokens[left % len(tokens)], tokens[right % len(tokens)]
        if pair not in merges:
            merges.append(pair)
            tokens += {"".join(pair)} - {*tokens}
    return draw(st.permutations(merges))


@given(merges_in_any_order(), sequences, drafts)
@settings(max_examples=60)
def test_changes_under_merges_in_any_order(
    merges: list[tuple[str, str]], sequence: str, drawn: list[tuple[int, int, str]]
) -> None:
    tokenizer = genotok.Tokenizer.from_json(json.dumps(document("ACGT", merges)))
    check(tokenizer, sequence, edits_of(drawn, len(sequence)))


FOREIGN: dict[str, Callable[[], Any]] = {
    "shuffled": lambda: shuffled(3),
    "base": base,
    "lower": lower,
    "fallback": fallback,
    "specials": plain_specials,
    "replaced": lambda: base(normalizer=replace("GA", "TA")),
    "fused": lambda: base(model={"fuse_unk": True}),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_files_of_others_change_nothing_outside(name: str) -> None:
    """Whatever a file does to a text: what is outside of the change stays, and is longest."""
    tokenizer = genotok.Tokenizer.from_json(json.dumps(FOREIGN[name]()))
    draw = random.Random(name)
    for _ in range(300):
        parts = draw.choices(
            ["ACGT", "GA", "N", "NN", "a", "[SEP]", "é", " ", "CC", "T"], k=draw.randrange(12)
        )
        sequence = "".join(parts)
        start = draw.randrange(len(sequence) + 1)
        end = min(len(sequence), start + draw.randrange(3))
        new = draw.choice(["", "A", "C", "GA", "N", "[", "é", "[SEP]", " "])
        found = tokenizer.reencode(sequence, start, end, new)
        assert found.start <= start <= end <= found.end
        changed = sequence[:start] + new + sequence[end:]
        rows = tokenizer.encode_batch([sequence, changed], offsets=True)
        (old, after), spans = rows, np.split(rows.spans, rows.offsets[1:-1])
        shift = len(new) - (end - start)
        left = [pair for pair in zip(old, spans[0].tolist(), strict=True) if pair[1][1] <= found.start]
        right = [pair for pair in zip(old, spans[0].tolist(), strict=True) if pair[1][0] >= found.end]
        assert len(left) + len(found.before) + len(right) == len(old)
        assert found.before.tolist() == old[len(left) : len(old) - len(right)]
        moved = [(one, [at + shift for at in span]) for one, span in right]
        both = [*zip(after, spans[1].tolist(), strict=True)]
        assert both[: len(left)] == left
        assert both[len(after) - len(right) :] == moved
        assert found.after.tolist() == after[len(left) : len(after) - len(right)]


@given(dna.corpora(), st.integers(dna.MIN_VOCAB, 40), st.data())
@settings(max_examples=40)
def test_substitutions_are_all_that_keep_the_row(
    corpus: list[str], vocab_size: int, data: st.DataObject
) -> None:
    tokenizer = trained(corpus, vocab_size)
    special = {*tokenizer.all_special_ids}
    vocabulary = {number: token for token, number in tokenizer.vocab.items() if number not in special}
    numbers = st.sampled_from([*vocabulary])
    sides = st.one_of(st.none(), numbers, st.just(tokenizer.unknown_id))
    row = data.draw(sides), data.draw(numbers), data.draw(sides)
    found = tokenizer.substitutions(*row)
    assert found.dtype == np.int32
    assert found.tolist() == reference_parts.substitutions(row, vocabulary, tokenizer.encode)


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("canonical", [False, True])
def test_substitutions_of_kmers(k: int, canonical: bool) -> None:
    tokenizer = genotok.Tokenizer.kmer(k, overlap=False, canonical=canonical)
    special = {*tokenizer.all_special_ids}
    vocabulary = {number: token for token, number in tokenizer.vocab.items() if number not in special}
    last = [*vocabulary][-1]
    few = [next(iter(vocabulary)), last - 1, last]
    for row in product([None, tokenizer.unknown_id, *few], few, [None, tokenizer.unknown_id, *few]):
        expected = reference_parts.substitutions(row, vocabulary, tokenizer.encode)
        assert tokenizer.substitutions(*row).tolist() == expected


def test_substitutions_in_a_sequence_keep_its_boundaries(tokenizer: genotok.Tokenizer) -> None:
    draw = random.Random(5)
    sequence = "".join(draw.choices("ACGT", k=400))
    ids = tokenizer.encode(sequence)
    for at in range(len(ids)):
        left, right = (ids[at - 1] if at else None), (ids[at + 1] if at + 1 < len(ids) else None)
        found = tokenizer.substitutions(left, ids[at], right).tolist()
        assert ids[at] in found
        for other in draw.sample(found, min(4, len(found))):
            row = [*ids[:at], other, *ids[at + 1 :]]
            assert tokenizer.encode(tokenizer.decode(row)) == row


@given(sequences, st.lists(st.integers(0, 500), max_size=5))
def test_places_of_tokens(sequence: str, positions: list[int]) -> None:
    tokenizer = trained(["ACGTACGTTT"], 16)
    ids = tokenizer.encode(sequence)
    length = partial(length_of, tokenizer)
    found = tokenizer.boundaries(ids)
    assert found.dtype == np.int64
    assert found.tolist() == reference_parts.boundaries(ids, length)
    spans = tokenizer.encode_batch([sequence], offsets=True).spans
    assert spans is not None
    assert spans.tolist() == np.stack([found[:-1], found[1:]], 1).tolist()
    inside = [at for at in positions if at < len(sequence)]
    expected = [reference_parts.token_at(ids, at, length) for at in inside]
    assert tokenizer.token_at(ids, inside).tolist() == expected


def test_special_tokens_stand_for_no_bases(tokenizer: genotok.Tokenizer) -> None:
    ids = tokenizer.encode("ACGTN", add_special_tokens=True)
    found = tokenizer.boundaries(ids)
    assert (found[0], found[1], found[-2], found[-1]) == (0, 0, 5, 5)
    assert tokenizer.token_at(ids, 0) == 1
    assert tokenizer.token_at(ids, [[4], [0]]).tolist() == [[len(ids) - 2], [1]]
    with pytest.raises(IndexError, match="position 5: the tokens have 5 bases"):
        tokenizer.token_at(ids, [0, 5])
    with pytest.raises(IndexError, match="position -1"):
        tokenizer.token_at(ids, -1)
    with pytest.raises(TypeError, match="integers are expected"):
        tokenizer.token_at(ids, [0.5])


@pytest.mark.parametrize("kind", ["trained", "kmers"])
def test_random_edits_of_a_genome(kind: str, tokenizer: genotok.Tokenizer, own_genomes: Path) -> None:
    """Phage lambda, whole: what is spliced is the encoding of the changed genome."""
    if kind == "kmers":
        tokenizer = genotok.Tokenizer.kmer(6, overlap=False)
    genome = next(dna.read_fasta(own_genomes / "lambda_phage.fa")).upper()
    draw = random.Random(11)
    edits: list[EditTuple] = []
    for _ in range(2000):
        start = draw.randrange(len(genome))
        width = draw.choice([0, 1, 1, 1, 1, 2, 3, 9, 60])
        new = "".join(draw.choices("ACGTN", [9, 9, 9, 9, 1], k=draw.choice([0, 1, 1, 1, 1, 2, 3, 9, 60])))
        edits.append((start, min(start + width, len(genome)), new))
    for strand in ("+", "-"):
        text = genome if strand == "+" else reverse_complement(genome)
        old = np.array(tokenizer.encode(text))
        bounds = tokenizer.boundaries(old)
        found = tokenizer.reencode_many(genome, edits, strand=strand)
        for number in range(0, 2000, 1 if strand == "+" else 10):
            start, end, new = edits[number]
            if strand == "-":
                start, end, new = len(text) - end, len(text) - start, reverse_complement(str(new))
            one = found[number]
            first, last = np.searchsorted(bounds, [one.start, one.end])
            spliced = np.concatenate([old[:first], one.after, old[last:]])
            assert old[first:last].tolist() == one.before.tolist()
            assert spliced.tolist() == tokenizer.encode(text[:start] + str(new) + text[end:])


def test_what_cannot_be_is_refused(tokenizer: genotok.Tokenizer) -> None:
    for start, end in [(2, 1), (0, 5), (5, 5)]:
        with pytest.raises(genotok.ArgumentError, match=r"edit 1: start <= end <= 4"):
            tokenizer.reencode_many("ACGT", [(0, 0, ""), (start, end, "A")])
    with pytest.raises(genotok.ArgumentError, match="from 0"):
        tokenizer.reencode("ACGT", -1, 1, "A")
    wrong: Any = [(0, 1)]
    with pytest.raises(TypeError, match=r"edits\[0\]: \(start, end, replacement\) is expected"):
        tokenizer.reencode_many("ACGT", wrong)
    wrong = [(0, 1, 5)]
    with pytest.raises(TypeError, match=r"edits\[0\]: replacement: str or bytes is expected"):
        tokenizer.reencode_many("ACGT", wrong)
    with pytest.raises(genotok.ArgumentError, match=r"edits\[0\]: replacement: is not text"):
        tokenizer.reencode("ACGT", 0, 1, b"\xff")
    strand: Any = "x"
    with pytest.raises(genotok.ArgumentError, match="strand='x'"):
        tokenizer.reencode_many("ACGT", [], strand=strand)
    overlapping = genotok.Tokenizer.kmer(3)
    for call in (
        lambda: overlapping.reencode("ACGT", 0, 1, "A"),
        lambda: overlapping.boundaries([5]),
        lambda: overlapping.substitutions(None, 5, None),
    ):
        with pytest.raises(genotok.VocabularyError, match="k-mers overlap"):
            call()
    made = document("ACGT", [("A", "C")], [])
    made["model"]["unk_token"] = None
    without = genotok.Tokenizer.from_json(json.dumps(made))
    for sequence, new, where in [("ACNT", "A", "sequence"), ("ACGT", "AN", "edit 0")]:
        with pytest.raises(genotok.SymbolError, match=where):
            without.reencode(sequence, 1, 1, new)
    with pytest.raises(genotok.ArgumentError, match="special token"):
        tokenizer.substitutions(None, tokenizer.token_to_id("[CLS]") or 0, None)
    with pytest.raises(genotok.ArgumentError, match="size of the vocabulary"):
        tokenizer.boundaries([tokenizer.vocab_size])


def test_bytes_and_text_are_the_same(tokenizer: genotok.Tokenizer) -> None:
    one, other = tokenizer.reencode("ACGTTGCA", 2, 3, "T"), tokenizer.reencode(b"ACGTTGCA", 2, 3, b"T")
    assert plain(one) == plain(other)
    assert tokenizer.reencode_many("ACGT", []) == []
