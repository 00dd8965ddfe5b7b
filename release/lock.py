"""The lock file of Python packages: what `make lock` writes and `make build` and `make test` install.

    python -m release.lock requirements            the requirements of pyproject.toml, one per line
    python -m release.lock write PYLOCK            the lock file, from what uv resolved
    python -m release.lock install NAME...         packages and what they need, as the lock file has them
    python -m release.lock install --extra NAME    those of extras of pyproject.toml; may be repeated
                                   --no-compile    Python compiles what is imported, not pip everything

The lock file states for each package a version and the SHA-256 of the files that pip may choose: wheels for
CPython 3.11 to 3.14 on Linux and macOS. No source distribution is among them: building one runs its code.

Packages are installed in two steps. pip first says, without installing, what it would install under the
versions of the lock file: this leaves CUDA out where torch is one for CPUs (decision 0064). It downloads the
files to say so, and once more in the second step if it keeps no cache. Then exactly these are installed with
`--require-hashes` and `--no-deps`, so that a file that the lock file does not state, and a package that it
does not have, is refused before anything of it runs. One kind of file has no digest there: a local build such
as torch 2.15.0+cpu, which comes from an index that the user has named in PIP_EXTRA_INDEX_URL. It is installed
with the digest that this index states, and a line says so.

They are installed in portions: pip keeps the files of one call until all of them are unpacked, and torch with
CUDA alone comes in 3 GB of files. Its largest follow each other in pip's report, so each portion takes every
sixth package. A call after one that failed installs what is missing.

Before anything is installed, this needs Python's standard library alone.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements-dev.lock"
EXTRAS = ("model", "train", "ray", "report", "test", "lint", "bench", "docs", "release")
HEADER = """\
# The build backend and the extras {extras} of pyproject.toml, with the SHA-256 of the wheels for
# CPython 3.11 to 3.14 on Linux and macOS; written by `make lock`, installed by release/lock.py.
"""
PORTIONS = 6
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input")

ABIS = {"none", "abi3", "cp311", "cp312", "cp313", "cp314"}
PLATFORM = re.compile(r"any|(?:many)?linux\w*_(?:x86_64|aarch64)|macosx_\w+")
# Where genotok is developed; packages that only other systems need are left out.
SYSTEMS = (("linux", "Linux", "x86_64"), ("linux", "Linux", "aarch64"), ("darwin", "Darwin", "arm64"))
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


class Pin(NamedTuple):
    """A package of the lock file."""

    version: str
    hashes: frozenset[str]  # SHA-256, in hexadecimal


def main() -> None:
    """Write or install."""
    parser = argparse.ArgumentParser(prog="python -m release.lock", description="The lock file.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("requirements", help="print what pyproject.toml asks for")
    commands.add_parser("write", help="write the lock file").add_argument("pylock", type=Path)
    install_parser = commands.add_parser("install", help="install packages of the lock file")
    install_parser.add_argument("names", nargs="*")
    install_parser.add_argument("--extra", nargs="+", choices=EXTRAS, default=[])
    install_parser.add_argument("--no-compile", action="append_const", const="--no-compile", dest="flags")
    options = parser.parse_args()
    if options.command == "requirements":
        print(*requirements(EXTRAS), sep="\n")
    elif options.command == "write":
        LOCK.write_text(written(tomllib.loads(options.pylock.read_text(encoding="utf-8"))), encoding="utf-8")
    else:
        wanted = options.names + (requirements(options.extra) if options.extra else [])
        install(wanted, options.flags or [])


def requirements(extras: list[str] | tuple[str, ...]) -> list[str]:
    """What building, running and some extras ask for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    offered = project["project"]["optional-dependencies"]
    wanted = project["build-system"]["requires"] + project["project"]["dependencies"]
    for extra in extras:
        wanted += [line for line in offered[extra] if not line.startswith("genotok[")]
    return [str(line) for line in wanted]


