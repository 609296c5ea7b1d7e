"""Figures without a display: written durably, the same bytes whenever they are the same."""

from __future__ import annotations

from PIL import Image

from residua.insight.shared.plotting import PALETTE, new_figure, save_figure, tidy, whole_ticks


def test_a_figure_is_written_the_same_every_time(tmp_path):
    def draw(name):
        figure = new_figure(3, 2)
        axes = figure.subplots()
        tidy(axes)
        axes.plot([1, 2, 3], [1, 4, 9], color=PALETTE[0])
        whole_ticks(axes.xaxis)
        return save_figure(figure, tmp_path / name)

    one, other = draw("one.png"), draw("other.png")
    assert one.read_bytes() == other.read_bytes()
    with Image.open(one) as image:
        assert image.size == (360, 240)


def test_ticks_are_whole_numbers():
    axes = new_figure(3, 2).subplots()
    axes.plot([0, 1, 2], [0, 1, 2])
    whole_ticks(axes.xaxis)
    assert all(float(tick).is_integer() for tick in axes.get_xticks())
