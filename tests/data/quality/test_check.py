"""What `residua check` finds: planted copies and no others, damage, sizes, leaks, in words and a picture."""

from __future__ import annotations

import io
import json
import os
import shutil
from pathlib import Path

import numpy as np
import published
import pytest
from PIL import Image
from tiny import answered, refused

from residua.api import check_data
from residua.data.quality.descriptors import describe
from residua.data.quality.exact_duplicates import first_occurrences
from residua.data.quality.findings import worst_pairs
from residua.data.quality.near_duplicates import LEAST, near_duplicates, take_pictures
from residua.data.sources.readers.cifar import read_cifar_python
from residua.errors import ConfigError
from residua.insight.data_quality.text import findings_text

pytestmark = pytest.mark.usefixtures("quiet_cache")
DATA = Path(os.environ.get("RESIDUA_DATA", ""))


def scenes(count, size=32, seed=0, channels=3):
    """Unrelated smooth pictures, as photographs are: noise that was enlarged, and some fine grain."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        layers = np.zeros((size, size, channels))
        for cells in (4, 8, 16):
            noise = rng.integers(0, 256, (cells, cells, channels), np.uint8)
            planes = [Image.fromarray(noise[..., c]).resize((size, size), 3) for c in range(channels)]
            layers += np.stack([np.asarray(plane, float) for plane in planes], -1) * cells**-0.5
        layers -= layers.min()
        found.append(255 * layers / layers.max())
    return np.array(found).reshape(count, size, size, channels).astype(np.uint8)


def jpeg(image, quality=60):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))


def plain_description(image, side):
    """`describe` for one picture, pixel by pixel."""
    h, w, _ = image.shape
    grey = [[float(image[y, x] @ np.array([0.299, 0.587, 0.114])) for x in range(w)] for y in range(h)]
    small = np.zeros((side, side))
    for i in range(side):
        for j in range(side):
            total = weight = 0.0
            for y in range(h):
                for x in range(w):
                    high = min((i + 1) * h / side, y + 1) - max(i * h / side, y)
                    wide = min((j + 1) * w / side, x + 1) - max(j * w / side, x)
                    if high > 0 and wide > 0:
                        total += grey[y][x] * high * wide
                        weight += high * wide
            small[i, j] = total / weight
    right = [small[i, j + 1] - small[i, j] for i in range(side) for j in range(side - 1)]
    below = [small[i + 1, j] - small[i, j] for i in range(side - 1) for j in range(side)]
    both = np.array(right + below)
    return both / np.linalg.norm(both)


@pytest.mark.parametrize("size", [8, 11, 20])
def test_a_description_is_what_it_says(size):
    images = scenes(3, size)
    got = describe(images, 8)
    assert got.dtype == np.float32
    for image, row in zip(images, got, strict=True):
        assert np.allclose(row, plain_description(image, 8), atol=1e-5)


def test_brightness_and_contrast_have_no_part_in_a_description():
    images = scenes(5)
    dim = (images * 0.5 + 40).astype(np.uint8)
    assert (np.einsum("nd,nd->n", describe(images), describe(dim)) > 0.999).all()
    grey = describe(np.full((2, 32, 32, 3), 77, np.uint8))
    assert not grey.any()
    assert describe(np.zeros((0, 32, 32, 3), np.uint8)).shape[0] == 0
    assert describe(scenes(2, 3)).shape == (2, 12)


def test_exact_copies():
    images = scenes(6)
    splits = [images[[0, 1, 2]], images[[3, 1]], images[[4, 0, 5, 4]]]
    assert first_occurrences(splits).tolist() == [0, 1, 2, 3, 1, 5, 0, 7, 5]
    changed = images[:1].copy()
    changed[0, 31, 31, 2] ^= 1
    assert first_occurrences([images[:1], changed]).tolist() == [0, 1]


def test_pictures_are_taken_from_the_right_split():
    images = scenes(9)
    splits = [images[:4], images[:0], images[4:]]
    places = np.array([8, 0, 4, 3])
    assert np.array_equal(take_pictures(splits, places), images[places])


def stamped(image):
    changed = image.copy()
    changed[27:, 24:] = 200
    return changed


PLANTED = {
    "compressed": lambda image: jpeg(image),
    "darker": lambda image: (image * 0.6).astype(np.uint8),
    "another hue": lambda image: image[..., [1, 0, 2]] // 2 + image // 2,
    "shifted": lambda image: np.roll(image, 1, axis=1),
    "noisy": lambda image: (
        (image + np.random.default_rng(3).normal(0, 6, image.shape)).clip(0, 255).astype(np.uint8)
    ),
    "cropped": lambda image: np.asarray(Image.fromarray(image[1:-1, 1:-1]).resize((32, 32), 2)),
    "with a stamp": lambda image: stamped(image),
}


def test_planted_copies_are_found_and_nothing_else():
    images = scenes(400)
    copies = np.stack([change(images[10 * place]) for place, change in enumerate(PLANTED.values())])
    labels = np.concatenate([np.arange(400) % 10, np.arange(len(copies)) * 0])
    found = near_duplicates([images, copies], labels)
    pairs = dict(zip(found.second.tolist(), found.first.tolist(), strict=True))
    for place, name in enumerate(PLANTED):
        assert pairs.pop(400 + place, None) == 10 * place, name
    assert not pairs
    assert (found.first < found.second).all()
    assert (found.cosine >= LEAST).all()


def test_copies_with_two_labels_must_be_all_but_equal():
    images = scenes(300)
    copies = np.stack([jpeg(images[0], 90), images[1]])
    copies[1, 8:20, 8:20] = 255 - copies[1, 8:20, 8:20]  # one ornament, another letter in it
    same, other = np.zeros(302, np.int64), np.arange(302)
    assert near_duplicates([images, copies], same).second.tolist() == [300]
    assert near_duplicates([images, copies], other).second.tolist() == [300]
    copies[1] = images[1]
    copies[1, 12:16, 12:16] = 255 - copies[1, 12:16, 12:16]
    assert near_duplicates([images, copies], same).second.tolist() == [300, 301]
    assert near_duplicates([images, copies], other).second.tolist() == [300]


def test_where_all_look_alike_only_the_almost_equal_counts():
    """A thousand strokes that turn little by little: neighbours are alike, yet no copies."""
    y, x = np.mgrid[:28, :28] - 13.5
    angles = np.random.default_rng(0).uniform(0, np.pi, 1000)
    lines = np.stack([np.abs(x * np.cos(a) + y * np.sin(a)) < 2 for a in angles])
    images = (255 * lines)[..., None].astype(np.uint8)
    first = first_occurrences([images])
    found = near_duplicates([images], np.zeros(1000, np.int64))
    other = first[found.first] != first[found.second]
    assert other.sum() < 10
    cosine = describe(images) @ describe(images).T
    assert (cosine > 0.9).sum() > 20_000  # a fixed threshold would have found all of these


def test_some_rows_find_what_all_find():
    images = scenes(300)
    copies = np.stack([jpeg(image) for image in images[:20]])
    labels = np.zeros(320, np.int64)
    whole = near_duplicates([images, copies], labels)
    rows = np.arange(310, 320)
    part = near_duplicates([images, copies], labels, rows)
    wanted = [(a, b) for a, b in zip(whole.first.tolist(), whole.second.tolist(), strict=True) if b >= 310]
    assert list(zip(part.first.tolist(), part.second.tolist(), strict=True)) == wanted
    assert len(wanted) == 10


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7])
def test_few_pictures(count):
    images = np.concatenate([scenes(count), scenes(count)[:1]])
    found = near_duplicates([images], np.zeros(len(images), np.int64))
    assert found.second.tolist() == ([count] if count else [])


def test_pictures_of_one_grey_are_like_nothing():
    images = np.concatenate([scenes(50), np.stack([np.full((32, 32, 3), g, np.uint8) for g in (0, 9, 9)])])
    assert len(near_duplicates([images], np.zeros(53, np.int64))) == 0
    assert first_occurrences([images])[52] == 51


@pytest.mark.exhaustive
def test_cifar_10_has_copies_of_its_test_pictures(data_dir):
    """Barz and Denzler 2019, "Do we train on test data?": 3.25 % of all; here by a fifth of the training."""
    folder = data_dir / "cifar-10-batches-py"
    if not folder.is_dir():
        pytest.skip("needs cifar-10-batches-py in the folder RESIDUA_DATA")
    train, test = (read_cifar_python(folder / name, 10) for name in ("data_batch_1", "test_batch"))
    labels = np.concatenate([train.labels, test.labels])
    found = near_duplicates([train.images, test.images], labels)
    torn = (found.first < 10_000) & (found.second >= 10_000)
    copied = np.unique(found.second[torn])
    assert 50 <= len(copied) <= 110
    same = labels[found.first] == labels[found.second]
    assert same.mean() > 0.97


# ---------------------------------------------------------------- the whole check
def own_folder(root):
    """Three classes, 20:20:5, of sizes and modes of all kinds, with copies and damage."""
    images = scenes(45, 40)
    for number, image in enumerate(images):
        kind = ("cat", "dog", "eel")[0 if number < 20 else 1 if number < 40 else 2]
        picture = Image.fromarray(image)
        if number % 7 == 0:
            picture = picture.resize((50, 40))
        if number % 9 == 0:
            picture = picture.convert("L")
        path = root / kind / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path)
    for number in range(3):
        (root / "dog" / f"bad{number}.png").write_bytes(b"no picture")
    shutil.copy(root / "cat" / "1.png", root / "cat" / "copy.png")
    shutil.copy(root / "cat" / "2.png", root / "dog" / "copy.png")
    Image.open(root / "cat" / "3.png").save(root / "cat" / "resaved.jpg", quality=80)
    return root


@pytest.fixture
def quiet_folder(tmp_path):
    return own_folder(tmp_path / "pets")


def test_everything_about_a_folder(quiet_folder, tmp_path):
    said = []
    found, path = check_data(quiet_folder, say=said.append, size=32, output=str(tmp_path / "x.png"))
    assert found.classes == ("cat", "dog", "eel")
    assert [sum(found.counts[split][k] for split in found.counts) for k in range(3)] == [22, 21, 5]
    assert len(found.bad) == 3
    assert all("bad" in reason for reason in found.bad)
    assert sum(found.sizes.values()) == 48
    assert found.sizes[50, 40] == 7
    assert found.modes["L"] == 5
    assert found.imbalance == max(found.counts["train"]) / min(found.counts["train"])
    exact = {
        frozenset(Path(found.name(place)[1]).name for place in pair)
        for pair in zip(found.exact.pairs.first.tolist(), found.exact.pairs.second.tolist(), strict=True)
    }
    assert exact == {frozenset({"1.png", "copy.png"}), frozenset({"2.png", "copy.png"})}
    assert len(found.exact.doubts) == 1
    near = {
        Path(found.name(place)[1]).name
        for places in (found.near.pairs.first, found.near.pairs.second)
        for place in places.tolist()
    }
    assert near == {"3.png", "resaved.jpg"}
    text = findings_text(found)
    for part in (
        "Unreadable: 3",
        "Exact copies (equal pixels at 32x32): 4 pictures in 2 pairs",
        "pairs with two labels: 1",
        "Near copies (but for a crop, a hue, a compression): 2 pictures in 1 pair\n",
        "2 different, from 40x40 to 50x40; most often 40x40 (41)",
        "colour 43, grey 5",
        "times the training pictures of eel",
        "--balance",
        "Mend or remove them",
    ):
        assert part in text, part
    assert max(map(len, text.splitlines())) < 200
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        assert picture.width > 1000
    first = worst_pairs(found, 12)[0]
    assert {found.name(place)[2] for place in first} == {"cat", "dog"}


def test_leaks_are_counted_by_test_picture(tmp_path):
    images = scenes(60)
    for number, image in enumerate(images):
        part = "train" if number < 40 else "val" if number < 50 else "test"
        folder = tmp_path / "d" / part / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{number}.png")
    for number in (0, 2):
        shutil.copy(tmp_path / f"d/train/a/{number}.png", tmp_path / f"d/test/a/copy{number}.png")
    shutil.copy(tmp_path / "d/train/a/0.png", tmp_path / "d/val/a/again.png")
    Image.open(tmp_path / "d/val/a/42.png").save(tmp_path / "d/test/a/near.jpg", quality=80)
    found, _ = check_data(tmp_path / "d", say=print, size=32, output=str(tmp_path / "x.png"))
    assert found.leaks == 3
    assert found.exact.across["train", "test"] == 2
    assert found.exact.across["train", "validation"] == 1
    assert found.near.across["validation", "test"] == 1
    text = findings_text(found)
    assert "Leak: of 13 test pictures 3 (23.08 %) are copies" in text
    told = found.to_dict()
    assert told["test_pictures_with_a_copy"] == 3
    assert ["validation/val/a/42.png", "test/test/a/near.jpg"] in [
        pair[:2] for pair in told["near_copies"]["pairs"]
    ]
    bare, _ = check_data(tmp_path / "d", say=print, size=32, near=False, output=str(tmp_path / "x.png"))
    assert bare.near is None
    assert bare.leaks == 2
    assert "Near copies" not in findings_text(bare)


def test_the_same_driver_on_both_sides(tmp_path):
    folder = published.state_farm(tmp_path / "drivers")
    options = {"say": lambda _: None, "output": str(tmp_path / "x.png"), "near": False}
    kept, _ = check_data(folder, **options)
    leaky, _ = check_data(folder, groups="leaky", **options)
    assert kept.torn == ()
    assert "Groups: 8 drivers, each in one split" in findings_text(kept)
    assert len(leaky.torn) > 4
    assert f"Groups: {len(leaky.torn)} of 8 drivers lie in several splits (p0" in findings_text(leaky)
    assert "Split with --groups kept" in findings_text(leaky)


def test_many_classes_are_summed_up(tmp_path):
    for number in range(45):
        for copy in range(4):
            published.paint(tmp_path / "d" / f"class {number:02d}" / f"{copy}.png", 10 * number + copy)
    found, path = check_data(tmp_path / "d", say=lambda _: None, size=8, output=str(tmp_path / "x.png"))
    text = findings_text(found)
    assert "... 35 classes of sizes between" in text
    assert len(text.splitlines()) < 30
    assert path.exists()


def test_large_sets_are_compared_by_their_test_pictures(tmp_path, monkeypatch):
    monkeypatch.setattr("residua.data.quality.check.MOST_COMPARED", 10)
    folder = own_folder(tmp_path / "pets")
    found, _ = check_data(folder, say=print, size=32, output=str(tmp_path / "x.png"))
    assert found.compared == len(found.splits["test"])
    assert "of the test split with all others" in findings_text(found)


def test_by_one_command(capsys, tmp_path, monkeypatch, quiet_folder):
    monkeypatch.chdir(tmp_path)
    out = answered(capsys, "check", "pets", "--size", "32")
    assert out.startswith("pets: Pictures in pets")
    assert out.endswith("Picture: check-pets.png\n")
    assert (tmp_path / "check-pets.png").exists()
    told = json.loads(answered(capsys, "check", "pets", "--size", "32", "--json", "--output", "y.png"))
    assert told["classes"] == ["cat", "dog", "eel"]
    assert told["exact_copies"]["pictures"] == 4
    assert (tmp_path / "y.png").exists()
    clean = answered(capsys, "check", "digits")
    assert "Nothing stands against training on it." in clean
    assert "--size takes at least 8 pixels" in refused(capsys, "check", "pets", "--size", "3")
    assert "neither a data set nor a folder" in refused(capsys, "check", "petz")
    shutil.rmtree(tmp_path / "pets" / "dog")
    shutil.rmtree(tmp_path / "pets" / "eel")
    assert "holds only the class 'cat'" in refused(capsys, "check", "pets")
    assert refused(capsys, "check", "digits", "--output", "check-pets.png/x.png")


def test_progress_is_told(quiet_folder, tmp_path):
    heard = []
    check_data(
        quiet_folder, say=print, watch=lambda *numbers: heard.append(numbers), size=16,
        output=str(tmp_path / "x.png"),
    )  # fmt: skip
    assert heard[-1] == (48, 48)
    with pytest.raises(ConfigError):
        check_data(quiet_folder, sizes=3)
