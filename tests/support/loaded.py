"""A `genotok` whose commands of models have loaded torch before: each is a process forked from one server.

Loading torch and transformers takes a command five seconds, and the documents have thirty such commands. What
is started is `genotok.cli.main`, with the arguments, folder, environment and streams of the caller. Other
commands are started anew, and so are blocks of Python, which must import what they use, and what other tests
run.
"""

from __future__ import annotations

import atexit
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from tests.support.program import IMPORTS, open_streams

__all__ = ["program_in"]

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = "baseline|compare|embed|evaluate|finetune|mutagenesis|predict|pretrain|score|track"
CLIENT = """\
import json, os, socket, sys

with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    socket.send_fds(server, [b"."], [0, 1, 2])
    server.sendall(json.dumps([os.getcwd(), dict(os.environ), sys.argv[1:]]).encode())
    server.shutdown(socket.SHUT_WR)
    sys.exit(int(server.recv(16) or b"70"))
"""


@contextmanager
def program_in(folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """Puts the program `genotok` into `folder` for the time of a `with` block."""
    address, client = str(folder / "socket"), folder / "client.py"
    client.write_text(CLIENT.format(address=address), encoding="utf-8")
    program = folder / "genotok"
    loaded = shlex.join([sys.executable, "-S", "-E", str(client)])
    anew = shlex.join([sys.executable, "-m", "genotok"])
    program.write_text(
        f'#!/bin/sh\ncase "$1" in {COMMANDS}) exec {loaded} "$@" ;; *) exec {anew} "$@" ;; esac\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.support.loaded", str(listening.fileno())],
            cwd=ROOT,
            env=environment,
            pass_fds=[listening.fileno()],
            start_new_session=True,
        )
    try:
        yield
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def serve(listening: socket.socket) -> None:
    """Start each command that a client sends; never returns."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        client, _ = listening.accept()
        if os.fork():
            client.close()
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        listening.close()
        _, streams, _, _ = socket.recv_fds(client, 1, 3)
        folder, environment, arguments = json.loads(client.makefile("rb").read())
        if child := os.fork():
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            client.sendall(str(code if code >= 0 else 128 - code).encode())
            os._exit(0)
        client.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        os._exit(started(arguments))


def started(arguments: list[str]) -> int:
    """Run the program in this process, as its own entry does; its exit code."""
    from genotok.cli import main  # noqa: PLC0415 - after the fork

    sys.argv = ["genotok", *arguments]
    open_streams()
    try:
        main()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:  # noqa: BLE001 - told as Python tells it
        sys.excepthook(*sys.exc_info())
        code = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    for module in IMPORTS:
        import_module(module)
    serve(socket.socket(fileno=int(sys.argv[1])))
