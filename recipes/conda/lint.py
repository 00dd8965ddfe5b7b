"""Renders the conda recipes and checks what conda-forge and Bioconda ask of them.

    build/recipes/bin/python recipes/conda/lint.py

conda-build and the linter of Bioconda are not on PyPI. So the recipe for conda-forge is parsed and rendered
by rattler-build, and the one for Bioconda as Jinja and YAML, with the rules of Bioconda's linter that can be
checked without a channel.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import jinja2
import yaml
from rattler_build import RenderedVariant, Stage0Recipe, VariantConfig

HERE = Path(__file__).resolve().parent
MAX_SUMMARY = 200


def rendered() -> list[RenderedVariant]:
    """The recipe for conda-forge, rendered for each Python of `variants.yaml`."""
    recipe = Stage0Recipe.from_file(HERE / "conda-forge" / "recipe.yaml")
    return recipe.render(VariantConfig.from_file(HERE / "variants.yaml"))


def bioconda(path: Path) -> dict[str, Any]:
    """The recipe for Bioconda, rendered as conda-build would for Linux."""
    functions = {
        "compiler": lambda name: f"{name}_linux-64",
        "stdlib": lambda name: f"{name}_stdlib_linux-64",
        "pin_subpackage": lambda name, max_pin: f"{name} {max_pin}",
        "PYTHON": "$PYTHON",
    }
    template = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    found: dict[str, Any] = yaml.safe_load(template.from_string(path.read_text()).render(functions))
    return found


def faults(recipe: dict[str, Any]) -> list[str]:
    """What Bioconda's linter would say of a recipe."""
    about, build, source = recipe["about"], recipe["build"], recipe["source"]
    run = recipe["requirements"]["run"]
    rules = {
        "about: home, license, license_file, summary": all(
            about.get(key) for key in ("home", "license", "license_file", "summary")
        ),
        "about/summary: one short line": len(about["summary"]) <= MAX_SUMMARY,
        "build/number": isinstance(build.get("number"), int),
        "build/run_exports": bool(build.get("run_exports")),
        "source/sha256: 64 digits": re.fullmatch(r"[0-9a-f]{64}", str(source.get("sha256"))) is not None,
        "source/url: of the version": str(recipe["package"]["version"]) in source["url"],
        "package/name: lower case": re.fullmatch(r"[a-z0-9_.-]+", recipe["package"]["name"]) is not None,
        "requirements/build: compilers, with their C library": all(
            any(one.startswith(name) for one in recipe["requirements"]["build"])
            for name in ("c_linux", "c_stdlib", "rust_linux")
        ),
        "requirements: one space before a version, none in it": all(
            re.fullmatch(r"[\w.-]+( [<>=!][^ ]*)?", one) for one in run
        ),
        "test: imports and commands": bool(recipe["test"].get("imports") and recipe["test"].get("commands")),
        "extra: identifiers, maintainers": bool(
            recipe["extra"].get("identifiers") and recipe["extra"].get("recipe-maintainers")
        ),
        "extra/identifiers: name:value": all(":" in one for one in recipe["extra"]["identifiers"]),
    }
    return [name for name, is_kept in rules.items() if not is_kept]


def main() -> None:
    """Print the variants, then what is wrong; exit code 1 if anything is."""
    for variant in rendered():
        recipe = variant.recipe
        print(f"conda-forge  {recipe.package.name} {recipe.package.version}  {variant.variant['python']}")
    recipe = bioconda(HERE / "bioconda" / "meta.yaml")
    found = faults(recipe)
    for fault in found:
        print(f"bioconda     {fault}: is not as expected")
    if not found:
        print(f"bioconda     {recipe['package']['name']} {recipe['package']['version']}  no fault")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
