"""Looks through what genotok is built from: `python -m release.audit`, or `make audit`.

Four points are judged, each by a tool that is made for it:

- licences, sources and duplicates of the crates in Cargo.lock: cargo-deny, by deny.toml, without network;
- advisories for these crates: cargo-deny, with the database of RustSec;
- advisories for the Python packages in requirements-dev.lock: pip-audit, with an advisory service.

A point that cannot be judged, because a tool is missing or a service does not answer, is SKIPPED with the
reason. The exit code is 1 if a point has findings, and 0 if none has.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from release.lock import LOCK, read

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
LOCAL = ("licenses", "bans", "sources")
# What cargo-deny says if it has no database; a finding has none of these lines.
NO_DATABASE = re.compile(r"failed to (?:fetch|get|load|open|acquire)\b.*", re.IGNORECASE)


class Finding(NamedTuple):
    """How a point of the audit went."""

    state: str  # "ok", "SKIPPED" or "found"
    point: str
    what: str


def main() -> None:
    """Print each point, and fail if one has findings."""
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    points = [crates(), crate_advisories(), package_advisories()]
    for point in points:
        print(f"{point.state:<8} {point.point:<28} {point.what}", flush=True)
    if any(point.state == "found" for point in points):
        raise SystemExit(1)


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a tool in the repository."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def crates() -> Finding:
    """Licences, duplicates and sources of the crates."""

    def unread(said: str) -> str | None:
        is_judged = "rejected" in said or "error[" in said
        return None if is_judged else f"cargo-deny could not read the crates: {last_line(said)}"

    return cargo_deny("licences, bans, sources", ("--offline",), LOCAL, unread)


def crate_advisories() -> Finding:
    """Advisories of RustSec for the crates."""

    def unread(said: str) -> str | None:
        lacking = NO_DATABASE.search(said)
        return f"cargo-deny: {lacking[0][:100]}" if lacking and "error[" not in said else None

    return cargo_deny("advisories for crates", (), ("advisories",), unread)


def cargo_deny(
    point: str, options: tuple[str, ...], checks: tuple[str, ...], unread: Callable[[str], str | None]
) -> Finding:
    """A point that cargo-deny judges; `unread` says from its words why it could not, or None."""
    if not shutil.which("cargo-deny"):
        return Finding("SKIPPED", point, "cargo-deny is missing: cargo install cargo-deny --locked")
    done = run("cargo-deny", *options, "--log-level", "warn", "check", *checks)
    said = (done.stderr + done.stdout).strip()
    if done.returncode and (reason := unread(said)):
        return Finding("SKIPPED", point, reason)
    return Finding("found" if done.returncode else "ok", point, said)


def package_advisories() -> Finding:
    """Advisories for the Python packages of the lock file."""
    point = "advisories for Python"
    if not shutil.which("pip-audit"):
        return Finding("SKIPPED", point, "pip-audit is missing: `make audit` installs it")
    pins = read(LOCK.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="genotok-audit-") as folder:
        listed = Path(folder) / "requirements.txt"
        listed.write_text("".join(f"{name}=={pin.version}\n" for name, pin in pins.items()))
        done = run(
            *("pip-audit", "--progress-spinner", "off", "--disable-pip", "--no-deps"),
            *("--format", "json", "--requirement", str(listed)),
        )
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return Finding("SKIPPED", point, f"no advisory service answered: {last_line(done.stderr)}")
    return judged(point, packages)


def judged(point: str, packages: list[dict[str, object]]) -> Finding:
    """A point, from what pip-audit says of each package."""
    bad = [f"{one['name']} {one['version']}: {ids(one['vulns'])}" for one in packages if one.get("vulns")]
    if bad:
        return Finding("found", point, "; ".join(bad))
    unknown = [one for one in packages if "skip_reason" in one]
    if unknown:
        first = f"{len(unknown)} of {len(packages)} packages are unknown to the advisory service"
        return Finding("SKIPPED", point, f"{first}: {unknown[0]['skip_reason']}")
    return Finding("ok", point, f"none for {len(packages)} packages")


def ids(advisories: object) -> str:
    """The names of advisories."""
    return ", ".join(str(one["id"]) for one in advisories) if isinstance(advisories, list) else ""


def last_line(text: str) -> str:
    """The last line that a tool has printed."""
    return (text.strip().splitlines() or ["it printed nothing"])[-1][:200]


if __name__ == "__main__":
    main()
