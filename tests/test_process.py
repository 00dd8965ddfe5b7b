"""Concurrent, terminated and killed programs, and unusual standard streams."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from genotok import _native
from genotok.cli import app
from genotok.cli.shared.process import SPINS, let_threads_sleep
from genotok.dataset.shards import arrow_faults
from genotok.errors import SequenceFileError
from tests.support.program import ENVIRONMENT, LAMBDA, PROGRAM, fails, names, run

SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


@pytest.fixture(autouse=True)
def _hang_up_ends() -> Iterator[None]:
    """Programs that a test starts are ended by SIGHUP, also where the tests run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the program in the test's folder; whatever happens, none outlives the test."""
    started: list[subprocess.Popen[str]] = []

    def launch(*arguments: str, program: list[str] | None = None) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*(program or PROGRAM), *arguments],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )
        started.append(process)
        return process

    yield launch
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Callable[[str], int]]:
    """Named pipes: what reads one waits as long as the test wants."""
    opened: list[int] = []

    def open_pipe(name: str) -> int:
        # Once the reader has opened the pipe; it reads when the first bytes are gone.
        for _ in range(1200):
            try:
                opened.append(os.open(tmp_path / name, os.O_WRONLY | os.O_NONBLOCK))
                break
            except OSError:
                time.sleep(0.05)
        os.write(opened[-1], b">r1\n" + b"ACGTTGCA" * 4000)
        time.sleep(0.3)
        return opened[-1]

    yield open_pipe
    for number in opened:
        os.close(number)


# -- two at a time ----------------------------------------------------------------------------------


def test_two_packings_into_one_folder(tmp_path: Path, start: Callable[..., subprocess.Popen[str]]) -> None:
    """One of them is refused; the folder of the other verifies."""
    for number in range(2):
        (tmp_path / f"{number}.fa").write_bytes(b">r\n" + _native.simulate(3_000_000, number) + b"\n")
    for turn in range(3):
        both = [
            start("pack", f"{number}.fa", "-o", f"out{turn}/", "--shard-size", "50k") for number in (0, 1)
        ]
        ends = [(process.communicate(timeout=100), process.returncode) for process in both]
        assert sorted(code for _, code in ends) == [0, 1], ends
        (refused,) = [err for (_, err), code in ends if code == 1]
        assert refused.count("genotok: error: ") == 1
        assert "is writing to it; wait until it is done" in refused or "has shards already" in refused
        done = run("verify", f"out{turn}", folder=tmp_path)
        assert done.returncode == 0, done
        assert not [name for name in names(tmp_path / f"out{turn}") if name.startswith(".")]


@pytest.mark.parametrize(
    ("command", "output"),
    [
        (["train-bpe"], "out.json"),
        (["pack"], "out.pack"),
        (["encode", "-t", "tokenizer.json"], "out.arrow"),
        (["encode", "-t", "tokenizer.json"], "out/"),
    ],
)
def test_a_second_run_names_the_process_of_the_first(
    tmp_path: Path,
    start: Callable[..., subprocess.Popen[str]],
    feed: Callable[[str], int],
    command: list[str],
    output: str,
) -> None:
    assert run("train-bpe", "--vocab", "60", "-q", LAMBDA, folder=tmp_path).returncode == 0
    os.mkfifo(tmp_path / "pipe.fa")
    first = start(*command, "pipe.fa", "-o", output)
    feed("pipe.fa")
    before = names(tmp_path)
    second = run(*command, LAMBDA, "-o", output, folder=tmp_path)
    fails(second, output.rstrip("/"), f"process {first.pid}", "is writing to it")
    assert names(tmp_path) == before


# -- terminated ------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize(
    ("command", "output", "said"),
    [
        (["train-bpe"], "out.json", "nothing was written"),
        (["pack"], "out.pack", "nothing was written"),
        (["encode", "-t", "tokenizer.json"], "out.arrow", "nothing was written"),
        (["encode", "-t", "tokenizer.json"], "out/", "resume with: genotok encode"),
        (["check"], None, "interrupted"),
    ],
)
def test_signals_that_ask_to_end_do_what_ctrl_c_does(
    tmp_path: Path,
    start: Callable[..., subprocess.Popen[str]],
    feed: Callable[[str], int],
    number: signal.Signals,
    command: list[str],
    output: str | None,
    said: str,
) -> None:
    assert run("train-bpe", "--vocab", "60", "-q", LAMBDA, folder=tmp_path).returncode == 0
    os.mkfifo(tmp_path / "pipe.fa")
    before = names(tmp_path)
    process = start(*command, "pipe.fa", *(["-o", output] if output else []))
    feed("pipe.fa")
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (SIGNALS[number], "")
    assert said in err
    assert "Traceback" not in err
    if output == "out/":
        assert not [name for name in names(tmp_path / "out") if name.startswith(".")]
        assert names(tmp_path) == before | {"out"}
    else:
        assert names(tmp_path) == before


