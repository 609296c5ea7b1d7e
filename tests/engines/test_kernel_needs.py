"""Whether the kernels of a job are in the cache, known without running it."""

from __future__ import annotations

import numpy as np
import pytest
from small_models import small_model

from residua.engines import installed, kernel_needs
from residua.engines.estimate import Rehearsal
from residua.engines.kernel_needs import any_kernels, missing_kernels
from residua.training.work import model_work

needs_numba = pytest.mark.skipif(not installed("numba"), reason="needs Numba")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("RESIDUA_KERNEL_CACHE", str(tmp_path / "kernels"))
    return tmp_path / "kernels"


@pytest.fixture
def rehearsed(monkeypatch, folder):
    """Two kernels are needed; how often that was found out."""
    found = []

    def rehearse(rehearsal, threads):
        found.append(threads)
        return folder / "print", ("one.o", "two.o")

    monkeypatch.setattr(kernel_needs, "_rehearse", rehearse)
    return found


JOB = Rehearsal(lambda: "a network", lambda engine: None)


def test_a_rehearsal_is_needed_once(folder, rehearsed):
    assert not any_kernels()
    assert missing_kernels(JOB, 2, patient=False) is None
    assert not rehearsed
    assert missing_kernels(JOB, 2, patient=True) == 2
    (folder / "print").mkdir()
    assert any_kernels()
    (folder / "print" / "one.o").touch()
    assert missing_kernels(JOB, 2, patient=False) == 1
    (folder / "print" / "two.o").touch()
    assert missing_kernels(JOB, 2, patient=False) == 0
    assert rehearsed == [2]


@pytest.mark.parametrize("damage", [b"", b"[1", b"[]", b'{"folder": 1}', b'{"folder": "", "files": 3}'])
def test_a_damaged_note_is_made_anew(folder, rehearsed, damage):
    missing_kernels(JOB, 2, patient=True)
    (note,) = (folder / "needs").iterdir()
    note.write_bytes(damage)
    assert missing_kernels(JOB, 2, patient=True) == 2
    assert rehearsed == [2, 2]


def test_where_nothing_can_be_noted_it_is_found_out_again(monkeypatch, tmp_path, rehearsed):
    (tmp_path / "file").touch()
    monkeypatch.setenv("RESIDUA_KERNEL_CACHE", str(tmp_path / "file"))
    assert missing_kernels(JOB, 2, patient=True) == missing_kernels(JOB, 2, patient=True) == 2
    assert len(rehearsed) == 2


@needs_numba
def test_a_rehearsal_names_what_the_job_then_asks_for(monkeypatch):
    from residua.engines.numba.engine import NumbaEngine
    from residua.engines.numba.rehearsal import needed_kernels
    from residua.training.inference import make_infer

    model = small_model()
    rehearsal = model_work(model, 4).rehearsal
    expected = needed_kernels(rehearsal.run, 2)
    assert expected
    assert all(name.endswith(".o") for name in expected)
    engine, asked = NumbaEngine(2), {}
    address = engine.context.kernels.address

    def noted(function, literals=()):
        asked[engine.context.kernels.file_of(function, literals)] = None
        return address(function, literals)

    monkeypatch.setattr(engine.context.kernels, "address", noted)
    network, variables = model.frozen()
    shape = model.preprocessing
    make_infer(engine, network)(
        variables, np.zeros((4, shape.height, shape.width, shape.channels), np.float32)
    )
    assert set(asked) <= set(expected)
