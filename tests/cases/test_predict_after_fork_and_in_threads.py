"""A model that was used before a fork, and in threads: the same bits each time, and nothing that hangs."""

from __future__ import annotations

import os
import select
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tiny import answered

import residua

SECONDS = 30


@pytest.fixture(scope="module", params=["numpy", "numba"])
def model(request):
    """A classifier with that engine, 60 small grey pictures of three kinds, and what it makes of them."""
    pytest.importorskip(request.param)
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 60, (60, 8, 8)).astype(np.uint8)
    labels = np.arange(60) % 3
    for picture, label in zip(pictures, labels, strict=True):
        picture[:, 2 * label + 1] += 180
    classifier = residua.Classifier(width=4, epochs=1, batch=16, validation=0, engine=request.param)
    classifier.fit(pictures, labels)
    return classifier, pictures, classifier.predict_proba(pictures).tobytes()


def child_agrees(model):
    """Whether a forked child gives the same bits; one that hangs is ended."""
    classifier, pictures, expected = model
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            same = classifier.predict_proba(pictures).tobytes() == expected
            os.write(writer, b"same" if same else b"differs")
        except BaseException as error:
            os.write(writer, repr(error).encode()[:4000])
        os._exit(0)
    os.close(writer)
    ready, _, _ = select.select([reader], [], [], SECONDS)
    if not ready:
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with open(reader) as file:
        return file.read() or "hangs"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_children_while_a_thread_predicts(model):
    classifier, pictures, expected = model
    stop = threading.Event()

    def predict():
        while not stop.is_set():
            classifier.predict_proba(pictures)

    thread = threading.Thread(target=predict)
    thread.start()
    try:
        answers = [child_agrees(model) for _ in range(3)]
    finally:
        stop.set()
        thread.join()
    assert answers == ["same"] * 3
    assert classifier.predict_proba(pictures).tobytes() == expected


def test_eight_threads(model):
    classifier, pictures, expected = model
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: classifier.predict_proba(pictures).tobytes(), range(16)))
    assert answers == [expected] * 16


def test_its_file_answers_as_well(model, tmp_path, capsys):
    from PIL import Image

    classifier, pictures, _ = model
    classifier.save(tmp_path / "model.safetensors")
    Image.fromarray(pictures[0]).save(tmp_path / "0.png")
    assert "0.png" in answered(capsys, "predict", tmp_path / "model.safetensors", tmp_path / "0.png")
