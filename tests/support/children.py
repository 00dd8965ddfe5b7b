"""Processes that are interrupted while they work."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

PATIENCE_SECONDS = 1.5  # "within about a second", on a machine that has other things to do
CHILD = """
import sys, time
from genotok import _native
from genotok.options import RunOptions, TrainOptions

def progress(event):
    if event["phase"] == {phase!r}:
        print("working", flush=True)

if {phase!r} == "any":
    print("working", flush=True)
try:
    {call}
except KeyboardInterrupt:
    print("stopped", flush=True)
else:
    print("finished", flush=True)
"""


class Child:
    """A Python process that says `working` when it has come to the phase in question."""

    def __init__(self, phase: str, call: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD.format(phase=phase, call=call)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait_until_working(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "working\n"

    def interrupt(self) -> float:
        """Send SIGINT; return the seconds until the child says that it has stopped."""
        assert self.process.stdout is not None
        start = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        for line in self.process.stdout:
            if line != "working\n":
                break
        assert line == "stopped\n"
        return time.monotonic() - start

    def end(self) -> None:
        """Let go of the child, which may be stuck if a test failed."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()
