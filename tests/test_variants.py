"""Scores of variants are those of their definitions, computed by brute force on tiny models."""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="variants need torch: the extra `model`")
pytest.importorskip("safetensors", reason="weights are read with safetensors: the extra `model`")

from genotok import ArgumentError, Tokenizer, _native  # noqa: E402
from genotok.model import pack  # noqa: E402
from genotok.variants import Edit, ScoringOptions, VariantScorer, scorer  # noqa: E402
from genotok.variants.edits import WindowEdit, reverse_complement  # noqa: E402
from genotok.variants.rows import RowMaker  # noqa: E402
from tests.support.tiny_models import tiny_model, tiny_tokenizer  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

GENOME = _native.simulate(3_000, 9).decode()
BASES = "ACGT"
SPECIAL = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
ALL = ("pll", "marginal", "embedding")


@cache
def scorer_of(vocab_size: int = 40, **options: Any) -> VariantScorer:
    tokenizer = tiny_tokenizer(vocab_size)
    chosen = {"scores": ALL, "window": 48, **options}
    layers = chosen.pop("layers", 1)
    return VariantScorer(tiny_model(tokenizer, layers=layers), tokenizer, ScoringOptions(**chosen))


# -- brute force: the definitions, one row at a time -----------------------------------------------


def log_p(found: VariantScorer, ids: list[int], place: int) -> Any:
    """The logarithms of the probabilities of all tokens at a place that is masked."""
    row = torch.tensor([1, *ids, 2])
    row[place + 1] = found.tokenizer.mask_token_id
    with torch.no_grad():
        scores = found._model(row, pack([len(row)]))[1][place + 1]
    return torch.log_softmax(scores.double(), 0).numpy()


def spans(tokenizer: Tokenizer, bases: str) -> list[tuple[int, int]]:
    return [tuple(each) for each in tokenizer.encode_batch([bases], offsets=True).spans.tolist()]


def affected(
    tokenizer: Tokenizer, edit: WindowEdit
) -> tuple[list[int], list[int], list[int], list[int], int]:
    """Both rows, their affected tokens' places, and the start: from the last common border to the first."""
    one, other = tokenizer.encode(edit.bases), tokenizer.encode(edit.changed)
    moved = len(edit.replacement) - (edit.end - edit.start)
    borders = {0, len(edit.bases)} | {end for _, end in spans(tokenizer, edit.bases)}
    changed = {0, len(edit.changed)} | {end for _, end in spans(tokenizer, edit.changed)}
    start = max(each for each in borders & changed if each <= edit.start)
    end = min(each for each in borders if each >= edit.end and each + moved in changed)
    within = []
    for bases, limit in ((edit.bases, end), (edit.changed, end + moved)):
        places = enumerate(spans(tokenizer, bases))
        within.append([place for place, (left, right) in places if start <= left and right <= limit])
    return one, other, *within, start


def brute_pll(found: VariantScorer, edit: WindowEdit) -> tuple[float, float]:
    one, other, before, after, _ = affected(found.tokenizer, edit)
    sums, bases = [], []
    for row, places in ((one, before), (other, after)):
        sums.append(sum(log_p(found, row, place)[row[place]] for place in places))
        bases.append(sum(len(found.tokenizer.id_to_token(row[place]) or "") for place in places))
    per_base = sums[1] / bases[1] - sums[0] / bases[0] if all(bases) else np.nan
    return sums[1] - sums[0], per_base


def brute_marginal(found: VariantScorer, edit: WindowEdit) -> tuple[float, float] | None:
    """The ratio by all strings of the token's bases whose window has the same tokens around them."""
    tokens = found.tokenizer
    row, size = tokens.encode(edit.bases), edit.end - edit.start
    if size != len(edit.replacement):
        return None
    borders = spans(tokens, edit.bases)
    place = next(place for place, (left, right) in enumerate(borders) if left <= edit.start < right)
    left, right = borders[place]
    if edit.end > right:
        return None
    values = log_p(found, row, place)
    sums = {"all": 0.0}
    for symbols in itertools.product(BASES, repeat=right - left):
        word = "".join(symbols)
        changed = tokens.encode(edit.bases[:left] + word + edit.bases[right:])
        number = tokens.token_to_id(word)
        if number is not None and changed == [*row[:place], number, *row[place + 1 :]]:
            bases = word[edit.start - left : edit.end - left]
            for key in (bases, "all"):
                sums[key] = sums.get(key, 0.0) + float(np.exp(values[number]))
    if edit.replacement not in sums:
        return None
    return float(np.log(sums[edit.replacement] / sums[edit.replaced])), sums["all"]


