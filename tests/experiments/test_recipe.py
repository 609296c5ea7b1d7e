"""Files of experiments: read strictly, and those that residua brings are all sound."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest
from tiny import answered, refused

from residua.cli import app
from residua.config import ExperimentConfig, TrainConfig
from residua.config.options import configure
from residua.errors import ConfigError
from residua.experiments.catalogue import chosen_experiments, experiment_names, find_experiment
from residua.experiments.looks import check_look
from residua.experiments.recipe import read_experiment
from residua.experiments.run import ExperimentRun
from residua.experiments.training_runs import train_command

SOUND = '[options]\ndata = "digits"\n[[variant]]\nname = "one"\n'
CURVES = '[[curves]]\nname = "{}"\ntitle = "All"\nof = [{}]\n'


def test_a_file_of_ones_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        SOUND + 'options = { model = "resnet8", rate = 0.1 }\npublished = 3.5\nsource = "a book"\n'
    )
    found = find_experiment(str(path))
    assert (found.name, found.options["data"]) == ("mine", "digits")
    (variant,) = found.variants
    assert variant.options == {"model": "resnet8", "rate": 0.1}
    assert (variant.seeds, variant.published) == ([0], 3.5)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "takes one [[variant]]"),
        (SOUND + "sedes = [1]", "no key 'sedes'. Did you mean 'seeds'"),
        (SOUND + "options = { rat = 1.0 }", "no option 'rat'. Did you mean"),
        (SOUND + "seeds = []", "different whole numbers"),
        (SOUND + "seeds = [1, 1]", "different whole numbers"),
        (SOUND + 'seeds = ["1"]', "takes a list"),
        (SOUND + "options = { seed = 1 }", "'seed' is chosen by the experiment"),
        (SOUND + "published = 3.5", "say in `source`"),
        (SOUND + 'published = "few"', "takes a number"),
        (SOUND + 'members = ["two"]', "no variant 'two'"),
        (SOUND + 'uses = "resnet20/ours"\nweights = "a.pth"', "members, uses and weights go one without"),
        (SOUND + 'views = "six"', "views are those of one of `members`"),
        (SOUND + '[[variant]]\nname = "b"\nmembers = ["one"]\nviews = "seven"', "one, flips, five, six, ten"),
        (SOUND + 'imports = { classes = "digits" }', "options for `weights`: name them"),
        (SOUND + 'weights = "a.pth"\nimports = { clases = "digits" }', "no option 'clases'. Did you mean"),
        (SOUND + '[[variant]]\nname = "one"', "two variants"),
        (SOUND.replace("one", "../one"), "names a folder"),
        (SOUND + '[[look]]\nverb = "mistakes"', "of is missing"),
        (SOUND + CURVES.format("all", '"one", "tow"'), "no variant 'tow'"),
        (SOUND + CURVES.format("../all", '"one"'), "for the name is that of a picture; not '../all'"),
        (SOUND + CURVES.format("all", "") + CURVES.format("all", ""), "two [[curves]] are called 'all'"),
        (SOUND + CURVES.format("all", "1"), "of takes a list"),
        (SOUND + '[[curves]]\nname = "all"\nof = ["one"]', "title is missing"),
        (SOUND + '[[claim]]\ntext = "x"\nless = "one"\nthan = "three"', "no variant 'three'"),
        ("titel = 1\n" + SOUND, "no key 'titel'. Did you mean 'title'?"),
        ("title = 1\n" + SOUND, "title takes text"),
        ("variant = 3", "each begun with [[variant]]"),
        ("options = 3\n[[variant]]\nname = 'one'", "options are a table"),
        ("[[", "is not a TOML file"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(tmp_path, capsys, text, told):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    assert told in refused(capsys, "experiment", path)


def test_names(tmp_path, capsys):
    assert "Did you mean" in refused(capsys, "experiment", "resnet20-papre")
    assert "takes a name, a file, all or list" in refused(capsys, "experiment")
    assert "Options file" not in (text := refused(capsys, "experiment", tmp_path / "no.toml"))
    assert "no.toml" in text
    assert "name it alone" in refused(capsys, "experiment", "all", "--variants", "one")
    listed = answered(capsys, "experiment", "list")
    assert [line.split()[0] for line in listed.splitlines()] == experiment_names()
    assert [one.name for one in chosen_experiments(("all",))] == experiment_names()


def test_a_look_that_there_is_none_of(tmp_path):
    look = '[[look]]\nverb = "{}"\nof = "one"\n{}'
    path = tmp_path / "mine.toml"
    for verb, more, told in (
        ("stare", "", "no verb"),
        ("mistakes", "options = { shew = 3 }", "no option 'shew'"),
    ):
        path.write_text(SOUND + look.format(verb, more))
        with pytest.raises(ConfigError, match=told):
            ExperimentRun(read_experiment(path), ExperimentConfig(), print)


@pytest.mark.parametrize("name", experiment_names())
def test_the_experiments_that_residua_brings(name):
    found = find_experiment(name)
    assert found.title
    assert found.about
    for look in found.looks:
        check_look(look)
    for variant in found.variants:
        if variant.uses:
            other, _, trained = variant.uses.partition("/")
            assert find_experiment(other).variant(trained)
        elif not (variant.members or variant.weights):
            for quick in ({}, found.quick | variant.quick):
                options = found.options | variant.options | quick
                config = configure(TrainConfig, options)
                assert config.run.final_test
                # The command that repeats it means the same.
                words = shlex.split(train_command(options, "out"))[1:]
                _, bound, _ = app.parse_args(words, exit_on_error=False, print_error=False)
                parts = bound.arguments
                sections = ("schedule", "optimizer", "transfer", "model", "data")
                for section in sections:
                    asked = getattr(config, section)
                    name = f"{section}_options" if section in ("model", "data") else section
                    told = parts.get(name, type(asked)())
                    told = replace(told, data=parts["data"]) if section == "data" else told
                    assert told == asked
