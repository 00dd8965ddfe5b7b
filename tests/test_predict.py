"""`predict` and `evaluate`: the same predictions from every input and in every output; nothing is lost."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.support.encoded import TOKENIZER
from tests.support.row_files import COLUMNS, FILES, SEQUENCES, as_parquet, standard_input

torch = pytest.importorskip("torch", reason="prediction needs torch: the extra `train`")
pytest.importorskip("transformers", reason="classifiers are of transformers: the extra `train`")

from genotok import ArgumentError, SequenceFileError  # noqa: E402
from genotok.cli import app  # noqa: E402
from genotok.finetune import Classifier  # noqa: E402
from genotok.model.huggingface import DnaBert2Config, DnaBert2ForSequenceClassification  # noqa: E402
from genotok.rows import chunks  # noqa: E402

SIZES = {
    "vocab_size": TOKENIZER.vocab_size,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "initializer_range": 0.5,
}
BINARY = ("no", "yes, sure")
Run = Callable[..., tuple[int, bytes, str]]


def save(folder: Path, names: tuple[str, ...], **more: Any) -> Path:
    """A classifier with weights that were drawn."""
    torch.manual_seed(1)
    labels: dict[str, Any] = {
        "id2label": dict(enumerate(names)),
        "label2id": {name: number for number, name in enumerate(names)},
    }
    DnaBert2ForSequenceClassification(DnaBert2Config(**SIZES, **labels, **more)).save_pretrained(folder)
    TOKENIZER.save(folder / "tokenizer.json")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("classifier"), BINARY, problem_type="single_label_classification")


@pytest.fixture(scope="module")
def classifier(folder: Path) -> Classifier:
    return Classifier(folder, device="cpu")


@pytest.fixture(scope="module")
def expected(classifier: Classifier) -> Any:
    """The probabilities (N, C) of the sequences, each by itself."""
    found = []
    for text in SEQUENCES:
        ids = torch.tensor([[1, *TOKENIZER.encode(text), 2]])
        with torch.inference_mode():
            logits = classifier._model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
        found.append(logits.double().softmax(-1)[0].numpy())
    return np.array(found)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfdbinary: Any) -> Run:
    """The program in this process: exit code, what it wrote to standard output, and its messages."""

    def call(*words: object) -> tuple[int, bytes, str]:
        monkeypatch.setattr(sys, "argv", ["genotok", *map(str, words)])
        code = app._run()
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        return int(code or 0), out, err.decode()

    return call


def check(table: pa.Table, expected: Any) -> None:
    """The predictions of a table, and the columns before them."""
    found = np.array([table["prob_no"].to_pylist(), table["prob_yes, sure"].to_pylist()]).T
    assert np.abs(found - expected).max() < 1e-6
    assert np.abs(found.sum(1) - 1).max() < 1e-12
    assert table["predicted"].to_pylist() == [BINARY[number] for number in expected.argmax(1)]
    kept = table.column_names[:-3]
    if kept == ["record", "start", "end"]:
        assert table["end"].to_pylist() == list(map(len, SEQUENCES))
        return
    if kept[0] == "line":
        assert table["line"].to_pylist() == sorted(table["line"].to_pylist())
        kept = kept[1:]
    assert table.select(kept).to_pydict() == COLUMNS
    assert table.select(kept).schema.types == [pa.string(), pa.int64(), pa.string(), pa.float64()]


@pytest.mark.parametrize("name", FILES)
def test_predictions_of_every_input_are_the_same(
    classifier: Classifier, expected: Any, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    report = classifier.predict(tmp_path / name, tmp_path / "out.parquet")
    assert (report["rows"], report["cut"], report["symbols"]) == (4, 0, sum(map(len, SEQUENCES)))
    table = parquet.read_table(tmp_path / "out.parquet")
    check(table, expected)
    is_text_table = table.column_names[0] == "line"
    assert is_text_table == (not name.startswith("s.") and "parquet" not in name and name != "no-name")


@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "t.tsv.zst", "s.fa"])
def test_predictions_of_standard_input_are_the_same(
    classifier: Classifier, expected: Any, tmp_path: Path, name: str
) -> None:
    with standard_input(FILES[name], tmp_path / "held", piped=True):
        classifier.predict("-", tmp_path / "out.parquet")
    check(parquet.read_table(tmp_path / "out.parquet"), expected)


def rows_of(path: Path, data: bytes) -> list[dict[str, Any]]:
    """The rows of an output in any format, as its readers have them."""
    data = gzip.decompress(data) if path.suffix == ".gz" else data
    form = path.name.split(".")[1]
    if form == "parquet":
        return list(parquet.read_table(io.BytesIO(data)).to_pylist())
    if form == "jsonl":
        return [json.loads(line) for line in data.decode().splitlines()]
    text = io.StringIO(data.decode(), newline="")
    rows: list[dict[str, Any]] = list(csv.DictReader(text, delimiter="\t" if form == "tsv" else ","))
    for row in rows:
        row |= {key: json.loads(row[key]) for key in row if key.startswith("prob_") or key in NUMBERS}
    return rows


NUMBERS = {"line", "label", "score", "start", "end"}
OUTPUTS = ["out.parquet", "out.csv", "out.tsv", "out.jsonl", "out.csv.gz", "out.jsonl.gz"]


@pytest.mark.parametrize("source", ["t.csv", "t.parquet", "s.fa"])
@pytest.mark.parametrize("name", OUTPUTS)
def test_every_output_holds_the_same_numbers_to_the_bit(
    classifier: Classifier, tmp_path: Path, run: Run, folder: Path, source: str, name: str
) -> None:
    (tmp_path / source).write_bytes(FILES[source])
    classifier.predict(tmp_path / source, tmp_path / "first.parquet")
    wanted = parquet.read_table(tmp_path / "first.parquet").to_pylist()
    out = tmp_path / name
    assert classifier.predict(tmp_path / source, out)["bytes"] == out.stat().st_size
    assert rows_of(out, out.read_bytes()) == wanted
    form = name.split(".")[1]
    if name.endswith(".gz"):
        return
    words = ("predict", tmp_path / source, "--model", folder, "--device", "cpu", "-o", "-")
    code, written, err = run(*words, "--format", form)
    assert code == 0, err
    assert rows_of(out, written) == wanted
    assert "4 predictions in standard output" in err
    code, told, _ = run("info", out, "--json")
    assert code == 0
    assert (json.loads(told)["kind"], json.loads(told)["classes"]) == ("predictions", list(BINARY))


def test_windows_are_places_in_bed_and_bedgraph(classifier: Classifier, tmp_path: Path, run: Run) -> None:
    (tmp_path / "s.fa").write_bytes(FILES["s.fa"])
    windows = {"window": 40, "stride": 30}
    classifier.predict(tmp_path / "s.fa", tmp_path / "out.parquet", **windows)
    rows = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert [(row["start"], row["end"]) for row in rows if row["record"] == "3"][:2] == [(0, 40), (30, 70)]
    for row in rows:
        part = SEQUENCES[int(row["record"])][row["start"] : row["end"]]
        (tmp_path / "part.csv").write_text(f"sequence\n{part}\n")
        classifier.predict(tmp_path / "part.csv", tmp_path / "part.parquet", force=True)
        (alone,) = parquet.read_table(tmp_path / "part.parquet").to_pylist()
        assert alone["prob_no"] == pytest.approx(row["prob_no"], abs=1e-6)
    classifier.predict(tmp_path / "s.fa", tmp_path / "out.bed", **windows)
    lines = [line.split("\t") for line in (tmp_path / "out.bed").read_text().splitlines()]
    assert [(line[0], int(line[1]), int(line[2]), line[3]) for line in lines] == [
        (row["record"], row["start"], row["end"], row["predicted"]) for row in rows
    ]
    assert [int(line[4]) for line in lines] == [
        round(1000 * max(row["prob_no"], row["prob_yes, sure"])) for row in rows
    ]
    with pytest.raises(ArgumentError, match="these windows overlap"):
        classifier.predict(tmp_path / "s.fa", tmp_path / "out.bedgraph", **windows)
    for name, shown in ((None, "yes, sure"), ("no", "no")):
        graph = tmp_path / f"{shown}.bedgraph.gz"
        classifier.predict(tmp_path / "s.fa", graph, window=40, class_name=name)
        lines = [line.split("\t") for line in gzip.decompress(graph.read_bytes()).decode().splitlines()]
        classifier.predict(tmp_path / "s.fa", tmp_path / "out.parquet", window=40, force=True)
        rows = parquet.read_table(tmp_path / "out.parquet").to_pylist()
        assert [float(line[3]) for line in lines] == [row[f"prob_{shown}"] for row in rows]
        assert [line[0] for line in lines] == [row["record"] for row in rows]
        assert json.loads(run("info", graph, "--json")[1])["format"] == "bedgraph"
    assert json.loads(run("info", tmp_path / "out.bed", "--json")[1])["format"] == "bed"


@pytest.mark.parametrize("output", ["t.csv", "t.tsv", "t.jsonl", "t.parquet", "link.csv", "hard.csv"])
@pytest.mark.parametrize("force", [False, True])
def test_no_output_replaces_its_input(
    classifier: Classifier, tmp_path: Path, output: str, force: bool
) -> None:
    source = "t.csv" if output.endswith("link.csv") or output == "hard.csv" else output
    (tmp_path / source).write_bytes(FILES[source])
    if output == "link.csv":
        (tmp_path / output).symlink_to(source)
    if output == "hard.csv":
        os.link(tmp_path / source, tmp_path / output)
    with pytest.raises(ArgumentError, match=rf"{output}: is read by this command"):
        classifier.predict(tmp_path / source, tmp_path / output, force=force)
    assert (tmp_path / source).read_bytes() == FILES[source]


def test_what_is_no_output_of_ours_stays(classifier: Classifier, folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "t.parquet"
    source.write_bytes(FILES["t.parquet"])
    for name in ("t.csv", "t.tsv", "t.jsonl", "s.fa", "t.csv.gz"):
        for ending in (".csv", ".tsv", ".jsonl", ".parquet", ".bed", ".bedgraph", ".csv.gz"):
            stranger = tmp_path / f"other{ending}"
            stranger.write_bytes(FILES[name])
            with pytest.raises(ArgumentError, match=r"exists and is not|have no place"):
                classifier.predict(source, stranger, force=True)
            assert stranger.read_bytes() == FILES[name]
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    (tmp_path / "m.csv").symlink_to(folder / "model.safetensors")
    os.link(folder / "config.json", tmp_path / "c.jsonl")
    for name in ("m.csv", "c.jsonl"):
        with pytest.raises(ArgumentError, match="is read by this command"):
            classifier.predict(source, tmp_path / name, force=True)
    (tmp_path / "c.jsonl").unlink()
    for name in before:
        with pytest.raises(ArgumentError, match=r"a name in \.parquet, \.csv"):
            classifier.predict(source, folder / name, force=True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    for name in OUTPUTS:
        classifier.predict(source, tmp_path / name)
        with pytest.raises(ArgumentError, match="is there already; --force replaces it"):
            classifier.predict(source, tmp_path / name)
        classifier.predict(source, tmp_path / name, force=True)


def test_outputs_that_cannot_be_are_refused_before_the_work(
    classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("t.csv", "s.fa"):
        (tmp_path / name).write_bytes(FILES[name])
    (tmp_path / "nested.parquet").write_bytes(as_parquet({"sequence": ["ACGT"], "many": [[1, 2]]}))
    (tmp_path / "own.csv").write_text("sequence,predicted\nACGT,1\n")
    (tmp_path / "lined.csv").write_text("sequence,line\nACGT,1\n")
    (tmp_path / "last.csv").write_text("sequence\n" + "ACGT\n" * 50 + "ACGL\n")
    monkeypatch.setattr(classifier, "_model", None)
    cases: list[tuple[str, str, dict[str, Any], str]] = [
        (
            "t.csv",
            "out.txt",
            {},
            r"in \.parquet, \.csv, \.tsv, \.jsonl, \.bed, \.bedgraph is expected",
        ),
        ("t.csv", "out", {}, r"a name in \.parquet"),
        ("t.csv", "out.parquet.gz", {}, r"a name in \.parquet"),
        ("t.csv", "out.csv", {"output_format": "tsv"}, "its ending says csv, and format=tsv"),
        ("t.csv", "out.csv", {"output_format": "xlsx"}, "format=xlsx: one of parquet, csv"),
        ("t.csv", "out.bed", {}, "format=bed: rows of tables have no place"),
        ("t.csv", "out.csv", {"class_name": "no"}, "class=no: selects the class for bedGraph"),
        ("s.fa", "out.bg", {"class_name": "x"}, "class=x: is not a class of the model; .* no, yes, sure"),
        ("t.csv", "out.csv", {"window": 9}, "a row of a table is one row"),
        ("nested.parquet", "out.csv", {}, "column many is list"),
        ("own.csv", "out.csv", {}, r"own\.csv: a column is called predicted already"),
        ("lined.csv", "out.csv", {}, r"lined\.csv: a column is called line already"),
        ("last.csv", "out.csv", {}, "line 52, position 3: 'L'"),
        ("s.fa", "out.csv", {"sequence": "dna"}, "has records, not columns"),
    ]
    for source, output, options, message in cases:
        with pytest.raises(ValueError, match=message):
            classifier.predict(tmp_path / source, tmp_path / output, **options)
        assert not (tmp_path / output).exists()


def test_columns_keep_their_types_and_nulls(classifier: Classifier, tmp_path: Path) -> None:
    columns = pa.table(
        {
            "many": pa.array([[1, 2], None]),
            "sequence": pa.array(["ACGTTGCA", "GGATTACA"]).dictionary_encode(),
            "when": pa.array([1, None], pa.timestamp("ms")),
            "small": pa.array([0.1, float("nan")], pa.float32()),
            "ünïcode": pa.array(["a\nb", ""]),
            "line": pa.array([7, 8]),  # rows of Parquet have no lines of their own
        }
    )
    parquet.write_table(columns, tmp_path / "a.parquet")
    classifier.predict(tmp_path / "a.parquet", tmp_path / "out.parquet")
    found = parquet.read_table(tmp_path / "out.parquet")
    assert found.column_names[:6] == columns.column_names
    assert found.schema.types[:6] == columns.schema.types
    assert str(found.select(columns.column_names).to_pylist()) == str(columns.to_pylist())
    classifier.predict(tmp_path / "a.parquet", tmp_path / "out.jsonl")
    first, second = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert (first["many"], first["when"], first["ünïcode"]) == ([1, 2], "1970-01-01 00:00:00.001000", "a\nb")
    assert (second["many"], second["when"], second["small"]) == (None, None, None)
    parquet.write_table(columns.drop_columns(["many"]), tmp_path / "b.parquet")
    classifier.predict(tmp_path / "b.parquet", tmp_path / "out.csv")
    with open(tmp_path / "out.csv", newline="", encoding="utf-8") as file:
        first, second = csv.DictReader(file)
    assert (first["sequence"], first["small"], first["ünïcode"]) == ("ACGTTGCA", "0.1", "a\nb")
    assert (second["when"], second["ünïcode"]) == ("", "")


def test_many_rows_and_files_stay_in_order_and_in_pieces(
    classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = np.random.default_rng(0)
    texts = ["".join(draw.choice(list("ACGT"), int(length))) for length in draw.integers(1, 30, 300)]
    (tmp_path / "all.csv").write_text("sequence,n\n" + "".join(f"{s},{i}\n" for i, s in enumerate(texts)))
    for part in range(130):
        lines = [f"{texts[at]},{at}\n" for at in range(300 * part // 130, 300 * (part + 1) // 130)]
        (tmp_path / f"part-{part:03}.csv").write_text("sequence,n\n" + "".join(lines))
    (tmp_path / "all.fa").write_text("".join(f">{i}\n{s}\n" for i, s in enumerate(texts)))
    classifier.predict(tmp_path / "all.csv", tmp_path / "whole.parquet")
    wanted = parquet.read_table(tmp_path / "whole.parquet")
    sizes: list[int] = []
    computed = classifier._computed
    monkeypatch.setattr(classifier, "_computed", lambda rows: (sizes.append(len(rows)), computed(rows))[1])
    classifier.predict(str(tmp_path / "part-*.csv"), tmp_path / "parts.parquet")
    assert sizes == [300]  # small tables share their batches
    monkeypatch.setattr(chunks, "MAX_ROWS", 70)
    monkeypatch.setattr(chunks, "BATCH_SYMBOLS", 900)
    events: list[dict[str, Any]] = []
    for name, files in (("a", "all.csv"), ("b", "part-*.csv"), ("c", "all.fa")):
        out = tmp_path / f"{name}.parquet"
        classifier.predict(str(tmp_path / files), out, progress=events.append)
        found = parquet.read_table(out)
        assert [int(n) for n in found["record" if name == "c" else "n"].to_pylist()] == list(range(300))
        assert np.abs(found["prob_no"].to_numpy() - wanted["prob_no"].to_numpy()).max() < 1e-6
    told = [event["tokens"] for event in events if event["phase"] == "predicting"]
    assert len(told) > 10
    assert told[-1] == events[-1]["tokens_total"]


@pytest.mark.parametrize("name", ["out.parquet", "out.csv.gz"])
def test_stopped_in_the_middle_it_leaves_nothing(
    classifier: Classifier, tmp_path: Path, run: Run, folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t.csv").write_bytes(FILES["t.csv"])

    def stop(event: dict[str, Any]) -> None:
        if event["phase"] == "predicting":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        classifier.predict(tmp_path / "t.csv", tmp_path / name, progress=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]
    monkeypatch.setattr(Classifier, "_computed", lambda *_: stop({"phase": "predicting"}))
    code, _, err = run("predict", tmp_path / "t.csv", "-m", folder, "-o", tmp_path / name)
    assert (code, "interrupted; nothing was written" in err) == (130, True)
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


@pytest.fixture(scope="module")
def numbered_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier whose classes are 0 and 1, as the labels of the files."""
    return save(tmp_path_factory.mktemp("numbered"), ("0", "1"))


