"""What the system says of the processor."""

from __future__ import annotations

import pytest

pytest.importorskip("numba")
from residua.engines.numba.runtime import processor


def test_cache_sizes_are_read_as_linux_tells_them(tmp_path, monkeypatch):
    monkeypatch.setattr(processor, "_CACHES", tmp_path)
    ask = processor.second_level_cache.__wrapped__
    assert ask() == processor.USUAL_CACHE  # nothing is told
    for number, (level, size) in enumerate([("1", "48K"), ("2", "2048K"), ("3", "480M")]):
        (tmp_path / f"index{number}").mkdir()
        (tmp_path / f"index{number}" / "level").write_text(level + "\n")
        (tmp_path / f"index{number}" / "size").write_text(size + "\n")
    assert ask() == 2**21
    (tmp_path / "index1" / "size").write_text("much\n")
    assert ask() == processor.USUAL_CACHE


@pytest.mark.parametrize(
    ("width", "name", "told", "narrow"),
    [
        (16, "znver4", None, True),
        (16, "sapphirerapids", None, False),
        (16, "znver5", None, False),
        (8, "znver3", None, False),
        (16, "znver4", "16", False),
    ],
)
def test_narrow_kernels_are_for_processors_that_halve_their_vectors(monkeypatch, width, name, told, narrow):
    monkeypatch.setattr(processor, "WIDTH", width)
    monkeypatch.setattr(processor.binding, "get_host_cpu_name", lambda: name)
    monkeypatch.delenv("RESIDUA_VECTOR_WIDTH", raising=False)
    if told:
        monkeypatch.setenv("RESIDUA_VECTOR_WIDTH", told)
    assert processor.has_narrow_kernels() is narrow
