"""Small valid files of every kind that residua reads, made anew."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

from fuzzing.pickles import torch_archive, torch_row
from residua.config import ModelOptions
from residua.data.preprocessing import Preprocessing
from residua.layers import Flatten, Linear, ReLU, Sequential
from residua.models import build_model
from residua.models.calibration import Calibration, Coverage
from residua.models.ensemble import join_models
from residua.models.model_file import Model, save_model

RNG = np.random.default_rng(0)


def _model(folder: Path, model: Model) -> bytes:
    save_model(folder / "seed.safetensors", model)
    return (folder / "seed.safetensors").read_bytes()


def small_model(side: int = 8) -> Model:
    """A plain network of two layers, with all that a model file may say."""
    network = Sequential(
        {"flatten": Flatten(), "one": Linear(side * side * 3, 4), "relu": ReLU(), "head": Linear(4, 3)}
    )
    training = {
        "data": "pics", "kind": "folder", "size": side, "validation": 0.2, "test": 0.2, "labels": None,
        "groups": "kept", "region": False, "seed": 3, "fingerprint": "ab" * 32, "versions": {"numpy": "2"},
        "at": {"epoch": 2, "validation_error": 5.0}, "parameters": {"model": "resnet8", "epochs": 2, "seed": 0},
        "history": [{"epoch": 1, "train_loss": 0.5}],
    }  # fmt: skip
    coverages = (Coverage(0.2, 10, 5), Coverage(0.9, 4, 4))
    look = Preprocessing(side, side, 3, (0.1, 0.2, 0.3), (0.25, 0.5, 0.2))
    variables = network.init(np.random.default_rng(1))
    calibration = Calibration(1.5, "pics", 10, coverages)
    return Model("mine", network, variables, ("blue", "green", "red"), look, training, calibration)


def models(folder: Path) -> list[bytes]:
    """A plain network, a residual one, two joined, capsules."""
    plain = small_model()
    options = ModelOptions(model="resnet8", width=1)
    residual = build_model(options, channels=3, classes=3)
    variables = residual.init(np.random.default_rng(0))
    deep = replace(plain, name="resnet8", network=residual, variables=variables, calibration=None)
    joined = join_models(
        [plain, replace(deep, training=plain.training)], ["a", "b"], "weighted", (0.25, 0.75)
    )
    return [_model(folder, model) for model in (plain, deep, joined)]


def weights(kind: str = "f4") -> dict[str, Any]:
    """Those of a residual network of 8 layers, one channel wide, as PyTorch names them."""
    found = {}

    def put(name: str, *shape: int) -> None:
        found[name] = RNG.uniform(0.5, 1, shape).astype(kind)

    def norm(name: str, count: int) -> None:
        for part in ("weight", "bias", "running_mean", "running_var"):
            put(f"{name}.{part}", count)

    put("conv1.weight", 1, 3, 3, 3)
    norm("bn1", 1)
    before = 1
    for stage in range(3):
        after = 1 << stage
        for number, into in ((1, before), (2, after)):
            put(f"layer{stage + 1}.0.conv{number}.weight", after, into, 3, 3)
            norm(f"layer{stage + 1}.0.bn{number}", after)
        before = after
    put("linear.weight", 3, before)
    put("linear.bias", 3)
    return found


def torch_files() -> list[bytes]:
    """.pth of three kinds of numbers, one with a checkpoint around."""
    halves = {name: (a.view("<u4") >> 16).astype("<u2") for name, a in weights().items()}
    wrapped = {f"module.{name}": array for name, array in weights("f8").items()}
    return [torch_archive(weights()), torch_archive(halves), torch_archive(wrapped, around=True)]


def torch_rows() -> list[bytes]:
    """.th from before 1.6."""
    return [torch_row(weights()), torch_row(weights("f2"), around=True), pickle.dumps(weights(), 4)]


def idx(packed: bool, dimensions: int = 3) -> bytes:
    """Ten pictures of 4x4, or ten labels."""
    shape = (10, 4, 4)[:dimensions]
    header = bytes((0, 0, 8, dimensions)) + b"".join(n.to_bytes(4, "big") for n in shape)
    data = header + RNG.integers(0, 256, shape, np.uint8).tobytes()
    return gzip.compress(data, mtime=0) if packed else data


def cifar_batch(protocol: int = 2) -> bytes:
    """Two of CIFAR's pictures, pickled."""
    pixels = RNG.integers(0, 256, (2, 3072), np.uint8)
    batch = {b"data": pixels, b"labels": [1, 2], b"filenames": [b"a.png", b"b.png"], b"batch_label": b"x"}
    return pickle.dumps(batch, protocol)


def cifar_archive() -> bytes:
    """An archive as the publisher packs it, with one small batch."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        info = tarfile.TarInfo("cifar-10-batches-py/data_batch_1")
        content = cifar_batch()
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def matlab() -> list[bytes]:
    """SVHN's file with two pictures, and a table of synsets."""
    from scipy.io import savemat

    found = []
    for compressed in (False, True):
        stream = io.BytesIO()
        pixels = RNG.integers(0, 256, (32, 32, 3, 2), np.uint8)
        savemat(stream, {"X": pixels, "y": np.array([[1], [10]], np.uint8)}, do_compression=compressed)
        found.append(stream.getvalue())
    stream = io.BytesIO()
    savemat(
        stream, {"synsets": np.array([(1.0, "n01440764", "tench")], [("a", "f8"), ("b", "O"), ("c", "O")])}
    )
    return [*found, stream.getvalue()]


