"""Commands side by side: their output, their order, and what one that fails does to the others."""

import os
import signal
import subprocess
import sys
import time

import pytest

from mosaic.errors import MosaicError
from mosaic.reporting import side_by_side


def command(code: str) -> list[str]:
    return [sys.executable, "-c", f"import pathlib, sys, time\n{code}"]


def test_output_comes_as_commands_end_and_progress_passes_through(capfd, tmp_path):
    sign = tmp_path / "sign"
    waits = command(f"while not pathlib.Path({str(sign)!r}).exists(): time.sleep(0.02)\ntime.sleep(1)\nprint('first')")
    signs = command(f"print('one line', file=sys.stderr); print('second'); pathlib.Path({str(sign)!r}).touch()")
    assert list(side_by_side.run([waits, signs], at_once=2)) == ["second\n", "first\n"]
    assert capfd.readouterr().err == "one line\n"


def test_no_more_than_asked_run_at_once(tmp_path):
    log = tmp_path / "log"
    writes = [
        command(
            f"f = open({str(log)!r}, 'a'); print('b', end='', file=f, flush=True); time.sleep(0.2); print('e', end='', file=f)"
        )
        for _ in range(3)
    ]
    assert len(list(side_by_side.run(writes, at_once=1))) == 3
    assert log.read_text() == "bebebe"


def test_the_first_that_fails_ends_the_others_and_its_error_is_raised(capfd):
    fails = command("print('error: no disk\\n  second line', file=sys.stderr); sys.exit(1)")
    began = time.monotonic()
    with pytest.raises(MosaicError, match="^no disk\n  second line$"):
        list(side_by_side.run([command("time.sleep(60)"), fails], at_once=2))
    assert time.monotonic() - began < 30 and "no disk" not in capfd.readouterr().err


def test_a_command_that_ends_without_a_word_is_named():
    with pytest.raises(MosaicError, match=r"ended with 3 and said nothing"):
        list(side_by_side.run([command("sys.exit(3)")], at_once=1))


def test_told_to_end_it_ends_its_commands_too(tmp_path):
    sign = tmp_path / "pid"
    inner = f"import os, time; open({str(sign)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    code = (
        f"from mosaic.reporting import side_by_side\nlist(side_by_side.run([[{sys.executable!r}, '-c', {inner!r}]], 1))"
    )
    outer = subprocess.Popen([sys.executable, "-c", code])
    while not (sign.exists() and sign.read_text()):
        time.sleep(0.05)
    outer.terminate()
    assert outer.wait(30) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(int(sign.read_text()), 0)


def test_commands_share_the_cores(monkeypatch):
    """Two with two threads each, on two cores, had not ended in eight minutes what takes four one after the other; and
    two that each fit in two more processes are six processes on two cores."""
    monkeypatch.setattr(side_by_side, "cores", lambda: 8)
    told = command("import os; print(os.environ['OMP_NUM_THREADS'], os.environ['LOKY_MAX_CPU_COUNT'])")
    for at_once, share in ((1, "8 8\n"), (3, "2 2\n"), (20, "1 1\n")):
        assert list(side_by_side.run([told], at_once)) == [share]
