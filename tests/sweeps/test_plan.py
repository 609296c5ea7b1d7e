"""The file of a sweep: what varies, what does not, and every way in which it can be wrong."""

from __future__ import annotations

import pytest
from documents import ROOT, blocks, read

from residua.config import SweepFileConfig
from residua.errors import ConfigError
from residua.sweeps.plan import read_plan
from residua.sweeps.space import Choice, Range

GRID = '[sweep]\nsampler = "grid"\n'
SPACE = "[space]\nrate = [0.1, 0.01]\n"


@pytest.fixture
def plan_of(tmp_path):
    def read(text):
        path = tmp_path / "two.toml"
        path.write_text(text, encoding="utf-8")
        return read_plan(path)

    return read


def test_ranges_choices_and_sets_of_options(plan_of):
    plan = plan_of(
        """
        [train]
        data = "digits"
        optimizer.momentum = 0.8
        [space]
        rate = { low = 0.001, high = 1, log = true }
        width = { low = 2, high = 9, step = 3 }
        hidden = [[], [8, 4]]
        start = { scratch = {}, transferred = { from = "base.safetensors", freeze = "all" } }
        """
    )
    rate, width, hidden, _ = plan.space
    assert rate == Range("rate", 0.001, 1, log=True)
    assert (width.whole, width.low, width.high, width.step) == (True, 2, 8, 3)
    assert isinstance(hidden, Choice)
    assert hidden.labels == ("none", "8 4")
    assert (plan.name, plan.search, plan.trials) == ("two", SweepFileConfig(), 20)
    options = plan.options({"rate": 0.5, "width": 5, "hidden": "8 4", "start": "transferred"})
    assert options == {
        "data": "digits",
        "momentum": 0.8,
        "rate": 0.5,
        "width": 5,
        "hidden": (8, 4),
        "from_": "base.safetensors",
        "freeze": "all",
    }
    scratch = plan.config({"rate": 0.5, "width": 5, "hidden": "none", "start": "scratch"}, plan_of, 3)
    assert (scratch.transfer.from_, scratch.model.hidden, scratch.run.threads) == (None, (), 3)
    assert scratch.run.final_test is False


def test_threads_of_the_file_count(plan_of, tmp_path):
    plan = plan_of("[train]\nthreads = 1\n" + SPACE)
    assert plan.config({"rate": 0.1}, tmp_path, 8).run.threads == 1


