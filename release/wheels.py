"""Builds what a release uploads and tries it: `python -m release.wheels [TARGET...]`.

For each Rust target (default: that of this machine) an abi3 wheel, and the source distribution, come into
dist/, which holds nothing else of genotok afterwards. On Linux zig links the wheels, so that they run on
every glibc since 2.17 or musl since 1.2, whatever this machine has. Each wheel is audited. The one for this
machine is installed with each Python that is found, without Rust; the source distribution is built with the
newest one.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from importlib import import_module
from pathlib import Path

from release import contents
from release.notices import host_target
from release.pythons import new_environment, pythons, variables

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
SMOKE = ROOT / "release" / "smoke.py"

# maturin's name of the platform that a wheel is built for, by the end of its Rust target.
PLATFORMS = {"linux-gnu": "manylinux_2_17", "linux-musl": "musllinux_1_2", "apple-darwin": "pypi"}

# Variables that would change the profile of Cargo.toml.
OVERRIDES = ("CARGO_PROFILE_", "CARGO_INCREMENTAL", "CARGO_BUILD_", "CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS")

MANUAL = "share/data/share/man/man1/genotok.1"
LICENCES = {"LICENSE", "THIRD-PARTY-LICENSES"}
SOURCES = {"CHANGELOG.md", "Cargo.lock", "Cargo.toml", "README.md", "pyproject.toml", MANUAL, *LICENCES}
NO_SOURCES = re.compile(r"\.(?:so|dylib|fa|gz|pyc)$|^(?:target|genomes|tests|shared|\.venv)/")
MAX_SOURCE_BYTES = 2_000_000


def main() -> None:
    """Build, audit, install and try."""
    parser = argparse.ArgumentParser(prog="python -m release.wheels", description="Build and try wheels.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="Rust target (default: this machine's)")
    parser.add_argument("--no-sdist", action="store_true", help="build no source distribution")
    parser.add_argument("--no-try", action="store_true", help="install nothing")
    options = parser.parse_args()
    # The tools of the environment that runs this, also where it is not active.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    host = host_target()
    empty_dist()
    wheels = {target: build_wheel(target) for target in options.targets or [host]}
    for target, wheel in wheels.items():
        audit(wheel, target)
    source = None if options.no_sdist else build_source()
    if host in wheels and not options.no_try:
        try_wheel(wheels[host])
    if source and not options.no_try:
        try_source(source)
    for path in sorted(DIST.glob("genotok-*")):
        print(f"{path.relative_to(ROOT)}  {path.stat().st_size / 1e6:.2f} MB")


def platform_of(target: str) -> str:
    """The platform that the wheel of a target is built for.

    Raises:
        SystemExit: genotok has no wheels for this target.
    """
    for end, platform in PLATFORMS.items():
        if target.endswith(end):
            return platform
    raise SystemExit(f"wheels: there are none for {target}; docs/release.md lists the platforms")


# -- building ---------------------------------------------------------------------------------------


def empty_dist() -> None:
    """Remove what an earlier call built: pip and twine take all that is in dist/."""
    DIST.mkdir(exist_ok=True)
    for old in [*DIST.glob("genotok-*.whl"), *DIST.glob("genotok-*.tar.gz")]:
        old.unlink()


def build_wheel(target: str) -> Path:
    """The wheel of a target in dist/."""
    return built(ROOT, target, DIST, zig=sys.platform == "linux")


def built(sources: Path, target: str, out: Path, *, zig: bool) -> Path:
    """A wheel of the sources in a folder, with the profile of Cargo.toml; zig links for old systems."""
    system = ["--compatibility", platform_of(target), "--zig"] if zig else []
    if not zig:
        system = ["--compatibility", "linux" if sys.platform == "linux" else platform_of(target)]
    before = set(out.glob("*.whl"))
    command = ["maturin", "build", "--release", "--locked", "--target", target, *system, "--out", str(out)]
    variables = build_variables(sources)
    run(*command, cwd=sources, env=variables)
    (wheel,) = set(out.glob("*.whl")) - before
    contents.settle(wheel, int(variables["SOURCE_DATE_EPOCH"]))
    return wheel


def build_variables(sources: Path = ROOT) -> dict[str, str]:
    """Variables with which a wheel does not depend on settings, folders and clock of this machine."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OVERRIDES)}
    cargo = os.environ.get("CARGO_HOME", str(Path.home() / ".cargo"))
    names = {cargo: "cargo", str(sources): "genotok", **standard_library()}
    flags = [f"--remap-path-prefix={folder}={name}" for folder, name in names.items()]
    maps = [f"-ffile-prefix-map={folder}={name}" for folder, name in names.items()]
    return kept | {
        "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(flags),
        "CFLAGS": " ".join([*os.environ.get("CFLAGS", "").split(), *maps]),
        "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH") or commit_time(),
    }


def standard_library() -> dict[str, str]:
    """Where the sources of Rust's library are, if they are installed, and their default name."""
    described = subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True).stdout
    root = subprocess.run(["rustc", "--print", "sysroot"], capture_output=True, text=True, check=True).stdout
    (commit,) = re.findall(r"^commit-hash: (.+)$", described, re.MULTILINE)
    return {f"{root.strip()}/lib/rustlib/src/rust": f"/rustc/{commit}"}


