"""Links from documents into code stand at the lines of what they name."""

from __future__ import annotations

import pytest
from documents import NAMES, ROOT, load_tool, read

code_links = load_tool("code_links")


@pytest.mark.parametrize("name", [name for name in NAMES if code_links.links(read(name))])
def test_links_into_code_are_at_their_lines(name):
    text = read(name)
    right, lost = code_links.relinked(text, (ROOT / name).parent)
    assert not lost, "\n".join(lost)
    assert right == text, "run `python tools/code_links.py`"


def test_the_glossary_links_every_word():
    rows = [line for line in read("docs/glossary.md").splitlines() if line.startswith("| ")]
    words = [row for row in rows if not row.startswith(("| word", "|---"))]
    assert len(words) > 30
    assert [row for row in words if not code_links.links(row)] == []


THING = """x = 1


class Thing:
    size: int = 2

    def share(self):
        pass
"""


def test_a_link_follows_its_symbol(tmp_path):
    source = tmp_path / "src" / "pkg"
    source.mkdir(parents=True)
    (source / "a.py").write_text(
        "x = 1\n\n\nclass Thing:\n    size: int = 2\n\n    def share(self):\n        pass\n"
    )
    (source / "b.py").write_text("def elsewhere():\n    pass\n")
    (source / "c.py").write_text("def twice():\n    pass\n")
    (source / "d.py").write_text("def twice():\n    pass\n")
    text = (
        "[`Thing.share()`](src/pkg/a.py#L1) [`Thing.size`](src/pkg/a.py#L9) [`elsewhere`](src/pkg/a.py#L1) "
        "[`twice`](src/pkg/a.py#L3) [`gone`](src/pkg/a.py#L3)"
    )
    right, lost = code_links.relinked(text, tmp_path, tmp_path)
    assert right == (
        "[`Thing.share()`](src/pkg/a.py#L7) [`Thing.size`](src/pkg/a.py#L5) [`elsewhere`](src/pkg/b.py#L1) "
        "[`twice`](src/pkg/a.py#L3) [`gone`](src/pkg/a.py#L3)"
    )
    assert [line.partition(":")[0] for line in lost] == ["twice", "gone"]
