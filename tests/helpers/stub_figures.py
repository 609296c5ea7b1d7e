"""Figures that are made and not drawn: most of a verb's time, where a test is about what it says."""

from __future__ import annotations

import io

import pytest
from PIL import Image

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"></svg>'


@pytest.fixture
def stub_figures(monkeypatch):
    """Every figure is saved as a picture of one pixel."""
    stream = io.BytesIO()
    Image.new("RGB", (1, 1)).save(stream, "PNG")

    def save(figure, target, *, format, **_):
        target.write(SVG if format == "svg" else stream.getvalue())

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", save)
