"""Options from flags, TOML and Python: one set of names, strict types, the flag has the last word."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import get_type_hints

import pytest
import tomli_w
from tiny import OPTIONS, answered, contents, paint_folder, refused

from residua import config as options
from residua.config import OptimizerOptions, ScheduleOptions, TrainConfig
from residua.config.limits import LIMITS
from residua.config.options import check, configure, flatten_options, option_names, read_toml, to_toml
from residua.errors import ConfigError

CONFIGS = [getattr(options, name) for name in options.__all__ if name.endswith("Config")]


def line(values, config=TrainConfig):
    with pytest.raises(ConfigError) as caught:
        configure(config, values, source="f.toml: ")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("f.toml: ")
    return str(caught.value)


def test_defaults_pass_their_own_check():
    for config in CONFIGS:
        assert check(config()) == config()


def test_options_are_the_same_with_or_without_sections():
    flat = {"data": "mnist", "rate": 0.5, "epochs": 3, "hidden": [4, 5], "decay-norms": False}
    nested = {
        "data": {"data": "mnist"},
        "optimizer": {"rate": 0.5, "decay_norms": False},
        "schedule": {"epochs": 3},
        "model": {"hidden": [4, 5]},
    }
    config = configure(TrainConfig, flat)
    assert config == configure(TrainConfig, nested)
    assert (config.data.data, config.optimizer.rate, config.model.hidden) == ("mnist", 0.5, (4, 5))
    assert config.optimizer.momentum == OptimizerOptions().momentum


def test_no_option_means_two_things():
    for config in CONFIGS:
        names = option_names(config)
        hints = get_type_hints(config)
        count = sum(
            len(fields(hints[entry.name])) if hasattr(hints[entry.name], "__dataclass_fields__") else 1
            for entry in fields(config)
        )
        assert len(names) == count
    assert set(LIMITS) <= set().union(*map(option_names, CONFIGS)), "a limit of no option"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"epohcs": 3}, "there is no option 'epohcs'. Did you mean 'epochs'?"),
        ({"sheduel": {"epochs": 3}}, "there is no section [sheduel]. Did you mean 'schedule'?"),
        ({"data": {"epochs": 3}}, "'epochs' belongs into [schedule], not into [data]"),
        ({"model": {"x": {"y": 1}}}, "there is no option 'x'"),
        ({"epochs": 1.5}, "--epochs takes a whole number; it was given 1.5"),
        ({"epochs": "3"}, "--epochs takes a whole number; it was given '3'"),
        ({"epochs": True}, "--epochs takes a whole number; it was given True"),
        ({"epochs": 0}, "--epochs takes 1 or more; it was given 0"),
        ({"epochs": [3]}, "--epochs takes a whole number; it was given (3,)"),
        ({"rate": "fast"}, "--rate takes a number; it was given 'fast'"),
        ({"rate": math.nan}, "--rate takes a number; it was given nan"),
        ({"rate": math.inf}, "--rate takes above 0 and at most 1000; it was given inf"),
        ({"rate": 0}, "--rate takes above 0"),
        ({"flip": 1}, "--flip takes true or false; it was given 1"),
        ({"data": {"data": 3}}, "--data takes text; it was given 3"),
        ({"optimizer": {"optimizer": "sdg"}}, "--optimizer takes 'sgd' or 'adam' or 'adamw' or 'rmsprop'"),
        ({"hidden": [4, "x"]}, "--hidden takes a list of which each is a whole number"),
        ({"hidden": [0]}, "--hidden takes widths of 1 or more"),
        ({"validation": -0.1}, "--validation takes a share"),
        ({"test": 1.0}, "--test takes a share between 0 and 1"),
        ({"dropout": 1.0}, "--dropout takes a share from 0 to below 1"),
        ({"checkpoint-seconds": 0}, "--checkpoint-seconds takes above 0"),
        ({"seed": -1}, "--seed takes from 0 to 2^63 - 1"),
        ({"seed": 2**63}, "--seed takes from 0 to 2^63 - 1"),
    ],
)
def test_what_an_option_cannot_take(values, said):
    assert said in line(values)


@pytest.mark.parametrize("config", CONFIGS)
def test_every_limit_is_kept_by_every_option_that_has_one(config):
    for name in option_names(config):
        if name in LIMITS and name not in ("hidden", "channels"):
            assert flag_of(name) in line({name: -1}, config)


def flag_of(name):
    return "--" + name.replace("_", "-")


def test_a_config_survives_toml(tmp_path):
    config = configure(
        TrainConfig,
        {"data": "x", "size": 32, "hidden": (7, 8), "flip": False, "rate": 1e-3, "seed": 2**63 - 1},
    )
    path = tmp_path / "o.toml"
    path.write_text(tomli_w.dumps({"format": 1, "versions": {"python": "3"}, **to_toml(config)}))
    assert configure(TrainConfig, read_toml(path)) == config


_PATHS = (
    "certificate classes data data_dir from_ json keys labels output parts private_key run verify weights"
)
PATHS = set(_PATHS.split())


@pytest.mark.parametrize("config", CONFIGS)
def test_a_path_may_be_a_path(config, tmp_path):
    """Every option that is a file or folder; in run.toml and for all who read it, it is text."""
    names = PATHS & set(option_names(config))
    chosen = configure(config, dict.fromkeys(names, tmp_path))
    assert chosen == configure(config, dict.fromkeys(names, str(tmp_path)))
    flat = [
        value
        for part in to_toml(chosen).values()
        for value in (part.values() if isinstance(part, dict) else [part])
    ]
    assert flat.count(str(tmp_path)) == len(names)
    for name in option_names(config).keys() - PATHS:
        assert flag_of(name) in line({name: tmp_path}, config), "no file or folder"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("epochs 3", "is not a TOML file"),
        (b"\xff\xfe\xff", "is not a TOML file"),
        ("format = 2", "was written in format 2 by a newer residua"),
        (f"format = '{'x' * 3000}'", f"in format '{'x' * 19} by a newer residua"),
        ("format = 'x'", "was written in format 'x'"),
        (None, "cannot read the options in"),
    ],
)
def test_files_that_are_no_options(tmp_path, text, said):
    path = tmp_path / "o.toml"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError, match=said) as caught:
        read_toml(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_files_as_editors_write_them(tmp_path, encoding):
    path = tmp_path / "o.toml"
    path.write_bytes("epochs = 3\r\nrun = 'Käse'  \r\n\r\n".encode(encoding))
    assert read_toml(path) == {"epochs": 3, "run": "Käse"}
    path.write_text(r'data = "C:\Users\pets"')
    with pytest.raises(ConfigError, match="a path with backslashes stands in single quotes"):
        read_toml(path)


def test_flatten_keeps_what_is_asked_for():
    assert flatten_options(TrainConfig, {"schedule": {"epochs": 2}, "rate": 0.1}) == {
        "epochs": 2,
        "rate": 0.1,
    }


# ---------------------------------------------------------------- through the program
@pytest.fixture
def asked(monkeypatch):
    """What `train` was called with, instead of training."""
    seen = []

    def stop(config=None, **_):
        seen.append(config)
        raise ConfigError("enough")

    monkeypatch.setattr("residua.api.train", stop)
    return seen


def test_defaults_then_file_then_flags(tmp_path, capsys, asked):
    path = tmp_path / "o.toml"
    path.write_text(
        'data = "mnist"\nepochs = 7\nhidden = [3, 4]\nflip = true\n[optimizer]\nrate = 0.5\nclip = 2\n'
    )
    assert refused(capsys, "train", "--config", path) == "enough"
    wanted = configure(TrainConfig, read_toml(path))
    assert asked[-1] == wanted
    assert asked[-1].optimizer.rest_rate == 1.0
    for flags in (["--epochs", "9"], ["--epochs=9"]):
        refused(capsys, "train", *flags, f"--config={path}")
        assert asked[-1] == replace(wanted, schedule=ScheduleOptions(epochs=9))
    refused(capsys, "train", "digits", "--config", path, "--no-flip", "--hidden", "5")
    assert asked[-1].data.data == "digits"
    assert asked[-1].data.flip is False
    assert asked[-1].model.hidden == (5,)
    assert asked[-1].optimizer.rate == 0.5
    refused(capsys, "train")
    assert asked[-1] == TrainConfig(), "the file of an earlier call must be forgotten"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("epochs = 1.5", "o.toml: --epochs takes a whole number; it was given 1.5"),
        ('size = "8"', "o.toml: --size takes a whole number; it was given '8'"),
        ("batch = -1", "o.toml: --batch takes 1 or more; it was given -1"),
        ("flip = 3", "o.toml: --flip takes true or false; it was given 3"),
        ("epohcs = 3", "o.toml: there is no option 'epohcs'. Did you mean 'epochs'?"),
        ("[dta]\nsize = 8", "o.toml: there is no section [dta]. Did you mean 'data'?"),
        ("x", "o.toml is not a TOML file"),
    ],
)
def test_a_file_is_as_strict_as_a_flag(tmp_path, monkeypatch, capsys, asked, text, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "o.toml").write_text(text)
    assert said in refused(capsys, "train", "--config", "o.toml")
    assert not asked


@pytest.mark.usefixtures("quiet_cache")
def test_a_run_toml_repeats_the_run_to_the_same_bytes(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paint_folder(tmp_path / "pics")
    answered(
        capsys,
        *("train", "pics", *OPTIONS, "--run", "one", "--seed", "5", "--hidden", "6", "--dropout", "0.2"),
        *("--average", "0.9", "--cutout", "2", "--optimizer", "adamw", "--schedule", "cosine", "--balance"),
    )
    answered(capsys, "train", "--config", "one/run.toml", "--run", "two")
    one, two = contents(tmp_path / "one"), contents(tmp_path / "two")
    assert one.keys() == two.keys()
    for name in ("best.safetensors", "last.safetensors", "log.jsonl", "test.json"):
        assert one[name] == two[name], name
    assert one["run.toml"].replace(b'"one"', b'"two"') == two["run.toml"]
