"""The pipeline of variations: each as asked for, and the same whenever it is drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pixels import SMOOTH, random_pixels, smooth
from tiny import TINY, call, paint_folder, refused

from residua.api import train
from residua.config import DataOptions
from residua.data.augmentation import color
from residua.data.augmentation.mixup_cutmix import Mix
from residua.data.augmentation.pipeline import Augment
from residua.data.batches import Batches
from residua.data.pictures.arrays import Pictures
from residua.data.preprocessing import Preprocessing
from residua.data.random_numbers import RandomNumbers
from residua.errors import ConfigError
from residua.training.progress import Quiet

PLAIN = Preprocessing(6, 6, 1, (0.0,), (1.0,))


def slow(images, prep, augment, seed, epoch, indices):
    """The same as Augment.apply, written pixel by pixel in terms of a padded picture."""
    normal, p = prep.normalize(images), augment.crop
    n, h, w, _ = normal.shape
    padded = np.pad(normal, ((0, 0), (p, p), (p, p), (0, 0)))
    result = np.empty_like(normal)
    for k in range(n):
        index = indices[k : k + 1]
        y = RandomNumbers(seed, epoch, index).integers(1, 2 * p + 1)[0]
        x = RandomNumbers(seed, epoch, index).integers(2, 2 * p + 1)[0]
        picture = padded[k, y : y + h, x : x + w]
        if augment.flip and RandomNumbers(seed, epoch, index).integers(3, 2)[0]:
            picture = picture[:, ::-1]
        picture = picture.copy()
        if augment.cutout:
            top = RandomNumbers(seed, epoch, index).integers(4, h)[0] - augment.cutout // 2
            left = RandomNumbers(seed, epoch, index).integers(5, w)[0] - augment.cutout // 2
            for row in range(h):
                for column in range(w):
                    if 0 <= row - top < augment.cutout and 0 <= column - left < augment.cutout:
                        picture[row, column] = 0
        result[k] = picture
    return result


@settings(deadline=None, max_examples=60)
@given(
    h=st.integers(1, 7),
    w=st.integers(1, 7),
    c=st.sampled_from([1, 3]),
    crop=st.integers(0, 9),
    flip=st.booleans(),
    cutout=st.integers(0, 9),
    seed=st.integers(0, 2**32),
    epoch=st.integers(0, 100),
)
def test_agrees_with_the_slow_way(h, w, c, crop, flip, cutout, seed, epoch):
    images = random_pixels(6, h, w, c, seed)
    prep, augment = Preprocessing.measure(images), Augment(crop, flip, cutout)
    indices = np.arange(100, 106)
    fast = augment.apply(images, prep, seed, epoch, indices)
    assert np.array_equal(fast, slow(images, prep, augment, seed, epoch, indices))
    assert fast.flags.c_contiguous


def test_alternating_flips_show_every_picture_both_ways_in_any_two_epochs():
    images, indices = random_pixels(40, 6, 6, 1, 3), np.arange(40)
    prep, augment = Preprocessing.measure(images), Augment(alternate_flip=True)
    plain = prep.normalize(images)
    turned = [(augment.apply(images, prep, 9, e, indices) != plain).any((1, 2, 3)) for e in range(4)]
    assert 10 < turned[0].sum() < 30
    np.testing.assert_array_equal(turned[1], ~turned[0])
    np.testing.assert_array_equal(turned[2], turned[0])
    np.testing.assert_array_equal(turned[3], turned[1])
    assert bool(augment)


@pytest.mark.parametrize("stored", [6, 9])
def test_crops_see_the_picture_mirrored_at_its_edge(engine, stored):
    images, indices = random_pixels(30, stored, stored, 3, 4), np.arange(30)[::-1].copy()
    prep = replace(Preprocessing.measure(images), height=6, width=6)
    prep = replace(prep, source=(stored, stored)) if stored != 6 else prep
    augment = Augment(crop=2, flip=True, border="reflect")
    got = augment.take(images, prep, 7, 3, indices, engine)
    np.testing.assert_allclose(got, augment.apply(images[indices], prep, 7, 3, indices), atol=1e-6)
    wide = np.pad(prep.normalize_stored(images), ((0, 0), (2, 2), (2, 2), (0, 0)), "reflect")
    random = RandomNumbers(7, 3, indices)
    for k, index in enumerate(indices):
        y, x = (random.integers(stream, stored - 6 + 5)[k] for stream in (1, 2))
        window = wide[index, y : y + 6, x : x + 6]
        np.testing.assert_allclose(got[k], window[:, ::-1] if random.coins(3)[k] else window, atol=1e-6)


@pytest.mark.parametrize("crop", [1, 2, 4])
def test_every_offset_and_both_mirrors_are_reached_equally_often(crop):
    # A single lit pixel in the middle tells where the crop was and whether it was mirrored.
    side = 2 * crop + 3
    images = np.zeros((8000, side, side, 1), np.uint8)
    images[:, crop + 1, crop + 1], images[:, crop + 1, crop + 2] = 255, 128
    prep = Preprocessing(side, side, 1, (0.0,), (1.0,))
    result = Augment(crop, flip=True).apply(images, prep, 3, 1, np.arange(8000))[..., 0]
    where = np.argmax(result.reshape(8000, -1), axis=1)
    counts = np.unique_counts(where).counts
    assert len(counts) >= (2 * crop + 1) ** 2
    down = np.bincount(RandomNumbers(3, 1, np.arange(8000)).integers(1, 2 * crop + 1))
    assert len(down) == 2 * crop + 1
    assert down.min() > 0.8 * down.max()
    assert np.array_equal(np.unique(where // side), np.arange(1, 2 * crop + 2))


def test_padding_is_the_mean_colour():
    images = np.full((50, 6, 6, 1), 255, np.uint8)
    prep = Preprocessing(6, 6, 1, (0.5,), (0.25,))
    result = Augment(crop=2).apply(images, prep, 0, 0, np.arange(50))
    assert set(np.unique(result)) == {0.0, 2.0}


def test_depends_on_seed_epoch_and_index_alone():
    images = random_pixels(40, c=1)
    augment = Augment(2, True, 2)
    indices = np.arange(40)
    one = augment.apply(images, PLAIN, 1, 2, indices)
    parts = [augment.apply(images[k : k + 7], PLAIN, 1, 2, indices[k : k + 7]) for k in range(0, 40, 7)]
    assert np.array_equal(np.concatenate(parts), one)
    for other in ((2, 2), (1, 3)):
        assert not np.array_equal(augment.apply(images, PLAIN, *other, indices), one)


def test_no_variation_is_plain_normalisation():
    images = random_pixels(c=1)
    assert not Augment()
    assert np.array_equal(Augment().apply(images, PLAIN, 0, 0, np.arange(5)), PLAIN.normalize(images))


@pytest.mark.parametrize("options", [{"crop": -1}, {"cutout": -1}, {"crop": 1.5}, {"cutout": True}])
def test_impossible_variation_is_refused(options):
    with pytest.raises(ConfigError, match="number of pixels"):
        Augment(**options)


EVERYTHING = {
    "crop": 2,
    "flip": True,
    "cutout": 3,
    "resized_crop": 0.3,
    "rotate": 20.0,
    "shear": 10.0,
    "zoom": 0.2,
    "elastic": 10.0,
    "brightness": 0.3,
    "contrast": 0.3,
    "saturation": 0.3,
    "hue": 30.0,
    "tint": 0.2,
    "pca_noise": 0.1,
    "noise": 0.05,
    "randaugment": 2,
}


COMPONENTS = tuple(map(tuple, color.measure_components(smooth(10)).tolist()))


ONE_BY_ONE = [{name: value} for name, value in EVERYTHING.items()]


@pytest.mark.parametrize(
    "options", [*ONE_BY_ONE, EVERYTHING], ids=lambda o: "+".join(o) if len(o) < 3 else "all"
)
def test_a_variation_depends_on_seed_epoch_and_index_alone(options):
    images, indices = smooth(30), np.arange(100, 130)
    augment = Augment(components=COMPONENTS, **options)
    assert augment
    one = augment.apply(images, SMOOTH, 1, 2, indices)
    assert one.dtype == np.float32
    assert one.shape == images.shape
    assert np.isfinite(one).all()
    assert np.array_equal(augment.apply(images, SMOOTH, 1, 2, indices), one)
    turned = np.random.default_rng(0).permutation(30)
    for places in (turned, turned[:7], turned[7:8]):
        part = augment.apply(images[places], SMOOTH, 1, 2, indices[places])
        # Matrix products of another size may round the last digit otherwise.
        assert np.allclose(part, one[places], atol=2e-5)
    assert not np.array_equal(one, SMOOTH.normalize(images))
    for other in ((2, 2), (1, 3)):
        assert not np.array_equal(augment.apply(images, SMOOTH, *other, indices), one)


def test_batches_of_varied_pictures_resume_to_the_same_bytes():
    pictures = Pictures(smooth(22), np.arange(22) % 3, [str(k) for k in range(22)])
    augment, mix = Augment(components=COMPONENTS, **EVERYTHING), Mix(0.4, 1.0)

    def batches():
        return Batches(pictures, SMOOTH, augment, 5, 7, mix)

    with batches().epoch(3) as running:
        whole = list(running)
    for start in range(6):
        with batches().epoch(3, start) as running:
            for again, wanted in zip(running, whole[start:], strict=True):
                for name in ("images", "labels", "indices", "others", "share"):
                    assert np.array_equal(getattr(again, name), getattr(wanted, name)), name


def test_what_comes_in_from_outside_is_the_mean_colour():
    images = np.full((40, 20, 24, 3), 255, np.uint8)
    for options in ({"rotate": 45.0}, {"zoom": 0.9}, {"shear": 40.0}):
        got = Augment(**options).apply(images, SMOOTH, 0, 0, np.arange(40))
        inside = SMOOTH.normalize(images)[0, 0, 0]
        assert abs(got).min() < 1e-5
        assert (got.min(axis=(0, 1, 2)) > -1e-5).all()
        assert (got <= inside + 1e-4).all()


@pytest.mark.parametrize(("name", "most"), [("rotate", 25.0), ("hue", 40.0)])
def test_angles_stay_within_what_is_asked(name, most):
    # Seen through what they do: a lit pixel far out, or pure red, tells the angle.
    count = 500
    images = np.zeros((count, 41, 41, 3), np.uint8)
    prep = Preprocessing(41, 41, 3, (0.0,) * 3, (1.0,) * 3)
    if name == "rotate":
        images[:, 19:22, 38:41] = 255
    else:
        images[:] = (128, 64, 64)
    got = Augment(**{name: most}).apply(images, prep, 0, 0, np.arange(count))
    if name == "rotate":
        weight = got.sum(-1)
        y, x = np.mgrid[:41, :41] - 20
        angles = np.degrees(np.arctan2(-(weight * y).sum((1, 2)), (weight * x).sum((1, 2))))
    else:
        red, green, blue = got[:, 20, 20].T
        angles = np.degrees(np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue))
    assert abs(angles).max() < most + 1
    assert angles.min() < -0.9 * most
    assert angles.max() > 0.9 * most


def test_colour_options_need_colour():
    grey = Preprocessing(20, 24, 1, (0.5,), (0.2,))
    pictures = Pictures(smooth(4, c=1), np.zeros(4, np.int64), list("abcd"))
    for name in ("saturation", "hue", "tint", "pca_noise"):
        with pytest.raises(ConfigError, match=f"--{name.replace('_', '-')} is for colour pictures"):
            Batches(pictures, grey, Augment(**{name: 0.5}), 2, 0)
    for name in EVERYTHING:
        if name not in ("saturation", "hue", "tint", "pca_noise"):
            augment = Augment(**{name: EVERYTHING[name]})
            assert np.isfinite(augment.apply(pictures.images, grey, 0, 0, np.arange(4))).all()
    with pytest.raises(ConfigError, match="components"):
        Augment(pca_noise=0.1).check(3)


def test_options_become_variations():
    options = DataOptions(crop=3, flip=None, hue=10.0, pca_noise=0.1, randaugment=2, magnitude=5.0)
    images = smooth(5)
    augment = Augment.of(options, images)
    assert (augment.crop, augment.flip, augment.hue, augment.randaugment) == (3, False, 10.0, 2)
    assert np.allclose(augment.components, color.measure_components(images))
    assert Augment.of(DataOptions()) == Augment()
    assert Augment.of(replace(options, pca_noise=0.0), images).components == ()


@pytest.mark.parametrize(
    "options", [{"rotate": 181}, {"hue": -1}, {"zoom": 1}, {"magnitude": 11}, {"resized_crop": 1.2}]
)
def test_variations_out_of_range(options):
    with pytest.raises(ConfigError, match=f"{next(iter(options))} takes"):
        Augment(**options)


@pytest.mark.usefixtures("quiet_cache")
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


@pytest.mark.usefixtures("quiet_cache")
def test_a_box_instead_of_a_padded_crop(tmp_path, capsys):
    pics = paint_folder(tmp_path / "pics")
    small = ["--size", 16, "--model", "resnet8", "--width", 4, "--epochs", 1, "--threads", 1]
    for flags, crop in (([], 2), (["--resized-crop", 0.5], 0), (["--resized-crop", 0.5, "--crop", 1], 1)):
        run = tmp_path / f"run{crop}"
        assert call(capsys, "train", pics, *small, *flags, "--run", run)[0] == 0
        assert f"crop = {crop}\n" in (run / "run.toml").read_text()


@pytest.mark.usefixtures("quiet_cache")
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
