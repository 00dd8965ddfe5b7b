"""A Ray cluster of three hosts on one machine: network namespaces, a bridge, and what goes wrong there.

    sudo -E .venv/bin/python -m benchmarks.cluster_hosts
    sudo -E .venv/bin/python -m benchmarks.cluster_hosts --only cut-off,head-restarted -o cluster-hosts.json

Needs root, iproute2 and Ray. A namespace is a host: an address of its own on a bridge that stands in a
fourth namespace, a loopback, and by a mount namespace folders of its own at paths that all hosts have:
`local`, where each has its copy of the packed shards, and Ray's session. `shared` is one folder for all.
Nothing of the machine's own network is changed, and all is removed at the end.

Each trial runs the command line on the first host, and its output is compared with that of one process,
to the byte. What may fail must do so with one line, and `--resume` then ends at the same bytes.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from genotok.files.atomic import write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["TRIALS", "Cluster", "main"]

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted((ROOT / "genomes").glob("*.fa"))
HOSTS = 3
PORT = 6379
RAY = (sys.executable, "-c", "from ray.scripts.scripts import main; main()")
VOCAB = "4096"
STORE_BYTES = 80 << 20
HOLDER = b"ray::_Holder"
IN_ROUNDS = 3.0
"""Seconds after which workers have read their files and answer questions."""

STOPPED, RUNNING = 0.6, 0.1
"""Seconds that the workers of a slow host stand still, and then run."""

FILLER = """
import sys, time
import numpy as np
import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as On

ray.init(address=sys.argv[1], logging_level="ERROR", log_to_driver=False)

@ray.remote(num_cpus=0)
class Filler:
    def fill(self):
        self.kept, size = [], 16 << 20
        while size >= 1 << 16:
            try:
                self.kept.append(ray.put(np.zeros(size, np.uint8)))
            except (ray.exceptions.ObjectStoreFullError, ray.exceptions.OutOfDiskError):
                size //= 4
        return len(self.kept)

