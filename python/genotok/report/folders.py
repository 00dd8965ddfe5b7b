"""From a folder that genotok wrote to one record: its kind, the state of its run, and its files.

A finished run left a record; one that still runs, or was stopped, left its settings, its log and the results
so far, and the record is made of these. `own` names files and folders that are not searched further.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genotok.errors import ArgumentError
from genotok.files.documents import printable
from genotok.files.reading import open_reading
from genotok.report.records import FoundRecord
from genotok.run_records.reading import read_lines, read_record, read_settings

if TYPE_CHECKING:
    from genotok.run_records.schemas import Json

__all__ = ["PARTS_OF_FOLDERS", "Described", "describe_folder"]

RUN, REPORT, LOG = "run.json", "pretrain.json", "log.jsonl"
MANIFEST, JOURNAL = "manifest.json", "unfinished.jsonl"
RESULTS, RESULT, COMPARED, CARD = "results.json", "result.json", "compared.json", "genotok.json"
CONFIG, WEIGHTS = "config.json", ("model.safetensors", "pytorch_model.bin")
FITTED, KMERS, BASELINES = "fitted.json", "kmers", "baselines"
CLAIM = ".genotok-folder.lock"

PARTS_OF_FOLDERS = frozenset(
    {RUN, REPORT, LOG, MANIFEST, JOURNAL, RESULTS, RESULT, COMPARED, CARD, CONFIG, *WEIGHTS}
)
"""Files that are read with the folder around them, if it is a record."""

OF_MODEL = frozenset({CARD, CONFIG, "tokenizer.json"})


@dataclass(frozen=True, slots=True)
class Described:
    """A folder's record, and the names in the folder that belong to it."""

    found: FoundRecord
    own: frozenset[str]


def describe_folder(name: str, folder: str) -> Described | None:
    """The record of a folder; None if the folder as a whole is no record.

    What is damaged in it makes a record that says so (`FoundRecord.why`).

    Raises:
        OSError: It cannot be read.
    """
    names = frozenset(os.listdir(folder))
    for find in (_compared, _baselines, _finetuned, _pretrained, _encoded, _model):
        try:
            described = find(name, folder, names)
        except ArgumentError as error:
            fault = FoundRecord(name, folder, "", {}, printable(str(error)), is_given=False)
            return Described(fault, PARTS_OF_FOLDERS & names)
        if described:
            return described
    return None


def _compared(name: str, folder: str, names: frozenset[str]) -> Described | None:
    """An output folder of `genotok compare`: its record, with the log of each tokenizer's pre-training."""
    if COMPARED not in names:
        settings = _settings(folder, names)
        if settings.get("kind") != "models":
            return None
        state = {**settings, **_state(folder), "folders": sorted(_folders(folder, names))}
        return Described(FoundRecord(name, folder, "unfinished comparison", state), frozenset({RUN}))
    record = read_record(_path(folder, COMPARED))
    if not isinstance(record.get("tokenizers"), list):
        return Described(FoundRecord(name, folder, "models", record), frozenset({COMPARED, RUN}))
    logs, own = {}, {COMPARED, RUN}
    for one in record["tokenizers"]:
        title = one.get("name") if isinstance(one, dict) else None
        place = title.replace(":", "-") if isinstance(title, str) else ""
        if place in names and os.path.isdir(_path(folder, place)):
            own.add(place)
            if os.path.isfile(path := _path(folder, place, "model", LOG)):
                logs[title] = read_lines(path)[0]
    data = {**_digests(_settings(folder, names)), **record, "logs": logs}
    return Described(FoundRecord(name, folder, "models", data), frozenset(own))


def _baselines(name: str, folder: str, names: frozenset[str]) -> Described | None:
    """An output folder of `genotok baseline` that is not finished, or a part of one."""
    settings = _settings(folder, names)
    if settings.get("kind") == "baseline" and RESULTS not in names:
        why = "the run is not finished: genotok baseline with --resume continues it"
    elif FITTED in names or os.path.isfile(_path(folder, KMERS, FITTED)):
        why = "a part of the baselines of a set; the folder of the run has all"
    else:
        return None
    return Described(FoundRecord(name, folder, "baseline", {"kind": "baseline", **settings}, why), names)