def brute_distance(found: VariantScorer, edit: WindowEdit) -> float:
    vectors = []
    for bases in (edit.bases, edit.changed):
        row = torch.tensor([1, *found.tokenizer.encode(bases), 2])
        with torch.no_grad():
            vectors.append(found._model.bert(row, pack([len(row)])).last.mean(0).double().numpy())
    return float(np.linalg.norm(vectors[0] - vectors[1]))


def brute(found: VariantScorer, sequence: str, edit: Edit) -> dict[str, Any]:
    forward = WindowEdit.around(sequence, edit, found.options.window)
    strands = [forward, forward.other_strand] if found.options.strands == "both" else [forward]
    pll, per_base = (np.mean(each) for each in zip(*(brute_pll(found, one) for one in strands), strict=True))
    ratios = [ratio for one in strands if (ratio := brute_marginal(found, one))]
    marginal, mass = (np.mean(each) for each in zip(*ratios, strict=True)) if ratios else (pll, np.nan)
    return {
        "pll": pll,
        "pll_per_base": per_base,
        "marginal": marginal,
        "mass": mass,
        "embedding": np.mean([brute_distance(found, one) for one in strands]),
    }


@st.composite
def edits(draw: st.DrawFn) -> tuple[str, Edit]:
    """A short sequence, and a change of it that is not empty."""
    bases = st.sampled_from(BASES)
    sequence = "".join(draw(st.lists(bases, min_size=2, max_size=70)))
    start = draw(st.integers(0, len(sequence)))
    end = draw(st.integers(start, min(start + 6, len(sequence))))
    replacement = "".join(draw(st.lists(bases, max_size=6)))
    if replacement == sequence[start:end]:
        replacement = {"": "G"}.get(replacement, replacement[1:])
    return sequence, Edit(start, end, replacement)


@st.composite
def substitutions(draw: st.DrawFn) -> tuple[str, Edit]:
    """A sequence, and another base at a place of it."""
    at = draw(st.integers(0, 2_900))
    sequence = GENOME[at : at + draw(st.integers(1, 90))]
    start = draw(st.integers(0, len(sequence) - 1))
    return sequence, Edit(start, start + 1, draw(st.sampled_from(BASES.replace(sequence[start], ""))))


@pytest.mark.parametrize("strands", ["both", "forward"])
@pytest.mark.parametrize("vocab_size", [12, 40, 90])
@given(case=edits() | substitutions())
def test_scores_are_those_of_brute_force(case: tuple[str, Edit], vocab_size: int, strands: str) -> None:
    sequence, edit = case
    found = scorer_of(vocab_size, strands=strands)
    scores, expected = found.score(sequence, [edit]), brute(found, sequence, edit)
    for name, value in expected.items():
        assert getattr(scores, name)[0] == pytest.approx(value, abs=1e-4, nan_ok=True), name


@given(case=edits())
def test_affected_tokens_are_those_between_common_borders(case: tuple[str, Edit]) -> None:
    tokenizer = tiny_tokenizer(90)
    edit = WindowEdit.around(case[0], case[1], 64)
    (row,) = RowMaker(tokenizer).rows([edit])
    one, other, before, after, start = affected(tokenizer, edit)
    assert row.ids.tolist() == one
    assert row.changed.tolist() == other
    assert row.before.tolist() == [one[place] for place in before]
    assert row.after.tolist() == [other[place] for place in after]
    assert row.borders[row.first] == start


@given(place=st.integers(5, 200), vocab_size=st.sampled_from([12, 40, 90]))
def test_candidates_are_all_tokens_that_keep_the_borders(place: int, vocab_size: int) -> None:
    tokenizer = tiny_tokenizer(vocab_size)
    ids = tokenizer.encode(GENOME)[: place + 4]
    words = [tokenizer.id_to_token(number) or "" for number in ids]
    expected = [
        number
        for symbols in itertools.product(BASES, repeat=len(words[place]))
        if (number := tokenizer.token_to_id(word := "".join(symbols))) is not None
        and tokenizer.encode("".join([*words[:place], word, *words[place + 1 :]]))
        == [*ids[:place], number, *ids[place + 1 :]]
    ]
    found = RowMaker(tokenizer).candidates(ids[place - 1], ids[place], ids[place + 1])
    assert sorted(found.tolist()) == sorted(expected)
    assert ids[place] in found


