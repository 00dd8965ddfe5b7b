"""The program `genotok`: its commands, its front page, and its exit codes.

Exit codes: 0 success; 1 something the user can mend (one line on standard error, no traceback) or, with a
traceback, a fault of genotok; 2 wrong usage; 130 interrupted by Ctrl-C; 143 and 129
by SIGTERM and SIGHUP, which do the same.
"""

import os
import sys
from typing import Annotated

import typer

from genotok.cli.commands.check import check
from genotok.cli.commands.compare import compare
from genotok.cli.commands.convert import convert
from genotok.cli.commands.embed import embed
from genotok.cli.commands.encode import encode
from genotok.cli.commands.evaluate import evaluate
from genotok.cli.commands.finetune import finetune
from genotok.cli.commands.gue import gue
from genotok.cli.commands.help import help_page
from genotok.cli.commands.info import info
from genotok.cli.commands.kmer import kmer
from genotok.cli.commands.pack import pack
from genotok.cli.commands.predict import predict
from genotok.cli.commands.pretrain import pretrain
from genotok.cli.commands.report import report
from genotok.cli.commands.show import show
from genotok.cli.commands.study import study
from genotok.cli.commands.train_bpe import train_bpe
from genotok.cli.commands.truncate import truncate
from genotok.cli.commands.verify import verify
from genotok.cli.shared.help_pages import CommandPage, FrontPage, examples
from genotok.cli.shared.messages import complain, note_warnings
from genotok.cli.shared.process import exit_code, take_signals, take_streams
from genotok.errors import GenotokError

__all__ = ["app", "main"]

STANDARD_OUTPUT = "standard output"

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


