"""Bars for whoever waits."""

from __future__ import annotations

import io
import sys

import pytest

from residua import progress
from residua.progress import advance, bar, extend, separate_bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


def terminal(monkeypatch):
    """The error output as a terminal, on which bars appear at once."""
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", seen := Terminal())
    return seen


def shown(hold):
    """Wait until the bar is there."""
    hold._timer.join()
    return hold


def test_a_bar_shows_how_much_is_done_and_the_time_left(monkeypatch):
    seen = terminal(monkeypatch)
    with bar("Pictures", 8):
        shown(progress._current.get())
        advance(2)
    assert "Pictures" in seen.getvalue()
    assert "25 %" in seen.getvalue()
    assert "left" in seen.getvalue()
    assert progress._current.get() is None


def test_a_bar_within_a_bar_is_part_of_it(monkeypatch):
    terminal(monkeypatch)
    with bar("Report", 10):
        outer = progress._current.get()
        with bar("Pictures", 4):
            assert progress._current.get() is outer
            advance(4)
        extend(6)
        assert (outer.done, outer.total) == (4, 16)


def test_a_short_job_has_none(monkeypatch):
    monkeypatch.setattr(sys, "stderr", seen := Terminal())
    with bar("Pictures", 8):
        advance(8)
    assert not seen.getvalue()


def test_a_pipe_has_none(monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(sys, "stderr", seen := io.StringIO())
    with bar("Pictures", 8), separate_bar("Files", None) as own:
        assert own is None
        advance()
        extend(1)
    assert not seen.getvalue()


def test_output_that_goes_elsewhere_stays_as_it_is(monkeypatch):
    seen = terminal(monkeypatch)
    monkeypatch.setattr(sys, "stdout", file := io.StringIO())
    with separate_bar("Files", None) as own:
        shown(own).set(1, 2)
        print("a result")
    assert file.getvalue() == "a result\n"
    assert "a result" not in seen.getvalue()


def test_a_bar_is_gone_after_an_error(monkeypatch):
    seen = terminal(monkeypatch)

    def interrupted():
        with bar("Pictures", 8):
            shown(progress._current.get())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert progress._current.get() is None
    assert "\x1b[?25h" in seen.getvalue(), "the cursor is back"
