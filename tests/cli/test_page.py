"""`residua page`: what it writes, and what it refuses before any work."""

from __future__ import annotations

import pytest
from tiny import answered, call, refused

from residua.deploy.page import document


def test_a_page_is_written_and_its_size_told(trained, tmp_path, capsys):
    out = tmp_path / "page.html"
    text = answered(capsys, "page", trained / "run", out)
    assert text == f"Page: {out}, {out.stat().st_size / 1e6:.1f} MB; a double click opens it\n"
    assert "best.safetensors" in out.read_text(encoding="utf-8")


def test_half_the_weights_and_what_that_changes(trained, tmp_path, capsys):
    small, whole = tmp_path / "small", tmp_path / "whole.html"
    code, _, err = call(capsys, "page", trained / "run", f"{small}/", "--half", "--engine", "numpy")
    assert code == 0, err
    assert "float16 weights: of 2 pictures (pics) 2 have the same answer" in err
    assert "accuracy 100.00 % against 100.00 %" in err
    answered(capsys, "page", trained / "run", whole)
    assert (small / "best.html").stat().st_size < whole.stat().st_size


def test_half_of_a_model_without_data_is_measured_on_noise(trained, tmp_path, capsys):
    alone = tmp_path / "model.safetensors"
    alone.write_bytes((trained / "run" / "best.safetensors").read_bytes())
    arguments = ("--half", "--engine", "numpy", "--data-dir", tmp_path)
    (trained / "pics").rename(trained / "elsewhere")
    try:
        _, _, err = call(capsys, "page", alone, *arguments)
    finally:
        (trained / "elsewhere").rename(trained / "pics")
    assert "measured on noise, for there are no validation pictures" in err
    assert "of 256 pictures (noise)" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("page.png",), "OUT takes a folder, or a file that ends in .html, .htm"),
        (("page.html", "--reject", 0.5, "--reject-accuracy", 0.9), "choose one of"),
        (("page.html", "--reject-accuracy", 0.9), "run `residua calibrate`"),
    ],
)
def test_refused_in_one_line_and_nothing_is_written(arguments, message, trained, tmp_path, capsys):
    out, *others = arguments
    assert message in refused(capsys, "page", trained / "run", tmp_path / out, *others)
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_written_is_said_before_the_model_is_read(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    said = refused(capsys, "page", tmp_path / "no-model", tmp_path / "file" / "page.html")
    assert said.startswith("OUT takes a file that can be written")


def test_a_model_that_is_too_large_is_refused(trained, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(document, "MOST_BYTES", 100_000)
    assert "browsers open 0 MB" in refused(capsys, "page", trained / "run", tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []
