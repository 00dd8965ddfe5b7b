"""The tools of a release and the workflows; `make wheels` and `make release-check` are the real trial."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from release import checks, notes, notices, pythons, wheels
from release.checklist import by_hand

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def program(path: Path, text: str) -> Path:
    """An executable shell script."""
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit_with_their_version(path: Path) -> None:
    used = re.findall(r"uses: (.+)", path.read_text(encoding="utf-8"))
    assert used
    for action in used:
        assert re.fullmatch(
            r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\./\.github/workflows/wheels\.yml .*", action
        )


def test_an_action_has_one_version_in_all_workflows() -> None:
    texts = "".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)
    pins = set(re.findall(r"uses: ([\w/-]+)@([0-9a-f]{40} # \S+)", texts))
    assert len({name for name, _ in pins}) == len(pins)


def test_nothing_is_found_in_the_workflows() -> None:
    if not all((Path(sys.executable).parent / tool).exists() for tool in ("zizmor", "check-jsonschema")):
        pytest.skip("zizmor and check-jsonschema come with the extra `release`")
    assert checks.workflows().state == "ok", checks.workflows().what


def test_the_page_on_releases_names_each_platform_of_the_workflow() -> None:
    built = re.findall(
        r"target: ([\w-]+),", (ROOT / ".github" / "workflows" / "wheels.yml").read_text("utf-8")
    )
    page = (ROOT / "docs" / "release.md").read_text(encoding="utf-8")
    assert len(built) == 6
    for target in built:
        tag, machine = wheels.platform_of(target), target.partition("-")[0]
        if tag == "pypi":
            tag, machine = "macosx", {"aarch64": "arm64"}.get(machine, machine)
        assert re.search(rf"`{tag}(_\d+)*_{machine}`", page), target


def test_there_are_no_wheels_for_windows() -> None:
    with pytest.raises(SystemExit, match=r"none for x86_64-pc-windows-msvc; docs/release\.md"):
        wheels.platform_of("x86_64-pc-windows-msvc")


def test_wheels_are_built_with_the_profile_of_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARGO_PROFILE_RELEASE_LTO", "off")
    monkeypatch.setenv("RUSTFLAGS", "-C target-cpu=native")
    monkeypatch.setenv("CARGO_HOME", "/somewhere")
    variables = wheels.build_variables()
    assert "CARGO_PROFILE_RELEASE_LTO" not in variables
    assert "RUSTFLAGS" not in variables
    assert "--remap-path-prefix=/somewhere=cargo" in variables["CARGO_ENCODED_RUSTFLAGS"].split("\x1f")


@pytest.mark.parametrize(
    ("name", "is_foreign"),
    [
        ("python/genotok/_native.abi3.so", True),
        ("genomes/lambda_phage.fa", True),
        ("tests/golden/README.md", True),
        ("rust/tests/a.rs", False),
        ("python/genotok/report/templates/page.js", False),
    ],
)
def test_foreign_files_of_a_source_distribution_are_found(name: str, is_foreign: bool) -> None:
    assert bool(wheels.NO_SOURCES.search(name)) is is_foreign


def test_only_pythons_that_answer_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "python3.12", "echo 3.12")
    program(tmp_path / "python3.13", "echo 3.12")
    program(tmp_path / "python3.14", "exit 1")
    program(tmp_path / "python3.10", "echo 3.10")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert pythons.pythons() == {"3.12": tmp_path / "python3.12"}


def test_pyenv_is_asked_for_its_pythons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "versions" / "3.13.0" / "bin"
    inside.mkdir(parents=True)
    program(inside / "python3.13", "echo 3.13")
    tools = tmp_path / "tools"
    tools.mkdir()
    program(tools / "pyenv", f"echo {tmp_path}")
    monkeypatch.setenv("PATH", str(tools))
    assert pythons.pythons() == {"3.13": inside / "python3.13"}


def test_rust_is_taken_off_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("rust", "other"):
        (tmp_path / folder).mkdir()
    program(tmp_path / "rust" / "rustc", "")
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / "rust"), str(tmp_path / "other")]))
    monkeypatch.setenv("PYTHONPATH", "python")
    variables = pythons.variables(without_rust=True)
    assert variables["PATH"] == str(tmp_path / "other")
    assert "PYTHONPATH" not in variables
    assert str(tmp_path / "rust") in pythons.variables()["PATH"]


CHANGES = """# Changelog

## [Unreleased]

## [1.1.0] - 2026-12-01

### Added

- One.

## [1.0.0] - 2026-11-01
"""


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.1.0", ("2026-12-01", "### Added\n\n- One.")),
        ("Unreleased", ("", "")),
        ("1.0.0", ("2026-11-01", "")),
        ("1.1", ("", "")),
    ],
)
def test_notes_are_the_part_of_a_version(
    version: str, expected: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changelog = tmp_path / "CHANGELOG.md"
    changelog.write_text(CHANGES, encoding="utf-8")
    monkeypatch.setattr(notes, "CHANGELOG", changelog)
    assert notes.section(version) == expected


def test_a_version_without_a_date_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changelog = tmp_path / "CHANGELOG.md"
    changelog.write_text(f"## [{checks.release_version()}] - not released yet\n\n- One.\n", encoding="utf-8")
    monkeypatch.setattr(notes, "CHANGELOG", changelog)
    assert checks.changelog().state == "missing"
    assert "no date" in checks.changelog().what


def test_the_licences_are_of_crates_of_the_lock_file() -> None:
    text, lock = (
        (ROOT / name).read_text(encoding="utf-8") for name in ("THIRD-PARTY-LICENSES", "Cargo.lock")
    )
    listed = re.findall(r"^([\w-]+) (\d\S+): ", text, re.MULTILINE)
    assert len(listed) > 50
    assert set(listed) <= set(re.findall(r'^name = "(.+)"\nversion = "(.+)"$', lock, re.MULTILINE))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("Apache-2.0", True),
        ("MIT OR Apache-2.0", True),
        ("MIT/Apache-2.0", True),
        ("Apache-2.0 AND MIT", False),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", False),
        ("Apache-2.0 WITH LLVM-exception", False),
        ("MIT", False),
    ],
)
def test_crates_are_used_under_apache_where_they_offer_it(expression: str, expected: bool) -> None:
    assert notices.offers_apache(expression) is expected


def test_versions_and_manual_page_agree() -> None:
    assert checks.versions().state == "ok", checks.versions().what
    assert checks.manual().state == "ok", checks.manual().what


def test_what_a_person_does_is_listed() -> None:
    steps = by_hand()
    assert {step.state for step in steps} == {"person"}
    assert {"trusted publisher", "environments", "gpu", "verify"} <= {step.name for step in steps}
