"""Variations against Pillow, PyTorch and plain loops; each a function of seed, epoch and index alone."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageFilter, ImageOps
from scipy import stats

from residua.config import DataOptions
from residua.data import random_numbers as streams
from residua.data.augmentation import color, geometric
from residua.data.augmentation.mixup_cutmix import Mix
from residua.data.augmentation.pipeline import Augment
from residua.data.augmentation.randaugment import (
    OPERATIONS,
    auto_contrast,
    equalize,
    posterize,
    randaugment,
    sharpness,
    solarize,
)
from residua.data.batches import Batches
from residua.data.pictures.arrays import Pictures
from residua.data.preprocessing import Preprocessing
from residua.data.random_numbers import RandomNumbers
from residua.data.resampling import resize, sample, sampling_grid
from residua.errors import ConfigError, DataError

MANY = np.arange(20_000)


def smooth(n=4, h=20, w=24, c=3, seed=0):
    """(N, H, W, C) uint8 pictures without sharp edges."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (n, 6, 6, c), np.uint8)
    planes = [
        [np.asarray(Image.fromarray(picture[..., k]).resize((w, h), 3)) for k in range(c)]
        for picture in small
    ]
    return np.ascontiguousarray(np.array(planes).transpose(0, 2, 3, 1))


def light(images):
    return images.astype(np.float32) / 255


def picture(array):
    pixels = np.rint(np.clip(array, 0, 1) * 255).astype(np.uint8)
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


PREP = Preprocessing(20, 24, 3, (0.4, 0.5, 0.6), (0.2, 0.25, 0.3))


# ---------------------------------------------------------------- chance
def test_uniform_and_normal_numbers_are_what_they_are_called():
    uniform = RandomNumbers(3, 1, MANY).uniform(40, 3)
    assert uniform.dtype == np.float32
    assert uniform.min() >= 0
    assert uniform.max() < 1
    normal = RandomNumbers(3, 1, MANY).normal(41, 3)
    for column in range(3):
        assert stats.kstest(uniform[:, column], "uniform").pvalue > 1e-3
        assert stats.kstest(normal[:, column], "norm").pvalue > 1e-3
    for numbers in (uniform, normal):
        assert abs(np.corrcoef(numbers.T) - np.eye(3)).max() < 0.03
    assert np.isfinite(RandomNumbers(0, 0, np.arange(300)).normal(0, 1001)).all()


@pytest.mark.parametrize("alpha", [0.1, 0.2, 0.4, 1.0, 2.5, 8.0])
def test_beta_numbers_are_what_they_are_called(alpha):
    numbers = RandomNumbers(1, 2, MANY).beta(42, alpha)
    assert numbers.min() >= 0
    assert numbers.max() <= 1
    assert (numbers < 0.5).mean() == pytest.approx(0.5, abs=0.015)
    # Near 1 float32 has too few digits to be held against the law; the halves mirror each other.
    lower = numbers[numbers < 0.5].astype(np.float64)
    assert stats.kstest(2 * stats.beta(alpha, alpha).cdf(lower), "uniform").pvalue > 1e-3
    if alpha >= 1:
        upper = 1 - numbers[numbers > 0.5].astype(np.float64)
        assert stats.kstest(2 * stats.beta(alpha, alpha).cdf(upper), "uniform").pvalue > 1e-3


def test_a_number_does_not_depend_on_its_company():
    alone = RandomNumbers(1, 2, np.array([77])).normal(3, 5)
    assert np.array_equal(RandomNumbers(1, 2, np.arange(100)).normal(3, 5)[77:78], alone)


# ---------------------------------------------------------------- moving
@pytest.mark.parametrize("size", [(20, 24), (31, 40), (9, 7), (20, 12), (1, 1)])
@pytest.mark.parametrize("channels", [1, 3])
def test_resize_equals_pillow_s(size, channels):
    images = smooth(c=channels)
    got = resize(light(images), *size)
    for image, result in zip(images, got, strict=True):
        flat = image[..., 0] if channels == 1 else image
        wanted = np.asarray(Image.fromarray(flat).resize(size[::-1], Image.Resampling.BILINEAR))
        assert abs(result * 255 - wanted.reshape(*size, channels)).max() < 1.01


