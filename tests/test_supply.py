"""The lock file, the audit, the list of parts in a wheel, and wheels that equal each other."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from release import audit, contents, lock, reproducible

ROOT = Path(__file__).resolve().parent.parent
LOCK = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
SHA = "ab" * 32


# -- the lock file ---------------------------------------------------------------------------------


def test_each_package_of_the_lock_file_has_digests() -> None:
    pins = lock.read(LOCK)
    assert len(pins) == len(re.findall(r"^[\w.-]+==", LOCK, re.MULTILINE)) > 100
    assert all(pin.hashes for pin in pins.values())


def test_the_lock_file_names_no_index() -> None:
    assert "://" not in LOCK


def test_what_is_asked_for_is_in_the_lock_file() -> None:
    names = {lock.normalized(re.split(r"[^\w.-]", line)[0]) for line in lock.requirements(lock.EXTRAS)}
    assert names <= lock.read(LOCK).keys()
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert set(lock.EXTRAS) | {"dev"} == extras.keys()


def wheel(name: str, digest: str = SHA) -> dict[str, Any]:
    return {"url": f"https://index.invalid/{name}", "hashes": {"sha256": digest}}


def test_the_lock_file_has_the_wheels_that_fit() -> None:
    resolved = {
        "packages": [
            {
                "name": "B_b",
                "version": "2",
                "wheels": [
                    wheel("b-2-cp311-cp311-manylinux_2_17_x86_64.whl", "1" * 64),
                    wheel("b-2-cp314-cp314-macosx_11_0_arm64.whl", "2" * 64),
                    wheel("b-2-cp39-abi3-manylinux2014_aarch64.musllinux_1_1_aarch64.whl", "3" * 64),
                    wheel("b-2-cp314-cp314t-manylinux_2_17_x86_64.whl", "4" * 64),
                    wheel("b-2-cp311-cp311-win_amd64.whl", "5" * 64),
                    wheel("b-2-cp311-cp311-musllinux_1_2_x86_64.whl", "6" * 64),
                ],
                "sdist": wheel("b-2.tar.gz", "7" * 64),
            },
            {"name": "a", "version": "1", "wheels": [wheel("a-1-py3-none-any.whl")]},
            {"name": "c", "version": "1", "marker": "sys_platform == 'win32'", "wheels": []},
        ]
    }
    pins = lock.read(lock.written(resolved))
    assert list(pins) == ["a", "b-b"]
    assert pins["b-b"] == lock.Pin("2", frozenset({"1" * 64, "2" * 64, "3" * 64}))


@pytest.mark.parametrize(
    ("packages", "said"),
    [
        ([{"name": "a", "version": "1", "sdist": wheel("a-1.tar.gz")}], "a 1 has no wheel with a SHA-256"),
        (
            [
                {"name": "a", "version": "1", "wheels": [wheel("a-1-py3-none-any.whl")]},
                {"name": "a", "version": "2", "wheels": [wheel("a-2-py3-none-any.whl")]},
            ],
            "a has two versions",
        ),
    ],
)
def test_what_the_lock_file_cannot_state_is_refused(packages: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(SystemExit, match=said):
        lock.written({"packages": packages})


def chosen(name: str, version: str, digest: str, **more: object) -> dict[str, Any]:
    """A package of pip's report."""
    where = {"url": f"https://index.invalid/{name}.whl", "archive_info": {"hashes": {"sha256": digest}}}
    return {"metadata": {"name": name, "version": version}, "download_info": where, **more}


def test_a_file_that_the_lock_file_has_is_installed_by_its_digest() -> None:
    pins = {"a-b": lock.Pin("1", frozenset({SHA}))}
    assert lock.hashed([chosen("A_b", "1", SHA)], pins) == [f"A_b==1 --hash=sha256:{SHA}"]


@pytest.mark.parametrize(
    "package",
    [
        chosen("a", "1", "cd" * 32),  # another file
        chosen("other", "1", SHA),  # another package
        chosen("a", "2+cpu", SHA[::-1]),  # a local build of another version
        {"metadata": {"name": "a", "version": "1"}, "download_info": {"url": "https://index.invalid/a.whl"}},
    ],
)
def test_a_file_that_the_lock_file_does_not_have_is_refused(package: dict[str, Any]) -> None:
    with pytest.raises(SystemExit, match=r"requirements-dev\.lock does not state the files that pip chose"):
        lock.hashed([package], {"a": lock.Pin("1", frozenset({SHA}))})


