"""Which files are meant: paths, patterns, lists of them, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from genotok.errors import ArgumentError
from genotok.files.paths import expand


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with `b.fa`, `a.fa`, `chr[1].fa`, `deep/er/c.fa` and a folder `d.fa`."""
    for name in ("b.fa", "a.fa", "chr[1].fa", "deep/er/c.fa", "d.fa/x"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(">r\nACGT\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ("a.fa", ["a.fa"]),
        (Path("a.fa"), ["a.fa"]),
        ("?.fa", ["a.fa", "b.fa"]),  # sorted; the folder d.fa is no file
        (Path("?.fa"), ["a.fa", "b.fa"]),
        ("**/*.fa", ["a.fa", "b.fa", "chr[1].fa", "deep/er/c.fa"]),
        ("chr[1].fa", ["chr[1].fa"]),  # it exists, so it is no pattern
        (["b.fa", Path("a.fa")], ["b.fa", "a.fa"]),  # the order given
        (("deep/*/*.fa", "a.fa"), ["deep/er/c.fa", "a.fa"]),
        ((name for name in ["a.fa"]), ["a.fa"]),
        ("-", ["-"]),
        (["-", "a.fa"], ["-", "a.fa"]),
    ],
)
@pytest.mark.usefixtures("folder")
def test_names_and_patterns_become_paths(files: Any, expected: list[str]) -> None:
    assert expand(files) == expected


def test_a_tilde_is_the_home_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert expand("~/a.fa") == [str(folder / "a.fa")]


@pytest.mark.parametrize("missing", ["none.fa", "none/*.fa", "", ["a.fa", "z*.fa"]])
@pytest.mark.usefixtures("folder")
def test_what_does_not_exist_is_named(missing: Any) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        expand(missing)
    assert caught.value.filename == (missing if isinstance(missing, str) else missing[-1])


@pytest.mark.usefixtures("folder")
def test_a_folder_is_refused_with_a_proposal() -> None:
    with pytest.raises(IsADirectoryError, match=r"deep/\*"):
        expand("deep")


@pytest.mark.parametrize("files", [["a.fa", "a.fa"], ["a.fa", "./a.fa"], ["?.fa", "a.fa"], ["-", "-"]])
@pytest.mark.usefixtures("folder")
def test_a_file_given_twice_is_refused(files: list[str]) -> None:
    with pytest.raises(ArgumentError, match="given twice"):
        expand(files)


@pytest.mark.usefixtures("folder")
def test_a_file_under_two_names_is_refused() -> None:
    os.symlink("a.fa", "link.fa")
    with pytest.raises(ArgumentError, match=r"as a\.fa and as link\.fa"):
        expand("*.fa")


@pytest.mark.parametrize("files", [[], [7], [b"a.fa"], [None]])
def test_what_is_no_path_is_refused(files: Any) -> None:
    with pytest.raises(ArgumentError, match="files="):
        expand(files)
