"""The page in Firefox, opened as a file: the same answers, announced, by keyboard, and axe finds nothing."""

from __future__ import annotations

import csv
import time

import numpy as np
import pytest
from PIL import Image
from png_files import write_png

from residua.api import page as make_page
from residua.api import predict

pytestmark = pytest.mark.exhaustive
DISABLED = "document.getElementById('stop').disabled"


@pytest.fixture(scope="module")
def shop(trained, tmp_path_factory):
    """A page and pictures: the page's path, the model's, and files."""
    folder = tmp_path_factory.mktemp("shop")
    page = make_page(trained / "run", folder / "page.html", say=print)
    rng, files = np.random.default_rng(0), []
    for number in range(6):
        files.append(folder / f"{number}.png")
        files[-1].write_bytes(write_png(rng, (0, 2, 6)[number % 3], 8, (9 + number, 12)))
    for number, options in enumerate(({}, {"progressive": True}, {"subsampling": "4:4:4"})):
        files.append(folder / f"photo{number}.jpg")
        Image.fromarray(rng.integers(0, 256, (40, 60, 3), np.uint8)).save(files[-1], **options)
    files.append(folder / "smooth.webp")
    smooth = np.linspace(0, 255, 40)[:, None, None] + np.zeros((40, 60, 3))
    Image.fromarray(smooth.astype(np.uint8)).save(files[-1], quality=95)
    return page, trained / "run", files


def _table(firefox):
    """The rows that the page saves."""
    for old in firefox.downloads.iterdir():
        old.unlink()
    firefox.click("#save")
    end = time.monotonic() + 30
    while not (saved := [file for file in firefox.downloads.glob("*.csv") if file.stat().st_size]):
        assert time.monotonic() < end, "no table was saved"
        time.sleep(0.05)
    return list(csv.DictReader(saved[0].read_text(encoding="utf-8").splitlines()))


def test_a_table_of_pictures_is_that_of_predict(firefox, shop):
    page, model, files = shop
    expected = predict(model, files, say=lambda line: None, engine="numpy")
    firefox.go(page.as_uri())
    firefox.give("#files", files)
    firefox.wait(DISABLED)
    rows = _table(firefox)
    assert [row["file"] for row in rows] == [file.name for file in files]
    for row, answer in zip(rows, expected, strict=True):
        assert row["class"] == answer.top[0][0]
        tolerance = 0.05 if row["file"].endswith("webp") else 1e-5
        assert float(row["probability"]) == pytest.approx(answer.top[0][1], abs=tolerance), row["file"]


def test_one_picture_is_announced_and_explained_and_axe_finds_nothing(firefox, shop):
    axe = pytest.importorskip("axe_playwright_python.base", reason="needs axe: make browser")
    page, _, files = shop
    firefox.go(page.as_uri())
    firefox.give("#files", files[:1])
    firefox.wait("!document.getElementById('answer').hidden")
    assert firefox.run("return document.getElementById('said').getAttribute('aria-live')") == "polite"
    said = firefox.run("return document.getElementById('said').textContent")
    assert files[0].name in said
    assert firefox.run("return document.getElementById('best').textContent") in said
    firefox.click("#why")
    firefox.wait("!document.getElementById('parts').hidden")
    assert "decided" in firefox.run("return document.getElementById('said').textContent")
    passed, broken = firefox.run_later(
        f"""{axe.AXE_SCRIPT}
        const told = arguments[arguments.length - 1], ids = (rules) => rules.map((rule) => rule.id);
        axe.run(document).then((found) => told([found.passes.length, ids(found.violations)]));"""
    )
    assert passed > 20
    assert broken == []


def test_what_is_dropped_is_answered(firefox, shop):
    page, _, files = shop
    firefox.go(page.as_uri())
    firefox.give("#files", files[1:2])
    firefox.wait("!document.getElementById('answer').hidden")
    best = firefox.run("return document.getElementById('best').textContent")
    firefox.run(
        """const data = new DataTransfer();
        data.items.add(new File([Uint8Array.from(arguments[0])], "dropped.png", { type: "image/png" }));
        const options = { bubbles: true, cancelable: true, dataTransfer: data };
        document.dispatchEvent(new DragEvent("drop", options));""",
        list(files[1].read_bytes()),
    )
    firefox.wait("document.getElementById('name').textContent === 'dropped.png'")
    assert firefox.run("return document.getElementById('best').textContent") == best


def test_the_keyboard_alone_will_do(firefox, shop):
    page, _, files = shop
    firefox.go(page.as_uri())
    reached = []
    for _ in range(4):
        firefox.press("\ue004")  # Tab
        reached.append(firefox.run("return document.activeElement.id"))
    assert reached == ["language", "choose", "folder", "camera"]
    firefox.give("#files", files[:1])
    firefox.wait("!document.getElementById('answer').hidden")
    firefox.run("document.getElementById('why').focus()")
    firefox.press(" ")
    firefox.wait("!document.getElementById('parts').hidden")
    assert firefox.run("return document.activeElement.id") == "why"


def test_the_camera_takes_a_picture(firefox, shop):
    firefox.go(shop[0].as_uri())
    firefox.click("#camera")
    firefox.wait("!document.getElementById('viewfinder').hidden")
    firefox.click("#shoot")
    firefox.wait("document.getElementById('name').textContent.includes('photograph 1')")
    firefox.click("#close")
    firefox.wait("document.getElementById('viewfinder').hidden")
