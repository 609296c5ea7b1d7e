"""Batches that the fast engine cuts out and mirrors: the same bytes as the reference's."""

from __future__ import annotations

import threading

import numpy as np
import pytest

pytest.importorskip("numba")

from residua.config import OptimizerOptions
from residua.data.augmentation.pipeline import Augment
from residua.data.batches import Batches
from residua.data.pictures.arrays import Pictures
from residua.data.preprocessing import Preprocessing
from residua.engines.numpy.engine import NumpyEngine
from residua.models.architectures.small_resnet import small_resnet
from residua.training.optimizers import make_optimizer
from residua.training.step import make_step, start_state


def random_pixels(rng, *shape):
    return rng.integers(0, 256, shape, np.uint8)


def arguments(rng, n, h, w, c, size, reach):
    pixels = random_pixels(rng, 2 * n + 1, h, w, c)
    down, right = (rng.integers(-reach, side + reach, n) for side in (h, w))
    scale, shift = (rng.normal(size=c).astype(np.float32) for _ in range(2))
    indices = rng.integers(-len(pixels), len(pixels), n)
    return pixels, indices, down, right, rng.integers(0, 2, n) == 1, size, scale, shift


def test_windows_anywhere_of_any_size_are_the_reference_byte_for_byte(engine):
    rng = np.random.default_rng(0)
    for _ in range(200):
        n, h, w, high, wide = (int(number) for number in rng.integers(1, 40, 5))
        given = arguments(rng, n, h, w, int(rng.choice([1, 3, 4])), (high, wide), int(rng.integers(0, 45)))
        expected, found = (each.crop_and_flip(*given) for each in (NumpyEngine(1), engine))
        assert found.dtype == np.float32
        assert found.shape == expected.shape
        assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 17])
@pytest.mark.parametrize("mirrored", [False, True])
def test_rows_of_every_length_are_the_reference_byte_for_byte(engine, channels, mirrored):
    """Vectors, and blocks of bytes that are turned, end before, at and after a row's end."""
    rng = np.random.default_rng(4)
    for width in range(1, 40):
        given = list(arguments(rng, 3, 2, width, channels, (2, width), 1))
        given[4] = np.full(3, mirrored)
        expected, found = (each.crop_and_flip(*given) for each in (NumpyEngine(1), engine))
        assert found.tobytes() == expected.tobytes()


def test_pixels_in_a_file_that_ends_with_them(engine, tmp_path):
    """A page's worth of pictures: what lies behind the last byte must not be read."""
    given = list(arguments(np.random.default_rng(5), 64, 8, 8, 1, (8, 8), 2))
    given[0], given[1] = random_pixels(np.random.default_rng(6), 64, 8, 8, 1), np.arange(64)
    (tmp_path / "pixels").write_bytes(given[0].tobytes())
    mapped = np.memmap(tmp_path / "pixels", np.uint8, "r", shape=(64, 8, 8, 1))
    found = engine.crop_and_flip(mapped, *given[1:])
    assert found.tobytes() == NumpyEngine(1).crop_and_flip(*given).tobytes()


@pytest.mark.parametrize("how", ["read-only", "other order", "every second", "no picture"])
def test_pixels_as_they_come(engine, how):
    given = list(arguments(np.random.default_rng(1), 9, 13, 17, 3, (13, 17), 3))
    if how == "read-only":
        given[0].flags.writeable = False
    elif how == "other order":
        given[0] = given[0][..., ::-1]
    elif how == "every second":
        given[0], given[1] = given[0][::2], np.arange(9)
    else:
        given[1:5] = [array[:0] for array in given[1:5]]
    assert np.array_equal(engine.crop_and_flip(*given), NumpyEngine(1).crop_and_flip(*given))


def test_a_picture_that_is_not_there_is_an_error(engine):
    given = list(arguments(np.random.default_rng(1), 4, 8, 8, 3, (8, 8), 1))
    given[1] = np.array([0, 1, 2, 9])
    with pytest.raises(IndexError, match="9 pictures have the places 0 to 8"):
        engine.crop_and_flip(*given)


@pytest.mark.parametrize("order", ["RGB", "BGR"])
@pytest.mark.parametrize("options", [{"crop": 4}, {"flip": True}, {"crop": 2, "flip": True, "cutout": 5}])
def test_varied_batches_do_not_depend_on_the_engine(engine, order, options):
    rng = np.random.default_rng(2)
    images = random_pixels(rng, 50, 20, 18, 3)
    pictures = Pictures(images, rng.integers(0, 3, 50), tuple(map(str, range(50))))
    means = {"mean": (0.5, 0.4, 0.3), "std": (0.2, 0.25, 0.3), "order": order}
    for shape in ({"height": 20, "width": 18}, {"height": 15, "width": 16, "source": (20, 18)}):
        preprocessing = Preprocessing(channels=3, **shape, **means)
        batches = [
            list(Batches(pictures, preprocessing, Augment(**options), 8, seed=5, engine=each))
            for each in (None, engine)
        ]
        for one, other in zip(*batches, strict=True):
            assert np.array_equal(one.images, other.images)
            assert np.array_equal(one.indices, other.indices)


def test_batches_are_prepared_while_a_step_runs(engine):
    """Neither waits for the other, and neither's result changes."""
    rng = np.random.default_rng(3)
    network, options = small_resnet(depth=8, width=4), OptimizerOptions()
    given = arguments(rng, 64, 32, 32, 3, (32, 32), 4)
    expected = NumpyEngine(1).crop_and_flip(*given)
    pictures, labels = rng.normal(size=(16, 16, 16, 3)).astype(np.float32), rng.integers(0, 10, 16)

    def losses(beside):
        step = make_step(network, engine, options)
        state = start_state(network.init(np.random.default_rng(0)), make_optimizer(options), options.average)
        found = []
        for _ in range(20):
            state, results = step(state, pictures, labels, None, 0.01)
            found.append(float(results["loss"]))
            beside()
        return found

    alone = losses(lambda: None)
    wrong, stop = [], threading.Event()

    def prepare():
        while not stop.is_set():
            wrong.append(not np.array_equal(engine.crop_and_flip(*given), expected))

    thread = threading.Thread(target=prepare)
    thread.start()
    together = losses(lambda: None)
    stop.set()
    thread.join()
    assert wrong
    assert not any(wrong)
    assert together == alone
