"""What is odd about pictures is counted and said in one line."""

from __future__ import annotations

from PIL import Image
from strange_pictures import saved

from residua.data.pictures.decoding import read_picture
from residua.data.pictures.notes import FRAMES, METADATA, group_notes, group_reasons, note_lines


def test_a_line_for_each_reason():
    said = [f"Cannot read {name}: it is a HEIC picture." for name in ("a", "b", "c")]
    lines = group_reasons([said[0], "Cannot read x: it is empty.", *said[1:]])
    assert lines == [
        "Cannot read a: it is a HEIC picture. (and 2 more)",
        "Cannot read x: it is empty.",
    ]
    assert group_reasons([]) == []


def test_a_line_for_each_kind_of_note():
    grouped = group_notes({2: [METADATA], 0: [METADATA, "x"]}, ["a", "b", "c"])
    assert grouped == {METADATA: ["a", "c"], "x": ["a"]}
    lines = note_lines(grouped)
    assert lines[0].startswith("2 pictures have broken metadata")
    assert lines[0].endswith("such as a")
    assert lines[1] == "1 picture has x: a"
    assert note_lines({}) == []


def test_moving_pictures_and_pages_are_counted():
    """The first frame is used, which is not what everybody expects."""
    frames = [Image.new("RGB", (12, 12), colour) for colour in ("red", "blue", "green")]
    for kind in ("GIF", "WEBP", "PNG", "TIFF"):
        notes = []
        moving = saved(frames[0], kind, save_all=True, append_images=frames[1:])
        first = read_picture(moving, 8, 8, 3, notes=notes)
        assert abs(first.astype(int) - [255, 0, 0]).max() < 9, kind
        assert notes == [FRAMES], kind
        notes.clear()
        read_picture(saved(frames[0], kind), 8, 8, 3, notes=notes)
        assert notes == [], kind
