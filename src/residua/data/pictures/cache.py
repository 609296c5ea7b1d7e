"""Decoding a folder's pictures once: threads fill an array on disk that later runs memory-map."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from residua.cores import available_cores
from residua.data.pictures.content import read_bytes
from residua.data.pictures.decoding import DECODER, Box, no_pillow_warnings, read_picture
from residua.data.pictures.kinds import avif_is_read, heic_is_read
from residua.data.pictures.selection import Pixels
from residua.errors import DataError, PictureError
from residua.files.durable import remove_stale, replacing, write_durably
from residua.files.user_cache import not_kept_in
from residua.progress import advance, bar

T = TypeVar("T")
Result = TypeVar("Result")

MOST_BAD = 0.01
_ALWAYS_FITS = 10**9  # bytes below which nobody counts
_TOGETHER = 4096  # pictures that are handed to threads at once
MOST_THREADS = 16  # beyond that the disk is what is waited for


class Decoded(NamedTuple):
    """Pictures decoded: (N, H, W, C) uint8, why some are bad, by index, and what is odd about others.

    Rows of bad ones are blank. notes: see `notes`, by index.
    """

    images: Pixels
    bad: dict[int, str]
    notes: dict[int, list[str]]


def hash_files(paths: Sequence[Path]) -> NDArray[np.uint8]:
    """(N, 32) SHA-256 of every file; one that cannot be read counts as empty until it is decoded."""
    digests = np.empty((len(paths), 32), np.uint8)

    def digest(index: int) -> None:
        try:
            content = read_bytes(paths[index])
        except PictureError:
            content = b""
        digests[index] = np.frombuffer(hashlib.sha256(content).digest(), np.uint8)

    with ThreadPoolExecutor(min(available_cores(), MOST_THREADS)) as pool:
        for _ in _some_at_a_time(pool, digest, range(len(paths))):
            pass
    return digests


def decode_cached(
    paths: Sequence[Path],
    digests: Sequence[str],
    size: tuple[int, int, int],
    folder: Path,
    say: Callable[[str], None],
    boxes: Sequence[Box | None] = (),
) -> Decoded:
    """All pictures as (N, H, W, C) uint8, from `folder` where an earlier run has put them.

    size: height, width, channels. boxes: the region of each picture to read (see `read_picture`); none for
    whole pictures. The array is memory-mapped where the folder can be written and in memory (said once)
    where not. The cache is keyed by the content of the files, the size, the regions, the version of the
    decoder and which formats can be read. Raises DataError where neither disk nor memory would hold the
    array.
    """
    pixels, notes = cache_files(folder, digests, size, boxes)
    shape = (len(paths), *size)
    cached = load_decoded(pixels, notes, paths, shape)
    if cached is not None:
        return cached
    refuse_too_many(shape, folder)
    try:
        with new_array(pixels, shape) as (_, images):
            decoded = decode_some(paths, images, range(len(paths)), size, boxes)
        write_notes(notes, decoded, paths)
        loaded = load_decoded(pixels, notes, paths, shape)
        if loaded is not None:
            return decoded._replace(images=loaded.images)
    except (Unwritable, OSError) as problem:
        say(kept_in_memory(folder, problem))
    return decode_some(paths, np.zeros(shape, np.uint8), range(len(paths)), size, boxes)


def cache_files(
    folder: Path, digests: Sequence[str], size: tuple[int, int, int], boxes: Sequence[Box | None]
) -> tuple[Path, Path]:
    """Where pictures of that content are kept, and what there is to say of them."""
    # The JSON of one list, of which a million digests would take a hundred megabytes.
    whole = hashlib.sha256(json.dumps([DECODER, heic_is_read(), avif_is_read(), *size]).encode()[:-1])
    for part in (digests, boxes):
        for start in range(0, len(part), _TOGETHER):
            whole.update(f", {json.dumps(list(part[start : start + _TOGETHER]))[1:-1]}".encode())
    whole.update(b"]")
    key = whole.hexdigest()[:32]
    return folder / f"{key}.npy", folder / f"{key}.json"


@contextlib.contextmanager
def new_array(pixels: Path, shape: tuple[int, ...]) -> Iterator[tuple[Path, NDArray[np.uint8]]]:
    """A file that is filled and then becomes `pixels`: its name until then, and its array.

    Raises Unwritable, or OSError, where there is no room for it.
    """
    pixels.parent.mkdir(parents=True, exist_ok=True)
    remove_stale(pixels.parent)
    with replacing(pixels, error=Unwritable) as temporary:
        images = open_memmap(temporary, mode="w+", dtype=np.uint8, shape=shape)
        # Takes the disk space now: a full disk would otherwise end the process when a page is written.
        _reserve(temporary)
        yield temporary, images
        images.flush()
        del images


def write_notes(notes: Path, decoded: Decoded, paths: Sequence[Path]) -> None:
    """Keep what there is to say of pictures. Reasons name files, which may move: a mark stands for them."""
    said = {index: text.replace(str(paths[index]), "{file}", 1) for index, text in decoded.bad.items()}
    write_durably(notes, json.dumps({"bad": said, "notes": decoded.notes}).encode(), error=Unwritable)


def kept_in_memory(folder: Path, problem: BaseException) -> str:
    """What to say of pictures that cannot be kept in the cache."""
    return f"The pictures are kept in memory{not_kept_in(folder, ' '.join(str(problem).split())[:200])}"


class Unwritable(DataError):
    """The cache folder refuses; decoded pictures stay in memory instead."""


def refuse_too_many(shape: tuple[int, ...], folder: Path) -> None:
    """Raise DataError where the decoded pictures fit neither the cache's disk nor half of the memory."""
    needed = math.prod(shape)
    if needed < _ALWAYS_FITS:
        return
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    disk = shutil.disk_usage(existing).free
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0
    if needed > disk and needed > memory / 2:
        raise DataError(
            f"{shape[0]:,} pictures of {shape[1]}x{shape[2]} take {needed / 1e9:,.0f} GB, and {existing} has "
            f"{disk / 1e9:,.0f} GB free: lower --size, or make room there."
        )