def _finetuned(name: str, folder: str, names: frozenset[str]) -> Described | None:
    """An output folder of `genotok finetune`, the folder of one of its sets, or that of one seed."""
    settings = _settings(folder, names)
    if RESULTS in names:
        record = read_record(_path(folder, RESULTS))
        sets = {str(one.get("name")) for one in _dictionaries(record.get("sets"))}
        own = {RESULTS, RUN, *(sets & _folders(folder, names))}
        record = {**_digests(settings), **record}
        return Described(FoundRecord(name, folder, str(record.get("kind", "")), record), frozenset(own))
    if settings.get("kind") == "gue":
        sets_so_far = {one: _set(_path(folder, one)) for one in sorted(_folders(folder, names))}
        found = [one for one in sets_so_far.values() if one]
        record = {**settings, **_state(folder), **_together(found), "is_partial": True}
        own = {RUN, *(one for one, there in sets_so_far.items() if there or _seeds(_path(folder, one)))}
        return Described(FoundRecord(name, folder, "gue", record), frozenset(own))
    one = _seed(folder) if RESULT in names else _set(folder)
    if one is None:
        return None
    around = _around(folder)
    record = {"kind": "gue", "model": "model", "scratch": False, **around, **_together([one])}
    record["is_part"] = True
    return Described(
        FoundRecord(name, folder, "gue", record), frozenset({RESULT, "model", BASELINES, *_seeds(folder)})
    )


def _set(folder: str) -> Json | None:
    """The results of a set as far as they are there; None if there are none."""
    paths = [_path(folder, seed, RESULT) for seed in _seeds(folder)]
    runs = [read_record(path) for path in paths if os.path.isfile(path)]
    return _as_set(os.path.basename(os.path.abspath(folder)), runs, _classes(_path(folder, "model")))


def _seed(folder: str) -> Json | None:
    """The result of one seed, as a set of one run."""
    around = os.path.dirname(os.path.abspath(folder))
    run = read_record(_path(folder, RESULT))
    if not isinstance(run.get("test"), dict):
        return None
    return _as_set(os.path.basename(around), [run], _classes(_path(around, "model")))


def _as_set(name: str, runs: list[Json], classes: list[str]) -> Json | None:
    """Runs of one set as a record of `genotok finetune` has them."""
    if not runs:
        return None
    dev = runs[0].get("dev")
    metric = next((key for key in dev if key != "loss"), "mcc") if isinstance(dev, dict) else "mcc"
    return {
        "name": printable(name),
        "metric": metric,
        "classes": classes,
        "rows": {},
        "max_tokens": 0,
        "cut": {},
        "note": "",
        "parameters": runs[0].get("parameters"),
        "runs": runs,
    }


def _together(sets: list[Json]) -> Json:
    """What the record says of its sets."""
    first = sets[0].get("parameters") if sets else None
    return {"sets": sets, "parameters": first if isinstance(first, int) else 0}


def _pretrained(name: str, folder: str, names: frozenset[str]) -> Described | None:
    """An output folder of `genotok pretrain`: finished, running or stopped."""
    settings = _settings(folder, names)
    report = read_record(_path(folder, REPORT)) if REPORT in names else None
    config = (report or settings).get("config")
    if not isinstance(config, dict) or not {"encoder", "mask_share"} <= config.keys():
        return None
    entries, damaged = read_lines(_path(folder, LOG)) if LOG in names else ([], 0)
    steps = [one.removeprefix("checkpoint-") for one in names if one.startswith("checkpoint-")]
    data = {
        **settings,
        **(report or {}),
        **_card(folder, names),
        "log": entries,
        "damaged_lines": damaged,
        "checkpoints": sorted(int(step) for step in steps if step.isdecimal()),
        "is_finished": report is not None,
        **({} if report else _state(folder)),
    }
    own = {RUN, REPORT, LOG, "tokens", "words", *OF_MODEL, *(f"checkpoint-{step}" for step in steps)}
    return Described(FoundRecord(name, folder, "pretrain", data), frozenset(own))


