"""The list of parts (SBOM) in a wheel: `python -m release.contents WHEEL...` checks it.

maturin writes a CycloneDX document into the wheel, in the place that PEP 770 reserves. It must name each
crate that the extension links on the platform of the wheel, with its version and licence, as Cargo.lock has
them, and nothing of the machine that built it.

As maturin writes it, it has a random serial number, the time of the build, and the folder of the sources in
each reference to a crate of genotok; `settle` takes these out, so that equal sources give equal wheels.
"""

from __future__ import annotations

import base64
import csv
import datetime as dt
import hashlib
import io
import json
import os
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

from release.notices import host_target, linked_on

SBOM = re.compile(r"genotok-[^/]+\.dist-info/sboms/[^/]+\.cyclonedx\.json")
EARLIEST = dt.datetime(1980, 1, 1, tzinfo=dt.UTC)  # of a zip archive
# Where the sources were, in a reference such as "path+file:///somewhere/rust/python#0.1.0".
SOURCES = re.compile(r"path\+(file:///[^#\"]*?)/rust/python#")
# Paths of a machine; names of crates and addresses of their sources have none.
PATHS = re.compile(r"(?:file://)?/(?:home|root|work|tmp|Users|private|opt|build|github|__w)/[^\"\\]*")


def main() -> None:
    """Check wheels built for this machine."""
    for name in sys.argv[1:]:
        print(f"{name}: {check(Path(name), host_target())}")


def check(wheel: Path, target: str) -> str:
    """What the list of a wheel says, in words.

    Raises:
        SystemExit: there is no such list, or it is not that of the wheel.
    """
    with zipfile.ZipFile(wheel) as archive:
        found = [name for name in archive.namelist() if SBOM.fullmatch(name)]
        if len(found) != 1:
            raise SystemExit(f"contents: {wheel.name} has {len(found)} lists of parts, expected 1")
        text = archive.read(found[0])
        (record,) = [name for name in archive.namelist() if name.endswith(".dist-info/RECORD")]
        recorded = {row[0]: row[1] for row in csv.reader(io.StringIO(archive.read(record).decode())) if row}
    if recorded.get(found[0]) != digest(text):
        raise SystemExit(f"contents: {found[0]} is not the one that RECORD has")
    crates = [(crate["name"], crate["version"]) for crate in linked_on(target).values()]
    if problems := judged(json.loads(text), crates):
        raise SystemExit(f"contents: {found[0]}: {'; '.join(problems)}")
    return f"{len(crates)} crates, all in {found[0]}"


def digest(content: bytes) -> str:
    """A digest as RECORD writes it."""
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def settle(wheel: Path, epoch: int) -> None:
    """Write a wheel anew, with a list that depends on the sources and a time in seconds alone."""
    new = wheel.with_suffix(".new")
    when = dt.datetime.fromtimestamp(epoch, dt.UTC)
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as out:
        changed: dict[str, bytes] = {}
        for member in old.infolist():
            content = old.read(member)
            if SBOM.fullmatch(member.filename):
                content = changed[member.filename] = settled(content, when)
            elif member.filename.endswith(".dist-info/RECORD"):  # the last member of a wheel
                content = with_digests(content, changed)
            kept = zipfile.ZipInfo(member.filename, max(when, EARLIEST).timetuple()[:6])
            kept.external_attr, kept.compress_type = member.external_attr, member.compress_type
            out.writestr(kept, content)
    os.replace(new, wheel)


def settled(text: bytes, when: dt.datetime) -> bytes:
    """A list of parts without serial number, time of the build, and folder of the sources."""
    listed = json.loads(text)
    listed.pop("serialNumber", None)
    listed["metadata"]["timestamp"] = when.strftime("%Y-%m-%dT%H:%M:%SZ")
    root = SOURCES.search(json.dumps(listed["metadata"]))
    written = json.dumps(listed, indent=1, ensure_ascii=False)
    return (written.replace(root[1], "file:///genotok") if root else written).encode()


def with_digests(record: bytes, changed: dict[str, bytes]) -> bytes:
    """RECORD with the digests and sizes of members that were changed."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for name, *rest in csv.reader(io.StringIO(record.decode())):
        content = changed.get(name)
        writer.writerow([name, *rest] if content is None else [name, digest(content), len(content)])
    return out.getvalue().encode()


def judged(listed: dict[str, Any], crates: list[tuple[str, str]]) -> list[str]:
    """What is wrong with a list of parts, given the crates that are linked."""
    problems = []
    if listed.get("bomFormat") != "CycloneDX":
        problems.append(f"bomFormat is {listed.get('bomFormat')!r}, expected 'CycloneDX'")
    parts = {(part["name"], part["version"]): part for part in listed.get("components", [])}
    if lacking := sorted(set(crates) - set(parts)):
        problems.append(f"lacks {', '.join(map('@'.join, lacking))}")
    bare = [name for (name, version), part in sorted(parts.items()) if not part.get("licenses")]
    if bare:
        problems.append(f"names no licence of {', '.join(bare)}")
    if paths := sorted(set(PATHS.findall(json.dumps(listed)))):
        problems.append(f"names folders of the machine that built it: {', '.join(paths[:3])}")
    return problems


if __name__ == "__main__":
    main()
