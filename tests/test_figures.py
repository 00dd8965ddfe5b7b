"""The figures of the documentation are what their scripts draw, and what they show is true of genotok."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

import genotok

ROOT = Path(__file__).resolve().parent.parent
FIGURES = ROOT / "docs" / "figures"


@pytest.fixture
def draw_concepts(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FIGURES))
    return __import__("draw_concepts")


def test_the_figures_of_the_concepts_are_up_to_date(draw_concepts: ModuleType) -> None:
    for name, content in draw_concepts.figures().items():
        assert (FIGURES / name).read_text("utf-8") == content, "run python docs/figures/draw_concepts.py"


def test_the_figure_of_variants_is_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FIGURES))
    content = __import__("draw_variants").figure()
    assert (FIGURES / "variants.svg").read_text("utf-8") == content, (
        "run python docs/figures/draw_variants.py"
    )


@pytest.mark.parametrize("vocab_size", [9, 24, 96])
def test_states_are_those_of_the_automaton(draw_concepts: ModuleType, vocab_size: int) -> None:
    """The definition gives as many states as genotok builds, and names the last token of each prefix."""
    tokenizer = genotok.Tokenizer.train(ROOT / "genomes" / "lambda_phage.fa", vocab_size=vocab_size)
    states = draw_concepts.states(tokenizer)
    size = tokenizer.automaton_size()
    assert size is not None
    assert size[0] == len(states) + __import__("tiny_automaton").MARKS
    state = next(iter(states))
    text = "GGGCGGCGACCTCGCGGGTTTTCGCTATTTATGAAAATTTTCCGG"
    for end, base in enumerate(text, 1):
        state = states[state][base]
        assert state.last == tokenizer.id_to_token(tokenizer.encode(text[:end])[-1])


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda path: path.name)
def test_every_figure_has_a_text_for_readers_who_do_not_see_it(page: Path) -> None:
    for text, target in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", page.read_text("utf-8")):
        assert len(text) > 20, target
