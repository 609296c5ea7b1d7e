"""What is seen of pictures: cut or enlarged to the network's input, and views at test time."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from tiny import TINY, answered, paint_folder

from residua.api import evaluate, train
from residua.config import DataOptions
from residua.data import open_dataset
from residua.data.augmentation.pipeline import Augment
from residua.data.batches import Batches
from residua.data.pictures.arrays import Pictures
from residua.data.preprocessing import Preprocessing
from residua.data.views import CENTER, VIEWS, View, extract_view, mean_probabilities
from residua.errors import ShapeError
from residua.models.model_file import load_model
from residua.training.progress import Quiet

pytestmark = pytest.mark.usefixtures("quiet_cache")


LARGE = Preprocessing(6, 5, 1, (0.0,), (1 / 255,), source=(10, 9))  # keeps the pixels' own numbers


def numbered(h=10, w=9, n=2):
    """Pictures in which every pixel has a value of its own."""
    return np.stack([np.arange(h * w).reshape(h, w, 1) + k for k in range(n)]).astype(np.uint8)


def test_views_of_larger_pictures_are_their_parts():
    images = numbered()
    parts = {
        (0, 0): images[:, 2:8, 2:7],
        (-1, -1): images[:, :6, :5],
        (-1, 1): images[:, :6, 4:],
        (1, -1): images[:, 4:, :5],
        (1, 1): images[:, 4:, 4:],
    }
    for (down, right), part in parts.items():
        for mirrored in (False, True):
            got = LARGE.normalize(images, View(down, right, mirrored))
            assert np.allclose(got, part[:, :, ::-1] if mirrored else part, atol=1e-4)
            assert got.flags.c_contiguous
            assert got.dtype == np.float32
    assert np.array_equal(LARGE.normalize(images), LARGE.normalize(images, CENTER))


def test_pictures_without_room_are_moved_by_an_eighth():
    prep = Preprocessing(16, 16, 1, (0.5,), (0.25,))
    images = np.full((1, 16, 16, 1), 255, np.uint8)
    for view in VIEWS["ten"]:
        got = prep.normalize(images, view)[0, :, :, 0]
        assert got.shape == (16, 16)
        assert (got == 0).sum() == (256 - 14 * 14 if view.down else 0)  # 0 is the mean colour
    corner = prep.normalize(images, View(-1, -1))[0, :, :, 0]
    assert (corner[:2] == 0).all()
    assert (corner[2:, 2:] > 1.9).all()
    assert np.array_equal(prep.normalize(images, CENTER), prep.normalize(images))


def test_smaller_pictures_are_enlarged():
    prep = Preprocessing(24, 24, 3, (0.0,) * 3, (1 / 255,) * 3, source=(8, 8))
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), np.uint8)
    got = prep.normalize(images, CENTER)
    for image, result in zip(images, got, strict=True):
        wanted = Image.fromarray(image).resize((24, 24), Image.Resampling.BILINEAR)
        assert abs(result - np.asarray(wanted)).max() < 1.01
    varied = Augment(flip=True).apply(images, prep, 0, 0, np.arange(2))
    assert varied.shape == (2, 24, 24, 3)
    assert Augment(rotate=10).apply(images, prep, 0, 0, np.arange(2)).shape == (2, 24, 24, 3)
    assert Augment(resized_crop=0.5).apply(images, prep, 0, 0, np.arange(2)).shape == (2, 24, 24, 3)


def test_the_views_have_what_their_names_say():
    assert [len(VIEWS[name]) for name in ("one", "flips", "five", "six", "ten")] == [1, 2, 5, 6, 10]
    assert VIEWS["one"] == (CENTER,)
    assert all(len(set(views)) == len(views) for views in VIEWS.values())
    assert {(v.down, v.right) for v in VIEWS["five"]} == {(0, 0), (-1, -1), (-1, 1), (1, -1), (1, 1)}
    assert {v.mirrored for v in VIEWS["ten"]} == {False, True}


def test_the_mean_answer():
    rng = np.random.default_rng(0)
    every = [rng.uniform(size=(4, 3)).astype(np.float32) for _ in range(5)]
    assert np.allclose(mean_probabilities(every, VIEWS["five"]), np.mean(every, axis=0))
    assert mean_probabilities(every, VIEWS["five"]).dtype == np.float32
    assert mean_probabilities(every[:1], VIEWS["one"]) is every[0]


def test_training_cuts_at_every_place_equally_often():
    prep = Preprocessing(4, 4, 1, (0.0,), (1 / 255,), source=(6, 6))
    pictures = Pictures(numbered(6, 6, 1).repeat(3600, 0), np.zeros(3600, np.int64), ["x"] * 3600)
    for augment in (Augment(), Augment(flip=True)):
        corners = []
        for batch in Batches(pictures, prep, augment, 600, 0).epoch(1):
            assert batch.images.shape[1:] == (4, 4, 1)
            corners += np.rint(batch.images.min(axis=(1, 2, 3))).astype(int).tolist()
        places, counts = np.unique(corners, return_counts=True)
        assert places.tolist() == [0, 1, 2, 6, 7, 8, 12, 13, 14]
        assert counts.min() > 320
    for batch in Batches(pictures, prep, None, 600):
        assert np.allclose(batch.images.min(axis=(1, 2, 3)), 7)  # the middle, for evaluation
    padded = Augment(crop=1).apply(pictures.images, prep, 0, 0, np.arange(3600))
    assert len({tuple(np.rint(row).astype(int)) for row in padded.reshape(3600, -1)}) == 25


def test_the_size_of_the_source_is_kept_with_the_model():
    values = LARGE.to_dict()
    assert Preprocessing.from_dict(json.loads(json.dumps(values))) == LARGE
    plain = Preprocessing(6, 5, 1, (0.0,), (1.0,))
    assert "source" not in plain.to_dict()
    assert Preprocessing.from_dict(plain.to_dict()) == plain
    assert plain.stored == (6, 5)
    with pytest.raises(ShapeError, match=r"\(N, 10, 9, 1\)"):
        LARGE.normalize(numbered(6, 5))
    with pytest.raises(ShapeError, match="malformed"):
        Preprocessing.from_dict(values | {"source": 3})
    with pytest.raises(ShapeError, match="at least 1"):
        Preprocessing(6, 5, 1, (0.0,), (1.0,), (0, 3))


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    """A folder of pictures of 16x16, and a network trained on 8x8 cut out of them."""
    folder = tmp_path_factory.mktemp("cut")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(folder / "user-cache"))
        patch.delenv("RESIDUA_DATA", raising=False)
        pics = paint_folder(folder / "pics")
        options = TINY | {"size": 16, "input": 8, "epochs": 6, "rotate": 10.0, "brightness": 0.1}
        result = train(pics, run=str(folder / "run"), reporter=Quiet(), **options)
    return folder, result


def test_a_network_that_sees_parts_of_pictures(cut, capsys):
    folder, result = cut
    model = load_model(result.model)
    assert (model.preprocessing.height, model.preprocessing.stored) == (8, (16, 16))
    assert result.test.accuracy == 1
    one = evaluate(result.model, say=print)
    ten = evaluate(result.model, say=print, views="ten")
    assert (one.pictures, one.correct) == (result.test.pictures, result.test.correct)
    assert ten.accuracy == 1
    assert ten.loss != one.loss
    out = answered(capsys, "predict", folder / "run", folder / "pics", "--views", "five", "--json")
    assert all(entry["class"] in entry["file"] for entry in json.loads(out))


def test_predict_repeats_evaluate_through_all_views(cut, capsys):
    folder, _ = cut
    for views in VIEWS:
        pictures = json.loads(
            answered(capsys, "predict", folder / "run", folder / "pics", "--views", views, "--json")
        )
        told = json.loads(
            answered(
                capsys, "evaluate", folder / "run", "--data", folder / "pics", "--split", "train",
                "--views", views, "--json",
            )
        )  # fmt: skip
        data = open_dataset(DataOptions(data=str(folder / "pics"), size=16), 0, say=print)
        names = set(data.read("train").names)
        shares = [
            entry["probability"] if entry["class"] in entry["file"] else 1 - entry["probability"]
            for entry in pictures
            if entry["file"].removeprefix(f"{folder / 'pics'}/") in names
        ]
        assert len(shares) == len(names)
        assert -np.mean(np.log(shares)) == pytest.approx(told["loss"], rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("side", [4, 7])
def test_six_views_are_moved_by_a_pixel_into_the_mirrored_edge_and_count_half(side):
    images = np.arange(2 * side * side, dtype=np.float32).reshape(2, side, side, 1)
    wide = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), "reflect")
    first = (side - 4) // 2
    places = [(v.down, v.right, v.mirrored, v.weight) for v in VIEWS["six"]]
    both = [(step, step, mirrored, 1.0) for step in (-1, 1) for mirrored in (False, True)]
    assert places == [(0, 0, False, 2.0), (0, 0, True, 2.0), *both]
    for view in VIEWS["six"][2:]:
        top = first + 1 + view.down
        wanted = wide[:, top : top + 4, top : top + 4]
        got = extract_view(images, (4, 4), view)
        np.testing.assert_array_equal(got, wanted[:, :, ::-1] if view.mirrored else wanted)
        assert got.flags.c_contiguous
    answers = [np.full((1, 2), number, np.float32) for number in (1, 2, 3, 4, 5, 6)]
    mean = mean_probabilities(answers, VIEWS["six"])
    np.testing.assert_allclose(mean, (2 * 1 + 2 * 2 + 3 + 4 + 5 + 6) / 8)
    assert mean.dtype == np.float32
