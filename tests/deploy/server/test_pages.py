"""The page of a server in a real browser: answered by the server, and by nobody else."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from browsing import PHONE, Visit
from png_files import write_png
from serving import ask, png, served

pytest.importorskip("starlette", reason="starlette is not installed")
pytest.importorskip("uvicorn", reason="uvicorn is not installed")

from residua.api import predict
from residua.config import PageConfig
from residua.deploy.page.document import served_html
from residua.models.model_file import best_model, load_model

HTML = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture(scope="module")
def address(trained):
    with served(str(trained / "run"), f"second={trained / 'run'}") as (address, _, _):
        yield address


@pytest.fixture
def url(address):
    return f"http://127.0.0.1:{address[1]}/"


def _show(visit, file):
    visit.page.set_input_files("#files", file)
    visit.page.locator("#name", has_text=file.name).wait_for(timeout=10_000)


def test_browsers_are_given_the_page_and_programs_json(address):
    status, headers, body = ask(address, "GET", "/", **HTML)
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "connect-src 'self'; frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers.get_all("Content-Security-Policy") == [headers["Content-Security-Policy"]]
    assert headers["Vary"] == "Accept"
    text = body.decode()
    assert 'data-text="privateServed"' in text
    assert 'id="kernel"' not in text
    assert '<a href="/page/second">second</a>' in text
    assert json.loads(ask(address, "GET", "/")[2])["models"].keys() == {"run", "second"}
    assert ask(address, "GET", "/page/second")[2] != body
    assert ask(address, "GET", "/page/third")[0] == 404


def test_names_of_models_cannot_leave_the_page(trained):
    model = load_model(best_model(trained / "run"))
    html = served_html(model, PageConfig(), "a/b?<c>", ["a/b?<c>", "<script>"]).html
    assert '"/v1/models/a%2Fb%3F%3Cc%3E"' in html
    assert "<script>&" not in html
    assert '<a href="/page/%3Cscript%3E">&lt;script&gt;</a>' in html


def test_a_table_is_that_of_predict_and_all_is_asked_of_the_server(browser, url, trained, tmp_path):
    files = sorted((trained / "pics").rglob("*.png"))[:3]
    (tmp_path / "odd.png").write_bytes(write_png(np.random.default_rng(0), 6, 8, (9, 12)))
    (tmp_path / "none.zip").write_bytes(b"PK\x03\x04 no picture")
    files += [tmp_path / "odd.png"]
    expected = predict(trained / "run", files, engine="numpy", say=lambda line: None)
    with Visit(browser, url) as visit:
        visit.page.set_input_files("#files", [*files, tmp_path / "none.zip"])
        visit.page.locator("#stop[disabled]").wait_for(timeout=20_000)
        assert visit.page.text_content("#said").startswith("4 pictures answered.")
        with visit.page.expect_download() as download:
            visit.page.click("#save")
        download.value.save_as(tmp_path / "table.csv")
        asked = {link for link in visit.asked if not link.startswith(("blob:", "data:"))}
        assert asked == {url, f"{url}v1/models/run/predict?top=2"}
    rows = list(csv.DictReader((tmp_path / "table.csv").read_text(encoding="utf-8").splitlines()))
    for row, answer in zip(rows[:4], expected, strict=True):
        assert (row["class"], float(row["probability"])) == answer.top[0]
    assert "ZIP" in rows[4]["error"]


def test_one_picture_is_answered_and_explained(browser, url, trained):
    file = next((trained / "pics").rglob("*.png"))
    with Visit(browser, url, PHONE, locale="en-GB") as visit:
        _show(visit, file)
        assert visit.page.locator("#bars li").count() == 2
        assert visit.page.text_content("#odd") == ""
        visit.page.click("#why")
        visit.page.locator("#parts").wait_for(timeout=10_000)
        assert "The part that decided most lies" in visit.page.get_attribute("#map", "aria-label")
        assert visit.page.evaluate("document.getElementById('map').width") == 256
        assert "Where it is blue, covering it adds." in visit.page.text_content("#parts-text")
        assert "to the server that gave this page" in visit.page.text_content(".private")
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        assert visit.said == []


def test_axe_finds_nothing(browser, url, trained):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe: make browser")
    with Visit(browser, url, bypass_csp=True) as visit:
        _show(visit, next((trained / "pics").rglob("*.png")))
        found = axe.Axe().run(visit.page).response["violations"]
        assert [(rule["id"], rule["nodes"][0]["html"][:200]) for rule in found] == []


def test_what_goes_wrong_is_said_where_a_person_looks(browser, trained, tmp_path):
    (tmp_path / "a.png").write_bytes(png())
    (tmp_path / "b.txt").write_text("no picture")
    with served(str(trained / "run")) as (address, _, _):
        visit = Visit(browser, f"http://127.0.0.1:{address[1]}/", locale="en-GB")
        visit.page.set_input_files("#files", tmp_path / "b.txt")
        words = "b.txt cannot be read: it is a text file, not a picture"
        visit.page.locator("#problem", has_text=words).wait_for(timeout=10_000)
        _show(visit, tmp_path / "a.png")
    with visit:
        visit.page.click("#why")
        visit.page.locator("#said", has_text="the server does not answer").wait_for(timeout=10_000)
        assert visit.page.is_enabled("#why"), "it may be asked again"
        visit.page.set_input_files("#files", tmp_path / "a.png")
        visit.page.locator("#problem", has_text="the server does not answer").wait_for(timeout=10_000)
