"""A program that took over a locale with decimal commas: what residua reads and writes keeps its points."""

from __future__ import annotations

import csv
import datetime
import json
import locale
import shutil
import subprocess
import tomllib

import pytest
from tiny import OPTIONS, answered, paint

from residua.insight.report.page import written

pytestmark = pytest.mark.usefixtures("quiet_cache")
NAMES = ("de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE", "German_Germany.1252")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with a German locale, where the system can make one."""
    folder = tmp_path_factory.mktemp("locale")
    if (localedef := shutil.which("localedef")) is not None:
        place = str(folder / NAMES[0])
        subprocess.run([localedef, "-i", "de_DE", "-f", "UTF-8", place], capture_output=True, check=False)
    return folder


@pytest.fixture
def commas(built, monkeypatch):
    """The locale is set for this process, as a desktop program sets it."""
    before = locale.setlocale(locale.LC_ALL)
    monkeypatch.setenv("LOCPATH", str(built))
    for name in NAMES:
        try:
            locale.setlocale(locale.LC_ALL, name)
            break
        except locale.Error:
            continue
    else:
        pytest.skip("this system has no locale with decimal commas")
    assert locale.localeconv()["decimal_point"] == ","
    yield
    locale.setlocale(locale.LC_ALL, before)


def test_what_is_written_and_read_keeps_points(commas, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for number in range(12):
        paint(tmp_path / "pics" / "blue" / f"{number}.png", (30, 40, 200), number)
        paint(tmp_path / "pics" / "red" / f"{number}.png", (200, 40, 30), 50 + number)
    answered(capsys, "train", "pics", *OPTIONS, "--engine", "numpy", "--rate", "0.05", "--run", "r")
    assert tomllib.loads((tmp_path / "r" / "run.toml").read_text())["optimizer"]["rate"] == 0.05
    for line in (tmp_path / "r" / "log.jsonl").read_text().splitlines():
        assert isinstance(json.loads(line)["validation_loss"], float)
    answered(capsys, "train", "--config", "r/run.toml", "--run", "again", "--epochs", "1")
    table = answered(capsys, "predict", "r", "pics", "--csv", "--top", "1").splitlines()
    assert len(table) == 25
    shares = [
        float(cell) for row in csv.DictReader(table) for name, cell in row.items() if name == "probability"
    ]
    assert len(shares) == 24
    assert all(0.5 <= share <= 1 for share in shares)
    assert " %" in answered(capsys, "evaluate", "r")


def test_days_are_written_in_the_page_s_language():
    class Day(datetime.date):
        def __format__(self, form):
            return "3 Mai 2026"

    assert written(Day(2026, 5, 3)) == "3 May 2026"
