"""A search over parameters hands NumPy's numbers over; a saved model holds plain ones."""

from __future__ import annotations

import numpy as np
from sklearn.model_selection import GridSearchCV

import residua


def test_a_search_over_numpys_numbers(tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 255, (24, 8, 8)).astype(np.uint8), np.arange(24) % 2
    base = residua.Classifier(width=np.int64(4), validation=np.float32(0.25), engine="numpy")
    grid = {"epochs": np.arange(1, 2), "flip": [np.bool_(False)], "rate": [np.float32(0.05)]}
    search = GridSearchCV(base, grid, cv=2, error_score="raise").fit(X, y)
    search.best_estimator_.save(tmp_path / "m.safetensors")
    kept = residua.Classifier.load(tmp_path / "m.safetensors").get_params()
    kinds = {name: type(kept[name]) for name in ("epochs", "width", "flip", "rate", "validation")}
    assert kinds == {"epochs": int, "width": int, "flip": bool, "rate": float, "validation": float}
