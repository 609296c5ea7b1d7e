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
