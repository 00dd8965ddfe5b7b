"""The recipes agree with the package: versions, dependencies, options, files; scripts of modules run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import jinja2
import pytest
import typer.main
import yaml

from genotok.cli import app as program

ROOT = Path(__file__).resolve().parent.parent
RECIPES = ROOT / "recipes"
GALAXY = RECIPES / "galaxy"
WRAPPERS = sorted(GALAXY.glob("genotok_*.xml"))
MODULES = sorted((RECIPES / "nextflow" / "modules" / "genotok").iterdir())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
VERSION = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["workspace"]["package"]["version"]
MAX_TEST_DATA = 100_000
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base"}


def requirements(lines: list[str]) -> set[str]:
    """Requirements of Python as conda writes them: `numpy >=2.1,<3`."""
    found = set()
    for line in lines:
        parts = re.fullmatch(r"([\w-]+)(.*)", line.partition(";")[0].replace(" ", ""))
        assert parts, line
        name, versions = parts.groups()
        found.add(f"{CONDA_NAMES.get(name, name)} {versions}")
    return found


def conda_forge() -> dict[str, Any]:
    return yaml.safe_load((RECIPES / "conda/conda-forge/recipe.yaml").read_text())  # type: ignore[no-any-return]


def bioconda() -> dict[str, Any]:
    text = (RECIPES / "conda/bioconda/meta.yaml").read_text()
    functions = {
        name: lambda *given, **named: str(given) for name in ("compiler", "stdlib", "pin_subpackage")
    }
    rendered = jinja2.Template(text, undefined=jinja2.StrictUndefined).render(PYTHON="python", **functions)
    return yaml.safe_load(rendered)  # type: ignore[no-any-return]


def test_each_recipe_is_for_this_version() -> None:
    container = (RECIPES / "container/Dockerfile").read_text()
    macros = ET.parse(GALAXY / "macros.xml").getroot()
    versions = {
        "conda-forge": conda_forge()["context"]["version"],
        "bioconda": bioconda()["package"]["version"],
        "container": re.findall(r'image\.version="([^"]+)"', container)[0],
        "galaxy": next(one.text for one in macros.iter("token") if one.get("name") == "@TOOL_VERSION@"),
        "snakemake": re.findall(r"genotok=(\S+)", (RECIPES / "snakemake/genotok.yaml").read_text())[0],
    }
    for module in MODULES:
        versions[module.name] = re.findall(r"genotok=(\S+)", (module / "environment.yml").read_text())[0]
        for number, found in enumerate(re.findall(r"genotok:([\d.]+)--", (module / "main.nf").read_text())):
            versions[f"{module.name}, container {number}"] = found
    assert versions == dict.fromkeys(versions, VERSION)


@pytest.mark.parametrize("recipe", [conda_forge, bioconda])
def test_conda_requires_what_the_package_requires(recipe: Any) -> None:
    found = recipe()
    assert set(found["requirements"]["run"]) == {"python", *requirements(PROJECT["dependencies"])}
    extras = PROJECT["optional-dependencies"]
    constraints = found["requirements"].get("run_constraints") or found["requirements"]["run_constrained"]
    assert set(constraints) == requirements([*extras["model"], *extras["report"]])
    assert set(PROJECT["license-files"]) < set(found["about"]["license_file"])
    maturin = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    assert requirements(maturin) <= set(found["requirements"]["host"])


def test_the_least_python_is_that_of_the_package() -> None:
    least = PROJECT["requires-python"].removeprefix(">=")
    assert conda_forge()["context"]["python_min"] == least
    selector = f"# [py < {least.replace('.', '')} or win]"
    assert selector in (RECIPES / "conda/bioconda/meta.yaml").read_text()


def options(command: str) -> set[str]:
    found = typer.main.get_command(program.app).commands[command]  # type: ignore[attr-defined]
    return {option for each in found.params for option in each.opts}


@pytest.mark.parametrize("path", WRAPPERS, ids=lambda path: path.stem)
def test_wrappers_use_options_that_exist(path: Path) -> None:
    tool = ET.parse(path).getroot()
    command = tool.findtext("command") or ""
    name = re.search(r"genotok ([\w-]+)", command)
    assert name
    used = set(re.findall(r"(?<![\w-])--[a-z-]+", command))
    used |= {each.get("argument", "") for each in tool.iter("param") if each.get("argument")}
    assert used <= options(name[1])
    assert path.stem == f"genotok_{name[1].replace('-', '_')}" == tool.get("id")


@pytest.mark.parametrize("path", WRAPPERS, ids=lambda path: path.stem)
def test_wrappers_set_every_parameter_and_have_their_data(path: Path) -> None:
    tool = ET.parse(path).getroot()
    macros = ET.parse(GALAXY / "macros.xml").getroot()
    expanded = {each.get("macro") for each in tool.iter("expand")}
    places = [tool.find("inputs"), *(each for each in macros.iter("xml") if each.get("name") in expanded)]
    names = {
        param.get("name") or param.get("argument", "").lstrip("-").replace("-", "_")
        for place in places
        if place is not None
        for param in place.iter("param")
    }
    text = (tool.findtext("command") or "").replace("@UNPACK_MODEL@", "'$model'")
    for name in names - {"files"}:
        assert f"${name}" in text, name
    for test in tool.iter("test"):
        for param in test.iter("param"):
            assert param.get("name") in names
        for output in test.iter("output"):
            assert output.get("file") is None or (GALAXY / "test-data" / output.get("file", "")).is_file()
        files = (test.find("param[@name='files']") or ET.Element("param")).get("value", "")
        assert all((GALAXY / "test-data" / file).is_file() for file in files.split(",") if file)


def test_data_of_the_wrappers_are_small() -> None:
    assert sum(path.stat().st_size for path in (GALAXY / "test-data").iterdir()) < MAX_TEST_DATA


def test_the_container_copies_only_what_is_sent_to_it() -> None:
    lines = (RECIPES / "container/Dockerfile.dockerignore").read_text().splitlines()
    sent = {line[1:] for line in lines if line.startswith("!")}
    copied: set[str] = set()
    for line in (RECIPES / "container/Dockerfile").read_text().splitlines():
        if line.startswith("COPY "):
            copied |= set(line.split()[1:-1])
    assert copied == sent
    assert {"pyproject.toml", PROJECT["readme"], *PROJECT["license-files"]} <= copied
    assert all((ROOT / name).exists() for name in copied)


PLACEHOLDER = re.compile(r"0{64}|(- |: )\"?@?fill-in\b|example\.org", re.IGNORECASE)


def test_what_a_release_fills_in_is_marked() -> None:
    """In one of the three lines above, as `make release-check` lists the marks."""
    found, unmarked = 0, []
    for path in sorted(RECIPES.rglob("*")):
        if path.suffix not in {".yaml", ".yml", ".nf", ".xml"}:
            continue
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines):
            if PLACEHOLDER.search(line) and "FILL-IN:" not in line:
                found += 1
                if "FILL-IN:" not in " ".join(lines[max(number - 3, 0) : number]):
                    unmarked.append(f"{path.name}:{number + 1}: {line}")
    assert found > 8
    assert unmarked == []


def script(module: Path, values: dict[str, str]) -> str:
    """The script of a module as Nextflow gives it to bash."""
    text = (module / "main.nf").read_text().partition("script:")[2].split('"""')[1]
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)
    text = re.sub(r"^    ", "", text, flags=re.MULTILINE).replace("\\\\", "\\").replace("\\$", "$")
    assert "${" not in text
    return text


