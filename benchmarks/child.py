"""A process that encodes when it is asked: both ends of it, and the list of the tools.

A child loads its input, then encodes it once for each question. How many threads it has is set before it
starts.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from typing import Any

from benchmarks import measure
from benchmarks.answering import Answer, AnsweringProcess, answer_each
from benchmarks.encoders import SEPARATOR, Genotok, HuggingFace, Job, RustGems, Tiktoken
from benchmarks.kmers import Biopython, NumPy, PlainPython

ENCODERS: dict[str, Any] = {
    engine.name: engine
    for engine in (Genotok(), HuggingFace(), Tiktoken(), RustGems(), PlainPython(), NumPy(), Biopython())
}


class Child(AnsweringProcess):
    """The end of a child that its parent holds.

    Attributes:
        engine: The tool.
        threads: How many it may use.
    """

    def __init__(self, job: Job) -> None:
        self.engine, self.threads = job.engine, job.threads
        encoder = ENCODERS[job.engine]
        super().__init__(job.engine, encoder.command(job), encoder.environment(job.threads))

    def run(self) -> Answer:
        """Encode once.

        Returns:
            `seconds`, `tokens`, `ids_sha256`, and `peak_bytes`: the most memory until the ids were there,
            before they were digested (in a later run, the digests before it count too); None where the
            system does not say.

        Raises:
            RuntimeError: The child has ended.
        """
        answer = self.ask()
        answer.setdefault("peak_bytes", measure.peak_bytes_of(self.process_id))
        return answer


def main() -> None:
    """Be the child."""
    job = Job(**json.loads(sys.argv[1]))
    encode, bytes_of = ENCODERS[job.engine].prepare(job)

    def work(_question: None) -> Answer:
        start = time.perf_counter()
        encoded = encode()
        seconds = time.perf_counter() - start
        peak = measure.peak_bytes()
        digest, tokens = hashlib.sha256(), 0
        for ids in bytes_of(encoded):
            digest.update(ids)
            digest.update(SEPARATOR)
            tokens += len(ids) // 4
        return {"seconds": seconds, "tokens": tokens, "ids_sha256": digest.hexdigest(), "peak_bytes": peak}

    answer_each(work)


if __name__ == "__main__":
    main()