def grid_sample(images, where):
    """PyTorch's bilinear sampling at places in pixels."""
    torch = pytest.importorskip("torch")
    _, h, w, _ = images.shape
    grid = np.stack([(2 * where[:, 1] + 1) / w - 1, (2 * where[:, 0] + 1) / h - 1], axis=-1)
    planes = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    result = torch.nn.functional.grid_sample(planes, torch.from_numpy(grid), align_corners=False)
    return result.numpy().transpose(0, 2, 3, 1)


def test_sampling_equals_pytorch_s():
    images = light(smooth())
    where = np.random.default_rng(0).uniform(-6, 30, (4, 2, 9, 11)).astype(np.float32)
    assert np.allclose(sample(images, where, np.zeros(3, np.float32)), grid_sample(images, where), atol=1e-5)
    fill = np.array([0.2, 0.5, 0.7], np.float32)
    assert np.allclose(sample(images, where, fill), fill + grid_sample(images - fill, where), atol=1e-5)


def test_affine_equals_pytorch_s():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    images = light(smooth(h=20, w=20))
    turn, across, zoom = (
        rng.uniform(low, high, 4).astype(np.float32) for low, high in ((-3, 3), (-1, 1), (0.5, 2))
    )
    matrix = geometric.affine(4, rotate=turn, shear_x=across, zoom=zoom)
    middle, one = np.full((4, 2), 10, np.float32), np.ones((4, 2), np.float32)
    got = sample(images, sampling_grid(matrix, middle, one, 20, 20), np.zeros(3, np.float32))
    # The same by PyTorch's affine_grid, in (x, y): content sheared, then turned anticlockwise as seen.
    forward = [
        np.array([[math.cos(t), math.sin(t)], [-math.sin(t), math.cos(t)]]) @ np.array([[1, s], [0, 1]]) * z
        for t, s, z in zip(turn, across, zoom, strict=True)
    ]
    inverse = np.stack([np.hstack([np.linalg.inv(entry), np.zeros((2, 1))]) for entry in forward])
    theta = torch.from_numpy(inverse.astype(np.float32))
    grid = torch.nn.functional.affine_grid(theta, (4, 3, 20, 20), align_corners=False)
    planes = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    wanted = torch.nn.functional.grid_sample(planes, grid, align_corners=False).numpy().transpose(0, 2, 3, 1)
    assert np.allclose(got, wanted, atol=2e-4)


def test_a_quarter_turn_is_exact():
    images = light(smooth(2, 16, 16))
    matrix = geometric.affine(2, rotate=np.full(2, np.pi / 2, np.float32))
    middle, one = np.full((2, 2), 8, np.float32), np.ones((2, 2), np.float32)
    got = sample(images, sampling_grid(matrix, middle, one, 16, 16), np.zeros(3, np.float32))
    assert np.allclose(got, np.rot90(images, 1, axes=(1, 2)), atol=1e-4)


def test_nothing_moved_is_nothing_changed():
    images = light(smooth())
    middle, one = np.tile(np.array([10, 12], np.float32), (4, 1)), np.ones((4, 2), np.float32)
    where = sampling_grid(geometric.affine(4), middle, one, 20, 24)
    assert np.array_equal(sample(images, where, np.ones(3, np.float32)), images)


def test_elastic_deformation_is_a_smoothed_field():
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(0)
    noise = rng.uniform(-1, 1, (2, 3, 28, 26)).astype(np.float32)
    got = geometric.elastic_displacements(*noise, 34.0, 4.0)
    assert got.shape == (3, 2, 28, 26)
    for axis in range(2):
        for number in range(3):
            wanted = 34 * gaussian_filter(noise[axis, number].astype(float), 4, mode="constant", truncate=20)
            assert np.allclose(got[number, axis], wanted, atol=1e-4)


