"""The command that repeats a run."""

from __future__ import annotations

from residua.config import TrainConfig
from residua.config.options import chosen_options, configure
from residua.insight.report.command import repeat_command


def config(**options):
    return configure(TrainConfig, {"data": "my pictures"} | options)


def test_only_what_is_not_the_default_is_written():
    chosen = config(rate=0.5, epochs=3, nesterov=True, run="runs/x", threads=2)
    words = repeat_command(chosen)
    assert words.startswith("residua train 'my pictures' ")
    assert "--rate 0.5" in words
    assert "--epochs 3" in words
    assert "--run" not in words
    assert "--threads" not in words
    assert {"rate", "epochs"} <= set(chosen_options(chosen))


def test_numbers_of_pictures_are_written_whole():
    assert "--validation 5000" in repeat_command(config(validation=5000.0))
