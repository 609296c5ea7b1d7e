"""Packages of extras."""

from __future__ import annotations

import pytest

from residua.deploy.packages import missing_packages, require_packages
from residua.errors import ConfigError


def test_what_is_missing_is_told_with_what_installs_it():
    assert missing_packages(["numpy", "no_such_package"]) == ["no_such_package"]
    require_packages("arithmetic", ["numpy"], "none")
    with pytest.raises(
        ConfigError,
        match=r"^it takes no_such_package, which is not installed: pip install 'residua\[some\]'$",
    ):
        require_packages("it", ["numpy", "no_such_package"], "some")
