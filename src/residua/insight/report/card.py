"""The model card: Markdown that goes with a model wherever it goes.

Sections as Mitchell et al. 2019 (Model Cards for Model Reporting, FAT* '19, 1810.03993, section 4) propose
them. What only the people behind a model can say is marked to be filled in; a card in which somebody wrote
is not written over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from residua.files.names import printable
from residua.insight.report.numbers import ReportContents
from residua.insight.report.page import environment, page_values

MARK = "<!-- written by residua report; checksum "


def model_card(contents: ReportContents) -> str:
    """The card as Markdown, with a checksum as its last line by which a change is noticed."""
    text = environment().get_template("model-card.md").render(page_values(contents)).rstrip()
    text = printable(text, keep="\n") + "\n\n"  # as the page
    return f"{text}{MARK}{_checksum(text)} -->\n"


def card_path(path: Path, say: Callable[[str], None]) -> Path:
    """Where the card may be written: beside one that somebody has changed since it was."""
    if not path.exists() or _untouched(path.read_text(encoding="utf-8", errors="replace")):
        return path
    beside = path.with_name(f"{path.stem}-new{path.suffix}")
    say(f"{path} was written in since, and is kept; the new card is {beside.name}")
    return beside


def _untouched(text: str) -> bool:
    body, mark, rest = text.rpartition(MARK)
    return bool(mark) and rest == f"{_checksum(body)} -->\n"


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
