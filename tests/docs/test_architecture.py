"""What docs/architecture.md says: pictures show the imports, paths exist, the functions named are called."""

from __future__ import annotations

import itertools
import sys
import threading
from pathlib import Path

import pytest
from documents import ROOT, load_tool, present_house, read
from tiny import TINY, paint_folder

from residua.cli import run

SOURCE = ROOT / "src" / "residua"
code_links, draw_house = load_tool("code_links"), load_tool("draw_house")


def _section(title: str) -> str:
    return read("docs/architecture.md").partition(f"## {title}\n")[2].partition("\n## ")[0]


@pytest.mark.sample(1)
@pytest.mark.parametrize("picture", draw_house.PICTURES)
def test_pictures_show_the_present_imports(picture):
    file = ROOT / "docs" / picture
    try:
        drawn = draw_house.draw(present_house(), draw_house.PICTURES[picture])
    except ValueError as circle:
        pytest.skip(f"{circle}: tests/test_house.py names it")
    assert file.exists(), "run `make docs`"
    assert file.read_text(encoding="utf-8") == drawn, "run `make docs`"


def test_arrows_lead_down_and_imply_every_import():
    edges = draw_house.neighbours(present_house(), "")
    storeys, drawn = draw_house.storeys_of(edges), draw_house.reduced(edges)
    assert all(storeys[name] > storeys[other] for name, below in edges.items() for other in below)
    for name, below in edges.items():
        reached, front = set(), {name}
        while front:
            front = {other for one in front for other in drawn[one]} - reached
            reached |= front
        assert below <= reached


def test_a_circle_cannot_be_drawn():
    with pytest.raises(ValueError, match="a -> b -> a"):
        draw_house.storeys_of({"a": {"b"}, "b": {"a"}})


def test_the_fewest_crossings_are_found():
    edges = {"a": {"x"}, "b": {"y"}, "c": {"x"}, "x": set(), "y": {"z"}, "z": set()}
    rows, paths = draw_house.arrange(edges, draw_house.storeys_of(edges))
    assert {frozenset(name for name in row if ">" not in name) for row in rows} == {
        frozenset("xz"),
        frozenset("acy"),
        frozenset("b"),
    }
    pairs = [pair for path in paths for pair in itertools.pairwise(path)]
    assert draw_house._cost(rows, pairs)[0] == 0


def test_boxes_stand_apart_and_near_where_they_should():
    places = draw_house._apart([0.0, 0.0, 1000.0], [100, 100, 100])
    gap = draw_house.GAP
    assert places == pytest.approx([-50 - gap / 2, 50 + gap / 2, 1000])


def _qualified(path: Path, line: int) -> str:
    """The class or function that begins in a line of a file, as the interpreter calls it."""
    names = {line: name for name, line in code_links.symbols(path).items()}
    return names[line]


def _named(text: str) -> set[tuple[str, str]]:
    """(file, function) of every link into code; for a class its constructor or any method counts."""
    named = set()
    for _, file, line in code_links.links(text):
        path = (ROOT / "docs" / file).resolve()
        named.add((str(path), _qualified(path, line)))
    return named


def test_every_function_on_the_way_of_a_picture_is_called(tmp_path, monkeypatch, quiet_cache, whole_pictures):
    monkeypatch.chdir(tmp_path)
    paint_folder(tmp_path / "photos", count=12)
    called: set[tuple[str, str]] = set()
    inside = str(SOURCE)

    def note(frame, event, argument):
        if event == "call" and frame.f_code.co_filename.startswith(inside):
            called.add((frame.f_code.co_filename, frame.f_code.co_qualname))

    options = [part for name, value in TINY.items() for part in (f"--{name}", str(value))]
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        trained = run(["train", "photos", "--run", "run", "--engine", "numpy", *options])
        reported = run(["report", "run"])
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    assert (trained, reported) == (0, 0)
    missing = [
        f"{Path(file).relative_to(SOURCE)}: {name}"
        for file, name in sorted(_named(_section("The way of one picture")))
        if not any(file == other and (name == one or one.startswith(f"{name}.")) for other, one in called)
    ]
    assert missing == []
