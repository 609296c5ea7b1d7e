"""Kernels that the package carries: used as long as they are made from today's sources, for these vectors."""

from __future__ import annotations

import ast

import numpy as np
import pytest
from processes import run_python

pytest.importorskip("numba")
from residua.engines.numba.kernels.direct import forward as direct
from residua.engines.numba.kernels.primitives.vector import REGISTERS, WIDTH
from residua.engines.numba.kernels.updates import reductions
from residua.engines.numba.runtime import carried, kernel_sources
from residua.engines.numba.runtime.kernel_cache import KernelCache
from residua.engines.numba.runtime.kernel_names import narrow
from residua.engines.numba.runtime.machine_code import machine_code
from residua.engines.numba.runtime.processor import NARROW

KERNEL = reductions.combine


@pytest.fixture
def digests():
    """Digests are remembered as long as a process lives; a test that changes sources forgets them."""
    yield kernel_sources.digest.cache_clear
    kernel_sources.digest.cache_clear()


@pytest.fixture
def folder(tmp_path, digests):
    """A folder of one carried kernel."""
    carried.write([(KERNEL, b"code")], tmp_path)
    return tmp_path


def test_a_kernel_is_found_by_its_sources(folder):
    assert carried.find(KERNEL, folder) == b"code"
    assert carried.find(reductions.reduce_pieces, folder) is None


@pytest.mark.parametrize(
    "module",
    [
        "kernels.updates.reductions",
        "kernels.primitives.vector",  # which that takes from
        "kernels.primitives.front_end",  # which is imported late
        "kernels.primitives.vector_type",
        "runtime.lowering",
    ],
)
def test_a_stale_kernel_is_not_found(folder, digests, monkeypatch, module):
    source = kernel_sources.SOURCES[module]
    monkeypatch.setitem(kernel_sources.SOURCES, module, source + b"# edited\n")
    digests()
    assert carried.find(KERNEL, folder) is None


def test_what_a_kernel_does_not_use_may_change(folder, digests, monkeypatch):
    monkeypatch.setitem(kernel_sources.SOURCES, "kernels.direct.forward", b"")
    digests()
    assert carried.find(KERNEL, folder) == b"code"
    assert carried.find(direct.forward, folder) is None


@pytest.mark.parametrize(("name", "value"), [("WIDTH", 2 * WIDTH), ("REGISTERS", 7), ("LEVEL", 9)])
def test_a_kernel_for_other_vectors_is_not_found(folder, digests, monkeypatch, name, value):
    monkeypatch.setattr(kernel_sources, name, value)
    digests()
    assert carried.find(KERNEL, folder) is None


def test_a_narrow_kernel_is_found_among_those_of_its_width(tmp_path, digests, monkeypatch):
    """As a process of that width has left it."""
    assert carried.find(narrow(KERNEL), tmp_path) is None
    for name, value in zip(("WIDTH", "REGISTERS"), NARROW, strict=True):
        monkeypatch.setattr(kernel_sources, name, value)
    carried.write([(KERNEL, b"narrow code")], tmp_path)
    monkeypatch.undo()
    digests()
    assert carried.find(narrow(KERNEL), tmp_path) == b"narrow code"
    assert carried.find(KERNEL, tmp_path) == (b"narrow code" if (WIDTH, REGISTERS) == NARROW else None)


def test_a_kernel_of_another_numba_is_not_found(folder, digests, monkeypatch):
    monkeypatch.setattr(kernel_sources, "numba_version", lambda: b"another")
    digests()
    assert carried.find(KERNEL, folder) is None


@pytest.mark.parametrize("left", [None, b"", b"PK\x03\x04 half a file"])
def test_a_missing_or_damaged_file_is_as_none(tmp_path, left):
    if left is not None:
        (tmp_path / carried.file_name()).write_bytes(left)
    assert carried.find(KERNEL, tmp_path) is None
    assert not carried.complete([KERNEL], tmp_path)


def test_a_changed_or_shortened_file_is_as_none(folder):
    path = folder / carried.file_name()
    content = path.read_bytes()
    place = content.index(b".bc") + 4
    path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    assert carried.find(KERNEL, folder) is None
    path.write_bytes(content[:-9])
    assert carried.find(KERNEL, folder) is None


def test_a_carried_kernel_spares_numba(tmp_path, monkeypatch):
    """The process that uses it makes machine code alone, and the same as without."""
    from residua.engines.numba.runtime.lowering import lowered

    code = lowered(KERNEL)
    carried.write([(KERNEL, code)], tmp_path / "carried")
    monkeypatch.setattr(carried, "FOLDER", tmp_path / "carried")
    monkeypatch.setenv("RESIDUA_KERNEL_CACHE", str(tmp_path / "cache"))
    kernels = KernelCache(say=lambda line: None, helped=False)
    assert kernels.address(KERNEL, (0, 0, 0, 0))
    left = {path.name for path in (tmp_path / "cache").rglob("*.*") if not path.name.startswith(".")}
    assert left == {"updates-reductions-combine-0-0-0-0.o"}
    name = "updates-reductions-combine-0-0-0-0"
    assert machine_code(KERNEL, code, (0, 0, 0, 0), name) == kernels._make(KERNEL, (0, 0, 0, 0), name)


AT_NEED = {
    "front_end.py",
    "vector_type.py",
    "lowering.py",
}  # which are imported when a kernel is made by Numba


def test_nothing_imports_numba_before_it_is_needed():
    """Half a second of every start: kernels take its names from `primitives.on_demand`."""
    paths = [path for path in carried.FOLDER.parent.rglob("*.py") if path.name not in AT_NEED]
    assert len(paths) > 80
    for path in paths:
        for statement in ast.parse(path.read_bytes()).body:
            if isinstance(statement, ast.ImportFrom):
                names = [statement.module or ""]
            else:
                names = [
                    alias.name for alias in getattr(statement, "names", ()) if isinstance(alias, ast.alias)
                ]
            assert "numba" not in {name.partition(".")[0] for name in names}, path


WITHOUT_NUMBA = """
import sys
import numpy as np
from residua.engines.numba import NumbaEngine
e = NumbaEngine(2)
e.softmax(np.ones((3000, 4), np.float32))
print("numba" in sys.modules)
"""


def test_a_process_whose_kernels_are_made_needs_no_numba(engine):
    engine.softmax(np.ones((3000, 4), np.float32))
    done = run_python(WITHOUT_NUMBA)
    assert (done.stdout.strip(), done.stderr) == ("False", "")
