"""The report in a real browser: nothing leaves the file, nothing complains, axe finds nothing, phones fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from browsing import DESK, PHONE, Visit
from reported import NUMPY, thousand
from tiny import paint, paint_folder

from residua.insight.report.numbers import collect_contents
from residua.insight.report.page import report_html

pytestmark = pytest.mark.usefixtures("quiet_cache")


@pytest.fixture(scope="module")
def pages(trained, tmp_path_factory):
    """{name: file}: a run without mistakes, other data with some, and a thousand classes."""
    folder = tmp_path_factory.mktemp("pages")
    others = paint_folder(folder / "others", ("red", "blue"), 3)
    paint(others / "blue" / "wrong.png", (250, 20, 20), 5)
    paint(others / "red" / "bluish.png", (60, 40, 170), 7)
    found = collect_contents(trained / "run", NUMPY, lambda line: None)
    wrong = collect_contents(trained / "run", replace(NUMPY, data=str(others)), lambda line: None)
    files = {}
    with pytest.MonkeyPatch.context() as patch:
        for name, findings in (("run", found), ("mistakes", wrong)):
            files[name] = folder / f"{name}.html"
            files[name].write_text(report_html(findings, NUMPY.show), encoding="utf-8")
        patch.setattr(
            "residua.insight.report.page.saliency", lambda *_: {"rows": [], "words": "none", "note": ""}
        )
        many = report_html(thousand(found, np.random.default_rng(0)), NUMPY.show)
        files["thousand"] = folder / "thousand.html"
        files["thousand"].write_text(many, encoding="utf-8")
    return files


@pytest.mark.parametrize("name", ["run", "mistakes", "thousand"])
def test_no_request_leaves_the_file_and_nothing_complains(browser, pages, name):
    with Visit(browser, pages[name]) as visit:
        outside = [url for url in visit.asked if not url.startswith("data:")]
        assert outside == [pages[name].as_uri()]
        assert visit.said == []
        broken = visit.page.evaluate(
            "[...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.alt)"
        )
        assert broken == []
        assert visit.page.title().endswith("report of residua")


def test_what_is_watched_would_be_noticed(browser, pages, tmp_path):
    """The test above can fail: a page that asks for something, and has a script, is caught."""
    text = pages["run"].read_text(encoding="utf-8")
    bad = tmp_path / "bad.html"
    bad.write_text(
        text.replace("</main>", '<img src="missing.png" alt="x"><script>console.log(1)</script></main>')
    )
    with Visit(browser, bad) as visit:
        assert visit.said  # the page's own policy refuses both


# Of the other pages axe reads far less.
LOOKS = [
    *[
        (name, size, scheme)
        for name in ("run", "mistakes")
        for size in (PHONE, DESK)
        for scheme in ("light", "dark")
    ],
    ("thousand", PHONE, "light"),
]


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("name", "size", "scheme"), LOOKS, ids=[f"{name}-{size[0]}-{scheme}" for name, size, scheme in LOOKS]
)
def test_axe_finds_nothing(browser, pages, name, size, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe: make browser")
    # axe is a script, which the page's own policy would refuse.
    with Visit(browser, pages[name], size, scheme, bypass_csp=True) as visit:
        if name != "thousand":  # all that can be opened, too; a thousand rows would take axe minutes
            visit.page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        found = axe.Axe().run(visit.page).response["violations"]
        told = [(rule["id"], rule["impact"], rule["nodes"][0]["html"][:200]) for rule in found]
        assert told == []


@pytest.mark.parametrize("name", ["run", "mistakes", "thousand"])
def test_a_phone_needs_no_sideways_scrolling(browser, pages, name):
    with Visit(browser, pages[name], PHONE) as visit:
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        small = visit.page.evaluate(
            "[...document.querySelectorAll('main *')].filter(e => e.childNodes.length === 1 && "
            "e.firstChild.nodeType === 3 && parseFloat(getComputedStyle(e).fontSize) < 11).length"
        )
        assert small == 0


def test_the_keyboard_gets_everywhere(browser, pages):
    with Visit(browser, pages["mistakes"]) as visit:
        page = visit.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        box = page.locator(".skip").bounding_box()
        assert box["x"] >= 0  # seen as soon as it has the focus
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "summary"
        page.locator("details summary").first.focus()
        page.keyboard.press("Enter")
        assert page.evaluate("document.querySelector('details').open")
        stuck = page.evaluate(
            "[...document.querySelectorAll('.scroll')].filter("
            "e => e.scrollWidth > e.clientWidth && e.tabIndex < 0).length"
        )
        assert stuck == 0


def test_it_prints(browser, pages):
    with Visit(browser, pages["mistakes"]) as visit:
        printed = visit.page.pdf(prefer_css_page_size=True)
        assert printed.startswith(b"%PDF")
        assert 2 <= printed.count(b"/Type /Page\n") <= 12
        visit.page.emulate_media(media="print")
        assert not visit.page.locator("nav").is_visible()
        assert visit.page.locator("#mistakes img").first.is_visible()
