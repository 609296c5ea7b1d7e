"""A figure that draws every text as it is written: no formulas, no empty boxes, whoever draws it."""

from __future__ import annotations

import contextlib
import re
import warnings
from typing import Any

from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator, LogFormatterMathtext, LogFormatterSciNotation

from residua.insight.shared.fonts import drawable, families

_SUPERSCRIPT = str.maketrans("0123456789-\N{MINUS SIGN}.+", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻·⁺")


class PlainFigure(Figure):
    """Matplotlib reads text between two dollar signs as a formula, and takes one font for all letters."""

    _saving = False

    def savefig(self, *arguments: Any, **options: Any) -> None:
        """As any figure, drawn once: Matplotlib would draw it a first time without ink to find its layout."""
        self._saving = True
        try:
            super().savefig(*arguments, **options)
        finally:
            self._saving = False

    def draw(self, renderer: Any) -> None:
        """As any figure, once all its text is plain."""
        for axis in self.findobj(Axis):
            _plain_ticks(axis)
        for text in self.findobj(Text):
            _plain_text(text)
        with warnings.catch_warnings():
            # Text that is wider than the figure is cut; there is nothing that anybody could do.
            warnings.filterwarnings("ignore", "constrained_layout not applied")
            layout = self.get_layout_engine()
            if self._saving and isinstance(layout, ConstrainedLayoutEngine):
                # The layout measures what it arranges by itself, and is switched off when ink is drawn.
                with contextlib.suppress(ValueError):  # as Matplotlib does: what cannot be arranged stays
                    if self.axes:
                        layout.execute(self)
            else:
                super().draw(renderer)


class PlainPowers(LogFormatterSciNotation):
    """Powers as on any logarithmic axis, but in letters: 10\N{SUPERSCRIPT TWO}, not a formula."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """A tick's label."""
        return _without_formula(super().__call__(x, pos))


def _without_formula(label: str) -> str:
    inner = label.replace("{-", "{\N{MINUS SIGN}", 1) if label.startswith(r"$\mathdefault{-") else label
    inner = inner.removeprefix(r"$\mathdefault{").removesuffix("}$").replace(r"\times", "×")
    return re.sub(r"\^\{([^}]*)\}", lambda match: match[1].translate(_SUPERSCRIPT), inner)


def _plain_ticks(axis: Axis) -> None:
    for formatter, change in (
        (axis.get_major_formatter(), axis.set_major_formatter),
        (axis.get_minor_formatter(), axis.set_minor_formatter),
    ):
        if isinstance(formatter, LogFormatterMathtext) and not isinstance(formatter, PlainPowers):
            plain = PlainPowers(labelOnlyBase=formatter.labelOnlyBase)
            plain.__dict__.update(formatter.__dict__)
            change(plain)
    if isinstance(axis.get_major_locator(), FixedLocator):
        labels = [label.get_text() for label in axis.get_ticklabels()]
        if (plain_labels := [drawable(label) for label in labels]) != labels:
            axis.set_ticklabels(plain_labels)
    for label in axis.get_ticklabels(which="both"):  # makes them too, so that they are found below
        label.set_parse_math(False)


def _plain_text(text: Text) -> None:
    text.set_parse_math(False)
    text.set_usetex(False)
    written = text.get_text()
    if written.isascii() and written.replace("\n", "").isprintable():
        return
    if (plain := drawable(written)) != written:
        text.set_text(plain)
    if more := [family for family in families(plain) if family not in text.get_fontfamily()]:
        text.set_fontfamily([*text.get_fontfamily(), *more])