@given(case=substitutions() | edits())
def test_both_strands_score_as_the_reverse_complement(case: tuple[str, Edit]) -> None:
    sequence, edit = case
    size = len(sequence)
    around = WindowEdit.around(sequence, edit, 48)
    other = Edit(size - edit.end, size - edit.start, reverse_complement(edit.replacement))
    if (around.replaced, around.replacement) != (sequence[edit.start : edit.end], edit.replacement):
        return  # shared ends may be left out on either side, and the window moves with them
    found = scorer_of(40)
    one, turned = found.score(sequence, [edit]), found.score(reverse_complement(sequence), [other])
    for name in ("pll", "pll_per_base", "marginal", "mass", "embedding"):
        assert getattr(one, name)[0] == pytest.approx(getattr(turned, name)[0], abs=1e-4, nan_ok=True), name
    swapped = {"+": "-", "-": "+"}
    assert turned.marginal_from[0] == swapped.get(one.marginal_from[0], one.marginal_from[0])


def test_without_layers_nothing_outside_of_the_affected_tokens_matters() -> None:
    """A model without layers sees each token alone, so that only affected tokens can change a score."""
    found = scorer_of(40, layers=0, strands="forward", window=60)
    sequence, edit = GENOME[:200], Edit(100, 101, "ACGT".replace(GENOME[100], "")[0])
    around = WindowEdit.around(sequence, edit, 60)
    (row,) = RowMaker(found.tokenizer).rows([around])
    left = 100 - around.start
    start, end = left + int(row.borders[row.first]), left + int(row.borders[row.first + len(row.before)])
    (expected,) = found.score(sequence, [edit]).pll
    kept = 0
    for place in [*range(left, start), *range(end, left + 60)]:
        other = sequence[:place] + reverse_complement(sequence[place]) + sequence[place + 1 :]
        (changed,) = RowMaker(found.tokenizer).rows([WindowEdit.around(other, edit, 60)])
        if changed.before.tolist() == row.before.tolist() and changed.after.tolist() == row.after.tolist():
            assert found.score(other, [edit]).pll[0] == pytest.approx(expected, abs=1e-6)
            kept += 1
    assert kept > 20


def test_a_change_outside_of_the_window_changes_nothing() -> None:
    found = scorer_of(40)
    edit = Edit(1000, 1001, "ACGT".replace(GENOME[1000], "")[0])
    other = reverse_complement(GENOME[:960]) + GENOME[960:1040] + reverse_complement(GENOME[1040:])
    one, two = found.score(GENOME, [edit]), found.score(other, [edit])
    assert one.pll.tolist() == two.pll.tolist()
    assert one.embedding.tolist() == two.embedding.tolist()


def many(number: int) -> list[Edit]:
    return [
        Edit(at, at + 1, other) for at in range(50, 50 + number) for other in BASES if other != GENOME[at]
    ]


