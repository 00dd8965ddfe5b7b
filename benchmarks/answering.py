"""A process that answers each line on its standard input with one line of JSON: both ends of it.

So several processes can take turns: each does its work when it is asked, what it needs is loaded before
that, and its peak memory is its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).resolve().parents[1]
Answer = dict[str, Any]


class AnsweringProcess:
    """The end of such a process that its parent holds; a context manager, which ends it."""

    def __init__(self, name: str, command: Sequence[str], environment: dict[str, str]) -> None:
        """Start `command` in the project's folder.

        Args:
            name: What it is called in messages.
            command: The program and its arguments.
            environment: Variables that are set beside those of this process.
        """
        self.name = name
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def process_id(self) -> int:
        """The number of the process."""
        return self._process.pid

    def ask(self, question: object = None) -> Answer:
        """Send a question and wait for its answer.

        Raises:
            RuntimeError: The process has ended; its own message is above.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with status {self._process.wait()}")
        answer: Answer = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        self._process.kill()
        self._process.wait()


def answer_each(work: Callable[[Any], Answer]) -> None:
    """Be such a process: do `work` for each question until there are no more."""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(work(json.loads(line)), default=str) + "\n")
        sys.stdout.flush()