def normalized(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


# -- writing ----------------------------------------------------------------------------------------


def written(resolved: dict[str, Any]) -> str:
    """The text of the lock file, from a parsed pylock.toml (PEP 751) of all platforms.

    Raises:
        SystemExit: a package has two versions, or no file with a digest.
    """
    pins: dict[str, Pin] = {}
    for package in resolved["packages"]:
        name = normalized(package["name"])
        if not is_needed(package.get("marker")):
            continue
        if name in pins:
            raise SystemExit(
                f"lock: {name} has two versions; the lock file states one: narrow pyproject.toml"
            )
        pins[name] = Pin(package["version"], frozenset(digests(package)))
        if not pins[name].hashes:
            raise SystemExit(f"lock: {name} {package['version']} has no wheel with a SHA-256 that fits")
    lines = [
        " \\\n    ".join(
            [f"{name}=={pin.version}", *(f"--hash=sha256:{each}" for each in sorted(pin.hashes))]
        )
        for name, pin in sorted(pins.items())
    ]
    return HEADER.format(extras=f"{', '.join(EXTRAS[:-1])} and {EXTRAS[-1]}") + "\n".join(lines) + "\n"


def is_needed(marker: str | None) -> bool:
    """Whether a marker holds with any of the Pythons on any of the systems."""
    from packaging.markers import Marker  # noqa: PLC0415 - installing must not need it

    if marker is None:
        return True
    return any(
        Marker(marker).evaluate(
            {
                "sys_platform": system,
                "platform_system": name,
                "platform_machine": machine,
                "python_version": python,
                "python_full_version": f"{python}.9",
                "implementation_name": "cpython",
                "platform_python_implementation": "CPython",
            }
        )
        for system, name, machine in SYSTEMS
        for python in PYTHONS
    )


def digests(package: dict[str, Any]) -> list[str]:
    """SHA-256 of the files of a package that pip may choose."""
    wheels = [file for file in package.get("wheels", []) if fits(file_name(file))]
    return [file["hashes"]["sha256"] for file in wheels if "sha256" in file.get("hashes", {})]


def file_name(file: dict[str, Any]) -> str:
    """Name of a file, which may stand only at the end of its address."""
    return str(file.get("name") or file["url"].rpartition("/")[2])


def fits(wheel: str) -> bool:
    """Whether a wheel is for a Python and a system of ours, by the tags in its name."""
    _, abis, platforms = wheel.removesuffix(".whl").split("-")[-3:]
    return bool(ABIS & set(abis.split("."))) and any(map(PLATFORM.fullmatch, platforms.split(".")))


# -- installing -------------------------------------------------------------------------------------


def read(text: str) -> dict[str, Pin]:
    """The packages of a lock file, by normalized name."""
    joined = text.replace("\\\n", " ")
    pins = re.findall(r"^([\w.-]+)==(\S+)((?: +--hash=sha256:[0-9a-f]{64})*) *$", joined, re.MULTILINE)
    return {
        normalized(name): Pin(version, frozenset(re.findall(r"[0-9a-f]{64}", hashes)))
        for name, version, hashes in pins
    }


def install(wanted: list[str], flags: list[str]) -> None:
    """Install requirements and what they need, each file with a digest, with flags of `pip install`.

    Raises:
        SystemExit: pip failed, or a package or a file is not in the lock file.
    """
    pins = read(LOCK.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="genotok-lock-") as folder:
        constraint, requested, report = (
            Path(folder) / name for name in ("constraint", "requested", "report")
        )
        constraint.write_text("".join(f"{name}=={pin.version}\n" for name, pin in pins.items()))
        requested.write_text("\n".join(wanted) + "\n")
        asked = ("--constraint", str(constraint), "--requirement", str(requested))
        pip("install", "--dry-run", "--report", str(report), *asked)
        lines = hashed(json.loads(report.read_text(encoding="utf-8"))["install"], pins)
        for portion in filter(None, (lines[first::PORTIONS] for first in range(PORTIONS))):
            requested.write_text("\n".join(portion) + "\n")
            pip("install", "--require-hashes", "--no-deps", *flags, "--requirement", str(requested))


def hashed(packages: list[dict[str, Any]], pins: dict[str, Pin]) -> list[str]:
    """A requirement with digests for each package of pip's report.

    Raises:
        SystemExit: the lock file does not state the file that pip chose.
    """
    lines, refused = [], []
    for package in packages:
        name, version = package["metadata"]["name"], package["metadata"]["version"]
        stated = package["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256", "")
        pin = pins.get(normalized(name), Pin("", frozenset()))
        if package.get("is_direct"):  # a file that the user has named
            lines.append(f"{name} @ {package['download_info']['url']} --hash=sha256:{stated}")
        elif version.partition("+")[2] and version.partition("+")[0] == pin.version and stated:
            print(f"lock: {name} {version} is a local build: checked against the digest of its index alone")
            lines.append(f"{name}=={version} --hash=sha256:{stated}")
        elif stated in pin.hashes:
            lines.append(f"{name}=={version} --hash=sha256:{stated}")
        else:
            refused.append(f"{name} {version} ({package['download_info']['url'].rpartition('/')[2]})")
    if refused:
        raise SystemExit(
            f"lock: {LOCK.name} does not state the files that pip chose: {', '.join(refused)}. "
            "If that is right, `make lock` writes it anew; else the index is not to be trusted."
        )
    return lines


def pip(*arguments: str) -> None:
    """Run pip of this environment, for wheels alone.

    Raises:
        SystemExit: it failed; it has said why.
    """
    if subprocess.run([*PIP, *arguments, "--only-binary", ":all:"], check=False).returncode:
        raise SystemExit(f"lock: pip {arguments[0]} failed")


if __name__ == "__main__":
    main()
