"""Figures draw text as it is written."""

from __future__ import annotations

import io
import re
import warnings
from pathlib import Path

import matplotlib
import odd_names
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

import residua.insight
from residua.insight.shared.plain_figure import PlainFigure
from residua.insight.shared.plotting import new_figure, save_figure

FORMULA = r"$x_ \frac{ $"


def drawn(figure, kind="png"):
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.savefig(buffer, format=kind)
    return buffer.getvalue()


def test_no_text_of_a_figure_is_read_as_a_formula():
    figure = new_figure(6, 4)
    left, right = figure.subplots(1, 2)
    left.barh([0, 1], [1, 2], label=FORMULA)
    left.set_yticks([0, 1], [FORMULA, "$5-$10"])
    left.set_title(FORMULA)
    left.set_title(FORMULA, loc="left")
    left.text(0, 0, FORMULA)
    left.annotate(FORMULA, (0, 0))
    left.legend(title=FORMULA)
    right.set_xlabel(FORMULA)
    right.set_ylabel(FORMULA)
    figure.suptitle(FORMULA)
    figure.supxlabel(FORMULA)
    for kind in ("png", "svg", "pdf"):
        drawn(figure, kind)
    assert not any(text.get_parse_math() for text in figure.findobj(Text))
    assert left.get_yticklabels()[1].get_text() == "$5-$10"


def test_every_name_can_be_drawn():
    figure = new_figure(3, 3)
    axes = figure.subplots()
    axes.set_yticks(range(len(odd_names.ALL)), odd_names.ALL)
    axes.set_title("\n".join(odd_names.ALL), fontweight="bold")  # far too wide, too
    drawn(figure)


def test_powers_are_drawn_in_letters():
    figure = new_figure(3, 3)
    axes = figure.subplots()
    axes.plot([-1, 1], [1e-3, 1000])
    axes.set_yscale("log")
    axes.set_xscale("symlog", linthresh=0.01)
    drawn(figure)
    assert "10⁻³" in [label.get_text() for label in axes.get_yticklabels()]
    assert "\N{MINUS SIGN}10⁰" in [label.get_text() for label in axes.get_xticklabels()]
    assert not any("$" in text.get_text() for text in figure.findobj(Text))


def test_few_decades_have_ticks_between_powers():
    figure = new_figure(3, 3)
    axes = figure.subplots()
    axes.plot([1, 2], [0.2, 0.5])
    axes.set_yscale("log")
    drawn(figure)
    assert "2×10⁻¹" in [label.get_text() for label in axes.get_yticklabels(which="both")]


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_a_saved_figure_is_drawn_once_and_looks_as_if_drawn_twice(monkeypatch, kind):
    monkeypatch.setitem(matplotlib.rcParams, "svg.hashsalt", "the same")
    saved, calls = [], []
    draw = Axes.draw
    monkeypatch.setattr(Axes, "draw", lambda self, renderer: calls.append(self) or draw(self, renderer))
    for save in (PlainFigure.savefig, Figure.savefig):
        figure = new_figure(4, 3)
        left, right = figure.subplots(1, 2)
        figure.colorbar(left.imshow([[0, 1, 3], [2, 3, 9]], aspect="auto"), ax=left, label="how much")
        right.plot([1, 30, 900], label="a line")
        right.set_yscale("log")
        right.set_title("a long title over one of two axes")
        right.legend()
        figure.suptitle("both")
        buffer = io.BytesIO()
        save(figure, buffer, format=kind, metadata={"Date": None} if kind == "svg" else None)
        saved.append(buffer.getvalue())
        saved.append(len(calls))
        calls.clear()
    assert saved[0] == saved[2]
    assert (saved[1], saved[3]) == (3, 6)


def test_every_figure_of_the_house_is_a_plain_one(tmp_path):
    assert isinstance(new_figure(1, 1), PlainFigure)
    save_figure(new_figure(1, 1), tmp_path / "$a_$.png")
    for path in Path(residua.insight.__file__).parent.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"pyplot|= Figure\(", source), path
    assert issubclass(PlainFigure, Figure)
