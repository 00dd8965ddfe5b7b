"""Tries an installed genotok: `PYTHON release/smoke.py [--without-rust]`, with the Python that has it.

It needs nothing but genotok and the standard library, so that it runs where only the wheel is installed. It
prints one line with the times to start, and fails with the first thing that is wrong.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from importlib import import_module
from importlib.metadata import distribution
from pathlib import Path

RUNS = 5
BASES = 100_000
TOKENS = 300
PROGRAM = str(Path(sysconfig.get_path("scripts")) / "genotok")


class SmokeError(Exception):
    """Something that an installed genotok must do, and this one does not."""


def main() -> None:
    """Try the installation and print what was found."""
    parser = argparse.ArgumentParser(description="Try an installed genotok.")
    parser.add_argument("--without-rust", action="store_true", help="fail if cargo or rustc is on the PATH")
    options = parser.parse_args()
    found = [name for name in ("cargo", "rustc") if options.without_rust and shutil.which(name)]
    if found:
        raise SystemExit(f"smoke: {' and '.join(found)} must not be on the PATH")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # away from the sources, which would be imported in place of what is installed
        try:
            check_installation()
            check_commands()
            check_library()
            print(times(), flush=True)
        except subprocess.CalledProcessError as error:
            raise SystemExit(f"smoke: {error}\n{error.stderr}") from error
        except SmokeError as error:
            raise SystemExit(f"smoke: {error}") from error
        finally:
            os.chdir("/")


def require(condition: bool, otherwise: str) -> None:
    """Fail with a sentence unless the condition holds.

    Raises:
        SmokeError: it does not.
    """
    if not condition:
        raise SmokeError(otherwise)


def run(*command: str) -> str:
    """The output of a command.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def check_installation() -> None:
    """Compare the versions, and look for the files that people and tools rely on."""
    package, installed = import_module("genotok"), distribution("genotok")
    where, home = Path(str(package.__file__)).resolve(), Path(sysconfig.get_path("platlib")).resolve()
    require(where.is_relative_to(home), f"genotok is imported from {where}, not from {home}")
    told = run(PROGRAM, "--version").split()
    require(package.__version__ == installed.version, "module and metadata differ in version")
    require(told == ["genotok", installed.version], f"genotok --version says {told}")
    manual = Path(sysconfig.get_path("data")) / "share" / "man" / "man1" / "genotok.1"
    require(manual.is_file() and ".TH" in manual.read_text(encoding="utf-8"), f"no manual page at {manual}")
    names = {path.name for path in installed.files or []}
    lacking = {"LICENSE", "THIRD-PARTY-LICENSES", "py.typed", "_native.pyi"} - names
    require(not lacking, f"the installation lacks {sorted(lacking)}")


def check_commands() -> None:
    """Train and encode on the command line."""
    bases = "".join(random.Random(7).choices("ACGT", k=BASES))
    Path("genome.fa").write_text(f">random\n{bases}\n", encoding="utf-8")
    run(PROGRAM, "train-bpe", "--vocab", str(TOKENS), "genome.fa")
    require(str(TOKENS) in run(PROGRAM, "info", "tokenizer.json"), "info does not show the vocabulary")
    run(PROGRAM, "encode", "genome.fa", "--output", "tokens.arrow")
    run(PROGRAM, "verify", "tokens.arrow")


def check_library() -> None:
    """Encode and decode from Python."""
    tokenizer = import_module("genotok").Tokenizer.from_file("tokenizer.json")
    sequence = Path("genome.fa").read_text(encoding="utf-8").splitlines()[1][:5000]
    ids = tokenizer.encode(sequence)
    require(len(ids) < len(sequence), "encode gives no fewer tokens than bases")
    require(tokenizer.decode(ids) == sequence, "decode does not give what was encoded")


def times() -> str:
    """Median times of `import genotok` and of `genotok --version`, each in a new process, in words."""
    commands = {
        "Python alone": (sys.executable, "-c", "pass"),
        "with import genotok": (sys.executable, "-c", "import genotok"),
        "genotok --version": (PROGRAM, "--version"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(RUNS):
        for name, command in commands.items():
            start = time.perf_counter()
            run(*command)
            seconds[name].append(time.perf_counter() - start)
    told = [f"{name} {1000 * statistics.median(each):.0f} ms" for name, each in seconds.items()]
    python = ".".join(map(str, sys.version_info[:3]))
    return f"Python {python}: genotok {distribution('genotok').version} works; {', '.join(told)}"


if __name__ == "__main__":
    main()
