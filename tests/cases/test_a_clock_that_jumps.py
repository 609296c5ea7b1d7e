"""The clock is set back or forth by a day while something runs: durations come from one that nobody sets."""

from __future__ import annotations

import itertools
import json
import re
import time
from pathlib import Path

import pytest
from tiny import OPTIONS, answered, paint_folder

import residua

pytestmark = pytest.mark.usefixtures("quiet_cache")
DAY = 86_400


@pytest.mark.parametrize("leap", [-DAY, DAY])
def test_training_and_what_it_says_of_time(tmp_path, monkeypatch, capsys, leap):
    monkeypatch.chdir(tmp_path)
    paint_folder(tmp_path / "pets", count=6)
    now, jumps = time.time, itertools.count()
    monkeypatch.setattr(time, "time", lambda: now() + leap * next(jumps))
    out = answered(capsys, "train", "pets", *OPTIONS, "--engine", "numpy", "--run", "run")
    assert not re.search(r"-\d+ images/s|-\d+(\.\d)? s\b", out)
    for line in (tmp_path / "run" / "timing.jsonl").read_text().splitlines():
        numbers = [value for value in json.loads(line).values() if isinstance(value, float)]
        assert all(0 <= value < 1e5 for value in numbers if value != 0), line
    assert "test split" in answered(capsys, "evaluate", "run")


def test_only_the_age_of_files_is_asked_of_that_clock():
    asks = re.compile(r"time\.time\(|datetime\.now|utcnow")
    folder = Path(residua.__file__).parent
    found = {
        path.relative_to(folder).as_posix() for path in folder.rglob("*.py") if asks.search(path.read_text())
    }
    assert found - {"bench/run.py"} == {"files/durable.py"}  # a benchmark tells its day
