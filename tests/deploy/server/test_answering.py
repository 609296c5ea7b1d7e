"""A model that is served: how the pictures of a batch are decoded."""

from __future__ import annotations

import pytest
from serving import OPTIONS, png

pytest.importorskip("starlette", reason="starlette is not installed")
pytest.importorskip("uvicorn", reason="uvicorn is not installed")

from residua.config import ServeConfig
from residua.deploy.server.answering import SMALL_BYTES, Served
from residua.deploy.server.running import open_models
from residua.errors import PictureError


def test_few_sizes_are_computed_and_all_of_them_are_warm(trained, monkeypatch):
    sizes, usual = [], Served.probabilities

    def watched(served, loaded, pictures):
        sizes.append(len(pictures))
        return usual(served, loaded, pictures)

    monkeypatch.setattr(Served, "probabilities", watched)
    (served,) = open_models((str(trained / "run"),), ServeConfig(**OPTIONS | {"batch": 12}))
    try:
        warm = set(sizes)
        assert warm == {1, 2, 4, 8}
        files = [file.read_bytes() for file in sorted((trained / "pics").rglob("*.png"))[:11]]
        alone = [served.answer([file])[0].row.tobytes() for file in files]
        sizes.clear()
        answers = served.answer([files[0], b"none", *files[1:]])
        assert sizes == [8, 2, 1]
        assert isinstance(answers.pop(1), PictureError)
        assert [answer.row.tobytes() for answer in answers] == alone
    finally:
        served.close()


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
