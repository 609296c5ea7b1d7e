"""The command that makes what a package carries of the kernels."""

from __future__ import annotations

import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from processes import run_python

pytest.importorskip("numba")
from residua.engines.numba import carry
from residua.engines.numba.kernels.direct import forward as direct
from residua.engines.numba.kernels.linear import softmax
from residua.engines.numba.kernels.updates import reductions
from residua.engines.numba.runtime import carried

KERNEL = reductions.combine


def test_two_buildings_give_the_same_bytes(tmp_path):
    code = """
import os
from pathlib import Path
from residua.engines.numba import carry
from residua.engines.numba.kernels.linear import softmax
carry.all_kernels = lambda: [softmax.mean, softmax.count_correct]
carry.carry_here(Path(os.environ["FOLDER"]))
"""
    folders = [tmp_path / "one", tmp_path / "two"]
    with ThreadPoolExecutor(2) as pair:
        run = lambda folder: run_python(code, PYTHONHASHSEED="0", FOLDER=str(folder))  # noqa: E731
        done = list(pair.map(run, folders))
    assert [process.returncode for process in done] == [0, 0], done
    one, two = ((folder / carried.file_name()).read_bytes() for folder in folders)
    assert one == two


def test_every_kernel_is_known_without_a_list():
    known = carry.all_kernels()
    assert len(known) > 40
    assert {softmax.softmax, direct.forward, KERNEL} <= set(known)
    from residua.engines.numba.kernels.pictures import batches
    from residua.engines.numba.kernels.threads import task_board

    assert {batches.crop_and_flip, task_board.serve, task_board.submit, task_board.submit_many} <= set(known)


def test_what_is_made_already_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(carry, "all_kernels", lambda: [KERNEL])
    monkeypatch.setattr(carry, "_lowered", lambda functions: [(function, b"code") for function in functions])
    carry.carry_here(tmp_path)
    monkeypatch.setattr(carry, "_lowered", None)
    carry.carry_here(tmp_path)
    assert carried.complete([KERNEL], tmp_path)


def test_wheels_are_built_with_the_numba_that_is_installed():
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())
    (needed,) = project["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["custom"]["dependencies"]
    assert needed.partition(";")[0].strip() in project["project"]["optional-dependencies"]["fast"]
