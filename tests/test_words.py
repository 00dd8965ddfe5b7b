"""The words of the glossary: none that it replaces is used, and each public type name means one thing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support import words

if TYPE_CHECKING:
    import pytest

ROOT = words.ROOT
GLOSSARY = ROOT / "docs" / "reference" / "glossary.md"


def replaced() -> dict[str, list[str]]:
    """The last table of the glossary: what is said, and what is not."""
    section = GLOSSARY.read_text(encoding="utf-8").partition("## Say, and do not say")[2]
    table = section.partition("| say | not |\n|---|---|\n")[2].partition("\n\n")[0]
    rows = [line.strip("|").split("|") for line in table.splitlines()]
    return {say.strip().replace("`", ""): [each.strip() for each in no.split(";")] for say, no in rows}


def test_no_word_is_used_that_the_glossary_replaces() -> None:
    found = words.banned_words(words.files_below())
    assert [f"{each.path}:{each.line}: {each.text!r}, say {each.instead}" for each in found] == []


def test_no_file_is_named_by_such_a_word() -> None:
    assert list(words.names_of_files(words.files_below())) == []


def test_a_public_type_name_means_one_thing() -> None:
    assert words.ambiguous_types() == {}


def test_the_same_concept_has_a_reason_and_two_places() -> None:
    defined = words.public_types()
    for name, reason in words.SAME_CONCEPT.items():
        assert len(defined[name]) > 1, f"{name} is defined once: take it off the list"
        assert reason


def test_what_is_exempt_has_a_reason_and_exists() -> None:
    for name, reason in words.EXEMPT.items():
        assert (ROOT / name).exists(), name
        assert reason


def test_the_glossary_lists_what_is_searched_for() -> None:
    searched = {word.instead.replace("`", "") for word in words.BANNED}
    assert set(replaced()) == searched


def test_every_word_that_is_not_said_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "ROOT", tmp_path)
    for say, phrases in replaced().items():
        for number, phrase in enumerate(phrases):
            for suffix in ("py", "rs", "md"):
                (tmp_path / f"planted{number}.{suffix}").write_text(phrase + "\n", encoding="utf-8")
            found = {
                each.instead.replace("`", "")
                for each in words.banned_words(sorted(tmp_path.glob(f"planted{number}.*")))
            }
            assert say in found, f"{phrase!r} is not found"


def test_what_is_said_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "ROOT", tmp_path)
    path = tmp_path / "said.rs"
    path.write_text("\n".join(replaced()), encoding="utf-8")
    assert [each.text for each in words.banned_words([path])] == []


def test_a_type_with_two_meanings_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "SAME_CONCEPT", {})
    assert "Tokenizer" in words.ambiguous_types()


def test_every_definition_says_where_to_look() -> None:
    text = GLOSSARY.read_text(encoding="utf-8").partition("## Say, and do not say")[0]
    rows = re.findall(r"^\| (?!term|---)(.+?) \| .+ \| `(.+)` \|$", text, re.MULTILINE)
    assert len(rows) > 40
    assert len({term for term, _ in rows}) == len(rows)
    for term, place in rows:
        assert (ROOT / place).exists(), f"{term}: {place}"
