"""Published files are fetched and checked before use."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from publisher import CONTENT, MD5, Server, offered

from residua.data.sources.cards import DATASETS
from residua.data.sources.download import download, verify_checksum
from residua.errors import DataError

pytestmark = pytest.mark.usefixtures("own_cache")


def test_download_checks_and_falls_back_to_a_mirror(tmp_path):
    card = DATASETS["mnist"]
    with Server(status=404) as gone, Server(content=b"<html>login</html>") as portal, Server() as good:
        path = download(card, offered(gone.url, portal.url, good.url), tmp_path / "new" / "folder")
    assert path.read_bytes() == CONTENT
    assert os.listdir(path.parent) == ["file.bin"]
    # It is there now: nobody is asked again.
    assert download(card, offered("http://127.0.0.1:9/file.bin"), path.parent) == path


def test_a_failed_download_says_all_that_is_needed(tmp_path):
    with Server(content=b"something else") as server:
        dead = "http://127.0.0.1:9/file.bin"
        wanted = offered(server.url, dead)
        card = replace(DATASETS["mnist"], files=(wanted, *DATASETS["mnist"].files[1:]))
        with pytest.raises(DataError) as caught:
            download(card, wanted, tmp_path / "mnist")
    text = str(caught.value)
    assert "\n" not in text
    for part in (
        server.url,
        dead,
        "another checksum",
        MD5,
        "t10k-labels",
        str(tmp_path / "mnist"),
        "--data-dir",
    ):
        assert part in text
    assert not (tmp_path / "mnist" / "file.bin").exists()


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match="could not be fetched"):
        download(DATASETS["mnist"], offered("http://127.0.0.1:9/x"), tmp_path / "file" / "mnist")


def test_check_of_an_absent_file(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        verify_checksum(tmp_path / "absent", offered("http://127.0.0.1:9/x"))
