"""Links between documents: to files that exist, to headings that exist, and to every page of docs/."""

from __future__ import annotations

from pathlib import Path

import pytest
from documents import NAMES, ROOT, anchors, links, read


def _split(name: str, link: str) -> tuple[Path, str]:
    file, _, anchor = link.partition("#")
    return ((ROOT / name).parent / file).resolve() if file else ROOT / name, anchor


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name):
    dead = []
    for link in links(read(name)):
        if link.startswith(("http://", "https://", "mailto:")) or ".py#L" in link:
            continue  # links into code: test_code_links
        target, anchor = _split(name, link)
        if not target.exists():
            dead.append(f"{link}: no such file")
        elif anchor and target.suffix == ".md" and anchor not in anchors(target.read_text(encoding="utf-8")):
            dead.append(f"{link}: no such heading")
    assert not dead, "\n".join(dead)


def test_every_page_is_linked_from_the_index_and_every_picture_from_a_page():
    linked = {_split(name, link)[0] for name in NAMES for link in links(read(name)) if ":" not in link}
    index = {_split("docs/README.md", link)[0] for link in links(read("docs/README.md"))}
    pages = {path.resolve() for path in (ROOT / "docs").glob("*.md") if path.name != "README.md"}
    pictures = {path.resolve() for suffix in ("png", "svg") for path in (ROOT / "docs").glob(f"*.{suffix}")}
    assert sorted(path.name for path in pages - index) == []
    assert sorted(path.name for path in pictures - linked) == []


def test_the_readme_is_short():
    assert len(read("README.md").splitlines()) <= 200


def test_headings_become_anchors():
    text = "# One: `two` three\n\n## A/B\n\n## A/B\n\n```\n# no heading\n```\n"
    assert anchors(text) == {"one-two-three", "ab", "ab-1"}