def test_a_grid_has_every_combination_once(plan_of):
    plan = plan_of(
        GRID + "[space]\nrate = { low = 0.001, high = 0.1, log = true, count = 3 }\n"
        "width = { low = 4, high = 5 }\nflip = [true, false]\n"
        "smoothing = { low = 0.0, high = 0.1, step = 0.05 }"
    )
    every = [plan.grid(number) for number in range(plan.trials)]
    assert plan.trials == len({tuple(values.items()) for values in every}) == 36
    assert every[0] == {"rate": 0.001, "width": 4, "flip": True, "smoothing": 0.0}
    assert every[1] == {"rate": 0.001, "width": 4, "flip": True, "smoothing": 0.05}
    assert {values["rate"] for values in every} == {0.001, 0.01, 0.1}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[space]\nrat = [1]", "[space] there is no option 'rat'. Did you mean 'rate'"),
        ("[train]\nepoch = 3\n" + SPACE, "[train] there is no option 'epoch'. Did you mean 'epochs'"),
        ("[sweep]\ntrial = 3\n" + SPACE, "[sweep] there is no option 'trial'. Did you mean 'trials'"),
        ("[spce]\nrate = [1]", "there is no section [spce] in a sweep. Did you mean 'space'"),
        ("rate = [1]", "there is no section [rate] in a sweep"),
        ("sweep = 3", "sweep is a section, [sweep]"),
        ("[train]\nepochs = 3", "nothing varies: [space] names the options"),
        ("[space]\nrate = { low = 1, high = 0.1 }", "the range is empty: low = 1 is above high = 0.1"),
        ("[space]\nrate = []", "rate = [] is an empty choice"),
        ("[space]\nrate = 0.1", "rate takes [A, B, ...] or {low = A, high = B}; it was given 0.1"),
        ("[space]\nrate = { low = 1 }", "high is missing"),
        ("[space]\nrate = { low = 1, hgh = 2 }", "a range has no 'hgh'. Did you mean 'high'"),
        ("[space]\nrate = { low = 0, high = 2, log = true }", "begins above 0; low is 0"),
        ("[space]\nrate = { low = 1, high = 2, log = 1 }", "log takes true or false"),
        ("[space]\nrate = { low = 'a', high = 2 }", "low takes a number; it was given 'a'"),
        ("[space]\nrate = { low = 1, high = inf }", "high takes a number; it was given inf"),
        ("[space]\nrate = { low = 1, high = 2, step = 0 }", "step takes a number above 0"),
        ("[space]\nrate = { low = 1, high = 2, step = 1, log = true }", "leave out step or log"),
        ("[space]\nrate = { low = 1, high = 2, step = 1, count = 2 }", "step and count say the same"),
        ("[space]\nwidth = { low = 1.5, high = 2 }", "low takes a whole number; it was given 1.5"),
        ("[space]\nrate = [0.1, 2000]", "--rate takes above 0 and at most 1000; it was given 2000"),
        ("[space]\nrate = [0.1, 0.1]", "names a value twice"),
        ("[space]\nflip = [1, true]", "names a value twice"),
        ("[space]\nflip = ['yes']", "--flip takes true or false; it was given 'yes'"),
        ("[space]\nstart = { a = {}, b = { epoch = 2 } }", "start: there is no option 'epoch'"),
        ("[space]\nrun = ['a']", "a sweep sets run itself"),
        ("[train]\nfinal-test = true\n" + SPACE, "[train] final_test: a sweep says that itself"),
        ("[train]\nrate = 1\n" + SPACE, "--rate is set twice, by [train] and by [space] rate"),
        (SPACE + "start = { a = { rate = 1 } }", "--rate is set twice, by [space] rate and by [space] start"),
        ("[train]\nvalidation = 0\n" + SPACE, "a sweep chooses by validation accuracy"),
        (GRID + "[space]\nrate = { low = 0.1, high = 1 }", "a grid takes its range in steps: add count = 5"),
        (GRID + "trials = 3\n" + SPACE, "a grid tries every combination"),
        (GRID + "[space]\nseed = { low = 0, high = 999999 }", "the grid has 1,000,000 combinations"),
        ("[sweep]\nsampler = 'rnd'\n" + SPACE, "--sampler takes 'tpe' or 'grid'; it was given 'rnd'"),
        ("[sweep]\ntrials = 0\n" + SPACE, "--trials takes 1 to 100000; it was given 0"),
        ("[sweep]\nfactor = 1\n" + SPACE, "--factor takes 2 or more; it was given 1"),
        ("[space\n", "is not a TOML file"),
    ],
)
def test_what_cannot_be_is_said_in_one_line_that_names_the_file(plan_of, text, words):
    with pytest.raises(ConfigError) as caught:
        plan_of(text)
    assert words in str(caught.value)
    assert "two.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_sweeps_of_the_repository_can_be_read():
    plans = {path.stem: read_plan(path) for path in (ROOT / "sweeps").glob("*.toml")}
    assert plans["two-classes"].trials == 9
    assert plans["two-classes"].grid(1) == {"rate": 0.01, "base": "trained"}


def test_the_file_of_the_documentation_can_be_read(plan_of):
    (text,) = blocks(read("docs/sweeps.md"), "toml")
    plan = plan_of(text)
    assert [dimension.name for dimension in plan.space] == ["rate", "width", "optimizer", "picture"]


def test_one_value_is_a_range_too(plan_of):
    plan = plan_of(GRID + "[space]\nrate = { low = 0.1, high = 0.1 }\nwidth = [4]")
    assert plan.trials == 1
    assert plan.grid(0) == {"rate": 0.1, "width": 4}
