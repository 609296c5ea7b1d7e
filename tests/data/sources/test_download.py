"""Published files are found, fetched over broken connections, checked before use and unpacked safely."""

import functools
import hashlib
import http.server
import io
import os
import tarfile
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from residua.data.sources import archives, locations
from residua.data.sources.archives import unpack
from residua.data.sources.cards import DATASETS
from residua.data.sources.download import download, verify_checksum
from residua.data.sources.locations import find_cifar_folder, find_files
from residua.data.sources.published_files import Download
from residua.data.sources.resumable_download import ATTEMPTS, resumable_downloader
from residua.errors import DataError

CONTENT = np.random.default_rng(0).bytes(300_000)
MD5 = "md5:" + hashlib.md5(CONTENT).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """A publisher with faults: cuts connections after some bytes, ignores or misplaces ranges."""

    def __init__(self, content=CONTENT, cut_after=None, ranges=True, cuts=10**9, status=None, shift=0):
        super().__init__(("127.0.0.1", 0), functools.partial(Handler))
        self.content, self.cut_after, self.ranges, self.cuts = content, cut_after, ranges, cuts
        self.status, self.shift = status, shift
        self.asked = []
        self.url = f"http://127.0.0.1:{self.server_port}/file.bin"

    def __enter__(self):
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.thread.join()
        self.server_close()

    def handle_error(self, *_):
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        server, asked = self.server, self.headers.get("Range")
        server.asked.append(asked)
        if server.status:
            self.send_error(server.status)
            return
        start, total = 0, len(server.content)
        if asked and server.ranges:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= total:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{total}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            first = start + server.shift
            self.send_header("Content-Range", f"bytes {first}-{total - 1}/{total}")
        else:
            self.send_response(200)
        body = server.content[start:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if server.cut_after is not None and server.cuts > 0:
            server.cuts -= 1
            body = body[: server.cut_after]
            self.close_connection = True
        self.wfile.write(body)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(tmp_path / "cache"))
    monkeypatch.delenv("RESIDUA_DATA", raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


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


def published(*urls, checksum=MD5):
    return Download("file.bin", urls, checksum)


def test_download_checks_and_falls_back_to_a_mirror(tmp_path):
    card = DATASETS["mnist"]
    with Server(status=404) as gone, Server(content=b"<html>login</html>") as portal, Server() as good:
        path = download(card, published(gone.url, portal.url, good.url), tmp_path / "new" / "folder")
    assert path.read_bytes() == CONTENT
    assert os.listdir(path.parent) == ["file.bin"]
    # It is there now: nobody is asked again.
    assert download(card, published("http://127.0.0.1:9/file.bin"), path.parent) == path


def test_a_failed_download_says_all_that_is_needed(tmp_path):
    with Server(content=b"something else") as server:
        dead = "http://127.0.0.1:9/file.bin"
        wanted = published(server.url, dead)
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
        download(DATASETS["mnist"], published("http://127.0.0.1:9/x"), tmp_path / "file" / "mnist")


@pytest.mark.parametrize("folder", ["mnist", "MNIST/raw", "mnist/MNIST/raw"])
@pytest.mark.parametrize("end", [".gz", ""])
def test_idx_files_are_found(tmp_path, monkeypatch, folder, end):
    data = tmp_path / "data"
    place = data / folder
    place.mkdir(parents=True)
    for wanted in DATASETS["mnist"].files:
        (place / (wanted.name.removesuffix(".gz") + end)).write_bytes(b"x")
    assert {path.parent for path in find_files(DATASETS["mnist"], str(data)).values()} == {place}
    assert len(find_files(DATASETS["mnist"], str(place))) == 4
    monkeypatch.setenv("RESIDUA_DATA", str(data))
    assert {path.parent for path in find_files(DATASETS["mnist"], None).values()} == {place}
    # --data-dir comes first, but what it lacks is still found elsewhere.
    assert {path.parent for path in find_files(DATASETS["mnist"], str(tmp_path)).values()} == {place}


def test_sets_with_equal_file_names_are_not_mistaken(tmp_path, monkeypatch):
    place = tmp_path / "mnist"
    place.mkdir()
    for wanted in DATASETS["mnist"].files:
        (place / wanted.name).write_bytes(b"x")
    asked = []
    monkeypatch.setattr(locations, "download", lambda card, wanted, folder: asked.append(folder) or folder)
    for data in (tmp_path, place):
        find_files(DATASETS["fashion-mnist"], str(data))
    assert asked == [tmp_path / "fashion-mnist"] * 4 + [place / "fashion-mnist"] * 4


def test_the_data_folder_must_be_a_folder(tmp_path):
    (tmp_path / "f").write_bytes(b"")
    with pytest.raises(DataError, match="is a file"):
        find_files(DATASETS["mnist"], str(tmp_path / "f"))


def cifar_archive(path, name="cifar-10-batches-py", extra=()):
    parts = [*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]
    with tarfile.open(path, "w:gz") as archive:
        for part in parts:
            member = tarfile.TarInfo(f"{name}/{part}{'.bin' if name.endswith('bin') else ''}")
            member.size = 3
            archive.addfile(member, io.BytesIO(b"abc"))
        for member in extra:
            archive.addfile(member, io.BytesIO(bytes(member.size)))
    return "md5:" + hashlib.md5(path.read_bytes()).hexdigest()


def cifar_card(python="md5:" + "0" * 32, binary="md5:" + "0" * 32):
    card = DATASETS["cifar10"]
    files = [
        Download(f.name, ("http://127.0.0.1:9/" + f.name,), sum_)
        for f, sum_ in zip(card.files, (python, binary), strict=True)
    ]
    return replace(card, files=tuple(files))


def test_an_archive_in_the_data_folder_is_checked_and_unpacked(tmp_path):
    archive = tmp_path / "cifar-10-python.tar.gz"
    card = cifar_card(cifar_archive(archive))
    folder = find_cifar_folder(card, str(tmp_path))
    assert folder == tmp_path / "cifar-10-batches-py"
    assert sorted(os.listdir(tmp_path)) == ["cifar-10-batches-py", "cifar-10-python.tar.gz"]
    archive.unlink()
    assert find_cifar_folder(card, str(tmp_path)) == folder
    assert find_cifar_folder(card, str(folder)) == folder
    (folder / "data_batch_3").unlink()
    with pytest.raises(DataError, match="lacks data_batch_3"):
        find_cifar_folder(card, str(tmp_path))


def test_a_wrong_checksum_stops_before_unpacking(tmp_path):
    cifar_archive(tmp_path / "cifar-10-python.tar.gz")
    with pytest.raises(DataError, match="not the published 0000") as caught:
        find_cifar_folder(cifar_card(), str(tmp_path))
    assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == ["cifar-10-python.tar.gz"]


def test_python_batches_are_preferred_binary_ones_accepted(tmp_path):
    binary = cifar_archive(tmp_path / "cifar-10-binary.tar.gz", "cifar-10-batches-bin")
    assert find_cifar_folder(cifar_card(binary=binary), str(tmp_path)).name == "cifar-10-batches-bin"
    python = cifar_archive(tmp_path / "cifar-10-python.tar.gz")
    assert find_cifar_folder(cifar_card(python, binary), str(tmp_path)).name == "cifar-10-batches-py"


def test_offline_and_absent(tmp_path):
    with pytest.raises(DataError, match=r"cifar-10-python.tar.gz \(md5:0000") as caught:
        find_cifar_folder(cifar_card(), str(tmp_path))
    assert "\n" not in str(caught.value)


def test_an_archive_beside_which_nothing_can_be_written_goes_to_the_cache(tmp_path, monkeypatch):
    archive = tmp_path / "cifar-10-python.tar.gz"
    card = cifar_card(cifar_archive(archive))
    real = archives.tempfile.TemporaryDirectory

    def refuse(*, prefix, dir):
        if Path(dir) == tmp_path:
            raise PermissionError(13, "Permission denied")
        return real(prefix=prefix, dir=dir)

    monkeypatch.setattr(archives.tempfile, "TemporaryDirectory", refuse)
    assert find_cifar_folder(card, str(tmp_path)) == tmp_path / "cache/data/cifar-10-batches-py"


def member(name, kind=tarfile.REGTYPE, size=0, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, link
    return info


@pytest.mark.parametrize(
    "evil",
    [
        member("../outside", size=1),
        member("/tmp/residua-absolute", size=1),
        member("cifar-10-batches-py/link", tarfile.SYMTYPE, link="/etc"),
        member("cifar-10-batches-py/hard", tarfile.LNKTYPE, link="../../outside"),
        member("cifar-10-batches-py/device", tarfile.CHRTYPE),
        member("cifar-10-batches-py/huge", size=0),
    ],
    ids=lambda info: info.name,
)
def test_unsafe_archives_are_refused(tmp_path, monkeypatch, evil):
    folder = tmp_path / "in"
    folder.mkdir()
    archive = folder / "cifar-10-python.tar.gz"
    cifar_archive(archive, extra=[evil])
    if evil.name.endswith("huge"):
        monkeypatch.setattr(archives, "_MOST_UNPACKED_BYTES", 10)
    if evil.name.startswith("/"):
        # tarfile's filter takes the leading slash away: the member lands inside, where it is harmless.
        unpack(archive, "cifar-10-batches-py")
        assert not Path(evil.name).exists()
        return
    with pytest.raises(DataError, match=r"unsafe|refused"):
        unpack(archive, "cifar-10-batches-py")
    assert os.listdir(folder) == ["cifar-10-python.tar.gz"]
    assert not (tmp_path / "outside").exists()


def test_damaged_archives(tmp_path):
    archive = tmp_path / "cifar-10-python.tar.gz"
    cifar_archive(archive)
    whole = archive.read_bytes()
    for content in (b"", b"<html>", whole[: len(whole) // 2]):
        archive.write_bytes(content)
        with pytest.raises(DataError, match=r"cifar-10-python\.tar\.gz"):
            unpack(archive, "cifar-10-batches-py")
    archive.write_bytes(whole)
    with pytest.raises(DataError, match="does not hold the folder other"):
        unpack(archive, "other")
    assert os.listdir(tmp_path) == ["cifar-10-python.tar.gz"] or "cache" in os.listdir(tmp_path)


def test_check_of_an_absent_file(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        verify_checksum(tmp_path / "absent", published("http://127.0.0.1:9/x"))


def test_the_table_is_whole():
    for name, card in DATASETS.items():
        assert card.name == name
        count = 0 if card.layout else 100 if name == "cifar100" else 10  # of files, the folders tell
        assert len(set(card.classes)) == len(card.classes) == count
        for wanted in card.files:
            if not wanted.urls:  # to be fetched by hand
                continue
            algorithm, digits = wanted.checksum.split(":")
            assert len(digits) == {"md5": 32, "sha256": 64}[algorithm]
            assert all(url.endswith("/" + wanted.name) for url in wanted.urls)
