"""Runs the tests in the Galaxy wrappers without Galaxy.

Each command is rendered by Galaxy's own template engine from the parameters of its test, run by bash in an
empty folder, and its outputs are compared by Galaxy's own assertions. Datatypes are not checked.

    PATH=.venv/bin:$PATH build/recipes/bin/python recipes/galaxy/run_tests.py

needs `galaxy-tool-util` (part of planemo), and `genotok` and its `python` on the PATH.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from galaxy.tool_util.parser import get_tool_source
from galaxy.tool_util.verify import verify
from galaxy.tool_util.verify.asserts import verify_assertions
from galaxy.util.template import fill_template

HERE = Path(__file__).resolve().parent
DATA = HERE / "test-data"


def value_of(parameter: Any, given: dict[str, Any]) -> tuple[str, Any]:
    """The name of a parameter and what a template sees of it: the value in the test, or its default."""
    name = parameter.get("name") or parameter.get("argument", "").lstrip("-").replace("-", "_")
    kind, text = parameter.get("type"), given.pop(name, None)
    if kind == "data":
        paths = [str(DATA / one) for one in (text or "").split(",") if one]
        if parameter.get("multiple") == "true":
            return name, paths
        return name, paths[0] if paths else ""
    if kind == "boolean":
        is_on = (text if text is not None else parameter.get("checked", "false")) == "true"
        return name, parameter.get("truevalue" if is_on else "falsevalue")
    if kind == "select":
        options = parameter.findall("option")
        chosen = next((one for one in options if one.get("selected") == "true"), options[0])
        text = text if text is not None else chosen.get("value")
        assert text in {one.get("value") for one in options}, f"{name}={text}"
        return name, text
    return name, text if text is not None else parameter.get("value", "")


def run(tool: Any, test: Any, folder: Path) -> None:
    """Run one test of a tool in a folder.

    Raises:
        AssertionError: An output, or how the command ended, is not as expected.
    """
    root = tool.root
    given = {one["name"]: one["value"] for one in test["inputs"]}
    context = dict(value_of(parameter, given) for parameter in root.find("inputs").iter("param"))
    assert not given, f"no such parameters: {given}"
    outputs = {one.get("name"): folder / f"output_{one.get('name')}" for one in root.find("outputs")}
    context |= {name: str(path) for name, path in outputs.items()}
    for path in outputs.values():
        path.touch()  # as Galaxy does
    command = fill_template(root.find("command").text, context=context, python_template_version="3")
    script = command.replace("\n", " ").strip()  # as Galaxy does
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )
    if test["expect_failure"]:
        assert str(done.returncode) == test["expect_exit_code"], done
        verify_assertions(done.stderr.encode(), test["stderr"])
        return
    assert done.returncode == 0, f"{script}\n{done.stderr}"
    assert str(len(outputs)) == test["expect_num_outputs"]
    for expected in test["outputs"]:
        content = outputs[expected["name"]].read_bytes()
        file = expected["value"]
        verify(
            expected["name"],
            content,
            expected["attributes"],
            filename=str(DATA / file) if file else None,
            get_filename=lambda name: name,
        )


def main() -> None:
    """Run the tests of all wrappers."""
    number = 0
    for path in sorted(HERE.glob("genotok_*.xml")):
        tool = get_tool_source(str(path))
        for test in tool.parse_tests_to_dict()["tests"]:
            number += 1
            with tempfile.TemporaryDirectory() as folder:
                run(tool, test, Path(folder))
            print(f"{path.name}: test {number} passed", flush=True)
    if not number:
        sys.exit("no test was found")


if __name__ == "__main__":
    main()
