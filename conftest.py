"""`pytest --benchmark` runs the speed studies of `benchmarks/studies`; they are not collected without it.

Only they need pytest-benchmark, so neither it nor the benchmarks are imported without the option. Its own
options (`--benchmark-compare`, `--benchmark-save`, ...) work together with this one; pytest accepts no
abbreviations of options, so `--benchmark` does not clash with them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

STUDIES = Path(__file__).resolve().parent / "benchmarks" / "studies"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the studies."""
    group = parser.getgroup("studies", "speed studies (docs/evidence/benchmarks.md)")
    group.addoption(
        "--benchmark",
        action="store_true",
        dest="benchmark_studies",
        help="run the speed studies under benchmarks/studies instead of the tests, and save their record",
    )
    group.addoption(
        "--benchmark-scale",
        choices=("smoke", "small", "large"),
        default="small",
        help="size of the studies: small (minutes, the default), large (all sizes, also for slow tools), or "
        "smoke (a hundredth of the input, to see that everything runs; leaves no record)",
    )
    group.addoption(
        "--benchmark-records",
        metavar="DIR",
        type=Path,
        help="folder for the record (default: benchmarks/record; none at the smoke scale)",
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Ignore the studies unless they are requested."""
    return True if collection_path == STUDIES and not config.getoption("benchmark_studies") else None


def pytest_configure(config: pytest.Config) -> None:
    """Run the studies in place of the tests.

    Raises:
        pytest.UsageError: pytest-benchmark is not installed, or switched off.
    """
    if not config.getoption("benchmark_studies"):
        return
    if not config.pluginmanager.hasplugin("benchmark"):
        raise pytest.UsageError("--benchmark needs pytest-benchmark: pip install 'genotok[bench]'")
    from benchmarks.plugin import Studies  # noqa: PLC0415

    config.pluginmanager.register(Studies(config, STUDIES), "genotok-studies")
