"""Data sets are cheap to import and to open."""

from __future__ import annotations

import subprocess
import sys

import pytest
from data_sets import small_mnist

pytestmark = pytest.mark.usefixtures("own_cache")


HEAVY = ("sklearn", "scipy", "pooch", "requests", "PIL", "rich", "platformdirs")


def test_importing_loads_nothing_heavy():
    code = f"import sys, residua.data; print([m for m in {HEAVY} if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_reading_and_dividing_pictures_and_measuring_answers_need_no_scikit_learn(tmp_path):
    small_mnist(tmp_path / "mnist")
    code = (
        "import sys, numpy as np; from residua.config import DataOptions;"
        "from residua.data import open_dataset;"
        f"open_dataset(DataOptions(data='mnist', data_dir={str(tmp_path)!r}), 0).read('test');"
        "open_dataset(DataOptions(data='digits'), 0).read('train');"
        "from residua.insight.evaluation.numbers import measure;"
        "from residua.training.inference import LabelledProbabilities;"
        "answers = LabelledProbabilities(np.full((2, 2), 0.5, np.float32), np.arange(2));"
        "measure(answers, ('a', 'b'), 'x', 'test');"
        "print([m for m in ('sklearn', 'scipy', 'requests', 'pooch') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
