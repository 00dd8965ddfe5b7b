"""The benchmark of scaling: serial shares by Amdahl's law, and its table."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks import scaling

from genotok.run_records.provenance import Provenance
from genotok.run_records.schemas import BenchmarkRecord

LAMBDA = Path(__file__).resolve().parent.parent / "genomes" / "lambda_phage.fa"


@pytest.mark.parametrize(
    ("one", "several", "threads", "share"),
    [(8.0, 8.0, 2, 1.0), (8.0, 4.0, 2, 0.0), (8.0, 5.0, 2, 0.25), (8.0, 3.5, 4, 0.25), (0.0, 0.0, 2, 0.0)],
)
def test_serial_share(one: float, several: float, threads: int, share: float) -> None:
    assert scaling.serial_share(one, several, threads) == pytest.approx(share)
    assert scaling.estimate(one, share, threads) == pytest.approx(several)


def test_faster_or_slower_than_possible_stays_a_share() -> None:
    """Noise may make two threads more than twice as fast, or slower than one."""
    assert scaling.serial_share(8.0, 3.9, 2) == 0.0
    assert scaling.serial_share(8.0, 9.0, 2) == 1.0


def test_table_of_a_training(tmp_path: Path) -> None:
    """Measured in processes of their own; the sums of the table are those of its phases."""
    case = scaling.measure(LAMBDA, 64, 2, 1, tmp_path)
    assert [row["phase"] for row in case["phases"]] == list(scaling.PHASES)
    case["phases"] = [
        {"phase": phase, "one": 1.0, "several": several, "share": scaling.serial_share(1.0, several, 2)}
        for phase, several in zip(scaling.PHASES, (1.0, 0.5, 0.5, 1.0), strict=True)
    ]
    record = BenchmarkRecord(
        kind="train-scaling",
        provenance=Provenance("2026-01-02", {"cpu": "Some CPU", "cpu_cores": 2, "memory_bytes": 2**34}, {}),
        threads=2,
        cases=[case],
        caveats=[scaling.CAVEATS],
    )
    lines = scaling.markdown(record).splitlines()
    assert lines[0].startswith("| 64 tokens | 1 thread | 2 threads | serial share | 16 cores, estimated |")
    assert lines[2] == "| reading | 1.00 s | 1.00 s | 100% | 1.00 s (1.0×) | 1.00 s (1.0×) |"
    assert lines[3] == "| guesses | 1.00 s | 0.50 s | 0% | 0.06 s (16.0×) | 0.02 s (64.0×) |"
    assert lines[6] == "| together | 4.00 s | 3.00 s | 50% | 2.12 s (1.9×) | 2.03 s (2.0×) |"