def test_modules_run_and_say_their_version(tmp_path: Path) -> None:
    common = {"task.cpus": "1", "args": "", "task.process": "PIPELINE:GENOTOK"}
    genome = str(ROOT / "genomes" / "lambda_phage.fa")
    calls = {
        "trainbpe": {"vocab_size": "64", "prefix": "lambda", "genomes": genome},
        "encode": {
            "tokenizer": "lambda.tokenizer.json",
            "prefix": "lambda",
            "format": "bed",
            "sequences": genome,
        },
    }
    assert {module.name for module in MODULES} == set(calls)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for name, values in calls.items():
        text = script(RECIPES / "nextflow/modules/genotok" / name, common | values)
        subprocess.run(["bash", "-eu", "-c", text], cwd=tmp_path, env=environment, check=True, timeout=60)
        assert yaml.safe_load((tmp_path / "versions.yml").read_text()) == {
            "PIPELINE:GENOTOK": {"genotok": VERSION}
        }
    assert (tmp_path / "lambda.bed").stat().st_size
    assert {path.name for path in tmp_path.glob("*_mqc.json")} == {
        "lambda_encode_general_mqc.json",
        "lambda_encode_symbols_mqc.json",
    }


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_modules_describe_their_channels(module: Path) -> None:
    meta = yaml.safe_load((module / "meta.yml").read_text())
    text = (module / "main.nf").read_text()
    assert f"process {meta['name'].upper()} {{" in text
    assert set(meta["output"]) == set(re.findall(r"emit: (\w+)", text))
    assert len(meta["input"]) == len(
        re.findall(
            r"^    (?:tuple val|val) ?.*$", text.partition("output:")[0].partition("input:")[2], re.MULTILINE
        )
    )