def decode_some(
    paths: Sequence[Path],
    images: NDArray[np.uint8],
    places: Sequence[int],
    size: tuple[int, int, int],
    boxes: Sequence[Box | None],
) -> Decoded:
    """Fill `images`, each picture's row in `places`, in threads (decoding releases Python's lock)."""
    bad: dict[int, str] = {}
    notes: dict[int, list[str]] = {}

    def decode(index: int) -> None:
        said: list[str] = []
        try:
            images[places[index]] = read_picture(paths[index], *size, boxes[index] if boxes else None, said)
        except PictureError as problem:
            bad[index] = str(problem)
        if said:
            notes[index] = said

    with (
        no_pillow_warnings(),
        ThreadPoolExecutor(min(available_cores(), MOST_THREADS)) as pool,
        bar("Decoding pictures", len(paths)),
    ):
        for _ in _some_at_a_time(pool, decode, range(len(paths))):
            advance()
    return Decoded(images, dict(sorted(bad.items())), dict(sorted(notes.items())))


def _some_at_a_time(
    pool: ThreadPoolExecutor, do: Callable[[T], Result], given: Sequence[T]
) -> Iterator[Result]:
    """`pool.map`, of which a million promises at once would take a gigabyte."""
    for start in range(0, len(given), _TOGETHER):
        yield from pool.map(do, given[start : start + _TOGETHER])


def load_decoded(pixels: Path, notes: Path, paths: Sequence[Path], shape: tuple[int, ...]) -> Decoded | None:
    """What an earlier run left, or None where it is absent, unfinished or damaged."""
    try:
        said = json.loads(notes.read_bytes())
        # Reasons name files, which may have moved since: the present names are put in.
        bad = {int(i): str(text).replace("{file}", str(paths[int(i)]), 1) for i, text in said["bad"].items()}
        odd = {int(index): list(map(str, texts)) for index, texts in said["notes"].items()}
        images = np.load(pixels, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, AttributeError, EOFError, LookupError, TypeError):
        return None
    return Decoded(images, bad, odd) if images.shape == shape and images.dtype == np.uint8 else None


def _reserve(path: Path) -> None:
    if hasattr(os, "posix_fallocate"):
        with path.open("rb+") as stream:
            os.posix_fallocate(stream.fileno(), 0, path.stat().st_size)
