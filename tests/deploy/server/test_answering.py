"""A model that is served: how the pictures of a batch are decoded."""

from __future__ import annotations

import pytest
from serving import OPTIONS, png

pytest.importorskip("starlette", reason="starlette is not installed")
pytest.importorskip("uvicorn", reason="uvicorn is not installed")

from residua.config import ServeConfig
from residua.deploy.server.answering import SMALL_BYTES
from residua.deploy.server.running import open_models


def test_threads_are_woken_for_large_pictures_alone(trained, monkeypatch):
    (served,) = open_models((str(trained / "run"),), ServeConfig(**OPTIONS))
    awake, usual = [], served._pool.map
    monkeypatch.setattr(served._pool, "map", lambda *given: awake.append(1) or usual(*given))
    try:
        small = png()
        large = small + bytes(SMALL_BYTES)
        expected = [answer.row.tobytes() for answer in served.answer([small, small])]
        assert not awake
        assert len(served.answer([large])) == 1  # alone it has nobody to share with
        assert not awake
        assert [answer.row.tobytes() for answer in served.answer([large, small])] == expected
        assert awake
    finally:
        served.close()
