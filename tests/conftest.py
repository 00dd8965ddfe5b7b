"""Settings and fixtures of all tests: seeded examples, folders of genomes, training in one call."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if "PYTEST_XDIST_WORKER" in os.environ:  # workers and their commands share the cores: a thread each for torch
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, settings

from genotok import _native
from genotok.options import RunOptions, TrainOptions, grouped

if TYPE_CHECKING:
    from tests.support.children import Child
    from tests.support.training import Training

ROOT = Path(__file__).resolve().parent.parent

_CALM = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
settings.register_profile(
    "quick", max_examples=60, derandomize=True, deadline=None, database=None, suppress_health_check=_CALM
)
settings.register_profile(
    "long", max_examples=3000, deadline=None, print_blob=True, suppress_health_check=_CALM
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest file first, so that no process waits for it at the end."""
    items.sort(key=lambda item: item.path.name != "test_docs.py")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared data: $GENOTOK_SHARED, or `shared` beside the repository."""
    folder = Path(os.environ.get("GENOTOK_SHARED", ROOT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip("the shared data are not here (set GENOTOK_SHARED to their folder)")
    return folder / "data"


@pytest.fixture(scope="session")
def own_genomes() -> Path:
    """The folder of genomes that the repository carries."""
    folder = ROOT / "genomes"
    if not folder.is_dir():
        pytest.skip("the repository's genomes are not here")
    return folder


@pytest.fixture(scope="session")
def genomes(shared: Path) -> Path:
    """The folder of shared genomes."""
    return shared / "genomes"


@pytest.fixture(scope="session")
def train() -> Training:
    """`_native.Tokenizer.train` with every option at its default: returns the tokenizer and the report."""

    def call(paths: list[str], **options: Any) -> tuple[Any, dict[str, Any]]:
        return _native.Tokenizer.train(paths, *grouped("train", options, TrainOptions, RunOptions))

    return call


@pytest.fixture(scope="session")
def train_words() -> Callable[..., Any]:
    """`_native.Tokenizer.train_words` with every option at its default; a bare word counts once."""

    def call(words: list[str] | list[tuple[str, int]], **options: Any) -> Any:
        weighted = [(word, 1) if isinstance(word, str) else word for word in words]
        threads, seed = options.pop("threads", None), options.pop("seed", None)
        return _native.Tokenizer.train_words(weighted, TrainOptions(**options), threads=threads, seed=seed)

    return call


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small file system can be mounted by root only")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def children() -> Iterator[list[Child]]:
    """The child processes of a test, which are stopped at its end."""
    started: list[Child] = []
    yield started
    for child in started:
        child.end()


# A shell's background job ignores SIGINT, and what it starts would too: the tests of Ctrl-C need it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Torch computes on one thread: two have too little to do in small products, and wait for each other."""
    import torch  # noqa: PLC0415 - an optional package

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
