"""The command line: one module a group of commands, each command a thin call of the floors below.

Nothing heavy is imported before a command runs.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys

import typer

from mosaic.cli import (
    benching,
    choosing,
    comparing,
    exploring,
    fetching,
    hypothesising,
    labelling,
    mini,
    naming,
    planning,
    predicting,
    probing,
    recorded,
    reproducing,
    saes,
    scoring_names,
    serving,
    showing,
    training,
)
from mosaic.errors import MosaicError
from mosaic.files import CURES, refusal
from mosaic.printable import printable

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Rerun, check and extend what is published on classifying text with sparse-autoencoder features. "
    "Add --debug to any command for a traceback.",
)
for group in (
    reproducing,
    probing,
    predicting,
    showing,
    benching,
    choosing,
    comparing,
    exploring,
    hypothesising,
    labelling,
    saes,
    training,
    planning,
    fetching,
    serving,
):
    app.add_typer(group.app)
app.add_typer(mini.app, name="mini")
app.add_typer(recorded.app, name="results")
for group in (scoring_names, choosing):
    naming.app.add_typer(group.app)
app.add_typer(naming.app, name="names")

INTERRUPTED = 130  # the shell's code for a command stopped by the keyboard
PIPE_CLOSED = 141


def main() -> None:
    """Run the command line: a user's error is one message and exit code 1, a wrong call exit code 2."""
    debug = "--debug" in sys.argv
    sys.argv = [argument for argument in sys.argv if argument != "--debug"]
    _prepare_streams()
    try:
        app(prog_name="mosaic")
    except SystemExit as end:
        if end.code != INTERRUPTED:
            raise
        sys.exit(_fail("interrupted; finished work is kept and the same command resumes.", INTERRUPTED))
    except BrokenPipeError:
        _silence(sys.stdout)
        sys.exit(PIPE_CLOSED)
    except Exception as error:
        if debug:
            raise
        sys.exit(_fail(explain(error)))


def explain(error: Exception) -> str:
    """One message for what ended a command: the user's error, the machine's limits, or a bug of ours."""
    if isinstance(error, MosaicError):
        return str(error)
    if refusal(error) is not None:
        _silence(sys.stdout)  # what could not be written would be tried once more at the exit
        return f"cannot write {getattr(error, 'filename', None) or 'the output'}: {CURES[refusal(error)]}"
    if isinstance(error, MemoryError) or "out of memory" in str(error) or "can't allocate memory" in str(error):
        return "there is not enough memory. Give fewer layers, poolings or texts; `mosaic plan` estimates what a run needs."
    return (
        f"this is a bug in mosaic, not a mistake of yours: {type(error).__name__}: {error}\n"
        "Please report it to the project, with the command and what it prints when you add --debug."
    )


def _fail(message: str, code: int = 1) -> int:
    print(f"error: {printable(message)}", file=sys.stderr)
    return code


class _Warnings(logging.Handler):
    """Warnings as one plain line on standard error, whatever that is by now."""

    def emit(self, record: logging.LogRecord) -> None:
        print(printable(f"mosaic: {record.getMessage()}"), file=sys.stderr)


def _prepare_streams() -> None:
    """Warnings in one form; a letter that the terminal's encoding lacks is escaped, never an error."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the shell: >&-
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    root = logging.getLogger()
    if not any(isinstance(handler, _Warnings) for handler in root.handlers):
        root.addHandler(_Warnings(logging.WARNING))
    for name in ("huggingface_hub", "httpx", "httpx2", "datasets", "transformers"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _silence(stream) -> None:
    """Nothing more goes to a stream that cannot take it, not even at the exit."""
    with contextlib.suppress(OSError), open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())
