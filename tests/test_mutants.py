"""`make mutants`: switches, samples and intervals; what is missing is said in one line."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from mutants import copies, core, packages, sample, trials
from mutants.switches import REACHED, VARIABLE, SourceText, located, switchable

SOURCE = """fn f(a: u8, b: u8) -> u8 {
    match a {
        0 => b,
        q if q > b => a + b * 2,
        _ => !a,
    }
}
"""


def mutant(number: int, genre: str, what: str, replacement: str = "") -> dict[str, Any]:
    """A mutant of `SOURCE`, as cargo-mutants lists it."""

    def place(at: int) -> dict[str, int]:
        before = SOURCE[:at]
        return {"line": before.count("\n") + 1, "column": at - before.rfind("\n")}

    start = SOURCE.index(what)
    span = {"start": place(start), "end": place(start + len(what))}
    function = {"return_type": "-> u8"}
    names = {"name": what, "file": "x.rs", "number": number, "function": function}
    return {**names, "genre": genre, "replacement": replacement, "span": span}


def span(kind: str, operator: str, whole: str) -> list[str]:
    """A line of `mutants/spans`."""

    def place(at: int) -> str:
        before = SOURCE[:at]
        return f"{before.count(chr(10)) + 1}:{at - before.rfind(chr(10)) - 1}"

    ends = [(start := SOURCE.index(one), start + len(one)) for one in (operator, whole)]
    return [kind, *(place(at) for pair in ends for at in pair)]


SPANS = [
    span("BinaryOperator", "+", "a + b * 2"),
    span("BinaryOperator", "*", "b * 2"),
    span("UnaryOperator", "!", "!a"),
    span("MatchArm", "0 => b,", "0"),
    span("MatchArm", "q if q > b => a + b * 2,", "q"),
]
BODY = SOURCE[SOURCE.index("match") : SOURCE.rindex("}") - 1]


def test_mutants_become_branches_that_nest() -> None:
    listed = [
        mutant(1, "BinaryOperator", "+", "-"),
        mutant(2, "BinaryOperator", "+", "*"),
        mutant(3, "BinaryOperator", "*", "/"),
        mutant(4, "UnaryOperator", "!"),
        mutant(5, "MatchArm", "0 => b,"),
        mutant(6, "MatchArmGuard", "q > b", "true"),
        mutant(7, "FnValue", BODY, "0"),
        mutant(8, "MatchArm", "q if q > b => a + b * 2,"),
        mutant(9, "StructField", "a"),
    ]
    found = located(listed, SourceText(SOURCE), SPANS)
    assert [one.number for one in found] == [1, 2, 3, 4, 5, 6, 7]  # 8 has a guard of its own
    text = switchable(SOURCE, found)
    plain = text.replace("crate::mutation::", "")
    for number in range(1, 8):
        plain = plain.replace(f"/*<{number}*/", "").replace(f"/*{number}>*/", "")
    assert " ".join(plain.split()) == (
        "fn f(a: u8, b: u8) -> u8 { if on(7) { return 0; } match a { 0 if !on(5) => b, "
        "q if (if on(6) { true } else { q > b }) => (if on(1) { a - b * 2 } else if on(2) { a * b * 2 } "
        "else { a + (if on(3) { b / 2 } else { b * 2 }) }), _ => (if on(4) { a } else { !a }), } }"
    )
    assert switchable(SOURCE, []) == SOURCE


def test_a_sample_is_random_but_the_same_and_has_an_interval() -> None:
    names = [f"mutant {number}" for number in range(50)]
    assert sample.drawn(names, 10, "a") == sample.drawn(names, 20, "a")[:10] != sample.drawn(names, 10, "b")
    assert sorted(sample.drawn(names, 0, "a")) == sorted(names)
    assert sample.interval(9, 10) == pytest.approx((0.5958, 0.9821), abs=1e-4)  # Wilson's
    assert sample.interval(0, 0) == (0, 1)
    cells = sample.row("rows", 80, Counter(killed=35, time=1, survived=4)).split(" | ")
    assert cells[1:7] == ["80", "40", "36", "1", "4", "90.0%"]
    assert sample.HEAD.splitlines()[0].count("|") == sample.row("x", 1, Counter()).count("|")


def test_each_source_is_of_one_part() -> None:
    files = (
        "bpe.rs",
        "bpe/train/wire.rs",
        "io/fasta/turn.rs",
        "tokenizer.rs",
        "rows/tests.rs",
        "corpus/packed.rs",
    )
    parts = [core.part_of(f"rust/src/{file}") for file in files]
    assert parts == ["bpe", "bpe", "fasta", "tokenizer", "rows", "corpus"]
    for names in (*packages.TESTS.values(), core.TESTS):
        assert all((copies.ROOT / "tests" / f"test_{name}.py").is_file() for name in names)


def test_a_mutant_is_killed_by_the_first_suite_that_notices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Programs stand in for tests: one fails under mutant 1, never ends under 2; the other fails under 3."""
    monkeypatch.setattr(trials, "SPARE_SECONDS", 1)
    notices = f"case ${VARIABLE} in 1) exit 1;; 2) while :; do :; done;; esac"
    first, second = (
        trials.Program(("sh", "-c", script), tmp_path) for script in (notices, f"[ ${VARIABLE} != 3 ]")
    )
    rust = trials.Test(first, "a", 0.0, frozenset({1, 2, 3}))
    python = trials.Test(second, "b", 0.0, frozenset({3, 4}))
    suites = {"Rust": [rust], "Python": [python]}
    fates = [core.fate_of(number, suites) for number in range(1, 6)]
    assert fates == [
        ("killed", "Rust"),
        ("time", "Rust"),
        ("killed", "Python"),
        ("survived", None),
        ("unreached", None),
    ]


def test_files_of_python_note_what_they_meet(tmp_path: Path) -> None:
    tree = tmp_path / "core"
    (tree / "tests").mkdir(parents=True)
    note = f"def test_it() -> None:\n    open(os.environ['{REACHED}'], 'a').write('3\\n')\n"
    (tree / "tests" / "test_met.py").write_text("import os\n\n\n" + note)
    (met,) = trials.of_python(tree, ["met"])
    assert (met.name, sorted(met.reached)) == ("tests/test_met.py", [3])
    (tree / "tests" / "test_met.py").write_text("def test_it() -> None:\n    raise ValueError\n")
    with pytest.raises(SystemExit, match=r"the test tests/test_met\.py fails without a mutant"):
        trials.of_python(tree, ["met"])


def test_what_is_missing_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["mutants"])
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SystemExit, match="'cargo' was not found: rustup installs it"):
        core.main()
    monkeypatch.setattr(packages, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=r"mutmut was not found: \.venv/bin/pip install mutmut"):
        packages.main()
