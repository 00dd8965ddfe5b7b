"""Builds this machine's wheel twice and compares the bytes: `python -m release.reproducible [--keep FOLDER]`.

Each build has a copy of the committed files in a folder of its own, with a name of its own length, its own
target folder, and no compiled crate to start from. What a wheel must not depend on therefore differs: paths,
times, and the order in which the file system lists files. What it may depend on is the same: sources, lock
file, compiler, linker, and the time of the commit, which stands in `SOURCE_DATE_EPOCH`.

The exit code is 1 if the bytes differ; the members that differ are listed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from release import wheels
from release.notices import host_target

ROOT = Path(__file__).resolve().parent.parent
# Names of the two folders, of unequal length.
FOLDERS = ("a", "another-folder-of-the-same-sources")


def main() -> None:
    """Build twice and compare."""
    parser = argparse.ArgumentParser(prog="python -m release.reproducible", description="Two equal wheels.")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the two wheels here")
    parser.add_argument("--no-zig", action="store_true", help="link with the linker of this machine")
    options = parser.parse_args()
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with tempfile.TemporaryDirectory(prefix="genotok-wheels-") as work:
        built = [built_in(Path(work) / folder, zig=not options.no_zig) for folder in FOLDERS]
        if options.keep:
            for folder, wheel in zip(FOLDERS, built, strict=True):
                (options.keep / folder).mkdir(parents=True, exist_ok=True)
                shutil.copy(wheel, options.keep / folder)
        differing = differences(*built)
        if differing:
            raise SystemExit("reproducible: the two wheels differ in " + ", ".join(differing))
        digest = hashlib.sha256(built[0].read_bytes()).hexdigest()
        print(f"reproducible: two builds of {built[0].name} have equal bytes, SHA-256 {digest}")


def built_in(folder: Path, *, zig: bool) -> Path:
    """The wheel that is built from a copy of the committed files in a folder."""
    folder.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True).stdout
    subprocess.run(["tar", "--extract", "--directory", str(folder)], input=archive, check=True)
    return wheels.built(folder, host_target(), folder / "wheels", zig=zig)


def differences(first: Path, second: Path) -> list[str]:
    """The members of two wheels that differ; where all are equal, what else does."""
    if first.read_bytes() == second.read_bytes():
        return []
    with zipfile.ZipFile(first) as one, zipfile.ZipFile(second) as other:
        names = one.namelist(), other.namelist()
        both = set(names[0]) & set(names[1])
        found = sorted(set(names[0]) ^ set(names[1]))
        found += sorted(name for name in both if one.read(name) != other.read(name))
    return found or ["the order, times or modes of their members"]


if __name__ == "__main__":
    main()
