"""Downloads over broken connections."""

from __future__ import annotations

import sys

import pytest
from publisher import CONTENT, Server

from residua.data.sources.resumable_download import ATTEMPTS, resumable_downloader

pytestmark = pytest.mark.usefixtures("own_cache")


def fetch_part(server, tmp_path, **_):
    part, out = tmp_path / "file.bin.part", tmp_path / "out"
    resumable_downloader(part, pause_seconds=0)(server.url, str(out), None)
    assert not part.exists()
    return out.read_bytes()


def test_a_cut_connection_is_continued_where_it_broke(tmp_path):
    with Server(cut_after=70_000) as server:
        assert fetch_part(server, tmp_path) == CONTENT
    assert server.asked[0] is None
    starts = [int(asked[6:-1]) for asked in server.asked[1:]]
    assert len(starts) >= 4
    assert starts == sorted(starts)
    assert starts[0] > 0


def test_a_publisher_without_ranges_is_asked_again_from_the_start(tmp_path):
    with Server(cut_after=70_000, ranges=False, cuts=2) as server:
        assert fetch_part(server, tmp_path) == CONTENT
    assert len(server.asked) == 3


def test_what_an_earlier_run_left_is_used(tmp_path):
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:123_456])
    with Server() as server:
        assert fetch_part(server, tmp_path) == CONTENT
    assert server.asked == ["bytes=123456-"]


def test_a_complete_part_needs_nothing_more(tmp_path):
    (tmp_path / "file.bin.part").write_bytes(CONTENT)
    with Server() as server:
        assert fetch_part(server, tmp_path) == CONTENT
    assert len(server.asked) == 1


def test_a_part_longer_than_the_file_is_fetched_anew(tmp_path):
    (tmp_path / "file.bin.part").write_bytes(CONTENT + b"more")
    with Server() as server:
        assert fetch_part(server, tmp_path) == CONTENT


def test_a_range_from_another_place_is_not_appended(tmp_path):
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:1000])
    with Server(shift=5) as server:
        assert fetch_part(server, tmp_path) == CONTENT


def test_gives_up_when_nothing_arrives_and_keeps_the_part(tmp_path):
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:1000])
    with Server(cut_after=0) as server, pytest.raises(OSError, match="broke"):
        fetch_part(server, tmp_path)
    assert len(server.asked) == ATTEMPTS
    assert (tmp_path / "file.bin.part").read_bytes() == CONTENT[:1000]


@pytest.mark.parametrize(("status", "attempts"), [(404, 1), (503, ATTEMPTS)])
def test_refusals(tmp_path, status, attempts):
    with Server(status=status) as server, pytest.raises(OSError, match=str(status)):
        fetch_part(server, tmp_path)
    assert len(server.asked) == attempts


@pytest.mark.skipif(sys.platform == "win32", reason="no such locks there")
@pytest.mark.parametrize("have", [0, 50_000])
def test_two_processes_at_one_file_do_not_mix(tmp_path, have):
    """While another one collects it, the file is collected beside; what it has is left to it."""
    import fcntl

    part, out = tmp_path / "file.bin.part", tmp_path / "out"
    part.write_bytes(CONTENT[:have])
    with part.open("ab") as theirs, Server() as server:
        fcntl.flock(theirs, fcntl.LOCK_EX)
        resumable_downloader(part, pause_seconds=0)(server.url, str(out), None)
    assert out.read_bytes() == CONTENT
    assert part.read_bytes() == CONTENT[:have]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file.bin.part", "out"]
    # The other one is gone, by whatever end: what it had is continued.
    with Server() as server:
        assert fetch_part(server, tmp_path) == CONTENT
    assert server.asked == [f"bytes={have}-" if have else None]
