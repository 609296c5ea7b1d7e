"""Classes called 猫, 犬, 鳥 and 🐟 where no font has them: written out, told in one line, no warnings."""

from __future__ import annotations

import warnings

import pytest
from tiny import OPTIONS, call, paint_folder

from residua.insight.shared import fonts

pytestmark = pytest.mark.usefixtures("quiet_cache")
CLASSES = ("猫", "犬", "鳥", "\U0001f41f")


@pytest.fixture(autouse=True)
def no_fonts(monkeypatch):
    """Matplotlib's own font only."""
    fonts.font_of.cache_clear()
    fonts.written_out_letters()
    monkeypatch.setattr(fonts, "_system_fonts", lambda: ())
    yield
    fonts.font_of.cache_clear()


def test_names_that_no_font_has_are_written_out(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paint_folder(tmp_path / "pets", CLASSES, count=8)
    drawn = []
    monkeypatch.setattr(
        "residua.insight.shared.plotting.write_durably", lambda path, data: drawn.append(path)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        code, out, err = call(capsys, "train", "pets", *OPTIONS, "--engine", "numpy", "--run", "run")
        assert code == 0, err
        line = err.splitlines()[-1]
        assert line.startswith("No font here has 犬猫鳥\U0001f41f: figures show such")
        code, out, err = call(capsys, "evaluate", "run", "--output", "o.png")
        assert "猫" in out  # text stays as it is
        code, _, err = call(capsys, "check", "pets", "--size", "8")
    assert code == 0, err
    assert sum(line.startswith("No font here") for line in err.splitlines()) == 1
    assert {path.name for path in drawn} >= {"confusion.png", "o.png", "check-pets.png"}