def commit_time() -> str:
    """Time of the commit in seconds, or that of the oldest zip archive where there is no repository."""
    command = ["git", "log", "-1", "--format=%ct"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "315532800"


def build_source() -> Path:
    """The source distribution.

    Raises:
        SystemExit: it lacks a file, or holds what does not belong there.
    """
    run("maturin", "sdist", "--out", str(DIST))
    (source,) = DIST.glob("genotok-*.tar.gz")
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    lacking, foreign = sorted(SOURCES - names), sorted(filter(NO_SOURCES.search, names))
    if lacking or foreign or source.stat().st_size > MAX_SOURCE_BYTES:
        size = source.stat().st_size
        raise SystemExit(f"wheels: {source.name} has {size} bytes, lacks {lacking} and holds {foreign[:5]}")
    run("twine", "check", "--strict", str(source))
    return source


# -- checking ---------------------------------------------------------------------------------------


def audit(wheel: Path, target: str) -> None:
    """Check a wheel's tag, its use of Python's stable interface, its metadata and its contents.

    Raises:
        SystemExit: it needs a newer system than its name says.
    """
    run("abi3audit", "--strict", "--summary", str(wheel))
    run("twine", "check", "--strict", str(wheel))
    run("check-wheel-contents", str(wheel))
    print(f"contents: {contents.check(wheel, target)}", flush=True)
    if target.endswith("linux-gnu"):
        audit_glibc(wheel, f"{platform_of(target)}_{target.partition('-')[0]}")
    elif target.endswith("linux-musl"):
        audit_musl(wheel)


def audit_glibc(wheel: Path, expected: str) -> None:
    """Check with auditwheel that a wheel runs on the glibc that its name says.

    Raises:
        SystemExit: it needs a newer one, or another library.
    """
    told = subprocess.run(["auditwheel", "show", str(wheel)], capture_output=True, text=True, check=True)
    tags = re.findall(r'following platform tag:\s+"(\w+)"', told.stdout)
    print(f"auditwheel: {', '.join(tags)}", flush=True)
    if tags != [expected] or expected not in wheel.name:
        raise SystemExit(f"wheels: {wheel.name} is not fit for {expected}\n{told.stdout}")


def audit_musl(wheel: Path) -> None:
    """Check that a wheel needs no library but musl.

    zig links musl as `libc.so`. musl's loader takes this name for itself; auditwheel knows only Alpine's.

    Raises:
        SystemExit: it needs another library.
    """
    dynamic_segment = import_module("elftools.elf.dynamic").DynamicSegment
    elf_file = import_module("elftools.elf.elffile").ELFFile

    with zipfile.ZipFile(wheel) as archive:
        module = elf_file(io.BytesIO(archive.read("genotok/_native.abi3.so")))
    dynamic = (part for part in module.iter_segments() if isinstance(part, dynamic_segment))
    needed = [str(getattr(tag, "needed", "")) for part in dynamic for tag in part.iter_tags("DT_NEEDED")]
    print(f"libraries: {', '.join(needed)}", flush=True)
    if needed != ["libc.so"]:
        raise SystemExit(f"wheels: {wheel.name} needs {needed}")


def try_wheel(wheel: Path) -> None:
    """Install a wheel with each Python, without Rust, and try it."""
    for python in pythons().values():
        install_and_try(wheel, python, without_rust=True)


def try_source(source: Path) -> None:
    """Build and install the source distribution as a user would, with the newest Python, and try it."""
    *_, newest = pythons().values()
    install_and_try(source, newest, without_rust=False)


def install_and_try(archive: Path, python: Path, *, without_rust: bool) -> None:
    """Install an archive into a new virtual environment, and run the smoke test with it."""
    environment = variables(without_rust=without_rust)
    environment["CARGO_TARGET_DIR"] = str(ROOT / "target" / "sdist")  # a second try compiles less
    only, flags = (["--only-binary", ":all:"], ["--without-rust"]) if without_rust else ([], [])
    with tempfile.TemporaryDirectory(prefix="genotok-") as folder:
        inside = str(new_environment(python, Path(folder) / "environment"))
        pip = [inside, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]
        run(*pip, "install", *only, str(archive), cwd=folder, env=environment)
        print(f"{archive.name}: ", end="", flush=True)
        run(inside, str(SMOKE), *flags, cwd=folder, env=environment)


def run(*command: str, cwd: str | Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Run a command; its output goes where ours goes.

    Raises:
        SystemExit: it is missing, or failed.
    """
    if shutil.which(command[0]) is None:
        raise SystemExit(f"wheels: {command[0]} is missing; `make wheels` installs it")
    done = subprocess.run(command, cwd=cwd, env=env, check=False)
    if done.returncode != 0:
        raise SystemExit(f"wheels: exit code {done.returncode} of {' '.join(command)}")


if __name__ == "__main__":
    main()
