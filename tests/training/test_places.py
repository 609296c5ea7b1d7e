"""Where a run's files are: seen from its folder, as typed, and absolute."""

from __future__ import annotations

import os

import pytest
import tomli_w

from residua.config import DataOptions, TrainConfig
from residua.errors import DataError
from residua.insight.evaluation.model_data import same_data
from residua.training.places import (
    Places,
    data_places,
    describe_places,
    find_labels,
    first_file,
    keep_places,
    read_places,
)


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "photos").mkdir()
    (tmp_path / "runs" / "one").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_only_what_is_there_is_described(here):
    (here / "labels.csv").write_text("file,label\n")
    config = TrainConfig(data=DataOptions(data="photos", labels="labels.csv", data_dir="nowhere"))
    assert describe_places(config, here / "runs" / "one") == {
        "data": ["../../photos", str(here / "photos")],
        "labels": ["../../labels.csv", str(here / "labels.csv")],
    }
    assert describe_places(TrainConfig(), here / "runs" / "one") == {}  # published data have no place


def test_places_are_kept_and_read(here):
    run = here / "runs" / "one"
    (run / "run.toml").write_text(tomli_w.dumps({"format": 1, "machine": {"cores": 2}}))
    assert read_places(run).table == {}
    keep_places(TrainConfig(data=DataOptions(data="photos")), run)
    places = read_places(run)
    assert places.table == {"data": ("../../photos", str(here / "photos"))}
    # From the run folder first; each place once.
    assert places.of("data", "photos") == ["photos"]  # as it was typed, where that leads to the same
    moved = Places(here / "runs" / "two", {"data": ("../../photos", "/gone/photos")})
    assert moved.of("data", "other") == [str(here / "photos"), "other", "/gone/photos"]
    assert moved.of("labels", "l.csv") == ["l.csv"]


@pytest.mark.parametrize("junk", ["x = ", "[machine]\nplaces = 3\n", "[machine.places]\ndata = ['a']\n",
                                  "[machine.places]\ndata = 'a'\nlabels = [1, 2]\n", ""])  # fmt: skip
def test_junk_is_passed_over(here, junk):
    (here / "runs" / "one" / "run.toml").write_text(junk)
    assert read_places(here / "runs" / "one").table == {}


def test_where_was_looked_is_told(here):
    assert data_places("photos", ["photos", "/gone/photos"], None) == ["photos"]
    assert data_places("digits", ["digits"], None) == ["digits"]
    (here / "store" / "pets").mkdir(parents=True)
    assert data_places("pets", ["pets"], str(here / "store")) == ["pets"]
    with pytest.raises(DataError, match=r"pets is not where it was: looked for .*/pets, /gone/pets; name"):
        data_places("pets", ["pets", "/gone/pets"], None)
    assert first_file(["no", "photos"]) == "photos"
    assert first_file(["no", "neither"]) == "no"


@pytest.mark.parametrize(
    "name", ["x" * 5000, "a\0b", "~nobody-of-that-name/pets"], ids=["long", "NUL", "user"]
)
def test_a_name_that_no_folder_can_have_is_not_found(here, name):
    """Model files of others name their data."""
    with pytest.raises(DataError, match=r"is not where it was"):
        data_places(name, [name], None)
    assert first_file([name]) == name
    assert not same_data(name, "photos")


def test_a_table_is_looked_for_beside_the_pictures(here):
    (here / "photos" / "labels.csv").write_text("")
    (here / "moved").mkdir()
    (here / "moved" / "labels.csv").write_text("")
    typed = DataOptions(data="photos", labels="photos/labels.csv")
    assert find_labels(typed, Places(here), "moved") == os.path.join("moved", "labels.csv")
    assert find_labels(DataOptions(data="photos"), Places(here), "moved") is None
    within = DataOptions(data="photos", labels="labels.csv")
    assert find_labels(within, Places(here), "moved") == os.path.join("moved", "labels.csv")
