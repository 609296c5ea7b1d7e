"""The page in a real browser: it answers as residua does, asks for nothing, and anybody can use it."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from browsing import DESK, PHONE, Visit
from PIL import Image
from png_files import exif_block, write_png

from residua.api import page as make_page
from residua.api import predict
from residua.deploy.page.sources import read_source
from residua.models.calibration import Calibration, Coverage
from residua.models.model_file import best_model, load_model, save_model

TEXTS = json.loads(read_source("interface/texts.json"))
QUIET = {"say": lambda line: None, "engine": "numpy"}


@pytest.fixture(scope="module")
def shop(trained, tmp_path_factory):
    """A folder: model.safetensors that is not sure below 0.9, its page.html, and pictures of every kind."""
    folder = tmp_path_factory.mktemp("shop")
    model = load_model(best_model(trained / "run"))
    calibration = Calibration(1.3, "pics", 40, (Coverage(0.3, 40, 30), Coverage(0.9, 20, 20)))
    save_model(folder / "model.safetensors", replace(model, calibration=calibration, file=None))
    for name in ("test.json",):
        (folder / name).write_bytes((trained / "run" / name).read_bytes())
    (folder / "model.safetensors").rename(folder / "best.safetensors")
    make_page(folder / "best.safetensors", folder / "page.html", say=print)
    rng, pics = np.random.default_rng(0), folder / "pics"
    pics.mkdir()
    for number in range(6):
        (pics / f"{number}.png").write_bytes(write_png(rng, (0, 2, 6)[number % 3], 8, (9 + number, 12)))
    turned = [(b"eXIf", exif_block(6))]
    (pics / "turned.png").write_bytes(write_png(rng, 2, 8, (12, 20), more=turned))
    smooth = np.linspace(0, 255, 40)[:, None, None] + np.zeros((40, 60, 3))
    exif = Image.Exif()
    exif[0x0112] = 8
    for ending in ("jpg", "webp"):
        picture = Image.fromarray(smooth.astype(np.uint8))
        picture.save(pics / f"smooth.{ending}", exif=exif, quality=95)
    return folder


def _show(visit, file):
    visit.page.set_input_files("#files", file)
    visit.page.locator("#name", has_text=file.name).wait_for(timeout=10_000)
    return visit.page.text_content("#best")


def _saved(visit, tmp_path):
    visit.page.locator("#stop[disabled]").wait_for(timeout=20_000)
    with visit.page.expect_download() as download:
        visit.page.click("#save")
    download.value.save_as(tmp_path / "table.csv")
    return list(csv.DictReader((tmp_path / "table.csv").read_text(encoding="utf-8").splitlines()))


def test_a_table_of_pictures_is_that_of_predict(browser, shop, tmp_path):
    files = sorted((shop / "pics").iterdir())
    expected = predict(shop / "best.safetensors", files, reject=0.9, **QUIET)
    with Visit(browser, shop / "page.html") as visit:
        visit.page.set_input_files("#files", files)
        rows = _saved(visit, tmp_path)
        assert visit.said == []
    assert [row["file"] for row in rows] == [file.name for file in files]
    for row, answer in zip(rows, expected, strict=True):
        name, probability = answer.top[0]
        assert row["class"] == name
        assert row["sure"] == ("yes" if answer.sure else "no")
        tolerance = 1e-5 if row["file"].endswith(("png", "jpg")) else 0.05
        assert float(row["probability"]) == pytest.approx(probability, abs=tolerance), row["file"]


def test_one_picture_is_answered_announced_and_explained_and_nothing_is_asked_for(browser, shop):
    file = shop / "page.html"
    with Visit(browser, file, locale="en-GB") as visit:
        best = _show(visit, shop / "pics" / "1.png")
        assert best in visit.page.text_content("#said")
        assert visit.page.get_attribute("#said", "aria-live") == "polite"
        assert visit.page.locator("#bars li").count() == 2
        visit.page.click("#why")
        visit.page.locator("#parts").wait_for(timeout=10_000)
        assert "The part that decided most lies" in visit.page.get_attribute("#map", "aria-label")
        assert "Where it is blue, covering it adds." in visit.page.inner_text("#parts-text")
        assert [url for url in visit.asked if not url.startswith(("blob:", "data:"))] == [file.as_uri()]
        assert visit.said == []
        assert "it named" in visit.page.text_content("#tested")
        assert "20 of 20 answers were right (100.0%)" in visit.page.text_content("#sure")


def test_the_policy_refuses_what_is_put_into_the_page(browser, shop, tmp_path):
    text = (shop / "page.html").read_text(encoding="utf-8")
    more = (
        '<script>fetch("file:///etc/hostname")</script><img src="https://example.org/a.png" alt="x"></body>'
    )
    (tmp_path / "bad.html").write_text(text.replace("</body>", more), encoding="utf-8")
    with Visit(browser, tmp_path / "bad.html") as visit:
        assert sum("Content Security Policy" in line for line in visit.said) == 2


@pytest.mark.sample(1)
@pytest.mark.parametrize("language", TEXTS["native"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser, shop, size, scheme, language):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe: make browser")
    with Visit(browser, shop / "page.html", size, scheme, bypass_csp=True) as visit:
        visit.page.select_option("#language", language)
        assert visit.page.get_attribute("html", "lang") == language
        assert visit.page.text_content("h1") == TEXTS["title"][language]
        visit.page.set_input_files("#files", sorted((shop / "pics").iterdir()))
        visit.page.locator("#stop[disabled]").wait_for(timeout=20_000)
        visit.page.locator("#rows button").first.click()
        visit.page.locator("#answer").wait_for()
        visit.page.click("#why")
        visit.page.locator("#parts").wait_for(timeout=10_000)
        found = axe.Axe().run(visit.page).response["violations"]
        assert [(rule["id"], rule["nodes"][0]["html"][:200]) for rule in found] == []
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_the_focus_is_kept_where_a_table_is_stopped(browser, shop):
    files = sorted((shop / "pics").iterdir())
    with Visit(browser, shop / "page.html") as visit:
        visit.page.set_input_files("#files", files * 100)
        visit.page.locator("#stop:enabled").focus()
        visit.page.keyboard.press("Enter")
        visit.page.locator("#stop[disabled]").wait_for(timeout=20_000)
        assert visit.page.evaluate("document.activeElement.id") == "save"


def test_the_keyboard_alone_will_do(browser, shop):
    with Visit(browser, shop / "page.html") as visit:
        reached = []
        for _ in range(5):
            visit.page.keyboard.press("Tab")
            reached.append(visit.page.evaluate("document.activeElement.id"))
        assert reached[:4] == ["language", "choose", "folder", "camera"]
        visit.page.focus("#choose")
        # The dialogue itself is the browser's.
        visit.page.evaluate(
            "document.getElementById('files').addEventListener('click', () => { asked = true; })"
        )
        visit.page.keyboard.press("Enter")
        assert visit.page.evaluate("asked")
        visit.page.set_input_files("#files", shop / "pics" / "0.png")
        visit.page.locator("#answer").wait_for()
        visit.page.focus("#why")
        visit.page.keyboard.press("Space")
        visit.page.locator("#parts").wait_for(timeout=10_000)
        assert visit.page.evaluate("document.activeElement.id") == "why"  # the focus is not taken away
        assert visit.page.get_attribute("#why", "aria-disabled") == "true"


def test_what_is_dropped_or_pasted_is_answered(browser, shop):
    give = """([type, bytes]) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(bytes)], `${type}.png`, { type: "image/png" }));
      const options = { bubbles: true, cancelable: true };
      document.dispatchEvent(type === "drop" ? new DragEvent("drop", { ...options, dataTransfer: data })
        : new ClipboardEvent("paste", { ...options, clipboardData: data }));
    }"""
    content = list((shop / "pics" / "1.png").read_bytes())
    with Visit(browser, shop / "page.html", locale="en-GB") as visit:
        best = _show(visit, shop / "pics" / "1.png")
        for kind, name in (("drop", "drop.png"), ("paste", "pasted picture")):
            visit.page.evaluate(give, [kind, content])
            visit.page.locator("#name", has_text=name).wait_for(timeout=10_000)
            assert visit.page.text_content("#best") == best


def test_a_folder_is_a_table_by_paths(browser, shop, tmp_path):
    (shop / "pics" / "notes.txt").write_text("no picture")
    with Visit(browser, shop / "page.html") as visit:
        visit.page.set_input_files("#directory", shop / "pics")
        rows = _saved(visit, tmp_path)
    (shop / "pics" / "notes.txt").unlink()
    assert sorted(row["file"] for row in rows) == [
        f"pics/{f.name}" for f in sorted((shop / "pics").iterdir())
    ]


def test_the_camera_takes_a_picture(browser, shop):
    with Visit(browser, shop / "page.html", locale="en-GB", permissions=["camera"]) as visit:
        visit.page.click("#camera")
        visit.page.locator("#viewfinder").wait_for()
        visit.page.click("#shoot")
        visit.page.locator("#name", has_text="photograph 1").wait_for(timeout=10_000)
        visit.page.click("#close")
        assert not visit.page.locator("#viewfinder").is_visible()


def test_no_picture_is_taken_before_the_camera_shows_one(browser, shop):
    wait = "() => { HTMLMediaElement.prototype.play = () => new Promise((go) => { window.begun = go; }); }"
    with Visit(browser, shop / "page.html", permissions=["camera"]) as visit:
        visit.page.evaluate(wait)
        visit.page.click("#camera")
        visit.page.locator("#viewfinder").wait_for()
        assert visit.page.locator("#shoot").is_disabled()
        visit.page.evaluate("() => { begun(); }")
        visit.page.locator("#shoot:enabled").wait_for(timeout=10_000)


def test_what_goes_wrong_is_told_where_a_person_looks(browser, shop, tmp_path):
    (tmp_path / "text.png").write_bytes(b"hello")
    (tmp_path / "scan.tif").write_bytes(b"II*\0" + bytes(40))
    cut = (shop / "pics" / "1.png").read_bytes()[:-40]
    (tmp_path / "cut.png").write_bytes(cut)
    said = {
        "text.png": "text.png cannot be read: it is no picture that this browser knows.",
        "scan.tif": "scan.tif cannot be read: browsers do not read TIFF; save it as PNG or JPEG.",
        "cut.png": "cut.png cannot be read: it is damaged, or of a kind that this browser does not know.",
    }
    with Visit(browser, shop / "page.html", locale="en-GB") as visit:
        for name, line in said.items():
            visit.page.set_input_files("#files", tmp_path / name)
            visit.page.locator("#problem", has_text=line).wait_for(timeout=10_000)
        _show(visit, shop / "pics" / "0.png")
        assert not visit.page.locator("#problem").is_visible()
        visit.page.click("#camera")  # without permission
        visit.page.locator("#problem", has_text="does not let this page use the camera").wait_for()
        visit.page.evaluate("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
        visit.page.click("#camera")
        visit.page.locator("#problem", has_text="no camera that this page may use").wait_for()


def test_a_browser_without_webassembly_is_told(browser, shop):
    context = browser.new_context(locale="it-IT")
    context.add_init_script("delete globalThis.WebAssembly")
    opened = context.new_page()
    opened.goto((shop / "page.html").as_uri())
    assert opened.text_content("#problem") == TEXTS["noEngine"]["it"]
    assert not opened.locator("#choose").is_visible()
    context.close()


def test_a_model_that_may_always_answer_is_not_said_to_doubt(browser, shop, tmp_path):
    model = load_model(shop / "best.safetensors")
    calibration = Calibration(1.0, "pics", 40, (Coverage(0.0, 40, 39),))
    file = make_page(replace(model, calibration=calibration), tmp_path / "page.html")
    with Visit(browser, file, locale="en-GB") as visit:
        _show(visit, shop / "pics" / "0.png")
        assert visit.page.text_content("#threshold") == ""
        said = visit.page.text_content("#sure")
        assert said.startswith("It never says that it is not sure: of all its answers 39 of 40 were right")