def test_a_local_build_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    digest = "cd" * 32
    lines = lock.hashed([chosen("torch", "1+cpu", digest)], {"torch": lock.Pin("1", frozenset({SHA}))})
    assert lines == [f"torch==1+cpu --hash=sha256:{digest}"]
    assert "torch 1+cpu is a local build" in capsys.readouterr().out


def test_a_file_of_the_user_is_installed_as_it_is() -> None:
    package = chosen("genotok", "1", SHA, is_direct=True)
    assert lock.hashed([package], {}) == [f"genotok @ https://index.invalid/genotok.whl --hash=sha256:{SHA}"]


def test_everything_is_installed_once_in_portions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"package{number}" for number in range(4 * lock.PORTIONS + 1)]
    locked = tmp_path / "requirements.lock"
    locked.write_text("".join(f"{name}==1 --hash=sha256:{SHA}\n" for name in names), "utf-8")
    portions: list[list[str]] = []

    def pip(*arguments: str) -> None:
        if "--dry-run" in arguments:
            report = Path(arguments[arguments.index("--report") + 1])
            report.write_text(json.dumps({"install": [chosen(name, "1", SHA) for name in names]}), "utf-8")
        else:
            assert {"--require-hashes", "--no-deps", "--no-compile"} <= set(arguments)
            portions.append(Path(arguments[-1]).read_text("utf-8").split("\n")[:-1])

    monkeypatch.setattr(lock, "pip", pip)
    monkeypatch.setattr(lock, "LOCK", locked)
    lock.install(names, ["--no-compile"])
    assert sorted(line for portion in portions for line in portion) == sorted(
        f"{name}==1 --hash=sha256:{SHA}" for name in names
    )
    assert len(portions) == lock.PORTIONS
    assert max(map(len, portions)) == 5  # no portion has all the large ones


def test_the_lock_needs_no_package() -> None:
    command = [sys.executable, "-S", "-m", "release.lock", "requirements"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "maturin" in done.stdout


# -- the audit -------------------------------------------------------------------------------------


def fake(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def audited(path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "from release import audit; audit.sys.executable = '/none/python'; audit.main()",
        ],
        cwd=ROOT,
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_tools_the_audit_is_skipped_with_reasons(tmp_path: Path) -> None:
    done = audited(str(tmp_path))
    assert (done.returncode, done.stdout.count("SKIPPED")) == (0, 3), done.stderr
    assert done.stdout.count("cargo install cargo-deny --locked") == 2


def test_without_network_advisories_are_skipped(tmp_path: Path) -> None:
    fetch = 'echo "[ERROR] failed to fetch advisory database" >&2; exit 1'
    fake(tmp_path, "cargo-deny", f'case "$*" in *advisories*) {fetch};; *) echo "bans ok";; esac')
    fake(tmp_path, "pip-audit", 'echo "ConnectionError: no route" >&2; exit 1')
    done = audited(f"{tmp_path}:/bin:/usr/bin")
    assert (done.returncode, done.stdout.count("SKIPPED")) == (0, 2), done.stderr
    assert "failed to fetch advisory database" in done.stdout
    assert "ConnectionError: no route" in done.stdout


@pytest.mark.parametrize("tool", ["licences", "crate", "package"])
def test_a_finding_fails_the_audit(tmp_path: Path, tool: str) -> None:
    found = {"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1"}]}]}
    none = {"dependencies": [{"name": "a", "version": "1", "vulns": []}]}
    licences = 'echo "error[rejected]: licence" >&2; exit 4' if tool == "licences" else "true"
    crate = 'echo "error[vulnerability]: RUSTSEC-1" >&2; exit 1' if tool == "crate" else "true"
    fake(tmp_path, "cargo-deny", f'case "$*" in *advisories*) {crate};; *) {licences};; esac')
    fake(tmp_path, "pip-audit", f"echo '{json.dumps(found if tool == 'package' else none)}'")
    done = audited(f"{tmp_path}:/bin:/usr/bin")
    assert done.returncode == 1
    assert done.stdout.count("found") == 1, done.stdout
    assert done.stdout.count("SKIPPED") == 0, done.stdout


def test_a_service_that_knows_no_package_has_judged_nothing() -> None:
    unknown = [{"name": "a", "skip_reason": "not found"}, {"name": "b", "version": "1", "vulns": []}]
    assert audit.judged("point", unknown)[0] == "SKIPPED"


def test_the_crates_are_within_the_rules_of_deny() -> None:
    if not audit.shutil.which("cargo-deny"):
        pytest.skip("needs cargo-deny")
    assert audit.crates().state != "found", audit.crates().what


# -- the list of parts -----------------------------------------------------------------------------

