"""One training in a fresh process: time, CPU time and peak memory, untouched by what ran before.

`train` starts this module as a child; the child trains, and prints one line of JSON. The parent stays small:
systems that do not say what a program itself held count its parent in.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.engines import ENGINES, Corpus

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Run:
    """The figures of one training.

    `seconds` is what the engine's `timed` says. The wall, user and system seconds are those of the whole
    process, start of Python and preparation of its input included. `peak_bytes` is its largest resident set.
    """

    merges: int
    merges_sha256: str
    seconds: float
    wall_seconds: float
    user_seconds: float
    system_seconds: float
    peak_bytes: int


def train(engine: str, corpus: Corpus, vocab_size: int, threads: int, tokens: Path | None = None) -> Run:
    """Train in a child and wait for it.

    Args:
        engine: The name of the tool.
        corpus: What it reads.
        vocab_size: Tokens wanted, the five special ones counted in.
        threads: How many it may use.
        tokens: Where to write the tokens of the vocabulary, one a line in order of id; None for nowhere.

    Raises:
        RuntimeError: The child failed; its message is passed on.
    """
    job = {"engine": engine, **asdict(corpus), "vocab_size": vocab_size, "threads": threads}
    job["tokens"] = None if tokens is None else str(tokens)
    environment = {**os.environ, **ENGINES[engine].environment(threads)}
    command = [sys.executable, "-m", "benchmarks.measure", json.dumps(job)]
    start = time.perf_counter()
    child = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall_seconds = time.perf_counter() - start
    child.stdout.close()
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise RuntimeError(f"{engine} ended with status {child.returncode} on {corpus}")
    return Run(
        wall_seconds=round(wall_seconds, 3),
        user_seconds=round(usage.ru_utime, 3),
        system_seconds=round(usage.ru_stime, 3),
        **json.loads(output),
    )


def fingerprint(merges: list[tuple[str, str]]) -> str:
    """A digest of merges in their order."""
    return hashlib.sha256("\n".join(" ".join(pair) for pair in merges).encode()).hexdigest()


def peak_bytes() -> int:
    """The most memory this process has held; on Linux without what its parent held before it began."""
    unit = 1 if sys.platform == "darwin" else 1024
    return peak_bytes_of("self") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def peak_bytes_of(process: int | str) -> int | None:
    """The most memory a process has held, by its number; None where the system keeps no such file."""
    status = Path(f"/proc/{process}/status")
    if status.exists():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None


def main() -> None:
    """Be the child: train as told by the one argument, and print what was found."""
    job = json.loads(sys.argv[1])
    corpus = Corpus(tuple(job["paths"]), job["word_length"])
    training = ENGINES[job["engine"]].train(corpus, job["vocab_size"], job["threads"])
    found = {
        "merges": len(training.merges),
        "merges_sha256": fingerprint(training.merges),
        "seconds": round(training.seconds, 3),
        "peak_bytes": peak_bytes(),
    }
    if job["tokens"]:
        Path(job["tokens"]).write_text("\n".join(training.tokens), encoding="ascii")
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
