"""Pictures in zip files, tar and Parquet shards, and at addresses, in every verb that takes pictures."""

from __future__ import annotations

import json

import pytest
from brought import ONE_EPOCH
from shards import folders, samples, write_parquet, write_tar, write_zip
from tiny import answered, refused

pytestmark = pytest.mark.usefixtures("quiet_cache")


def test_a_zip_and_shards_from_training_to_answers(tmp_path, monkeypatch, capsys):
    pytest.importorskip("pyarrow")
    pytest.importorskip("fsspec")
    monkeypatch.chdir(tmp_path)
    write_zip(tmp_path / "pets.zip", folders("0", "1", count=15))
    write_tar(tmp_path / "wds" / "test-0.tar", samples(range(8)))
    write_parquet(tmp_path / "hub" / "test-0.parquet", range(8), classes=("0", "1"))
    answered(capsys, "train", "pets.zip", *ONE_EPOCH, "--run", "run")
    answered(capsys, "train", "--resume", "run")
    assert "test split: 3 pictures" in answered(capsys, "evaluate", "run")
    for data in ("wds", "wds/test-0.tar", "hub", f"file://{tmp_path}/wds"):
        assert "8 pictures" in answered(capsys, "evaluate", "run", "--data", data)
    out = answered(capsys, "predict", "run", "pets.zip/0/3.png", "wds", "hub/test-0.parquet", "--json")
    files = [row["file"] for row in json.loads(out)]
    assert files[:2] == ["pets.zip/0/3.png", "wds/test-0.tar/000000.png"]
    assert len(files) == 17
    (tmp_path / "cut.zip").write_bytes((tmp_path / "pets.zip").read_bytes()[:500])
    assert "cut.zip is cut short" in refused(capsys, "train", "cut.zip", *ONE_EPOCH)
    assert "cut.zip is cut short" in refused(capsys, "predict", "run", "cut.zip")