@pytest.mark.slow
def test_sigterm_leaves_a_checkpoint_that_resumes_to_the_same_result(
    tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    (tmp_path / "large.fa").write_bytes(b">r\n" + _native.simulate(24_000_000, 7) + b"\n")
    arguments = ["train-bpe", "--threads", "1", "-q", "large.fa"]
    started = time.monotonic()
    assert run(*arguments, "-o", "whole.json", folder=tmp_path).returncode == 0
    seconds = time.monotonic() - started
    early, late = 0.0, 1.2 * seconds
    for _ in range(8):  # how long a run takes depends on what else runs: halve towards its last third
        process = start(*arguments, "-o", "out.json")
        time.sleep(wait := (early + 2 * late) / 3)
        process.terminate()
        _, err = process.communicate(timeout=30)
        if process.returncode == 143 and (tmp_path / "out.json.checkpoint").exists():
            break
        early, late = (wait, late) if process.returncode == 143 else (early, wait)
        for name in ("out.json", "out.json.checkpoint"):
            (tmp_path / name).unlink(missing_ok=True)
    else:
        pytest.fail("no signal met a training under way")
    assert "resume with: genotok train-bpe" in err
    assert names(tmp_path) == {"large.fa", "whole.json", "out.json.checkpoint"}
    assert run(*arguments, "-o", "out.json", "--resume", folder=tmp_path).returncode == 0
    assert (tmp_path / "out.json").read_bytes() == (tmp_path / "whole.json").read_bytes()


def wait_until_ignored(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Wait until a program has handled a signal and ignores it from then on, or has ended.

    Of several pending signals Python handles that of the lowest number first.
    """
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        time.sleep(1)
        return
    end = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < end:
        (mask,) = (line.split()[1] for line in status.read_text().splitlines() if line.startswith("SigIgn:"))
        if int(mask, 16) >> (number - 1) & 1:
            return
        time.sleep(0.001)


def test_a_second_signal_does_not_disturb_the_handling_of_the_first(
    tmp_path: Path, start: Callable[..., subprocess.Popen[str]], feed: Callable[[str], int]
) -> None:
    os.mkfifo(tmp_path / "pipe.fa")
    process = start("pack", "pipe.fa", "-o", "out.pack")
    feed("pipe.fa")
    process.send_signal(signal.SIGTERM)
    wait_until_ignored(process, signal.SIGTERM)
    for number in (signal.SIGTERM, signal.SIGHUP):
        process.send_signal(number)
        time.sleep(0.02)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 143
    assert err.count("\n") == 1
    assert names(tmp_path) == {"pipe.fa"}


def test_nohup_is_kept(tmp_path: Path, start: Callable[..., subprocess.Popen[str]]) -> None:
    os.mkfifo(tmp_path / "pipe.fa")
    process = start("check", "pipe.fa", program=["nohup", *PROGRAM])
    writer = os.open(tmp_path / "pipe.fa", os.O_WRONLY)
    process.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    os.write(writer, b">r\nACGT\n")
    os.close(writer)
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_a_library_sets_no_signal() -> None:
    code = (
        "import signal, genotok, genotok.cli, genotok.dataset, genotok.corpus.packed; "
        "print([signal.getsignal(n) is signal.SIG_DFL for n in (signal.SIGTERM, signal.SIGHUP)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[True, True]\n"


# -- killed -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "output", "again"),
    [
        (["pack"], "out.pack", ["kmer", "-k", "2", "-q", "-o", "two.json"]),
        (["encode", "-t", "tokenizer.json"], "out.arrow", ["pack", LAMBDA, "-q", "-o", "again.pack"]),
        (["encode", "-t", "tokenizer.json"], "out.arrow", ["encode", LAMBDA, "-q", "-o", "again.arrow"]),
    ],
)
def test_a_later_run_removes_what_a_killed_one_left(
    tmp_path: Path,
    start: Callable[..., subprocess.Popen[str]],
    feed: Callable[[str], int],
    command: list[str],
    output: str,
    again: list[str],
) -> None:
    """Writers of Python and Rust remove temporary files of each other, but none that is being written."""
    assert run("train-bpe", "--vocab", "60", "-q", LAMBDA, folder=tmp_path).returncode == 0
    for name in ("killed.fa", "living.fa"):
        os.mkfifo(tmp_path / name)
    killed = start("encode", "-t", "tokenizer.json", "killed.fa", "-o", "killed.arrow")
    feed("killed.fa")
    living = start(*command, "living.fa", "-o", output)
    writer = feed("living.fa")
    dead = tmp_path / next(name for name in names(tmp_path) if name.endswith(".tmp")).replace(".tmp", "0.tmp")
    dead.write_text("of a writer that is gone")
    killed.kill()
    killed.communicate()
    assert run(*again, folder=tmp_path).returncode == 0
    left = [name for name in names(tmp_path) if name.endswith(".tmp")]
    assert len([name for name in names(tmp_path) if name.endswith(".lock")]) == 1  # likewise
    assert dead.name not in left
    assert len(left) == (output == "out.arrow")  # that of the running one
    assert living.poll() is None
    os.set_blocking(writer, True)
    living.send_signal(signal.SIGINT)
    living.communicate(timeout=30)
    assert [name for name in names(tmp_path) if name.endswith(".tmp")] == []


# -- standard streams -------------------------------------------------------------------------------

ASCII = [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}]


@pytest.mark.parametrize("setting", ASCII, ids=["ioencoding", "posix"])
def test_a_terminal_that_knows_ascii_only_gets_all_of_it(tmp_path: Path, setting: dict[str, str]) -> None:
    assert run("train-bpe", "--vocab", "60", "-q", LAMBDA, folder=tmp_path).returncode == 0
    (tmp_path / "größe.fa").write_text(">r\nACGT\n")
    for arguments in (["info", "tokenizer.json"], ["check", "größe.fa"], ["--help"], ["show", "GATTACA"]):
        done = subprocess.run(
            [*PROGRAM, *arguments],
            cwd=tmp_path,
            capture_output=True,
            env={**ENVIRONMENT, **setting},
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b""), arguments
        done.stdout.decode("ascii")
        if arguments[0] == "info":
            assert b" ####" in done.stdout


@pytest.mark.parametrize(
    "arguments", [["info"], ["info", "--json"], ["--version"], ["kmer", "-k", "2", "-o", "-"]]
)
def test_a_closed_standard_output_is_an_error_as_a_full_one(tmp_path: Path, arguments: list[str]) -> None:
    command = ["bash", "-c", '"$@" >&-', "bash", *PROGRAM, *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=ENVIRONMENT, check=False)
    assert done.returncode == 1
    assert done.stderr == "genotok: error: standard output: Bad file descriptor\n"


def test_with_all_streams_closed_files_are_whole(tmp_path: Path) -> None:
    """Otherwise the output file would get the descriptor of standard output, and contain the report."""
    command = ["bash", "-c", '"$@" <&- >&- 2>&-', "bash", *PROGRAM]
    for closed, name in ((command, "closed"), (PROGRAM, "open")):
        arguments = ["train-bpe", "--vocab", "60", LAMBDA, "-o", f"{name}.json"]
        subprocess.run([*closed, *arguments], cwd=tmp_path, capture_output=True, env=ENVIRONMENT, check=False)
    assert (tmp_path / "closed.json").read_bytes() == (tmp_path / "open.json").read_bytes()


def test_names_that_are_not_utf8_are_valid_json(tmp_path: Path) -> None:
    for name in (b"f\xfcnf.fa", b"f\xf6nf.fa"):
        Path(os.fsdecode(bytes(tmp_path) + b"/" + name)).write_bytes(b">r\xe9cord\nACGT!\n>r\xe8cord\nAC\n")
    done = subprocess.run(
        [*PROGRAM, "check", "--json", "*.fa"], cwd=tmp_path, capture_output=True, env=ENVIRONMENT, check=False
    )
    assert b"\\ud" not in done.stdout
    files = [report["file"] for report in json.loads(done.stdout)["files"]]
    assert files == [r"f\xf6nf.fa", r"f\xfcnf.fa"]
    json.dumps(json.loads(done.stdout), ensure_ascii=False).encode()
    shown = subprocess.run(
        [*PROGRAM, "check", "*.fa"], cwd=tmp_path, capture_output=True, env=ENVIRONMENT, check=False
    )
    assert b"Traceback" not in shown.stderr


@pytest.mark.parametrize("said", [{}, {"OMP_WAIT_POLICY": "active"}, {"GOMP_SPINCOUNT": "7"}])
def test_threads_sleep_soon_unless_the_environment_says_how_they_wait(
    said: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {**said})
    let_threads_sleep()
    assert os.environ == (said or {"GOMP_SPINCOUNT": str(SPINS)})


@pytest.mark.parametrize("error", [RuntimeError, pa.ArrowException])
@pytest.mark.parametrize("said", app.SHORTAGES)
def test_what_the_system_has_no_more_of_is_one_line(
    said: str, error: type[Exception], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Libraries ask for it too; their errors have no class of their own."""

    def work(**_: object) -> None:
        raise error(f"[enforce fail] {said}: you tried to allocate 4096 bytes")

    monkeypatch.setattr(app, "app", work)
    assert app._run() == 1
    assert capsys.readouterr().err == f"genotok: error: {app.SHORTAGES[said]}\n"


def test_python_and_torch_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The words are those of the libraries that are installed."""
    torch = pytest.importorskip("torch")
    with pytest.raises(RuntimeError) as refused:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert any(said in str(refused.value) for said in app.SHORTAGES)


def test_a_thread_that_is_refused_is_no_damage_of_a_file() -> None:
    refused = pa.ArrowException("Unknown error: Failed to launch worker thread: out of them")
    with pytest.raises(pa.ArrowException, match="launch worker"), arrow_faults("shard.parquet"):
        raise refused
    with pytest.raises(SequenceFileError, match=r"shard\.parquet: damaged"), arrow_faults("shard.parquet"):
        raise pa.ArrowException("Unknown error: cut off")


def test_other_faults_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def work(**_: object) -> None:
        raise RuntimeError("a fault of genotok")

    monkeypatch.setattr(app, "app", work)
    with pytest.raises(RuntimeError, match="a fault of genotok"):
        app._run()
