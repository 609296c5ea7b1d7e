"""A data set looked through before anybody trains on it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import published
import pytest
from PIL import Image
from pixels import scenes
from tiny import answered, refused

from residua.api import check_data
from residua.data.quality.findings import worst_pairs
from residua.errors import ConfigError
from residua.insight.data_quality.text import findings_text

pytestmark = pytest.mark.usefixtures("quiet_cache")


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
    lone = answered(capsys, "check", "pets")
    assert "Training would refuse it: pets holds only the class 'cat'; it takes two or more" in lone
    assert "Nothing stands against training" not in lone
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
