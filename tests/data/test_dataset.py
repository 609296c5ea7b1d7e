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


def test_reading_a_picture_or_a_test_split_needs_no_scikit_learn(tmp_path):
    small_mnist(tmp_path / "mnist")
    code = (
        "import sys; from residua.config import DataOptions; from residua.data import open_dataset;"
        f"open_dataset(DataOptions(data='mnist', data_dir={str(tmp_path)!r}), 0).read('test');"
        "print([m for m in ('sklearn', 'scipy', 'requests', 'pooch') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
