"""Where pictures are decoded: small ones in the thread that answers, large ones side by side."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from serving import png

from residua.config import PredictConfig
from residua.deploy.server import answering
from residua.deploy.server.answering import SMALL, Served
from residua.engines import open_engine

MODEL = Path(__file__).parents[2] / "golden" / "runs" / "calibrated.safetensors"


def large():
    """A file of noise that is no small one."""
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (80, 80, 3), np.uint8)).save(stream, "png")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("files", "decoded_here"),
    [([png(), png()], True), ([png(), large()], False)],
    ids=["small", "one large"],
)
def test_where_pictures_are_decoded(files, decoded_here, monkeypatch):
    assert (max(map(len, files)) <= SMALL) == decoded_here
    threads, usual = [], answering.read_picture

    def seen(*arguments):
        threads.append(threading.current_thread())
        return usual(*arguments)

    monkeypatch.setattr(answering, "read_picture", seen)
    served = Served("digits", MODEL, open_engine("numpy", threads=1), PredictConfig())
    try:
        together = served.answer(files)
        alone = [served.answer([file])[0] for file in files]
    finally:
        served.close()
    assert {thread is threading.current_thread() for thread in threads[:2]} == {decoded_here}
    assert [a.row.tobytes() for a in together] == [a.row.tobytes() for a in alone]
