"""Long work is seen to be alive: a bar on a terminal, a line now and then in a log, nothing in a notebook."""

import io
import sys
import threading
import time

import pytest

from mosaic import progress
from mosaic.progress import Progress, announce


def until(true, seconds=5.0):
    """Wait until something holds, at most so long."""
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.005)
    return true()


def test_a_line_says_how_far_how_fast_and_how_long():
    now = [100.0]
    work = Progress("extracting", 8500, clock=lambda: now[0])
    now[0] += 30
    assert work.line() == "extracting: 0 of 8,500 texts (0 %), 0:30 so far"
    work.advance(1275, 69300)
    assert work.line() == "extracting: 1,275 of 8,500 texts (15 %), 2,310 tokens/s, 0:30 so far, about 2:50 left"
    now[0] += 3630
    assert work.line().endswith("19 tokens/s, 1:01:00 so far, about 5:45:40 left")
    work.advance(8500 - 1275)
    assert "(100 %)" in work.line() and "left" not in work.line()


def test_what_an_interrupted_run_left_does_not_count_as_speed():
    now = [0.0]
    work = Progress("training", 100, "steps", done=90, clock=lambda: now[0])
    now[0] = 60
    work.advance(1)
    assert work.line() == "training: 91 of 100 steps (91 %), 1:00 so far, about 9:00 left"


def test_without_a_terminal_one_long_step_is_a_line_now_and_then(monkeypatch):
    """Nothing advances, as in a fit of hundreds of classes: it is said all the same."""
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    with Progress("probing", 31, "settings", every=0.02):
        assert until(lambda: log.getvalue().count("\n") >= 3)
    said = log.getvalue()
    assert set(said.splitlines()) == {"probing: 0 of 31 settings (0 %), 0:00 so far"}
    time.sleep(0.06)
    assert log.getvalue() == said, "the end is the end"
    assert not [thread for thread in threading.enumerate() if "progress" in thread.name]


def test_work_of_unknown_length_says_the_time(monkeypatch):
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    with Progress("comparing", every=0.02):
        assert until(lambda: "comparing: 0:00 so far\n" in log.getvalue())


def test_short_work_says_nothing(monkeypatch):
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    with Progress("probing", 3) as work:
        work.advance(3)
    assert log.getvalue() == ""
    assert progress.LINE_SECONDS == 30


def test_an_error_ends_it(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with pytest.raises(KeyboardInterrupt), Progress("probing", 3, every=0.01) as work:
        raise KeyboardInterrupt
    assert work.ended.is_set() and work.watcher is None


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_on_a_terminal_a_bar_appears_even_if_nothing_advances(monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with Progress("[probing]", 31, "settings") as work:
        assert until(lambda: "[probing]" in screen.getvalue())
        work.advance(7)
        assert until(lambda: "7/31" in screen.getvalue())
    assert "so far" not in screen.getvalue()


def test_a_notebook_stays_clean(monkeypatch):
    class OutStream(io.StringIO):
        __module__ = "ipykernel.iostream"

    cell = OutStream()
    monkeypatch.setitem(sys.modules, "ipykernel", object())
    monkeypatch.setattr(sys, "stderr", cell)
    announce("assigning")
    with Progress("probing", 3, every=0.01):
        time.sleep(0.05)
    assert cell.getvalue() == ""


def test_announcements_reach_a_log(capsys):
    announce("assigning 16,384 latents")
    assert capsys.readouterr().err == "assigning 16,384 latents\n"
