"""The points of the release checklist that a program can judge; docs/release.md explains each of them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from packaging.requirements import Requirement

from release.lock import read as read_lock
from release.notes import section
from release.notices import NOTICES, notices

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
MANUAL = "share/data/share/man/man1/genotok.1"
PLACEHOLDER = re.compile(r"FILL-IN:|to be filled in|\bOWNER/|<owner>|example\.(?:org|com)", re.IGNORECASE)


class Point(NamedTuple):
    """One line of the checklist."""

    state: str  # "ok", "missing", or "person" for what only somebody with the accounts can do
    name: str
    what: str


def judged(name: str, problems: list[str], good: str) -> Point:
    """A point that is ok if there is no problem."""
    return Point("missing", name, "; ".join(problems)) if problems else Point("ok", name, good)


def read(name: str) -> str:
    """The text of a file of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the repository, with the tools of this environment."""
    path = os.pathsep.join([str(BIN), os.environ["PATH"]])
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ | {"PATH": path}
    )


def project() -> dict[str, Any]:
    """The table `project` of pyproject.toml."""
    return dict(tomllib.loads(read("pyproject.toml"))["project"])


def release_version() -> str:
    """The version to release, which stands in Cargo.toml."""
    return str(tomllib.loads(read("Cargo.toml"))["workspace"]["package"]["version"])


# -- the points -------------------------------------------------------------------------------------


def versions() -> Point:
    """All places that state the version agree."""
    wanted = release_version()
    try:
        installed = version("genotok")
    except PackageNotFoundError:
        installed = "nothing"
    locked = {
        package["version"]
        for package in tomllib.loads(read("Cargo.lock"))["package"]
        if package["name"].startswith("genotok")
    }
    told = {
        "CITATION.cff": set(re.findall(r"^version: (.+)$", read("CITATION.cff"), re.MULTILINE)),
        "Cargo.lock": locked,
        "the installed package": {installed},
        "genotok --version": set(run(str(BIN / "genotok"), "--version").stdout.split()[1:]),
    }
    wrong = [
        f"{place} says {' '.join(sorted(each)) or 'nothing'}"
        for place, each in told.items()
        if each != {wanted}
    ]
    return judged("version", wrong, f"{wanted} in Cargo.toml and {len(told)} other places")


def changelog() -> Point:
    """The version has a dated part in the changelog, and nothing waits under Unreleased."""
    wanted = release_version()
    date, text = section(wanted)
    cited = re.findall(r"^date-released: [\"']?([\d-]+)", read("CITATION.cff"), re.MULTILINE)
    problems = []
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", date):
        problems.append(f"CHANGELOG.md has no date for {wanted}: '{date}'")
    elif cited != [date]:
        problems.append(f"CITATION.cff needs date-released: {date}")
    if not text:
        problems.append(f"CHANGELOG.md says nothing of {wanted}")
    if section("Unreleased")[1]:
        problems.append("CHANGELOG.md has lines under Unreleased")
    return judged("changelog", problems, f"{wanted} of {date}")


def tables() -> Point:
    """The tables of the documentation are those of the newest records."""
    renewed = import_module("benchmarks.table").renewed
    documents = [
        path for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")] if "_build" not in path.parts
    ]
    stale = [path for path in documents if renewed(text := path.read_text(encoding="utf-8")) != text]
    names = [f"{path.relative_to(ROOT)} is stale: make tables" for path in stale]
    return judged("tables", names, f"those of the newest records, in {len(documents)} documents")


def manual() -> Point:
    """The manual page is what the program prints."""
    printed = run(str(BIN / "genotok"), "help", "--man").stdout
    stale = [] if printed == read(MANUAL) else [f"{MANUAL} is stale: make man"]
    return judged("manual page", stale, "as `genotok help --man` prints it")


def locks() -> Point:
    """The lock files pin what is asked for."""
    problems = []
    if run("cargo", "metadata", "--locked", "--format-version", "1", "--no-deps").returncode:
        problems.append("Cargo.lock is stale: cargo update --workspace")
    pinned = {name: pin.version for name, pin in read_lock(read("requirements-dev.lock")).items()}
    about = project()
    lists = [about["dependencies"], *about["optional-dependencies"].values()]
    for requirement in (Requirement(line) for lines in lists for line in lines):
        pin = pinned.get(requirement.name.lower().replace("_", "-"))
        if requirement.name != "genotok" and (pin is None or pin not in requirement.specifier):
            problems.append(f"requirements-dev.lock has {pin or 'nothing'} for {requirement}: make lock")
    return judged("lock files", problems, f"{len(pinned)} Python packages pinned, and Cargo.lock")


def licences() -> Point:
    """The licences of what is compiled in are those of the crates in Cargo.lock."""
    stale = [] if notices() == NOTICES.read_text(encoding="utf-8") else ["python -m release.notices"]
    return judged("licences", stale, f"{NOTICES.name} lists the crates of Cargo.lock")


def wheels() -> Point:
    """dist/ holds a wheel and a source distribution of this version, newer than the last commit."""
    wanted = release_version()
    built = [*(ROOT / "dist").glob("*.whl"), *(ROOT / "dist").glob("*.tar.gz")]
    commit = int(run("git", "log", "-1", "--format=%ct").stdout or 0)
    problems = [f"{path.name} is not of {wanted}" for path in built if f"-{wanted}" not in path.name]
    problems += [
        f"{path.name} is older than the last commit" for path in built if path.stat().st_mtime < commit
    ]
    if not {".whl", ".gz"} <= {path.suffix for path in built}:
        problems.append("dist/ lacks a wheel or the source distribution")
    if not problems and (checked := run("twine", "check", "--strict", *map(str, built))).returncode:
        problems.append(checked.stdout.strip())
    return judged(
        "wheels", [f"{each}: make wheels" for each in problems], " ".join(path.name for path in built)
    )


def workflows() -> Point:
    """The workflows are valid, and zizmor finds nothing in them."""
    files = sorted(str(path) for path in (ROOT / ".github" / "workflows").glob("*.yml"))
    commands = [
        ("zizmor", "--offline", "--persona", "pedantic", "--quiet", ".github"),
        ("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files),
        ("check-jsonschema", "--builtin-schema", "vendor.dependabot", ".github/dependabot.yml"),
    ]
    failed = [(command[0], done) for command in commands if (done := run(*command)).returncode]
    problems = [f"{name}:\n{done.stdout}{done.stderr}" for name, done in failed]
    return judged("workflows", problems, f"{len(files)} valid, nothing found by zizmor")


def recipes() -> Point:
    """The recipes for conda, containers and workflow systems pass their linters."""
    if not re.search(r"^recipes:", read("Makefile"), re.MULTILINE):
        return Point("missing", "recipes", "there is no `make recipes`")
    done = run("make", "recipes")
    last = (done.stdout + done.stderr).strip().splitlines()[-1:]
    return judged("recipes", last if done.returncode else [], "`make recipes` passes")


def placeholders() -> Point:
    """Nothing is left to fill in: contacts, accounts, addresses."""
    listed = run("git", "ls-files", "-z").stdout.split("\0")
    texts = [
        name
        for name in listed
        if name.endswith((".md", ".yml", ".yaml", ".toml", ".cff", ".xml", ".nf", "Dockerfile"))
    ]
    left = {name: len(PLACEHOLDER.findall(read(name))) for name in texts}
    files = [f"{name} ({count})" for name, count in left.items() if count]
    if files:
        return Point("person", "placeholders", f"fill in {', '.join(files)}")
    return Point("ok", "placeholders", f"none in {len(texts)} files")


def urls() -> Point:
    """The package names the addresses of its repository and documentation."""
    found = project().get("urls", {})
    if {"Repository", "Documentation"} <= found.keys():
        return Point("ok", "addresses", ", ".join(found.values()))
    return Point(
        "person", "addresses", "add [project.urls] with Repository and Documentation to pyproject.toml"
    )


def tree() -> Point:
    """Everything is committed."""
    changed = run("git", "status", "--porcelain").stdout.splitlines()
    return judged("work tree", [f"not committed: {line[3:]}" for line in changed[:5]], "all is committed")


def tag() -> Point:
    """The commit has the tag of the version."""
    wanted = f"v{release_version()}"
    if wanted in run("git", "tag", "--points-at", "HEAD").stdout.split():
        return Point("ok", "tag", wanted)
    return Point(
        "person", "tag", f"git tag --sign {wanted} && git push origin {wanted}, when all else is done"
    )


CHECKS = (
    versions,
    changelog,
    tables,
    manual,
    locks,
    licences,
    tree,
    wheels,
    workflows,
    recipes,
    placeholders,
    urls,
    tag,
)