nodes = [node["NodeID"] for node in ray.nodes() if node["Alive"]]
fillers = [Filler.options(scheduling_strategy=On(node, soft=False)).remote() for node in nodes]
print("filled", ray.get([filler.fill.remote() for filler in fillers]), flush=True)
time.sleep(600)
"""
"""A program that fills the object stores of all hosts with what nobody may drop, and keeps it there."""

SECONDS = 300.0
STARTED = "Ray runtime started"
ENVIRONMENT = {
    # As on a cluster of several machines, Ray wants a token of those who join.
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(16),
    # A host that is cut off is given up after some seconds, not half a minute.
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
    "RAY_raylet_start_wait_time_s": "120",
}
NO_SPILLING = {"RAY_automatic_object_spilling_enabled": "0"}


def ip(*words: str) -> None:
    """Run `ip`.

    Raises:
        subprocess.CalledProcessError: It failed.
    """
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


@dataclass(slots=True)
class Cluster:
    """Hosts of a Ray cluster; a context that removes them.

    Attributes:
        folder: Where the folders of the hosts are.
        store: Bytes of the object store of each host.
        spills: Whether a full object store writes objects to the disk.
    """

    folder: Path
    store: int | None = None
    spills: bool = True
    _name: str = field(default_factory=lambda: f"gt{os.getpid()}")
    _raylets: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    _opened: ExitStack = field(default_factory=ExitStack)

    @property
    def address(self) -> str:
        """Of the head."""
        return f"10.77.0.1:{PORT}"

    def __enter__(self) -> Self:
        """Make the network, and start Ray on each host."""
        with ExitStack() as opened:
            switch = f"{self._name}s"
            self._namespace(opened, switch)
            ip("-n", switch, "link", "add", "bridge", "type", "bridge")
            ip("-n", switch, "link", "set", "bridge", "up")
            for number in range(HOSTS):
                host = self._host(number)
                self._namespace(opened, host)
                ip("-n", host, "link", "add", "net", "type", "veth", "peer", "name", host, "netns", switch)
                ip("-n", switch, "link", "set", host, "master", "bridge", "up")
                ip("-n", host, "addr", "add", f"10.77.0.{number + 1}/24", "dev", "net")
                ip("-n", host, "link", "set", "net", "up")
                for name in ("local", "session"):
                    (self.folder / f"host-{number}" / name).mkdir(parents=True, exist_ok=True)
                    (self.folder / name).mkdir(exist_ok=True)
            opened.callback(self._stop_all)
            self.start_all()
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop Ray, and remove the network."""
        self._opened.close()

    def _host(self, number: int) -> str:
        return f"{self._name}h{number}"

    @staticmethod
    def _namespace(opened: ExitStack, name: str) -> None:
        ip("netns", "add", name)
        opened.callback(ip, "netns", "del", name)
        ip("-n", name, "link", "set", "lo", "up")

    def command(self, number: int, words: Sequence[str]) -> list[str]:
        """The words that run a command on a host, with its own folders in their places."""
        own = self.folder / f"host-{number}"
        mounts = [f"mount --bind {own / name} {self.folder / name}" for name in ("local", "session")]
        script = " && ".join([*mounts, 'exec "$@"'])
        return ["ip", "netns", "exec", self._host(number), "bash", "-c", script, "bash", *words]

    def start_all(self) -> None:
        """Start Ray on all hosts, the head first, and wait until all have joined.

        Raises:
            AssertionError: It does not start; with the ends of its logs.
        """
        for number in range(HOSTS):
            self.start(number)
            self._wait(lambda number=number: STARTED in self._log(number).read_text(errors="replace"))
        self.wait_for_all()

    def wait_for_all(self) -> None:
        """Wait until all hosts have joined."""
        self._wait(lambda: self.cpus() == HOSTS)

    def _log(self, number: int) -> Path:
        return self.folder / f"ray-{number}.log"

    def start(self, number: int) -> None:
        """Start Ray on a host: the head on the first one."""
        words = [*RAY, "start", "--block", "--num-cpus=1", f"--node-ip-address=10.77.0.{number + 1}"]
        words += ["--disable-usage-stats"]
        if self.store:
            words.append(f"--object-store-memory={self.store}")
        if number:
            words.append(f"--address={self.address}")
        else:
            session = f"--temp-dir={self.folder / 'session'}"
            words += ["--head", f"--port={PORT}", "--include-dashboard=false", session]
        with self._log(number).open("wb") as log:
            self._raylets[number] = subprocess.Popen(
                self.command(number, words),
                stdout=log,
                stderr=log,
                env={**os.environ, **ENVIRONMENT, **({} if self.spills else NO_SPILLING)},
                start_new_session=True,
            )

    def _marked(self, number: int, mark: bytes) -> Iterator[int]:
        """The processes of a host whose command has a mark, and is none of genotok."""
        words = ["ip", "netns", "pids", self._host(number)]
        for pid in subprocess.run(words, check=True, capture_output=True, text=True).stdout.split():
            with suppress(OSError):
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
                if mark in command and b"genotok\0" not in command:
                    yield int(pid)

    def has(self, number: int, mark: bytes) -> bool:
        """Whether a process of a host has a mark in its command."""
        return next(self._marked(number, mark), None) is not None

    def _signal(self, number: int, sent: int, mark: bytes) -> None:
        for pid in self._marked(number, mark):
            with suppress(ProcessLookupError):
                os.kill(pid, sent)

    def stop(self, number: int) -> None:
        """Kill Ray on a host at once; what else runs there, such as the driver, stays."""
        self._signal(number, signal.SIGKILL, b"ray")
        self._raylets.pop(number).wait()

    @contextmanager
    def slow(self, number: int) -> Iterator[None]:
        """Let the workers of a host stand still six sevenths of the time."""
        is_over = threading.Event()

        def brake() -> None:
            while not is_over.wait(RUNNING):
                self._signal(number, signal.SIGSTOP, HOLDER)
                is_over.wait(STOPPED)
                self._signal(number, signal.SIGCONT, HOLDER)

        thread = threading.Thread(target=brake)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    def _stop_all(self) -> None:
        for number in list(self._raylets):
            self.stop(number)

    def link(self, number: int, state: str) -> None:
        """Pull the cable of a host ("down"), or put it in again ("up")."""
        ip("-n", f"{self._name}s", "link", "set", self._host(number), state)

    def cpus(self) -> float:
        """The CPU cores that the cluster counts."""
        code = f"import ray; ray.init(address='{self.address}', logging_level='ERROR', log_to_driver=False); "
        code += "print(ray.cluster_resources().get('CPU', 0))"
        words = [sys.executable, "-c", code]
        done = subprocess.run(
            self.command(0, words),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**os.environ, **ENVIRONMENT},
        )
        return float(done.stdout.split()[-1]) if done.returncode == 0 and done.stdout.split() else 0.0

    def _wait(self, is_done: Callable[[], bool]) -> None:
        limit = time.monotonic() + SECONDS
        while not is_done():
            gone = [number for number, raylet in self._raylets.items() if raylet.poll() is not None]
            if gone or time.monotonic() > limit:
                logs = "\n".join(path.read_text()[-2000:] for path in self.folder.glob("ray-*.log"))
                raise AssertionError(f"the cluster did not start: {logs}")
            time.sleep(0.1)

    def launch(self, *words: str) -> subprocess.Popen[str]:
        """Start `genotok` on the first host."""
        program = [sys.executable, "-m", "genotok", *words]
        return subprocess.Popen(
            self.command(0, program),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **ENVIRONMENT},
        )

    @contextmanager
    def filled(self) -> Iterator[str]:
        """Let the object stores of all hosts be full; gives what the filling program says."""
        words = [sys.executable, "-c", FILLER, self.address]
        environment = {**os.environ, **ENVIRONMENT}
        child = subprocess.Popen(self.command(0, words), stdout=subprocess.PIPE, text=True, env=environment)
        try:
            said = child.stdout.readline().strip() if child.stdout else ""
            if not said.startswith("filled"):
                raise AssertionError(f"the object stores could not be filled: {said}")
            yield said
        finally:
            child.kill()
            child.wait()

    def genotok(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `genotok` on the first host to its end."""
        child = self.launch(*words)
        out, _ = child.communicate(timeout=SECONDS)
        return subprocess.CompletedProcess(words, child.returncode, out, "")


@dataclass(frozen=True, slots=True)
class Bench:
    """What the trials read and compare with.

    Attributes:
        folder: All folders.
        tokenizer: The tokenizer of one process.
        encoded: The folder that one process encodes.
    """

    folder: Path
    tokenizer: Path
    encoded: Path

    @property
    def shared(self) -> Path:
        """The folder of all hosts."""
        return self.folder / "shared"

    @property
    def local(self) -> str:
        """The shards that each host has by itself."""
        return str(self.folder / "local" / "shards")

    def check_same(self, output: Path) -> None:
        """Raise an error unless a tokenizer is that of one process."""
        if output.read_bytes() != self.tokenizer.read_bytes():
            raise AssertionError(f"{output} is another tokenizer than that of one process")

    def train(self, cluster: Cluster, name: str, source: str) -> list[str]:
        """The words of a training on a cluster."""
        output = str(self.shared / f"{name}.json")
        return ["train-bpe", "--vocab", VOCAB, source, "--ray", cluster.address, "-o", output, "-q"]


def prepare(folder: Path) -> Bench:
    """Pack the shards, give each host its copy, and compute in one process."""
    shared, program = folder / "shared", [sys.executable, "-m", "genotok"]
    shared.mkdir(parents=True)
    files = [str(shutil.copy2(path, shared / path.name)) for path in FILES]
    shards = shared / "shards"
    subprocess.run([*program, "pack", *files, "-o", f"{shards}/", "-q"], check=True)
    for number in range(HOSTS):
        shutil.copytree(shards, folder / f"host-{number}" / "local" / "shards")
    bench = Bench(folder, shared / "alone.json", shared / "alone")
    words = ["train-bpe", "--vocab", VOCAB, str(shards), "-o", str(bench.tokenizer), "-q"]
    subprocess.run([*program, *words], check=True)
    words = [
        "encode",
        "-t",
        str(bench.tokenizer),
        *files,
        "--window",
        "1000",
        "-o",
        f"{bench.encoded}/",
        "-q",
    ]
    subprocess.run([*program, *words], check=True)
    return bench


def ended(done: subprocess.CompletedProcess[str]) -> str:
    """The last line of a command that failed as it should: with a line, not with a traceback.

    Raises:
        AssertionError: It did not.
    """
    lines = done.stdout.strip().splitlines()
    if done.returncode == 0 or "Traceback" in done.stdout or "internal error" in done.stdout or not lines:
        raise AssertionError(f"exit {done.returncode}: {done.stdout[-2000:]}")
    return lines[-1]


def succeeded(done: subprocess.CompletedProcess[str]) -> None:
    """Raise an error if a command failed."""
    if done.returncode:
        raise AssertionError(f"exit {done.returncode}: {done.stdout[-2000:]}")


def shared_shards(bench: Bench) -> str:
    """Train on one folder that all hosts mount."""
    with Cluster(bench.folder) as cluster:
        succeeded(cluster.genotok(*bench.train(cluster, "shared", str(bench.shared / "shards"))))
    bench.check_same(bench.shared / "shared.json")
    return "the tokenizer of one process"


def own_shards(bench: Bench) -> str:
    """Train on folders that each host has by itself; then without one of them."""
    with Cluster(bench.folder) as cluster:
        succeeded(cluster.genotok(*bench.train(cluster, "own", bench.local)))
        bench.check_same(bench.shared / "own.json")
        away = bench.folder / "host-2" / "local" / "shards"
        away.rename(away.with_name("away"))
        try:
            line = ended(cluster.genotok(*bench.train(cluster, "without", bench.local)))
        finally:
            away.with_name("away").rename(away)
    return f"the tokenizer of one process; a host without its folder: {line}"


def encoding(bench: Bench) -> str:
    """Encode into one folder that all hosts mount."""
    files = [str(bench.shared / path.name) for path in FILES]
    output = bench.shared / "encoded"
    with Cluster(bench.folder) as cluster:
        words = ["encode", "-t", str(bench.tokenizer), *files, "--window", "1000", "-o", f"{output}/", "-q"]
        succeeded(cluster.genotok(*words, "--ray", cluster.address))
    names = sorted(path.name for path in output.iterdir())
    if names != sorted(path.name for path in bench.encoded.iterdir()):
        raise AssertionError(f"other files: {names}")
    others = [name for name in names if (output / name).read_bytes() != (bench.encoded / name).read_bytes()]
    if [name for name in others if not name.endswith(".json")]:
        raise AssertionError(f"other contents: {others}")
    return f"{len(names)} files, those of one process; of another command: {', '.join(others) or 'none'}"


def _disturbed(bench: Bench, name: str, disturb: Callable[[Cluster], None]) -> str:
    """Train, disturb while workers are at work, and resume if the training ended."""
    with Cluster(bench.folder) as cluster, cluster.slow(1):
        words = bench.train(cluster, name, bench.local)
        child = cluster.launch(*words)
        limit = time.monotonic() + SECONDS
        while not cluster.has(2, HOLDER) and child.poll() is None and time.monotonic() < limit:
            time.sleep(0.02)
        time.sleep(IN_ROUNDS)
        if child.poll() is not None:
            raise AssertionError(f"the training ended before it was disturbed: {child.communicate()[0]}")
        disturb(cluster)
        out, _ = child.communicate(timeout=SECONDS)
        said = "it continued"
        if child.returncode:
            # Ray's own code ends a program whose part of Ray on this host is gone, without a word.
            said = (
                ended(subprocess.CompletedProcess(words, child.returncode, out, "")) if out else "Ray's exit"
            )
            resume = ["--resume"] if (bench.shared / f"{name}.json.checkpoint").exists() else []
            succeeded(cluster.genotok(*words, *resume))
            said = f"ended with {said}; {'--resume continued' if resume else 'run again'}"
    bench.check_same(bench.shared / f"{name}.json")
    return f"{said}; the tokenizer of one process"


def cut_off(bench: Bench) -> str:
    """Pull the cable of a host in a round; it joins again after it was given up."""

    def disturb(cluster: Cluster) -> None:
        cluster.link(2, "down")
        time.sleep(8)
        cluster.link(2, "up")
        cluster.stop(2)
        cluster.start(2)
        cluster.wait_for_all()

    return _disturbed(bench, "cut-off", disturb)


def short_cut(bench: Bench) -> str:
    """Pull the cable of a host for a second, less than it takes to be given up."""

    def disturb(cluster: Cluster) -> None:
        cluster.link(2, "down")
        time.sleep(1)
        cluster.link(2, "up")

    return _disturbed(bench, "short-cut", disturb)


def head_restarted(bench: Bench) -> str:
    """Kill the head in a round, and start the cluster again."""

    def disturb(cluster: Cluster) -> None:
        for number in reversed(range(HOSTS)):
            cluster.stop(number)
        cluster.start_all()

    return _disturbed(bench, "head-restarted", disturb)


def slow_host(bench: Bench) -> str:
    """Train while the workers of a host stand still six sevenths of the time."""
    with Cluster(bench.folder) as cluster, cluster.slow(2):
        succeeded(cluster.genotok(*bench.train(cluster, "slow", bench.local)))
    bench.check_same(bench.shared / "slow.json")
    return "the tokenizer of one process"


def small_store(bench: Bench) -> str:
    """Train with the smallest object store that Ray has."""
    with Cluster(bench.folder, store=STORE_BYTES) as cluster:
        succeeded(cluster.genotok(*bench.train(cluster, "small", bench.local)))
    bench.check_same(bench.shared / "small.json")
    return f"object stores of {STORE_BYTES >> 20} MiB: the tokenizer of one process"


def full_store(bench: Bench) -> str:
    """Train while all object stores are full, and nothing may be written to the disk instead."""
    told = []
    with Cluster(bench.folder, store=STORE_BYTES, spills=False) as cluster:
        with cluster.filled():
            words = bench.train(cluster, "filled", bench.local)
            done = cluster.genotok(*words)
            told.append("trained all the same" if done.returncode == 0 else ended(done))
        if done.returncode:
            succeeded(cluster.genotok(*words))
            told.append("then, with space again, trained")
    bench.check_same(bench.shared / "filled.json")
    return f"{'; '.join(told)}: the tokenizer of one process"


TRIALS: dict[str, Callable[[Bench], str]] = {
    "shared-shards": shared_shards,
    "own-shards": own_shards,
    "encoding": encoding,
    "short-cut": short_cut,
    "cut-off": cut_off,
    "head-restarted": head_restarted,
    "slow-host": slow_host,
    "small-store": small_store,
    "full-store": full_store,
}


def main(words: Sequence[str] | None = None) -> None:
    """Run the trials, and print what came of each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster_hosts")
    parser.add_argument("--only", default=",".join(TRIALS), help="trials, with commas between them")
    parser.add_argument("-o", "--output", type=Path, help="also write what came of them as JSON")
    given = parser.parse_args(words)
    if os.geteuid():
        sys.exit("benchmarks.cluster_hosts: needs root, for network namespaces")
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="gt-", dir="/tmp", ignore_cleanup_errors=True) as name:
        bench = prepare(Path(name))
        for trial in given.only.split(","):
            start = time.monotonic()
            said = TRIALS[trial](bench)
            results[trial] = {"seconds": round(time.monotonic() - start, 1), "result": said}
            print(f"{trial}: {said} ({results[trial]['seconds']:.0f} s)", flush=True)
    if given.output:
        write_atomic(given.output, (json.dumps(results, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
