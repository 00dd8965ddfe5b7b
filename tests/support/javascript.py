"""The script of `genotok browse` in an engine of JavaScript without a browser."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest

from genotok.browse.description import describe
from genotok.browse.page import SCRIPTS

if TYPE_CHECKING:
    from genotok import Tokenizer

HELPERS = """
const loaded = new Map();
const load = (name, data) => { loaded.set(name, new PageTokenizer(data)); };
const whole = (text) => [{ start: 0, end: text.length }];
function encoding(name, text, isUpper, records) {
  const made = loaded.get(name).start(text, records ?? whole(text), isUpper);
  while (!made.advance(7));
  return made;
}
function encode(name, text, isUpper) {
  try {
    const { ids, starts, ends } = encoding(name, text, isUpper);
    return { ids: [...ids], spans: Array.from(ids, (_, at) => [starts[at], ends[at]]) };
  } catch (error) {
    if (!(error instanceof ReadingError)) throw error;
    return { at: error.at, why: error.message };
  }
}
function explain(name, text) {
  const made = encoding(name, text, false);
  const merges = mergesOf(made, 0, text.length);
  const after = (step) => tokensAfter(made, 0, text.length, step).map(([first, end]) => [first, end]);
  return [[null, after(0)], ...merges.map((step) => [made.steps[step - 1], after(step)])];
}
function encodeRecords(name, { sequence, records }) {
  return [...encoding(name, sequence, false, records).ids];
}
function found(name, search) {
  return searched(loaded.get(name), search, new Map()).map((id) => loaded.get(name).string(id));
}
"""


class PageScript:
    """The script of the page but for what shows it, with some functions for tests."""

    def __init__(self) -> None:
        racer = pytest.importorskip(
            "py_mini_racer", reason="mini-racer is not installed: pip install mini-racer"
        )
        self._engine = racer.MiniRacer()
        folder = files("genotok.browse") / "page"
        script = "".join((folder / name).read_text(encoding="utf-8") for name in SCRIPTS if name != "app.js")
        self._engine.eval(script + HELPERS)

    def load(self, name: str, tokenizer: Tokenizer) -> None:
        """Take in a tokenizer, as the page does."""
        self.call("load", name, json.loads(json.dumps(describe(name, tokenizer))))

    def call(self, function: str, *arguments: Any) -> Any:
        """The result of a function as JSON."""
        given = ", ".join(map(json.dumps, arguments))
        return json.loads(self._engine.eval(f"JSON.stringify({function}({given}) ?? null)"))