@settings(deadline=None, max_examples=50)
@given(h=st.integers(1, 40), w=st.integers(1, 40), least=st.floats(0.01, 1), seed=st.integers(0, 1000))
def test_boxes_lie_inside(h, w, least, seed):
    rng = np.random.default_rng(seed)
    area, down, right = (rng.uniform(size=50).astype(np.float32) for _ in range(3))
    aspect = np.exp(rng.uniform(-0.28, 0.28, 50)).astype(np.float32)
    middle, size = geometric.resized_crop_boxes(least + (1 - least) * area, aspect, down, right, h, w)
    assert (middle - size / 2 > -1e-3).all()
    assert (middle + size / 2 < np.array([h, w]) + 1e-3).all()
    assert (size >= 1).all()
    fits = (size[:, 0] < h) & (size[:, 1] < w) & (size > 1).all(axis=1)
    shares = size[:, 0] * size[:, 1] / (h * w)
    assert np.allclose(shares[fits], (least + (1 - least) * area)[fits], rtol=1e-4)


# ---------------------------------------------------------------- colouring
FACTORS = np.array([0.0, 0.4, 1.0, 1.7], np.float32)


@pytest.mark.parametrize(
    ("change", "enhance"),
    [
        (color.brightness, ImageEnhance.Brightness),
        (color.contrast, ImageEnhance.Contrast),
        (color.saturation, ImageEnhance.Color),
        (sharpness, ImageEnhance.Sharpness),
    ],
)
def test_enhancements_equal_pillow_s(change, enhance):
    images = smooth()
    got = np.clip(change(light(images), FACTORS), 0, 1)
    for image, factor, result in zip(images, FACTORS, got, strict=True):
        wanted = np.asarray(enhance(Image.fromarray(image)).enhance(float(factor)))
        assert abs(result * 255 - wanted).max() < 2.1, (enhance, factor)


def test_smoothing_equals_pillow_s_filter():
    image = smooth(1)
    wanted = np.asarray(Image.fromarray(image[0]).filter(ImageFilter.SMOOTH))
    got = sharpness(light(image), np.zeros(1, np.float32))[0] * 255
    assert abs(got - wanted).max() <= 1


def test_a_third_of_a_turn_of_the_hue_moves_the_channels():
    images = light(smooth(2))
    third = np.full(2, 2 * np.pi / 3, np.float32)
    assert np.allclose(color.hue(images, third), images[..., [2, 0, 1]], atol=1e-5)  # red becomes green
    angles = np.array([0.7, -2.0], np.float32)
    turned = color.hue(images, angles)
    assert np.allclose(turned.sum(-1), images.sum(-1), atol=1e-5)
    assert np.allclose(color.hue(turned, -angles), images, atol=1e-5)
    grey = images[..., :1].repeat(3, -1)
    assert np.allclose(color.hue(grey, angles), grey, atol=1e-5)


def test_tint_multiplies_channels():
    images = light(smooth(2))
    factors = np.array([[1, 0.5, 0], [2, 1, 1]], np.float32)
    assert np.allclose(color.tint(images, factors), images * factors[:, None, None])


def test_principal_components_of_the_colours():
    images = smooth(30)
    components = color.measure_components(images)
    pixels = images.reshape(-1, 3) / 255
    values, vectors = np.linalg.eigh(np.cov(pixels.T, bias=True))
    for row, value, vector in zip(components, values, vectors.T, strict=True):
        assert np.linalg.norm(row) == pytest.approx(value, rel=1e-4)
        assert abs(row @ vector) == pytest.approx(value, rel=1e-4)
    assert np.array_equal(color.measure_components(images[::-1]), components)
    multiples = np.array([[0.1, -0.2, 0.3]], np.float32)
    shift = color.pca_noise(light(images[:1]), components, multiples) - light(images[:1])
    wanted = sum(m * row for m, row in zip(multiples[0], components, strict=True))
    assert np.allclose(shift, wanted, atol=1e-6)
    with pytest.raises(DataError, match="3 channels"):
        color.measure_components(images[..., :1])