@pytest.mark.parametrize("change", ["batch", "together"])
def test_batches_and_parts_change_nothing_but_rounding(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = scorer_of(40).score(GENOME, many(20))
    if change == "together":
        monkeypatch.setattr(scorer, "MAX_TOGETHER", 7)
    found = scorer_of(40, batch_tokens=1 if change == "batch" else 8192).score(GENOME, many(20))
    for name in ("pll", "marginal", "mass", "embedding"):
        assert np.allclose(getattr(found, name), getattr(expected, name), atol=1e-5, equal_nan=True)
    assert found.marginal_from.tolist() == expected.marginal_from.tolist()
    assert (found.num_passes == expected.num_passes) == (change == "batch")


def test_equal_rows_are_computed_once() -> None:
    """Three alternatives at one place share their reference rows; `marginal` takes a row of `pll`."""
    one = scorer_of(40, scores=("pll",), strands="forward")
    three = [Edit(100, 101, other) for other in BASES if other != GENOME[100]]
    alone = [one.score(GENOME, [edit]) for edit in three]
    before = {int(found.tokens_before[0]) for found in alone}
    assert one.score(GENOME, three).num_passes <= sum(found.num_passes for found in alone) - min(before)
    for found in alone:
        assert found.num_passes == found.tokens_before[0] + found.tokens_after[0]
    with_marginal = scorer_of(40, scores=("pll", "marginal"), strands="forward").score(GENOME, three)
    assert with_marginal.num_passes == one.score(GENOME, three).num_passes
    alone_marginal = scorer_of(40, scores=("marginal",), strands="forward").score(GENOME, three)
    assert alone_marginal.marginal.tolist() == pytest.approx(with_marginal.marginal.tolist(), abs=1e-6)
    assert np.isnan(alone_marginal.pll).all()


def test_scores_that_were_not_asked_for_are_missing() -> None:
    found = scorer_of(40, scores=("embedding",)).score(GENOME, many(2))
    assert np.isnan(found.pll).all()
    assert np.isnan(found.marginal).all()
    assert set(found.marginal_from.tolist()) == {""}
    assert (found.embedding > 0).all()
    assert found.num_passes == 2 * (2 + 6)
    assert len(scorer_of(40).score(GENOME, [])) == 0


def test_ends_shared_with_the_reference_are_left_out() -> None:
    found = scorer_of(40)
    anchored = [Edit(100, 103, GENOME[100]), Edit(100, 101, GENOME[100] + "TT")]
    plain = [Edit(101, 103, ""), Edit(101, 101, "TT")]
    assert found.score(GENOME, anchored).pll.tolist() == found.score(GENOME, plain).pll.tolist()
    assert found.score(GENOME.lower(), plain).pll.tolist() == found.score(GENOME, plain).pll.tolist()
    assert found.score(GENOME.encode(), plain).pll.tolist() == found.score(GENOME, plain).pll.tolist()


def test_unknown_symbols_may_stand_around_a_variant() -> None:
    sequence = GENOME[:90] + "NNNRY" + GENOME[95:120]
    edits = [Edit(88, 89, ""), Edit(95, 96, BASES.replace(GENOME[95], "")[1])]
    found = scorer_of(40).score(sequence, edits)
    assert np.isfinite(found.pll).all()


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (Edit(-1, 3, "A"), "outside of a sequence of 3,000 bases"),
        (Edit(5, 4, "A"), "outside"),
        (Edit(2_999, 3_001, "A"), "outside"),
        (Edit(5, 40, ""), "longer than half a window of 48"),
        (Edit(5, 5, "AC" * 13), "26 bases are longer than half"),
        (Edit(5, 6, "N"), "edit=N: bases A, C, G and T are expected"),
        (Edit(5, 6, GENOME[5]), "changes nothing"),
    ],
)
def test_edits_that_cannot_be_scored_say_why(edit: Edit, reason: str) -> None:
    with pytest.raises(ArgumentError, match=reason):
        scorer_of(40).score(GENOME, [edit])


def test_tokens_must_spell_their_sequence() -> None:
    for options in ({"overlap": True}, {"overlap": False, "canonical": True}):
        tokenizer = Tokenizer.kmer(3, special_tokens=SPECIAL, **options)
        with pytest.raises(ArgumentError, match="its tokens overlap or stand for both strands"):
            RowMaker(tokenizer)


@given(case=substitutions() | edits())
def test_kmers_are_scored_too(case: tuple[str, Edit]) -> None:
    found = _kmers()
    sequence, edit = case
    scores, expected = found.score(sequence, [edit]), brute(found, sequence, edit)
    assert scores.pll[0] == pytest.approx(expected["pll"], abs=1e-4)
    assert scores.marginal[0] == pytest.approx(expected["marginal"], abs=1e-4)


@cache
def _kmers() -> VariantScorer:
    tokenizer = Tokenizer.kmer(3, overlap=False, special_tokens=SPECIAL)
    return VariantScorer(tiny_model(tokenizer), tokenizer, window=48)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"scores": ("likelihood",)}, "scores=likelihood: one or more of pll, marginal, embedding"),
        ({"scores": ()}, "scores="),
        ({"window": 1}, "window=1: a number from 2"),
        ({"strands": "-"}, "strands=-: one of both, forward"),
    ],
)
def test_options_are_checked(options: Any, reason: str) -> None:
    tokenizer = tiny_tokenizer(40)
    with pytest.raises(ArgumentError, match=reason):
        VariantScorer(tiny_model(tokenizer), tokenizer, **options)
    with pytest.raises(ArgumentError, match="a model in memory needs its tokenizer"):
        VariantScorer(tiny_model(tokenizer))
