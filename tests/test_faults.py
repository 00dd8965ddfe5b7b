"""Faults of the system: the output is old or new, the error is one line, and the next run succeeds.

A part of the fault matrix (docs/contributing/faults.md); `make faults` tries all of it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from genotok.dataset import open as open_dataset
from genotok.errors import GenotokError
from tests.support.matrix import CASES, Matrix, contents, has_note, sampled
from tests.support.recipes import RECIPES
from tests.support.syscalls import KINDS, why_unsupported
from tests.support.trials import Fault, attempt

pytestmark = pytest.mark.skipif(bool(why_unsupported()), reason=why_unsupported() or "faults can be tried")

QUICK = [("train-bpe", True), ("pack to shards", False)]
FULL = [("train-bpe", True), ("pack", False), ("encode to shards", False)]


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Matrix:
    return Matrix(tmp_path_factory.mktemp("matrix"), sample=2)


def test_every_recipe_is_in_the_matrix() -> None:
    assert set(RECIPES) <= set(CASES)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("name", "over"), QUICK)
def test_a_fault_leaves_the_old_output_or_the_new(name: str, over: bool, kind: str, matrix: Matrix) -> None:
    found = matrix.tally(name, kind, over=over)
    assert found.failures == []
    assert found.tries


@pytest.mark.skipif(os.geteuid() != 0, reason="a small file system can be mounted by root only")
@pytest.mark.parametrize(("name", "over"), FULL)
def test_a_full_disk_leaves_no_partial_output(name: str, over: bool, matrix: Matrix) -> None:
    found = matrix.full(name, over=over)
    assert found.failures == []
    assert found.tries


def test_the_call_that_was_named_fails_and_no_other(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    command = ["kmer", "-k", "3", "-o", "out.json"]
    calls = attempt(command, work, Fault("fsync")).calls
    assert calls
    (work / "out.json").unlink()
    done = attempt(command, work, Fault("fsync", 1))
    assert done.code == 1
    assert done.call is not None
    assert done.call[0] == "fsync"
    assert done.call[1].startswith(f"{work}/.genotok-")
    assert done.err == f"genotok: error: out.json: {os.strerror(5)}\n"
    assert contents(work) == {}
    killed = attempt(command, work, Fault("kill", 1))
    assert killed.code == -9
    assert attempt(command, work, Fault("fsync", calls + 1)).call is None


@pytest.mark.parametrize("over", [False, True])
def test_a_kill_between_two_names_is_completed_by_the_next_run(over: bool, tmp_path: Path) -> None:
    found = Matrix(tmp_path).tally("encode to Megatron", "kill", over=over)
    assert found.failures == []
    assert found.tries > 20


FOLLOWING = {"same": [], "other": ["kmer", "-k", "3", "-o", "other.json"]}
"""The next run: the same command, or one that writes something else."""


@pytest.mark.parametrize("following", FOLLOWING)
def test_a_kill_while_names_are_completed_is_completed_too(following: str, tmp_path: Path) -> None:
    """Killed between the names, then at each call of the next run; the one after that has the new files."""
    matrix = Matrix(tmp_path, sample=2)
    killed, again = killed_twice(matrix, "encode to Megatron", FOLLOWING[following])
    assert killed > 5
    assert again == []


def killed_twice(matrix: Matrix, name: str, following: list[str]) -> tuple[int, list[str]]:
    """Kill a command with `--force` between its names, then the next run at each of its calls.

    Returns the number of trials, and what is wrong after a third, undisturbed run.
    """
    case = CASES[name]
    following = following or [*case.arguments, "-o", case.output]
    new = matrix.prepared(name, True)

    def left_by(at: int) -> dict[str, bytes]:
        matrix.prepared(name, True)
        attempt([*case.arguments, "-o", case.output, "--force"], matrix.work, Fault("kill", at))
        return contents(matrix.work)

    noted = [at for at in range(1, 40) if has_note(left := left_by(at)) and case.index not in left]
    assert len(noted) > 2
    if matrix.sample:
        noted = [noted[one - 1] for one in sampled(len(noted), matrix.sample)]
    tries, wrong = 0, []
    for at in noted:
        for second in range(1, 100):
            left_by(at)
            if attempt(following, matrix.work, Fault("kill", second)).call is None:
                break
            tries += 1
            attempt(following, matrix.work)
            left = contents(matrix.work)
            if left.keys() - {"other.json"} != new.keys() or any(left[path] != new[path] for path in new):
                wrong.append(f"{at} {second}: {sorted(left)}")
    return tries, wrong


def test_half_a_pair_is_refused_by_its_readers(tmp_path: Path) -> None:
    matrix, case = Matrix(tmp_path), CASES["encode to Megatron"]
    for at in range(1, 100):
        matrix.prepared("encode to Megatron", False)
        attempt([*case.arguments, "-o", case.output], matrix.work, Fault("kill", at))
        if "out.bin" in (left := contents(matrix.work)):
            break
    assert "out.idx" not in left
    assert has_note(left)
    for reader in (["info", "out.bin"], ["info", "out.idx"], ["verify", "out.bin"]):
        refused = attempt(reader, matrix.work)
        assert refused.code == 1
        assert len(refused.err.splitlines()) == 1
    for path in ("out.bin", "out.idx"):
        with pytest.raises((OSError, GenotokError), match=r"out\.(idx|bin)"):
            open_dataset(matrix.work / path)


def test_a_claim_that_cannot_be_described_is_removed(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    found = [attempt(["kmer", "-k", "3", "-o", "out.json"], work, Fault("write", at)) for at in range(1, 4)]
    claims = [one for one in found if one.call and one.call[1].endswith(".lock")]
    assert claims
    assert all(one.code == 1 for one in claims)
    assert contents(work) == {}


def test_a_sample_has_both_ends() -> None:
    assert sampled(3, 8) == [1, 2, 3]
    found = sampled(100, 8)
    assert len(found) == 8
    assert found[:2] + found[-2:] == [1, 2, 99, 100]