# ---------------------------------------------------------------- RandAugment
def test_its_operations_equal_pillow_s():
    images = smooth(4, 200, 300, seed=3)  # on few pixels Pillow's equalize rounds its steps coarsely
    images[0] //= 3
    pairs = [
        (auto_contrast(light(images)), ImageOps.autocontrast, 1.1),
        (equalize(light(images)), ImageOps.equalize, 8),  # where the darkest counts half a step more
        (posterize(light(images), 3), lambda image: ImageOps.posterize(image, 3), 0.1),
        (solarize(light(images), 100 / 255), lambda image: ImageOps.solarize(image, 100), 0.1),
    ]
    for got, wanted, tolerance in pairs:
        for image, result in zip(images, got, strict=True):
            assert abs(result * 255 - np.asarray(wanted(Image.fromarray(image)))).max() < tolerance


def test_equalize_and_auto_contrast_of_one_value():
    flat = np.full((1, 5, 5, 3), 0.4, np.float32)
    assert np.allclose(auto_contrast(flat), flat)
    assert np.allclose(equalize(flat), np.rint(flat * 255) / 255)


def test_randaugment_uses_each_operation_equally_often():
    images = np.zeros((14_000, 3, 3, 1), np.float32)
    images[:] = np.linspace(0.1, 0.6, 9).reshape(3, 3, 1)
    chosen = RandomNumbers(5, 0, np.arange(14_000)).integers(streams.RANDAUGMENT, 14)
    assert len(OPERATIONS) == 14
    assert np.bincount(chosen).min() > 850
    got = randaugment(images, 1, 9.0, np.zeros(1, np.float32), RandomNumbers(5, 0, np.arange(14_000)))
    alike = (got == images).all(axis=(1, 2, 3))
    assert alike[chosen == list(OPERATIONS).index("identity")].all()
    for number, name in enumerate(OPERATIONS):
        if name not in ("identity", "colour", "sharpness", "posterize", "translate-x", "translate-y"):
            assert not alike[chosen == number].any(), name


@pytest.mark.parametrize("channels", [1, 3])
def test_randaugment_stays_in_range_and_follows_its_key(channels):
    images = light(smooth(40, c=channels))
    fill = np.full(channels, 0.5, np.float32)
    indices = np.arange(40)
    one = randaugment(images, 3, 9.0, fill, RandomNumbers(1, 2, indices))
    assert one.dtype == np.float32
    assert one.min() >= 0
    assert one.max() <= 1
    parts = [
        randaugment(images[k : k + 7], 3, 9.0, fill, RandomNumbers(1, 2, indices[k : k + 7]))
        for k in range(0, 40, 7)
    ]
    assert np.allclose(np.concatenate(parts), one, atol=1e-6)
    assert np.array_equal(randaugment(images, 0, 9.0, fill, RandomNumbers(1, 2, indices)), images)


# ---------------------------------------------------------------- all together
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
    one = augment.apply(images, PREP, 1, 2, indices)
    assert one.dtype == np.float32
    assert one.shape == images.shape
    assert np.isfinite(one).all()
    assert np.array_equal(augment.apply(images, PREP, 1, 2, indices), one)
    turned = np.random.default_rng(0).permutation(30)
    for places in (turned, turned[:7], turned[7:8]):
        part = augment.apply(images[places], PREP, 1, 2, indices[places])
        # Matrix products of another size may round the last digit otherwise.
        assert np.allclose(part, one[places], atol=2e-5)
    assert not np.array_equal(one, PREP.normalize(images))
    for other in ((2, 2), (1, 3)):
        assert not np.array_equal(augment.apply(images, PREP, *other, indices), one)


def test_batches_of_varied_pictures_resume_to_the_same_bytes():
    pictures = Pictures(smooth(22), np.arange(22) % 3, [str(k) for k in range(22)])
    augment, mix = Augment(components=COMPONENTS, **EVERYTHING), Mix(0.4, 1.0)

    def batches():
        return Batches(pictures, PREP, augment, 5, 7, mix)

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
        got = Augment(**options).apply(images, PREP, 0, 0, np.arange(40))
        inside = PREP.normalize(images)[0, 0, 0]
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


