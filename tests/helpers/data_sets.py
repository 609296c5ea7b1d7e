"""Data sets for tests: opened or refused, painted in folders, in published formats, and the real ones."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from residua.config import DataOptions
from residua.data import open_dataset, read_picture
from residua.errors import ConfigError, DataError

DATA = Path(os.environ.get("RESIDUA_DATA", ""))
SPLITS = ("train", "validation", "test")


def needs(name):
    """Skips a test where the real data is not there."""
    there = bool(os.environ.get("RESIDUA_DATA")) and (DATA / name).exists()
    return pytest.mark.skipif(not there, reason=f"needs {name} in the folder RESIDUA_DATA")


def opened(name, seed=0, said=None, **options):
    """A data set; what was said of it is added to `said`."""
    say = (lambda _: None) if said is None else said.append
    return open_dataset(DataOptions(data=str(name), **options), seed, say=say)


def rejected(name, read=None, **options):
    """The one line with which data is refused; `read`: the split that is tried."""

    def attempt():
        data = opened(name, **options)
        if read:
            data.read(read)

    with pytest.raises((DataError, ConfigError)) as caught:
        attempt()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def opened_small(folder, seed=0, said=None, **options):
    """A folder of pictures, brought to 4x4."""
    return opened(folder, seed, said, **{"size": 4, **options})


def rejected_small(folder, read=None, **options):
    """The one line with which a folder is refused."""
    return rejected(folder, read, **{"size": 4, **options})


def paint(path, number):
    """A picture of one colour that tells its number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (5, 4), (number % 256, number // 256, 7)).save(path, "PNG")


def number(image):
    """The number that a painted picture tells."""
    return int(image[0, 0, 0]) + 256 * int(image[0, 0, 1])


def make(folder, **counts):
    """Folders such as cat=3 or train__cat=3 with numbered pictures; returns number by name."""
    known = {}
    for name, count in counts.items():
        for k in range(count):
            path = folder / name.replace("__", "/") / f"{k} ü.PNG"
            known[path.relative_to(folder).as_posix()] = len(known)
            paint(path, len(known) - 1)
    return known


def names(data):
    """{split: the names of its pictures}."""
    return {split: set(data.read(split).names) for split in SPLITS}


def labels_by_name(data):
    """{name of a picture: name of its class} over all splits, each picture once."""
    labels = {}
    for split in SPLITS:
        pictures = data.read(split)
        for name, label in zip(pictures.names, pictures.labels.tolist(), strict=True):
            assert name not in labels
            labels[name] = data.classes[label]
    return labels


def pixels_agree(folder, data, split="train"):
    """Hold a split's first pictures to their files."""
    pictures = data.read(split)
    for image, name in zip(pictures.images[:5], pictures.names[:5], strict=True):
        assert np.array_equal(image, read_picture(folder / name, data.height, data.width, data.channels))


def idx(array):
    """An array in the idx format."""
    return (
        bytes((0, 0, 8, array.ndim)) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()
    )


def small_mnist(folder, train=100, test=30):
    """A folder in MNIST's format whose pictures tell their place."""
    folder.mkdir(parents=True)
    for stem, count in (("train", train), ("t10k", test)):
        images = np.arange(count, dtype=np.uint8)[:, None, None].repeat(28, 1).repeat(28, 2)
        labels = (np.arange(count) % 10).astype(np.uint8)
        (folder / f"{stem}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
        (folder / f"{stem}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))


def table(path, *lines, encoding="utf-8"):
    """A table of labels; its path."""
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return str(path)


def drivers(folder, people=10, each=6):
    """Pictures of two postures by several drivers, the way that leaks when it is split by picture."""
    lines = ["file,label,group"]
    for person in range(people):
        for k in range(each):
            paint(folder / f"p{person}-{k}.png", person * each + k)
            lines.append(f"p{person}-{k}.png,{'phone' if k % 2 else 'safe'},driver {person}")
    return lines


def spoil(path, content=b""):
    path.write_bytes(content)
    return path


def replace_in(table, old, new):
    table.write_text(table.read_text().replace(old, new, 1))
