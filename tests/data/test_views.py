"""What is seen of pictures: cut or enlarged to the network's input, views at test time, and the sheet."""

from __future__ import annotations

import json

import numpy as np
import published
import pytest
from PIL import Image
from tiny import TINY, answered, call, paint_folder, refused

from residua.api import augment_sheet, evaluate, train
from residua.config import DataOptions, SheetOptions
from residua.data import open_dataset
from residua.data.augmentation.pipeline import Augment
from residua.data.batches import Batches
from residua.data.pictures.arrays import Pictures
from residua.data.preprocessing import Preprocessing
from residua.data.views import CENTER, VIEWS, View, mean_probabilities
from residua.errors import ShapeError
from residua.insight.data_quality.augmentation import CATALOGUE, VARIATIONS, vary
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
    assert [len(VIEWS[name]) for name in ("one", "flips", "five", "ten")] == [1, 2, 5, 10]
    assert VIEWS["one"] == (CENTER,)
    assert all(len(set(views)) == len(views) for views in VIEWS.values())
    assert {(v.down, v.right) for v in VIEWS["five"]} == {(0, 0), (-1, -1), (-1, 1), (1, -1), (1, 1)}
    assert {v.mirrored for v in VIEWS["ten"]} == {False, True}


def test_the_mean_answer():
    rng = np.random.default_rng(0)
    every = [rng.uniform(size=(4, 3)).astype(np.float32) for _ in range(5)]
    assert np.allclose(mean_probabilities(every), np.mean(every, axis=0))
    assert mean_probabilities(every).dtype == np.float32
    assert mean_probabilities(every[:1]) is every[0]


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


def test_options_on_the_command_line(tmp_path, capsys):
    pics = paint_folder(tmp_path / "pics")
    small = ["--size", 8, "--model", "resnet8", "--width", 4, "--epochs", 1, "--threads", 1]
    flags = [
        "--rotate",
        5,
        "--hue",
        10,
        "--pca-noise",
        0.1,
        "--randaugment",
        1,
        "--magnitude",
        3,
        "--noise",
        0.02,
    ]
    code, _, err = call(capsys, "train", pics, *small, *flags, "--run", tmp_path / "run")
    assert code == 0, err
    written = (tmp_path / "run" / "run.toml").read_text()
    for line in ("rotate = 5.0", "hue = 10.0", "randaugment = 1", "magnitude = 3.0", "crop = 1"):
        assert line in written
    for flag, value, said in (
        ("--rotate", 200, "--rotate takes 0 to 180 degrees"),
        ("--zoom", 1, "--zoom takes a share from 0 to 0.9"),
        ("--input", 4, "--input takes at least 8 pixels"),
        ("--randaugment", 1.5, "--randaugment takes a whole number"),
        ("--magnitude", 11, "--magnitude takes 0 to 10"),
        ("--views", "six", ""),
    ):
        verb = "predict" if flag == "--views" else "train"
        assert said in refused(capsys, verb, pics, flag, value)
    assert "is for colour pictures; these are grey" in refused(
        capsys, "train", "digits", "--saturation", 0.5, "--run", tmp_path / "grey"
    )
    for flag in ("--mixup", "--cutmix"):
        capsules = ["--size", 28, "--model", "capsnet", "--threads", 1, "--run", tmp_path / "mixed"]
        assert "takes one label a picture" in refused(capsys, "train", pics, *capsules, flag, 0.2)
    assert not (tmp_path / "mixed").exists()


def test_a_box_instead_of_a_padded_crop(tmp_path, capsys):
    pics = paint_folder(tmp_path / "pics")
    small = ["--size", 16, "--model", "resnet8", "--width", 4, "--epochs", 1, "--threads", 1]
    for flags, crop in (([], 2), (["--resized-crop", 0.5], 0), (["--resized-crop", 0.5, "--crop", 1], 1)):
        run = tmp_path / f"run{crop}"
        assert call(capsys, "train", pics, *small, *flags, "--run", run)[0] == 0
        assert f"crop = {crop}\n" in (run / "run.toml").read_text()


