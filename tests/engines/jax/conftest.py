"""Where JAX is not installed these tests are skipped."""

from __future__ import annotations

import pytest

pytest.importorskip("jax", reason="needs JAX: pip install 'residua[jax]'")
