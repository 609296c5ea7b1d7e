"""Files of models that cannot be read here, known by their first bytes: what each is, and the way in."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

_STATE = "save the network's state_dict() with torch.save, or its weights as safetensors, and import that"
_KERAS = "weights of Keras: save them as a folder of .npy files or as safetensors, and import that"

# First bytes, and what a file that begins with them is.
_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (
        b"GGUF",
        f"a GGUF file, whose numbers are quantised: fetch the original weights, or {_STATE}",
    ),
    (b"\x89HDF\r\n\x1a\n", f"an HDF5 file; {_KERAS}"),
    (b"\x93NUMPY", "a single array of NumPy's: name a folder of .npy files, one for each weight"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd: unpack it first"),
    (b"\x1f\x8b", "compressed by gzip: unpack it first"),
    (b"BZh", "compressed by bzip2: unpack it first"),
    (b"\xfd7zXZ\x00", "compressed by xz: unpack it first"),
    (b"7z\xbc\xaf'\x1c", "a 7z archive: unpack it first"),
    (b"Rar!", "a RAR archive: unpack it first"),
    (
        b"version https://git-lfs",
        "a pointer of Git LFS, not the weights: fetch them with `git lfs pull`",
    ),
    (b"\x89PNG", "a PNG picture, where weights are needed"),
    (b"\xff\xd8\xff", "a JPEG picture, where weights are needed"),
    (b"%PDF", "a PDF document, where weights are needed"),
)
_PAGES = (b"<!doctype", b"<html", b"<?xml", b"<head")
_PAGE = "a web page, not the weights: the download asked for something first; fetch the file itself"


def recognise(start: bytes, path: Path) -> str | None:
    """What a file is, and what to do, by its first 64 bytes; None for what may hold readable weights."""
    for beginning, text in _BEGINNINGS:
        if start.startswith(beginning):
            return text
    if start.lstrip().lower().startswith(_PAGES):
        return _PAGE
    if start[4:8] == b"TFL3":
        return f"a TensorFlow Lite file: import the weights that it was made of; {_STATE}"
    suffix = path.suffix.lower()
    if suffix == ".onnx":
        return f"an ONNX file, a network without the names of its layers: {_STATE}"
    if suffix in (".pb", ".pbtxt") or path.name == "checkpoint" or ".data-0" in path.name:
        return f"a file of TensorFlow's; {_KERAS}"
    if suffix == ".msgpack":
        return "weights of Flax: save them as safetensors or as a folder of .npy files, and import that"
    if start[:1] == b"{" and suffix == ".json":
        return "a JSON file: name the weights themselves, or the index of their shards (*.index.json)"
    return None


def recognise_archive(names: Collection[str]) -> str | None:
    """What a zip archive is, by the names in it, where it is none that PyTorch wrote; None elsewhere."""
    if any(name.endswith("data.pkl") for name in names):
        if any("/code/" in name or name.startswith("code/") for name in names):
            return (
                "a TorchScript program: load it with torch.jit.load, save its state_dict() with torch.save, "
                "and import that"
            )
        return None
    if names and all(name.endswith(".npy") for name in names):
        return "an .npz archive of NumPy's: unpack it into a folder of .npy files, and name that"
    if any(name.endswith((".weights.h5", ".h5")) for name in names):
        return f"a Keras archive; {_KERAS}"
    if any(name.endswith((".pth", ".pt", ".safetensors", ".th")) for name in names):
        return "a zip archive with weights in it: unpack it first"
    return None
