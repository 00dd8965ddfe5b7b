"""A process that encodes when it is told to: both ends of it, and the list of the tools.

A child loads its input, then encodes it once for each line on its standard input and answers with one line of
JSON. So children of several tools can take turns, and each measures nothing but its own encoding; how many
threads it has is set before it starts, and its peak memory is its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from typing import Any, Self

from benchmarks import measure
from benchmarks.encoders import SEPARATOR, Genotok, HuggingFace, Job, RustGems, Tiktoken
from benchmarks.kmers import Biopython, NumPy, PlainPython

ENCODERS: dict[str, Any] = {
    engine.name: engine
    for engine in (Genotok(), HuggingFace(), Tiktoken(), RustGems(), PlainPython(), NumPy(), Biopython())
}

Answer = dict[str, Any]


class Child:
    """The end of a child that its parent holds; a context manager.

    Attributes:
        engine: The tool.
        threads: How many it may use.
    """

    def __init__(self, job: Job) -> None:
        self.engine, self.threads = job.engine, job.threads
        encoder = ENCODERS[job.engine]
        self._process = subprocess.Popen(
            encoder.command(job),
            cwd=measure.ROOT,
            env={**os.environ, **encoder.environment(job.threads)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self) -> Answer:
        """Encode once.

        Returns:
            `seconds`, `tokens`, `ids_sha256`, and `peak_bytes`: the most memory until the ids were there,
            before they were digested (in a later run, the digests before it count too); None where the
            system does not say.

        Raises:
            RuntimeError: The child has ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.engine} ended with status {self._process.wait()}")
        answer: Answer = json.loads(line)
        answer.setdefault("peak_bytes", measure.peak_bytes_of(self._process.pid))
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        self._process.kill()
        self._process.wait()


def main() -> None:
    """Be the child."""
    job = Job(**json.loads(sys.argv[1]))
    encode, bytes_of = ENCODERS[job.engine].prepare(job)
    for _ in sys.stdin:
        start = time.perf_counter()
        encoded = encode()
        seconds = time.perf_counter() - start
        peak = measure.peak_bytes()
        digest, tokens = hashlib.sha256(), 0
        for ids in bytes_of(encoded):
            digest.update(ids)
            digest.update(SEPARATOR)
            tokens += len(ids) // 4
        del encoded
        answer = {"seconds": seconds, "tokens": tokens, "ids_sha256": digest.hexdigest(), "peak_bytes": peak}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
