"""Figures with units, and the progress of work."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from genotok.cli.shared import figures
from genotok.cli.shared.messages import describe, one_line
from genotok.cli.shared.progress import Status, Watch


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (figures.count(1, "file"), "1 file"),
        (figures.count(1234, "pass", "passes"), "1,234 passes"),
        (figures.bases(999), "999 bases"),
        (figures.bases(48_502), "48.5 kb"),
        (figures.bases(7_685_551), "7.69 Mb"),
        (figures.bases(3_100_000_000), "3.10 Gb"),
        (figures.bases(999_999), "1.00 Mb"),
        (figures.memory(123_456_789), "123 MB"),
        (figures.rate(61_200_000, 1), "61.2 Mbp/s"),
        (figures.rate(1, 0), "1,000 Mbp/s"),
        (figures.duration(0.64), "0.64 s"),
        (figures.duration(12.34), "12.3 s"),
        (figures.duration(192), "3 min 12 s"),
        (figures.duration(3840), "1 h 04 min"),
        (figures.shorten("ACGT", 4), "ACGT"),
    ],
)
def test_figures(shown: str, expected: str) -> None:
    assert shown == expected


@pytest.mark.parametrize("width", [20, 30, 60])
def test_a_long_token_is_shown_by_its_ends(width: int) -> None:
    shown = figures.shorten("A" * 500 + "C" * 500, width)
    assert len(shown) <= max(width, 24)
    assert shown.startswith("AA")
    assert "C (1,000 bases)" in shown


def test_a_message_is_one_harmless_line() -> None:
    assert one_line("a\nb\x1b[31m ä \udcff") == "a\\nb\\x1b[31m ä \\udcff"
    assert describe(FileNotFoundError(2, "No such file", "x.fa")) == "x.fa: No such file"
    assert describe(MemoryError()) == "not enough memory"
    assert describe(ValueError("text")) == "text"


def watched(events: list[dict[str, Any]]) -> list[Status]:
    """What a watch shows for events a second apart."""
    shown: list[Status] = []
    ticks = iter(range(10_000))
    watch = Watch(lambda status, _seconds: shown.append(status), clock=lambda: float(next(ticks)))
    for event in events:
        watch(event)
    return shown


def reading(done: int, total: int) -> dict[str, Any]:
    return {
        "phase": "reading",
        "file": "a.fa",
        "file_index": 0,
        "files": 2,
        "bytes": done,
        "bytes_total": total,
        "bases": done * 1000,
    }


def training(round_: int, merges: int, bases_done: int) -> dict[str, Any]:
    return {
        "phase": "training",
        "round": round_,
        "merges": merges,
        "merges_wanted": 4087,
        "bases_done": bases_done,
        "bases": 1_000_000,
    }


def test_reading_is_measured_in_bytes() -> None:
    shares = [status.share for status in watched([reading(0, 100), reading(50, 100), reading(120, 100)])]
    assert shares == [0, 0.5, 1]
    assert watched([reading(50, 0)])[0].share is None


def test_training_moves_forward_and_never_ends_early() -> None:
    merges = [0, 4, 12, 40, 100, 300, 900, 2000, 3500, 4086]
    events = [
        training(number + 1, done, part)
        for number, done in enumerate(merges)
        for part in (0, 500_000, 1_000_000)
    ]
    shares = [status.share or 0.0 for status in watched(events)]
    assert all(0 <= share < 1 for share in shares)
    assert all(after - before > -0.15 for before, after in pairwise(shares)), shares
    assert shares[-1] > 0.9


@pytest.mark.parametrize(
    ("merges", "seconds"),
    [
        pytest.param(
            [97, 185, 305, 564, 1037, 2064, 3958, 4087], [4, 3, 2, 3, 3, 4, 4, 3], id="human chromosome 20"
        ),
        pytest.param(
            [13, 23, 37, 57, 91, 158, 282, 519, 1022, 2135, 3901, 4087],
            [4, 2, 1, 1, 1, 1, 1, 2, 2, 2, 3, 4],
            id="E. coli",
        ),
    ],
)
def test_the_time_left_is_about_what_is_left(merges: list[int], seconds: list[int]) -> None:
    """From the second round on, whose merges and times are those of real trainings."""
    for number in range(1, len(merges) - 1):
        for part in (0.0, 0.5, 1.0):
            status = watched([training(number + 1, merges[number - 1], int(part * 1_000_000))])[0]
            spent = sum(seconds[:number]) + part * seconds[number]
            left = sum(seconds) - spent
            assert status.share
            told = spent * (1 - status.share) / status.share
            assert left / 3 < told < left * 3, (number, part, left, told)


def test_odd_events_do_no_harm() -> None:
    nothing = {**training(1, 0, 0), "bases": 0, "merges_wanted": 0}
    assert watched([nothing, training(0, 5000, 2_000_000)])