@pytest.fixture(scope="module")
def numbered(numbered_folder: Path) -> Classifier:
    return Classifier(numbered_folder, device="cpu")


@pytest.mark.parametrize("name", ["t.csv", "t.tsv.gz", "t.jsonl", "t.parquet", "bom.csv"])
def test_every_table_is_scored_alike(numbered: Classifier, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    found = numbered.evaluate(tmp_path / name)
    numbered.predict(tmp_path / name, tmp_path / "out.parquet")
    rows = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    matrix = np.zeros((2, 2), int)
    for row in rows:
        matrix[row["label"], int(row["predicted"])] += 1
    assert found.scores.matrix.tolist() == matrix.tolist()
    assert found.symbols == sum(map(len, SEQUENCES))


def test_columns_of_labels_can_be_named(
    numbered: Classifier, numbered_folder: Path, folder: Path, tmp_path: Path, run: Run
) -> None:
    (tmp_path / "a.csv").write_text("dna,y,label\nACGTTGCA,no,x\nGGATTACA,no,x\n")
    words = ("evaluate", tmp_path / "a.csv", "--model", folder, "--sequence", "dna", "--json")
    code, out, err = run(*words, "--label", "y")
    assert code == 0, err
    assert json.loads(out)["rows"] == 2
    code, _, err = run(*words)
    assert code == 1
    assert "a.csv, line 2: label 'x'; one of no, yes, sure is expected" in err
    with pytest.raises(SequenceFileError, match="line 2: label 'no'; one of 0, 1 is expected"):
        numbered.evaluate(tmp_path / "a.csv", sequence="dna", label="y")
    (tmp_path / "s.fa").write_bytes(FILES["s.fa"])
    with pytest.raises(ArgumentError, match="sequence files have no labels"):
        numbered.evaluate(tmp_path / "s.fa")
    (tmp_path / "null.parquet").write_bytes(as_parquet({"sequence": ["ACGT"] * 2, "label": ["1", None]}))
    with pytest.raises(SequenceFileError, match=r"null\.parquet, row 2: no label"):
        numbered.evaluate(tmp_path / "null.parquet")
    (tmp_path / "head.csv").write_text("ACGTACGTAC,0\nACGTACGTAA,1\n")
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        code, out, err = run("evaluate", tmp_path / "head.csv", "--model", numbered_folder, "--json")
    assert (code, json.loads(out)["rows"]) == (0, 2)
    assert "head.csv: no header: line 1 is read as data, the columns as sequence and label" in err


@pytest.mark.parametrize("pairs", [True, False, None])
def test_pairs_are_for_models_of_pairs(tmp_path: Path, pairs: bool | None) -> None:
    known = {} if pairs is None else {"pairs": pairs}
    tuned = Classifier(save(tmp_path / "model", BINARY, **known), device="cpu")
    assert tuned.pairs is pairs
    (tmp_path / "pairs.csv").write_text("sequence1,sequence2\nACGTTGCA,TTGACA\n")
    (tmp_path / "two.tsv").write_text("a\tb\nACGTTGCA\tTTGACA\n")
    (tmp_path / "single.csv").write_text("sequence\nACGTTGCA\n")
    (tmp_path / "single.fa").write_text(">a\nACGTTGCA\n")
    cases: list[tuple[str, dict[str, Any], bool]] = [
        ("pairs.csv", {}, True),
        ("two.tsv", {"sequence": ("a", "b")}, True),
        ("single.csv", {}, False),
        ("single.fa", {}, False),
        ("two.tsv", {"sequence": "a"}, False),
    ]
    for name, options, is_pair in cases:
        out = tmp_path / "out.parquet"
        if pairs not in {None, is_pair}:
            with pytest.raises(ArgumentError, match=r"trained on"):
                tuned.predict(tmp_path / name, out, force=True, **options)
            continue
        tuned.predict(tmp_path / name, out, force=True, **options)
        parts = [TOKENIZER.encode(text) for text in ["ACGTTGCA", "TTGACA"][: 1 + is_pair]]
        ids = torch.tensor([[1, *(one for part in parts for one in (*part, 2))]])
        with torch.inference_mode():
            logits = tuned._model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
        wanted = logits.double().softmax(-1)[0].tolist()
        (row,) = parquet.read_table(out).to_pylist()
        assert [row["prob_no"], row["prob_yes, sure"]] == pytest.approx(wanted, abs=1e-6)


def test_a_class_is_chosen_where_there_are_more_than_two(tmp_path: Path) -> None:
    tuned = Classifier(save(tmp_path / "model", ("a", "b", "c")), device="cpu")
    (tmp_path / "s.fa").write_bytes(FILES["s.fa"])
    with pytest.raises(ArgumentError, match="bedGraph holds one class; choose one with --class: a, b, c"):
        tuned.predict(tmp_path / "s.fa", tmp_path / "out.bg")
    tuned.predict(tmp_path / "s.fa", tmp_path / "out.bg", class_name="c")
    tuned.predict(tmp_path / "s.fa", tmp_path / "out.parquet")
    values = [float(line.split("\t")[3]) for line in (tmp_path / "out.bg").read_text().splitlines()]
    assert values == parquet.read_table(tmp_path / "out.parquet")["prob_c"].to_pylist()


def test_numbers_and_labels_have_columns_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "s.fa").write_bytes(FILES["s.fa"])
    number = Classifier(save(tmp_path / "number", ("y",), problem_type="regression"), device="cpu")
    number.predict(tmp_path / "s.fa", tmp_path / "n.csv")
    number.predict(tmp_path / "s.fa", tmp_path / "n.bedgraph")
    with open(tmp_path / "n.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["record", "start", "end", "predicted"]
    lines = [line.split("\t") for line in (tmp_path / "n.bedgraph").read_text().splitlines()]
    assert [line[3] for line in lines] == [row["predicted"] for row in rows]
    with pytest.raises(ArgumentError, match="format=bed: holds one class"):
        number.predict(tmp_path / "s.fa", tmp_path / "n.bed")
    folder = save(tmp_path / "labels", ("a", "b"), problem_type="multi_label_classification")
    labels = Classifier(folder, device="cpu")
    labels.predict(tmp_path / "s.fa", tmp_path / "l.jsonl")
    for line in (tmp_path / "l.jsonl").read_text().splitlines():
        row = json.loads(line)
        assert row["predicted"] == ";".join(name for name in "ab" if row[f"prob_{name}"] >= 0.5)
