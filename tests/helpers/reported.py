"""What the tests of the report share: a reader of pages, and findings of other answers."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np

from residua.config import ReportConfig
from residua.insight.mistakes.numbers import find_mistakes

NUMPY = ReportConfig(engine="numpy", threads=1)


class Outline(HTMLParser):
    """Headings, texts of pictures, addresses, open tags: what a reader or a browser makes of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.levels, self.alts, self.addresses, self.ids, self.text = [], [], [], [], [], []
        self.quiet = False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.tags.append(tag)
        self.quiet = tag == "style"
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag == "img":
            self.alts.append(given.get("alt"))
        self.addresses += [given[key] for key in ("src", "href") if key in given]
        if "id" in given:
            self.ids.append(given["id"])

    def handle_data(self, data):
        if not self.quiet:
            self.text.append(data)

    @property
    def words(self):
        return re.sub(r"\s+", " ", "".join(self.text))


def changed(findings, classes, labels, probabilities):
    """The same report of other answers."""
    own = findings.answered
    images = own.pictures.images[np.zeros(len(labels), np.int64)]
    pictures = replace(
        own.pictures, images=images, labels=labels, names=tuple(f"picture {i}" for i in range(len(labels)))
    )
    answers = replace(
        own, model=replace(own.model, classes=classes), pictures=pictures, probabilities=probabilities
    )
    counts = {"test": dict(zip(classes, np.bincount(labels, minlength=len(classes)).tolist(), strict=True))}
    return replace(findings, answered=answers, mistakes=find_mistakes(answers), counts=counts)


def without_maps(monkeypatch):
    monkeypatch.setattr(
        "residua.insight.report.page.saliency", lambda *_: {"rows": [], "words": "none", "note": ""}
    )


def thousand(findings, rng):
    """Findings about 1,000 classes, of three pictures each, with sixty mistakes."""
    labels = np.repeat(np.arange(1000), 3)
    probabilities = rng.random((3000, 1000)).astype(np.float32) + 30 * np.eye(1000, dtype=np.float32)[labels]
    probabilities[::50, 7] += 90
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    names = tuple(f"a name of class {number}" for number in range(1000))
    return changed(findings, names, labels, probabilities)