def test_a_resumed_run_with_variations_ends_with_the_same_bytes(tmp_path):
    from residua.errors import ResiduaError

    pics = paint_folder(tmp_path / "pics")
    options = TINY | {
        "epochs": 3, "rotate": 20.0, "elastic": 5.0, "pca_noise": 0.2, "randaugment": 2, "noise": 0.05,
        "checkpoint_steps": 1,
    }  # fmt: skip

    class Stopping(Quiet):
        steps = 0

        def step(self, *numbers):
            self.steps += 1
            if self.steps == 5:
                raise ResiduaError("the power is out")

    train(pics, run=str(tmp_path / "whole"), reporter=Quiet(), **options)
    with pytest.raises(ResiduaError, match="power"):
        train(pics, run=str(tmp_path / "cut"), reporter=Stopping(), **options)
    train(resume=tmp_path / "cut", reporter=Quiet())
    for name in ("best.safetensors", "last.safetensors", "log.jsonl"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


# ---------------------------------------------------------------- the sheet
def test_without_options_every_variation_is_shown_alone(tmp_path):
    data = open_dataset(DataOptions(data=str(paint_folder(tmp_path / "pics")), size=16), 0, say=print)
    options = DataOptions(data=str(tmp_path / "pics"), size=16)
    rows = vary(data, options, SheetOptions(variations=3))
    assert [row.title.split()[0] for row in rows] == [f"--{name.replace('_', '-')}" for name in VARIATIONS]
    for row in rows:
        assert len(row.after) == 3
        assert all(picture.shape == row.before.shape == (16, 16, 3) for picture in row.after)
        if row.title != "--flip":
            assert any(not np.array_equal(picture, row.before) for picture in row.after), row.title
    flips = next(row for row in rows if row.title == "--flip")
    for picture in flips.after:
        assert np.array_equal(picture, flips.before) or np.array_equal(picture, flips.before[:, ::-1])


def test_grey_pictures_have_no_colours_to_vary():
    data = open_dataset(DataOptions(), 0, say=print)
    rows = vary(data, DataOptions(), SheetOptions(variations=1))
    assert len(rows) == sum(not colourful for _, _, colourful in CATALOGUE)


def test_with_options_pictures_of_all_classes_are_varied_by_them(tmp_path):
    paint_folder(tmp_path / "pics", ("blue", "green", "red"))
    options = DataOptions(data=str(tmp_path / "pics"), size=16, hue=180.0, crop=0, flip=False)
    data = open_dataset(options, 0, say=print)
    rows = vary(data, options, SheetOptions(pictures=5, variations=4))
    assert [row.title for row in rows] == ["blue", "green", "red", "blue", "green"]
    for row in rows:
        for picture in row.after:
            assert abs(picture.sum(-1, dtype=int) - row.before.sum(-1, dtype=int)).mean() < 40
            assert abs(picture.astype(int) - row.before).mean() > 3


def test_the_sheet_by_one_command(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paint_folder(tmp_path / "pics")
    assert answered(capsys, "augment", "pics", "--variations", 2) == "Picture: augment-pics.png\n"
    out = answered(
        capsys, "augment", "pics", "--mixup", 1, "--rotate", 30, "--pictures", 2, "--output", "y.png"
    )
    assert out == "Picture: y.png\n"
    for name in ("augment-pics.png", "y.png"):
        with Image.open(tmp_path / name) as picture:
            assert picture.format == "PNG"
            assert picture.width > 300
    assert "--pictures takes 1 to 100" in refused(capsys, "augment", "pics", "--pictures", 0)
    assert "choose one" in refused(capsys, "augment", "pics", "--data", "mnist")
    assert "is for colour pictures" in refused(capsys, "augment", "digits", "--hue", 20)
    assert augment_sheet("digits", say=print, variations=1, output="d.png").name == "d.png"


def test_the_sheet_of_pictures_that_are_cut(tmp_path):
    folder = published.dogs_vs_cats(tmp_path / "dogs-vs-cats")
    options = DataOptions(data=str(folder), size=32, input=24, rotate=10.0)
    data = open_dataset(options, 0, say=lambda _: None)
    rows = vary(data, options, SheetOptions(pictures=2, variations=2))
    assert all(picture.shape == (24, 24, 3) for row in rows for picture in (row.before, *row.after))
