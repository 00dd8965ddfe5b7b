"""The program `genotok`: its commands, its front page, and its exit codes.

Exit codes: 0 success; 1 something the user can fix (one line on standard error, no traceback) or, with a
traceback, a fault of genotok; 2 wrong usage; 130 interrupted by Ctrl-C; 143 and 129
by SIGTERM and SIGHUP, which do the same.
"""

import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from genotok.cli.commands import (
    check,
    compare,
    convert,
    embed,
    encode,
    evaluate,
    finetune,
    info,
    kmer,
    pack,
    predict,
    pretrain,
    report,
    show,
    study,
    train_bpe,
    truncate,
    verify,
)
from genotok.cli.commands import help as helping
from genotok.cli.commands.gue import gue
from genotok.cli.shared.help_pages import CommandPage, FrontPage, examples
from genotok.cli.shared.messages import complain, note_warnings
from genotok.cli.shared.option_groups import expanded
from genotok.cli.shared.process import exit_code, take_signals, take_streams
from genotok.errors import GenotokError

__all__ = ["app", "main"]

STANDARD_OUTPUT = "standard output"
DESCRIPTION = (
    "Tokenizers and DNABERT-2 encoders for genomes: train exact BPE on whole genomes, encode to Arrow at "
    "0.8 Gbp/s on one CPU core, pre-train, fine-tune and evaluate."
)

app = typer.Typer(
    name="genotok",
    cls=FrontPage,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        import genotok

        print(f"genotok {genotok.__version__}")
        raise typer.Exit


@app.callback(help=DESCRIPTION)
def genotok(
    version: Annotated[
        bool, typer.Option("--version", "-V", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """The options that stand before a command."""


def _add(name: str, panel: str, command: Callable[..., None], lines: Sequence[str]) -> None:
    """Give the program a command, with its examples, in a panel of the front page."""
    app.command(name, cls=CommandPage, rich_help_panel=panel, epilog=examples(*lines))(expanded(command))


_add("train-bpe", "Tokenizers", train_bpe.train_bpe, train_bpe.EXAMPLES)
_add("truncate", "Tokenizers", truncate.truncate, truncate.EXAMPLES)
_add("kmer", "Tokenizers", kmer.kmer, kmer.EXAMPLES)
_add("show", "Tokenizers", show.show, show.EXAMPLES)
_add("info", "Tokenizers", info.info, info.EXAMPLES)
_add("encode", "Encoding", encode.encode, encode.EXAMPLES)
_add("embed", "Encoding", embed.embed, embed.EXAMPLES)
_add("pretrain", "Models", pretrain.pretrain, pretrain.EXAMPLES)
_add("convert", "Models", convert.convert, convert.EXAMPLES)
_add("finetune", "Models", finetune.finetune, finetune.EXAMPLES)
_add("evaluate", "Models", evaluate.evaluate, evaluate.EXAMPLES)
_add("predict", "Models", predict.predict, predict.EXAMPLES)
app.add_typer(gue, name="gue", rich_help_panel="Evidence")
_add("verify", "Encoding", verify.verify, verify.EXAMPLES)
_add("pack", "Corpora", pack.pack, pack.EXAMPLES)
_add("check", "Corpora", check.check, check.EXAMPLES)
_add("study", "Evidence", study.study, study.EXAMPLES)
_add("compare", "Evidence", compare.compare, compare.EXAMPLES)
_add("report", "Evidence", report.report, report.EXAMPLES)
_add("help", "Help", helping.help_page, helping.EXAMPLES)


def main() -> None:
    """Run the program and leave with its exit code."""
    take_streams()
    take_signals()
    code = exit_code(_run())
    try:
        sys.stdout.flush()
    except OSError as error:
        # What was printed last cannot be delivered. A reader that has gone (`| head`) is no news to anyone.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            complain(OSError(error.errno, error.strerror, STANDARD_OUTPUT))
        code = 1
    sys.exit(code)


def _run() -> int | str | None:
    """Run the command named in the arguments; its exit code."""
    note_warnings()
    try:
        app(prog_name="genotok")
    except SystemExit as stop:
        return stop.code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 1
    except (GenotokError, OSError, MemoryError, UnicodeError) as error:
        if not _is_of_standard_output(error):
            complain(error)
        return 1
    return 0


def _is_of_standard_output(error: BaseException) -> bool:
    """Whether printing failed, and will again: `main` says so, with the name that the system leaves out."""
    if not isinstance(error, OSError) or error.filename not in {None, STANDARD_OUTPUT}:
        return False
    try:
        sys.stdout.flush()
    except OSError as again:
        return again.errno == error.errno
    return False