@app.callback()
def genotok(
    version: Annotated[
        bool, typer.Option("--version", "-V", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Exact byte-pair tokenizers for genomes."""


app.command(
    "train-bpe",
    cls=CommandPage,
    rich_help_panel="Tokenizers",
    epilog=examples(
        "genotok train-bpe --vocab 4096 genomes/*.fa",
        "genotok train-bpe --both-strands -o human.json GRCh38.fa.gz",
        "zcat reads.fq.gz | genotok train-bpe --max-token-length 64 -",
        "genotok train-bpe corpus.pack --resume",
        "genotok train-bpe --vocab 4096 shards/ --ray local --workers 4",
    ),
)(train_bpe)
app.command(
    "truncate",
    cls=CommandPage,
    rich_help_panel="Tokenizers",
    epilog=examples("genotok truncate tokenizer.json --vocab 1024 -o small.json"),
)(truncate)
app.command(
    "kmer",
    cls=CommandPage,
    rich_help_panel="Tokenizers",
    epilog=examples(
        "genotok kmer -k 6 -o kmer6.json",
        "genotok kmer -k 6 --no-overlap -o transformer.json",
        "genotok kmer -k 12 --canonical -o canonical12.json",
    ),
)(kmer)
app.command(
    "show",
    cls=CommandPage,
    rich_help_panel="Tokenizers",
    epilog=examples(
        "genotok show ACGTTGCAACGTTTTTTTTT",
        "genotok show -t human.json --steps GATTACAGATTACA",
        "head -5 genomes/lambda_phage.fa | genotok show -",
    ),
)(show)
app.command(
    "info",
    cls=CommandPage,
    rich_help_panel="Tokenizers",
    epilog=examples(
        "genotok info",
        "genotok info tokenizer.json",
        "genotok info shards",
        "genotok info --model dnabert2-117m",
    ),
)(info)
app.command(
    "encode",
    cls=CommandPage,
    rich_help_panel="Encoding",
    epilog=examples(
        "genotok encode genomes/*.fa -o genomes.arrow",
        "genotok encode -t human.json --window 1000 'assemblies/*.fa.gz' -o shards/ --shard-size 500M",
        "genotok encode --region chr20:1-1,000,000 --format bed GRCh38.fa.gz -o -",
        "zcat reads.fq.gz | genotok encode - -o - > reads.arrows",
    ),
)(encode)
app.command(
    "embed",
    cls=CommandPage,
    rich_help_panel="Encoding",
    epilog=examples(
        "genotok embed --model dnabert2/ reads.fq.gz -o reads.parquet",
        "genotok embed --model dnabert2/ --window 5000 genome.fa -o windows.parquet",
        "genotok embed --model dnabert2/ --pooling cls train.csv -o train.parquet",
    ),
)(embed)
app.command(
    "pretrain",
    cls=CommandPage,
    rich_help_panel="Models",
    epilog=examples(
        "genotok pretrain genomes/*.fa -o model",
        "genotok pretrain shards/ --preset small --set learning_rate=5e-4 -o model",
        "genotok pretrain chr*.fa.gz --hold-out chr20 --hold-out chr21 -o model --resume",
        "torchrun --nproc-per-node 8 -m genotok pretrain shards/ --preset dnabert2 -o model",
    ),
)(pretrain)
app.command(
    "convert",
    cls=CommandPage,
    rich_help_panel="Models",
    epilog=examples(
        "hf download zhihan1996/DNABERT-2-117M --local-dir published",
        "genotok convert published -o dnabert2",
    ),
)(convert)
app.command(
    "finetune",
    cls=CommandPage,
    rich_help_panel="Models",
    epilog=examples(
        "genotok finetune my_data/ --model model -o results",
        "genotok finetune my_data/ --problem-type regression --label expression --model model -o results",
        "genotok finetune GUE/ --task mouse_0 --task prom_core_tata --model dnabert2/ -o results",
        "genotok finetune GUE/ --model model --preset tiny --seeds 1,2,3,4,5 -o results",
    ),
)(finetune)
app.command(
    "evaluate",
    cls=CommandPage,
    rich_help_panel="Models",
    epilog=examples("genotok evaluate test.csv --model results/my_data/model"),
)(evaluate)
app.command(
    "predict",
    cls=CommandPage,
    rich_help_panel="Models",
    epilog=examples("genotok predict new.csv --model results/my_data/model -o predictions.parquet"),
)(predict)
app.add_typer(gue, name="gue", rich_help_panel="Evidence")
app.command(
    "verify",
    cls=CommandPage,
    rich_help_panel="Encoding",
    epilog=examples(
        "genotok verify shards",
        "genotok verify genome.arrow",
        "genotok verify shards --against human.json --inputs",
    ),
)(verify)
app.command(
    "pack",
    cls=CommandPage,
    rich_help_panel="Corpora",
    epilog=examples(
        "genotok pack genomes/*.fa.gz -o corpus.pack",
        "genotok pack 'assemblies/*.fa.gz' -o shards/ --shard-size 512M --verify",
        "genotok train-bpe --vocab 4096 shards/ --memory 2G",
    ),
)(pack)
app.command(
    "check",
    cls=CommandPage,
    rich_help_panel="Corpora",
    epilog=examples(
        "genotok check genomes/*.fa",
        "genotok check --strict --limit 20 reads.fq.gz",
        "genotok check --json downloads/*.fna.gz > report.json",
    ),
)(check)
app.command(
    "study",
    cls=CommandPage,
    rich_help_panel="Evidence",
    epilog=examples(
        "genotok study tokenizer.json genomes/*.fa",
        "genotok study tokenizer.json yeast='genomes/yeast*.fa' --vocab 256,1024,4096 -o records/",
        "genotok study --train a=yeast.fa --train b=chr20.fa.gz yeast.fa chr20.fa.gz --json",
    ),
)(study)
app.command(
    "compare",
    cls=CommandPage,
    rich_help_panel="Evidence",
    epilog=examples(
        "genotok compare tokenizer.json genomes/*.fa --gue GUE/ -o compared",
        "genotok compare a.json b.json chr20.fa.gz --gue GUE/ --task mouse_2 --kmers 6 -o compared",
        "genotok compare human.json chr20.fa.gz --gue my_data/ --set pretrain.steps=1000 -o compared",
    ),
)(compare)
app.command(
    "report",
    cls=CommandPage,
    rich_help_panel="Evidence",
    epilog=examples(
        "genotok report model results -o report.html",
        "genotok report records/ -o report.html",
        "genotok report records/ -t tokenizer.json -t kmer:6 --sequence GATTACAGATTACA -o report.html",
    ),
)(report)


app.command(
    "help",
    cls=CommandPage,
    rich_help_panel="Help",
    epilog=examples("genotok help encode", "genotok help gue audit", "genotok help --man | man -l -"),
)(help_page)


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
