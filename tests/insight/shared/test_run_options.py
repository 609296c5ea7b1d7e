"""The options in which runs differ."""

from __future__ import annotations

from residua.config import TrainConfig
from residua.config.options import configure
from residua.insight.shared.run_options import differing_options, flat_options


def run(**options):
    return configure(TrainConfig, {"data": "digits"} | options)


def test_only_what_differs_is_named_and_nothing_of_where_it_ran():
    runs = [run(rate=0.1, threads=1), run(rate=0.2, threads=2), run(rate=0.1, seed=3)]
    named = differing_options(runs)
    assert [own["rate"] for own in named] == [0.1, 0.2, 0.1]
    assert all(set(own) == {"rate", "seed"} for own in named)
    assert all(len(own) == 1 for own in differing_options(runs, most=1))
    assert differing_options([]) == []
    assert flat_options(runs[1])["threads"] == 2


def test_names_are_those_of_the_flags():
    named = differing_options([run(), run(resized_crop=0.5)])
    assert [own["resized-crop"] for own in named] == [0.0, 0.5]
