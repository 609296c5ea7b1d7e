"""Cases are followed through everything that residua does, pictures included."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def whole(whole_pictures):
    """Names and numbers from outside are drawn for real."""