def pixel_tables() -> list[bytes]:
    """Two pictures of 4x4, with labels and without."""
    names = [f"pixel{number}" for number in range(16)]
    rows = [[str(value) for value in RNG.integers(0, 256, 16)] for _ in range(3)]
    plain = "\n".join(",".join(row) for row in [names, *rows]) + "\n"
    labelled = "\n".join(
        ",".join(row) for row in [["label", *names], *([str(i), *r] for i, r in enumerate(rows))]
    )
    return [plain.encode(), labelled.encode()]


LABELS = (b"file,label\nblue/0.png,blue\nred/0.png,red\nblue/1.png,blue\n",
          b"file,label,group\nblue/0.png,blue,a\nred/0.png,red,b\nred/1.png,red,b\n")  # fmt: skip
CLASS_LISTS = (b"blue\ngreen\nred\n", b"n01440764 tench\nn01443537 goldfish\nn01484850 shark\n")
LOG = b"".join(
    json.dumps({"epoch": n, "train_loss": 1 / n, "train_error": 50.0 / n, "validation_loss": 1.5 / n,
                "validation_error": 60.0 / n, "rate": 0.1, "step": 3 * n}).encode() + b"\n"
    for n in (1, 2, 3)
)  # fmt: skip
TIMING = b'{"epoch": 1, "seconds": 0.5, "pictures_per_second": 100.0, "waiting": 0.1}\n'
STATISTICS = (
    b'{"epoch": 1, "pictures": 16, "layers": [{"name": "stem", "weight_std": 0.1, "weight_most": 0.5, "mean": 0.1,'
    b' "std": 1.0, "off": 0.5, "dead": 1, "channels": 4}]}\n'
)


def _icc() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _exif(orientation: int = 6) -> bytes:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "maker"
    return exif.tobytes()


def pictures() -> dict[str, list[bytes]]:
    """{format: files of it}: modes, compressions, tags and profiles."""
    colour = Image.fromarray(RNG.integers(0, 256, (9, 12, 3), np.uint8))
    grey, palette = colour.convert("L"), colour.convert("P", palette=Image.Palette.ADAPTIVE, colors=16)
    alpha = colour.convert("RGBA")
    alpha.putalpha(grey)
    deep = Image.fromarray(RNG.integers(0, 65536, (9, 12), np.uint16))
    floats = Image.fromarray(RNG.uniform(0, 1, (9, 12)).astype(np.float32))
    text = PngImagePlugin.PngInfo()
    text.add_text("a", "b")
    text.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta/>", zip=True)
    icc, exif, more = _icc(), _exif(), {"append_images": [colour, colour], "save_all": True}
    plan: dict[str, list[tuple[Any, dict[str, Any]]]] = {
        "png": [(colour, {"icc_profile": icc, "exif": exif, "pnginfo": text}), (grey, {}), (palette, {"transparency": 3}),
                (alpha, {}), (deep, {}), (colour.convert("1"), {}), (colour, more)],
        "jpg": [(colour, {"exif": exif, "icc_profile": icc, "comment": b"x", "quality": 30}), (grey, {}),
                (colour.convert("CMYK"), {}), (colour, {"progressive": True, "xmp": b"<x:xmpmeta/>"})],
        "webp": [(colour, {"exif": exif, "icc_profile": icc}), (alpha, {"lossless": True}), (colour, more)],
        "gif": [(palette, {}), (palette, {"transparency": 2}), (colour, more)],
        "bmp": [(colour, {}), (palette, {}), (alpha, {}), (colour.convert("1"), {})],
        "tiff": [(colour, {"exif": exif, "icc_profile": icc}), (deep, {}), (floats, {}), (colour, {"compression": "tiff_lzw"}),
                 (colour, {"compression": "jpeg"}), (grey, {"compression": "tiff_adobe_deflate"}), (colour.convert("CMYK"), {}),
                 (colour.convert("1"), {"compression": "group4"}), (palette, {"compression": "packbits"}), (colour, more)],
        "ppm": [(colour, {}), (grey, {}), (colour.convert("1"), {}), (deep, {})],
        "avif": [(colour, {"quality": 50, "exif": exif, "icc_profile": icc}), (alpha, {"speed": 10})],
    }  # fmt: skip
    found: dict[str, list[bytes]] = {}
    for suffix, entries in plan.items():
        for image, options in entries:
            stream = io.BytesIO()
            try:
                image.save(stream, {"jpg": "JPEG", "tiff": "TIFF"}.get(suffix, suffix.upper()), **options)
            except (OSError, KeyError):  # a codec that this Pillow lacks
                continue
            found.setdefault(suffix, []).append(stream.getvalue())
    found["ppm"] += [b"P3 2 2 255 1 2 3 4 5 6 7 8 9 10 11 12\n", b"P1 3 2 1 0 1 0 1 0\n"]
    return found
