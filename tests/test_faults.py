"""Faults of the system: the output is old or new, the error is one line, and the next run succeeds.

A part of the fault matrix (docs/contributing/faults.md); `make faults` tries all of it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.matrix import CASES, Matrix, contents, sampled
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