INFO = "genotok-1.dist-info"
LIST = f"{INFO}/sboms/genotok-python.cyclonedx.json"
WHEN = 1_800_000_000


def parts(folder: str, serial: str) -> dict[str, Any]:
    """A list as maturin writes it."""
    return {
        "bomFormat": "CycloneDX",
        "serialNumber": serial,
        "metadata": {
            "timestamp": serial,
            "component": {"bom-ref": f"path+file://{folder}/rust/python#0.1.0", "name": "genotok-python"},
        },
        "components": [
            {
                "name": "genotok-core",
                "version": "0.1.0",
                "bom-ref": f"path+file://{folder}/rust#genotok-core@0.1.0",
                "licenses": [{"expression": "Apache-2.0"}],
            },
            {"name": "rayon", "version": "1", "licenses": [{"expression": "MIT"}]},
        ],
    }


def build(folder: Path, sources: str, serial: str, module: bytes = b"module") -> Path:
    """A wheel of these members alone, built now."""
    folder.mkdir()
    path = folder / "genotok-1-cp311-abi3-linux_x86_64.whl"
    text = json.dumps(parts(sources, serial)).encode()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("genotok/_native.abi3.so", module)
        archive.writestr(LIST, text)
        archive.writestr(f"{INFO}/RECORD", f"{LIST},{contents.digest(text)},{len(text)}\n{INFO}/RECORD,,\n")
    return path


def test_settled_wheels_of_two_folders_are_equal(tmp_path: Path) -> None:
    one = build(tmp_path / "a", "/private/one/genotok", "1")
    other = build(tmp_path / "b", "/tmp/another/folder", "2")
    assert LIST in reproducible.differences(one, other)
    for path in (one, other):
        contents.settle(path, WHEN)
    assert reproducible.differences(one, other) == []
    assert hashlib.sha256(one.read_bytes()).digest() == hashlib.sha256(other.read_bytes()).digest()
    assert sorted(os.listdir(tmp_path / "a")) == [one.name]


def test_a_settled_list_has_no_folder_of_the_machine(tmp_path: Path) -> None:
    path = build(tmp_path / "a", "/private/one/genotok", "1")
    contents.settle(path, WHEN)
    with zipfile.ZipFile(path) as archive:
        listed = json.loads(archive.read(LIST))
        times = {member.date_time for member in archive.infolist()}
    assert contents.judged(listed, [("rayon", "1")]) == []
    assert listed["metadata"]["timestamp"] == "2027-01-15T08:00:00Z"
    assert times == {dt.datetime.fromtimestamp(WHEN, dt.UTC).timetuple()[:6]}


def test_the_list_must_be_the_one_of_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "linked_on", lambda target: {"r": {"name": "rayon", "version": "1"}})
    path = build(tmp_path / "a", "/private/one/genotok", "1")
    contents.settle(path, WHEN)
    assert contents.check(path, "x86_64-unknown-linux-gnu") == f"1 crates, all in {LIST}"
    altered = tmp_path / "altered.whl"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(altered, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name) + (b" " if name == LIST else b""))
    with pytest.raises(SystemExit, match="not the one that RECORD has"):
        contents.check(altered, "x86_64-unknown-linux-gnu")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda listed: listed.pop("bomFormat"), "bomFormat is None"),
        (lambda listed: listed["components"].pop(), "lacks rayon@1"),
        (lambda listed: listed["components"][0].pop("licenses"), "names no licence of genotok-core"),
        (
            lambda listed: listed.update(x="file:///private/me/x"),
            "names folders of the machine that built it",
        ),
    ],
)
def test_a_list_with_a_defect_is_refused(change: Any, said: str) -> None:
    listed = json.loads(contents.settled(json.dumps(parts("/a", "1")).encode(), dt.datetime.now(dt.UTC)))
    change(listed)
    (problem,) = contents.judged(listed, [("rayon", "1")])
    assert said in problem


def test_a_wheel_without_a_list_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "genotok-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("genotok/__init__.py", "")
    with pytest.raises(SystemExit, match="0 lists of parts, expected 1"):
        contents.check(path, "x86_64-unknown-linux-gnu")


def test_members_that_differ_are_named(tmp_path: Path) -> None:
    one = build(tmp_path / "a", "/a", "1")
    other = build(tmp_path / "b", "/a", "1", module=b"another module")
    assert reproducible.differences(one, other) == ["genotok/_native.abi3.so"]


# -- the page on security --------------------------------------------------------------------------


def test_the_page_on_security_names_tests_that_exist() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:tests|release)/[\w/]+\.py)`", text))
    assert len(named) > 5
    assert all((ROOT / name).is_file() for name in named)
