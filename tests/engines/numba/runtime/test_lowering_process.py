"""The process that writes kernels for narrow vectors in LLVM's language."""

from __future__ import annotations

import pytest

pytest.importorskip("numba")
from residua.engines.numba.kernels.updates import reductions
from residua.engines.numba.runtime import lowering_process
from residua.engines.numba.runtime.kernel_names import narrow
from residua.errors import EngineError

KERNEL = narrow(reductions.reduce_pieces)


def test_it_gives_kernels_for_narrow_vectors():
    from llvmlite import binding

    process = lowering_process.LoweringProcess()
    try:
        text = str(binding.parse_bitcode(process.lowered(KERNEL)))
    finally:
        process.end()
    assert "<8 x float>" in text
    assert "<16 x float>" not in text


def test_one_that_ends_early_is_an_error_of_one_line(monkeypatch):
    monkeypatch.setattr(lowering_process, "_START", "import sys; sys.stdin.readline(); print('half')")
    process = lowering_process.LoweringProcess()
    with pytest.raises(EngineError, match="reduce_pieces must be compiled for narrow vectors"):
        process.lowered(KERNEL)
    assert process._process is None
