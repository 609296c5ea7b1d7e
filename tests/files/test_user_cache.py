"""The user's folders, where there are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from residua.files.user_cache import NOWHERE, expanded, not_kept_in, user_cache


def nobody(*_, **__):
    raise RuntimeError("could not determine the home directory")


@pytest.fixture
def homeless(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("pathlib.Path.expanduser", nobody)
    monkeypatch.setattr("platformdirs.user_cache_dir", nobody)


def test_without_a_home_there_is_no_cache(homeless):
    assert user_cache() == NOWHERE
    assert not NOWHERE.exists()
    with pytest.raises(OSError):
        (NOWHERE / "pictures").mkdir(parents=True)
    assert "XDG_CACHE_HOME" in not_kept_in(NOWHERE / "pictures", "")
    assert expanded("~/pets") == Path("~/pets")


def test_a_relative_home_is_none(monkeypatch):
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: "home/.cache/residua")
    assert user_cache() == NOWHERE


def test_a_cache_is_named_as_before(monkeypatch, tmp_path):
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(tmp_path))
    assert user_cache() == tmp_path
    assert not_kept_in(tmp_path / "pictures", "full") == f", not in {tmp_path / 'pictures'}: full"