# ---------------------------------------------------------------- two pictures in one
def test_mixup_is_a_weighted_mean_and_its_share_is_told():
    rng = np.random.default_rng(0)
    images, others = (rng.normal(size=(50, 6, 5, 3)).astype(np.float32) for _ in range(2))
    mixed, share = Mix(mixup=0.4).apply(images, others, 1, 2, np.arange(50))
    weight = share[:, None, None, None]
    assert np.allclose(mixed, weight * images + (1 - weight) * others, atol=1e-6)
    assert np.array_equal(share, RandomNumbers(1, 2, np.arange(50)).beta(streams.MIX_SHARE, 0.4))


def test_cutmix_pastes_one_box_whose_area_is_the_rest():
    images, others = np.zeros((300, 12, 9, 1), np.float32), np.ones((300, 12, 9, 1), np.float32)
    mixed, share = Mix(cutmix=1.0).apply(images, others, 1, 2, np.arange(300))
    assert np.allclose(mixed.mean(axis=(1, 2, 3)), 1 - share, atol=1e-6)
    for picture in mixed[..., 0]:
        rows, columns = np.flatnonzero(picture.any(1)), np.flatnonzero(picture.any(0))
        if len(rows):
            assert (picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] == 1).all()
    assert share.min() < 0.3
    assert share.max() > 0.95


def test_both_mixtures_share_the_pictures():
    images, others = np.zeros((400, 4, 4, 1), np.float32), np.ones((400, 4, 4, 1), np.float32)
    mixed, share = Mix(1.0, 1.0).apply(images, others, 0, 0, np.arange(400))
    boxed = np.isin(mixed, (0, 1)).all(axis=(1, 2, 3))
    assert 120 < boxed.sum() < 300
    assert np.allclose(mixed.mean(axis=(1, 2, 3)), 1 - share, atol=1e-6)


def test_partners_come_from_the_whole_split_with_their_labels():
    pictures = Pictures(smooth(60), np.arange(60), [str(k) for k in range(60)])
    batches = Batches(pictures, PREP, None, 8, 3, Mix(mixup=1.0))
    normal = PREP.normalize(pictures.images)
    seen = set()
    for batch in batches.epoch(4):
        weight = batch.share[:, None, None, None]
        wanted = weight * normal[batch.labels] + (1 - weight) * normal[batch.others]
        assert np.allclose(batch.images, wanted, atol=1e-6)
        assert np.array_equal(batch.labels, batch.indices)
        seen |= set(batch.others.tolist())
        # The same picture in another batch has the same partner and share.
        order = batch.indices[::-1]
        again = batches.make(order, 4, 0)
        assert np.array_equal(again.others[: len(order)], batch.others[::-1])
        assert np.array_equal(again.images, batch.images[::-1])
    assert len(seen) > 25


def test_the_loss_of_two_labels_is_the_loss_of_the_mixed_target(engine):
    """What a training step has to add up: two weighted losses are the cross-entropy of the mixed target."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(7, 4))
    labels, others, share = rng.integers(0, 4, 7), rng.integers(0, 4, 7), rng.uniform(size=7)
    one, done = engine.softmax_cross_entropy(logits, labels, weights=share)
    two, dtwo = engine.softmax_cross_entropy(logits, others, weights=1 - share)
    target = share[:, None] * np.eye(4)[labels] + (1 - share)[:, None] * np.eye(4)[others]
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert one + two == pytest.approx(-(target * np.log(shares)).sum(1).mean())
    assert np.allclose(done + dtwo, (shares - target) / 7)


def test_mixtures_out_of_range_or_without_a_seed():
    with pytest.raises(ConfigError, match="mixup takes"):
        Mix(mixup=-1)
    with pytest.raises(ConfigError, match="needs a seed"):
        Batches(Pictures(smooth(2), np.zeros(2, np.int64), "ab"), PREP, None, 2, None, Mix(0.2))