def _encoded(name: str, folder: str, names: frozenset[str]) -> Described | None:
    """An output folder of `genotok encode` or `genotok pack`."""
    if JOURNAL in names:
        head = next(iter(read_lines(_path(folder, JOURNAL))[0]), {})
        data = {"head": head, **_state(folder), "is_partial": True}
        return Described(FoundRecord(name, folder, "genotok shards", data), names - _folders(folder, names))
    if MANIFEST not in names:
        return None
    data = read_settings(_path(folder, MANIFEST))
    kind = data.get("kind", data.get("format"))
    if not isinstance(kind, str) or not kind.startswith("genotok "):
        return None
    data.pop("portions", None)  # a line for each shard: the totals say what they sum up to
    data.pop("shards", None)
    return Described(FoundRecord(name, folder, kind, data), names - _folders(folder, names))


def _model(name: str, folder: str, names: frozenset[str]) -> Described | None:
    """A folder with a model."""
    weights = [one for one in WEIGHTS if one in names]
    if CONFIG not in names or not weights:
        return None
    data = {
        "config": read_settings(_path(folder, CONFIG)),
        "weights": {one: os.path.getsize(_path(folder, one)) for one in weights},
        "has_tokenizer": "tokenizer.json" in names,
        **_card(folder, names),
    }
    return Described(FoundRecord(name, folder, "model", data), OF_MODEL)


def _digests(settings: Json) -> Json:
    """The digests of what a run reads."""
    return {"digests": settings["digests"]} if "digests" in settings else {}


def _card(folder: str, names: frozenset[str]) -> Json:
    """The manifest beside the weights, as `identity`."""
    return {"identity": read_settings(_path(folder, CARD))} if CARD in names else {}


def _settings(folder: str, names: frozenset[str]) -> Json:
    """The settings that a run was started with; {} if there are none."""
    return read_settings(_path(folder, RUN)) if RUN in names and os.path.isfile(_path(folder, RUN)) else {}


def _around(folder: str) -> Json:
    """The settings of the run that a set or a seed belongs to."""
    place = os.path.abspath(folder)
    for _ in range(2):
        place = os.path.dirname(place)
        if os.path.isfile(_path(place, RUN)):
            settings = read_settings(_path(place, RUN))
            return settings if settings.get("kind") == "gue" else {}
    return {}


def _state(folder: str) -> Json:
    """Whether a run holds the folder now. Nothing is written to find out."""
    try:
        with open_reading(_path(folder, CLAIM)) as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return {"state": "running"}
    except OSError:
        pass
    return {"state": "stopped"}


def _classes(folder: str) -> list[str]:
    """The names of the classes of a model; [] if there is none."""
    if not os.path.isfile(path := _path(folder, CONFIG)):
        return []
    labels = read_settings(path).get("id2label")
    if not isinstance(labels, dict) or not all(key.isdecimal() for key in labels):
        return []
    return [str(labels[key]) for key in sorted(labels, key=int)]


def _seeds(folder: str) -> list[str]:
    """The folders of seeds in the folder of a set, by number."""
    names = os.listdir(folder) if os.path.isdir(folder) else []
    seeds = [one for one in names if one.startswith("seed-") and one.removeprefix("seed-").isdecimal()]
    return sorted(seeds, key=lambda one: int(one.removeprefix("seed-")))


def _folders(folder: str, names: frozenset[str]) -> set[str]:
    return {one for one in names if not one.startswith(".") and os.path.isdir(_path(folder, one))}


def _dictionaries(value: Any) -> list[Json]:  # noqa: ANN401  any JSON
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _path(*parts: str) -> str:
    return os.path.join(*parts)
