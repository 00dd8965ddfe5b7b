"""Tokenizer paths that are not regular files, and names with terminal escapes: one line, in bounded time."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

import genotok
from tests.support.foreign import added, base, document, replace

PATIENCE = 60
MEMORY = 4_000_000_000


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command limited to 4 GB of address space, and in time."""
    return subprocess.run(
        [sys.executable, "-m", "genotok", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        stdin=subprocess.DEVNULL,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )


def refused(path: str, folder: Path) -> str:
    """The line that says why a file is not a tokenizer."""
    done = run("show", "-t", path, "ACGT", folder=folder)
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_a_pipe_without_a_writer_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    assert "save it as a file" in refused("pipe.json", tmp_path)


def test_a_pipe_with_a_writer_is_read(tmp_path: Path) -> None:
    (tmp_path / "plain.json").write_text(json.dumps(base()))
    os.mkfifo(tmp_path / "pipe.json")
    with subprocess.Popen(["sh", "-c", "cat plain.json > pipe.json"], cwd=tmp_path):
        assert genotok.Tokenizer.from_file(tmp_path / "pipe.json").vocab == base()["model"]["vocab"]


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null"])
def test_devices_are_no_tokenizers(tmp_path: Path, path: str) -> None:
    if not os.path.exists(path):
        pytest.skip("not on this system")
    assert path in refused(path, tmp_path)


def test_what_a_file_holds_is_said(tmp_path: Path) -> None:
    text = json.dumps(base())
    (tmp_path / "folder.json").mkdir()
    for name, content, reason in [
        ("empty.json", b"", "empty"),
        ("blank.json", b" \n\t", "empty"),
        ("wide.json", text.encode("utf-16"), "UTF-16"),
        ("latin.json", text.replace("[MASK]", "\u00e9").encode("latin-1") + b"\xe9", "not text"),
        ("zeros.json", bytes(1000), "not JSON"),
        ("deep.json", b'{"model": {"vocab": ' + b'{"a":' * 100_000, "not a number"),
        ("folder.json", None, "directory"),
    ]:
        if content is not None:
            (tmp_path / name).write_bytes(content)
        assert reason in refused(name, tmp_path), name


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "marked.json").write_text(json.dumps(base()), encoding="utf-8-sig")
    assert genotok.Tokenizer.from_file(tmp_path / "marked.json").vocab == base()["model"]["vocab"]


def test_a_chain_of_replacements_is_refused_before_it_grows(tmp_path: Path) -> None:
    steps = [replace("A", "CC"), replace("C", "AA")] * 16
    made = base(normalizer={"type": "Sequence", "normalizers": steps})
    (tmp_path / "chain.json").write_text(json.dumps(made))
    done = run("show", "-t", "chain.json", "ACGT" * 4, folder=tmp_path)
    assert done.returncode == 1
    assert "times as long" in done.stderr


def test_names_do_not_speak_to_the_terminal(tmp_path: Path) -> None:
    evil = "[\x1b]0;owned\x07\x1b[2J\u202e\n]"
    made = document("ACGT", [("A", "C")], ["[UNK]", evil])
    made["added_tokens"] = [added("[UNK]", 0), added(evil, 1)]
    made["padding"] = {
        "strategy": "BatchLongest", "direction": "Left", "pad_to_multiple_of": None, "pad_id": 1,
        "pad_type_id": 0, "pad_token": evil,
    }  # fmt: skip
    (tmp_path / "evil.json").write_text(json.dumps(made))
    outputs = [
        run("info", "evil.json", folder=tmp_path),
        run("info", "evil.json", "--json", folder=tmp_path),
        run("show", "-t", "evil.json", f"AC{evil}", "--steps", folder=tmp_path),
        run("truncate", "evil.json", "--vocab", "6", "-o", "small.json", folder=tmp_path),
    ]
    for done in outputs:
        assert done.returncode == 0, done.stderr
        for said in (done.stdout, done.stderr):
            assert not any(ord(character) < 32 and character != "\n" for character in said), said
            assert "\u202e" not in said
    assert "\\x1b]0;owned\\x07" in outputs[0].stdout
    assert "\\x1b]0;owned\\x07" in outputs[2].stdout
