"""What calls name: any kind of text or path, one or several in any sequence."""

from __future__ import annotations

from pathlib import Path, PurePath

import numpy as np
import pytest

import residua
from residua.api.inputs import named_path, named_paths
from residua.errors import ConfigError, ModelFileError, ResiduaError

NAMES = ["a", "b"]


@pytest.mark.parametrize(
    "given",
    [
        NAMES,
        tuple(NAMES),
        np.array(NAMES),
        np.array(NAMES, object),
        iter(NAMES),
        {"a": 1, "b": 2}.keys(),
        [Path("a"), np.str_("b")],
        [b"a", PurePath("b")],
    ],
)
def test_several_are_named_in_any_sequence(given):
    assert named_paths(given) == [Path("a"), Path("b")]


@pytest.mark.parametrize("given", ["a", Path("a"), np.str_("a"), b"a", np.array("a")])
def test_one_is_named_alone(given):
    assert named_paths(given) == [Path("a")]
    assert named_path(given) == Path("a")


@pytest.mark.parametrize("given", [3, None, np.zeros((2, 2)), [np.zeros((8, 8))], [["a"]], 1.5])
def test_what_is_no_name_is_said(given):
    with pytest.raises(ConfigError, match="a file is named by text or a path"):
        named_paths(given)


def test_every_function_takes_paths_and_says_what_is_none(trained, tmp_path):
    run, picture = trained / "run", trained / "pics" / "red" / "0.png"
    picture = next((trained / "pics" / "red").iterdir())
    rows = [residua.predict(run, given) for given in (picture, str(picture), np.array([str(picture)]))]
    assert rows[0] == rows[1] == rows[2]
    for call in (
        lambda: residua.predict(run, np.zeros((1, 8, 8, 3))),
        lambda: residua.fool(run, 3),
        lambda: residua.curves(3),
        lambda: residua.import_weights(None),
        lambda: residua.train(resume=3),
        lambda: residua.compare(3),
        lambda: residua.ensemble(3, [run]),
        lambda: residua.explain(run, 3),
    ):
        with pytest.raises(ResiduaError, match="named by"):
            call()
    for verb in (residua.mistakes, residua.calibrate, residua.inside, residua.evaluate):
        with pytest.raises(ModelFileError, match="named by"):
            verb(3)
