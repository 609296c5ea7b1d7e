"""A headless Chromium of the system, where there is one, and pages that are open in it."""

from __future__ import annotations

import os
import shutil

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PHONE, DESK = (360, 740), (1280, 900)


@pytest.fixture(scope="session")
def browser():
    """One for all tests."""
    playing = pytest.importorskip("playwright.sync_api", reason="needs Playwright: make browser")
    program = os.environ.get("RESIDUA_CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("no Chromium here: install one, or name it in RESIDUA_CHROMIUM")
    with playing.sync_playwright() as play:
        # Root, as containers run, has no sandbox; the pages are our own. The camera is a picture that moves.
        arguments = ["--no-sandbox", "--use-fake-device-for-media-stream"]
        opened = play.chromium.launch(executable_path=program, args=arguments)
        yield opened
        opened.close()


class Visit:
    """A page that is open, what its console said, and what it asked for."""

    def __init__(self, browser, file, size=DESK, scheme="light", **options):
        self.context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, **options
        )
        self.page = self.context.new_page()
        self.said, self.asked = [], []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(file if isinstance(file, str) else file.as_uri())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()
