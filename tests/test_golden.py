"""Models and runs of an earlier residua (golden/runs/README.md says which): they load, answer, and go on.

If one of these fails, files that people have no longer work: mend the reader, do not write the files anew.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_info

import residua
from residua.files.tensors import read_tensors
from residua.models.model_file import KIND, VERSION
from residua.training.progress import Quiet
from residua.training.run_folder import read_log, read_run

RUNS = Path(__file__).parent / "golden" / "runs"
ANSWERS = json.loads((RUNS / "answers.json").read_text(encoding="utf-8"))
FAST = pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="numba is not installed")
# The fast engine's kernels are compiled for it, and those of other tests are of no use to it.
ENGINES = ["numpy", pytest.param("numba", marks=[FAST, pytest.mark.exhaustive])]
quiet = {"say": lambda line: None}


def arithmetic(engine: str) -> dict[str, object]:
    """All that the last bits of a result depend on."""
    if engine == "numba":
        import numba
        from llvmlite import binding

        own = {"numba": numba.__version__, "processor": binding.get_host_cpu_name()}
    else:
        own = {}
    blas = [
        [pool["version"], pool["architecture"]] for pool in threadpool_info() if "numpy" in pool["filepath"]
    ]
    return {"numpy": np.__version__, "blas": blas, **own}


def bits_are_those_of(engine: str) -> bool:
    made = json.loads((RUNS / "arithmetic.json").read_text(encoding="utf-8"))
    return arithmetic(engine) == made[engine]


def read(path: Path) -> tuple[dict[str, np.ndarray], dict[str, object]]:
    """The arrays of a model file and what it says of them."""
    return read_tensors(path, KIND, VERSION)


@pytest.fixture
def run(request, tmp_path, quiet_cache):
    """A copy of a run folder: what is opened is not changed."""
    return shutil.copytree(RUNS / request.param, tmp_path / "run")


@pytest.mark.parametrize("file", ANSWERS)
def test_models_answer_as_they_did(file):
    model = residua.Classifier.load(RUNS / file)
    model.engine = "numpy"
    images = np.rint(load_digits().images[:6] * (255 / 16)).astype(np.uint8)
    np.testing.assert_allclose(model.predict_proba(images), ANSWERS[file], rtol=0, atol=1e-5)


@pytest.mark.parametrize("file", ANSWERS)
def test_models_are_written_as_they_were_read(file, tmp_path):
    residua.save_model(tmp_path / "again.safetensors", residua.load_model(RUNS / file))
    assert (tmp_path / "again.safetensors").read_bytes() == (RUNS / file).read_bytes()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("run", ["finished-numpy", "finished-numba"], indirect=True)
def test_finished_runs_are_read_and_evaluated(run, engine):
    told = json.loads((run / "test.json").read_text(encoding="utf-8"))
    found = residua.evaluate(run, engine=engine, threads=1, output=str(run / "again"), **quiet)
    assert (found.pictures, found.accuracy) == (told["pictures"], told["accuracy"])
    assert found.loss == pytest.approx(told["loss"], rel=1e-5)
    config = read_run(run)
    assert (config.model.model, config.model.width, config.optimizer.average) == ("resnet8", 4, 0.99)
    assert [row["epoch"] for row in read_log(run)] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("run", ["transferred"], indirect=True)
def test_a_transferred_network_is_read(run):
    model = residua.load_model(run)
    assert (model.name, len(model.classes)) == ("resnet8", 10)
    assert read_run(run).transfer.freeze == "all"


@pytest.mark.parametrize(
    ("run", "engine"),
    [
        pytest.param("killed-numpy", "numpy", id="numpy"),
        pytest.param("killed-numba", "numba", id="numba", marks=[FAST, pytest.mark.exhaustive]),
    ],
    indirect=["run"],
)
def test_a_killed_run_goes_on_to_where_it_would_have_come(run, engine):
    residua.train(resume=run, reporter=Quiet())
    whole = RUNS / f"finished-{engine}"
    if bits_are_those_of(engine):
        assert (run / "log.jsonl").read_bytes() == (whole / "log.jsonl").read_bytes()
        # What a later residua keeps besides: which pictures the model has seen.
        test = json.loads((run / "test.json").read_text(encoding="utf-8"))
        assert {"trained_on": 0, "chosen_by": 0, "left_out": {}}.items() <= test.items()
        assert json.loads((whole / "test.json").read_text(encoding="utf-8")).items() <= test.items()
        for name in ("best.safetensors", "last.safetensors"):
            (mine, told), (theirs, known) = read(run / name), read(whole / name)
            assert told.pop("seen").keys() == {"train", "validation"}
            assert told == known
            assert {key: array.tobytes() for key, array in mine.items()} == {
                key: array.tobytes() for key, array in theirs.items()
            }
    # Training multiplies differences in rounding: the epoch of the checkpoint is near, later ones nearly.
    for mine, theirs in zip(read_log(run), read_log(whole), strict=True):
        assert mine["epoch"] == theirs["epoch"]
        assert mine["rate"] == theirs["rate"]
        bound = 0 if theirs["epoch"] < 3 else 1e-2 if theirs["epoch"] == 3 else 0.25
        assert mine["train_loss"] == pytest.approx(theirs["train_loss"], rel=bound, abs=0)
    mine, theirs = (load_file(folder / "last.safetensors") for folder in (run, whole))
    assert {name: array.shape for name, array in mine.items()} == {
        name: array.shape for name, array in theirs.items()
    }
