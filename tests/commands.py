"""The command line as users meet it, run in this process: its output, its errors, its exit code."""

import contextlib
import io
import os
import sys
from dataclasses import dataclass
from unittest import mock

from mosaic import cli


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def mosaic(*arguments, cwd=None, **environment) -> Done:
    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        contextlib.chdir(cwd or "."),
        mock.patch.object(sys, "argv", ["mosaic", *map(str, arguments)]),
        mock.patch.dict(os.environ, environment),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
    return Done(code, out.getvalue(), err.getvalue())
