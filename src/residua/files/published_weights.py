"""Published weights under whichever names they came: PyTorch's, safetensors, shards, a folder of .npy."""

from __future__ import annotations

import re
import tokenize
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.errors import ModelFileError, one_line
from residua.files.regular import plain_size
from residua.files.safetensors_file import read_safetensors
from residua.files.strict_json import parse_json
from residua.files.torch_file import read_torch_weights

MOST_BYTES = 4_000_000_000  # of one array
MOST_SHARDS = 1000
INDEX = ".index.json"
_SHARD = re.compile(r"(.+)-(\d{5})-of-(\d{5})\.(?:safetensors|bin|pth|pt)")
# What NumPy raises over nonsense.
_NO_ARRAY: tuple[type[Exception], ...] = (
    *(ValueError, EOFError, TypeError, SyntaxError, ArithmeticError, MemoryError, RecursionError),
    *(tokenize.TokenError, LookupError),
)
_WEIGHTS = ("*.safetensors", "*.pth", "*.pt", "*.th", "*.bin")


def read_weights(path: str | Path) -> dict[str, NDArray[Any]]:
    """{name: array} of the weights in a .pth, .pt, .th or .safetensors file, in shards, or in .npy files.

    A folder may hold the index of shards, a single file of weights, or .npy files. Raises ModelFileError.
    """
    path = Path(path)
    try:
        folder = path.is_dir()
    except (OSError, ValueError):
        folder = False  # told below, as for any file
    if folder:
        return _read_folder(path)
    if path.name.endswith(INDEX):
        return read_shards(path)
    if (match := _SHARD.fullmatch(path.name)) and int(match[3]) > 1:
        raise ModelFileError(
            f"{path} is one of {int(match[3])} shards: name the folder that holds all of them and "
            f"{match[1]}.*{INDEX}, or that index"
        )
    return read_torch_weights(path)


def _read_folder(folder: Path) -> dict[str, NDArray[Any]]:
    indices = _glob(folder, f"*{INDEX}")
    if len(indices) > 1:  # the same weights twice
        indices = [index for index in indices if ".safetensors." in index.name] or indices
    if len(indices) == 1:
        return read_shards(indices[0])
    files = [] if _glob(folder, "*.npy") else [file for kind in _WEIGHTS for file in _glob(folder, kind)]
    if len(files) == 1:
        return read_weights(files[0])
    if files:
        names = ", ".join(file.name for file in files[:4]) + (", ..." if len(files) > 4 else "")
        raise ModelFileError(f"{folder} holds {len(files)} files of weights ({names}): name one of them")
    return read_npy_folder(folder)


def read_shards(index: Path) -> dict[str, NDArray[Any]]:
    """{name: array} of weights that lie in several files, of which an index says what each holds.

    Raises ModelFileError where the index is none, or a shard is absent or without what it should hold.
    """
    if plain_size(index) > 100 * 2**20:
        raise ModelFileError(f"{index} is no index of shards: it is larger than 100 MB")
    try:
        document = parse_json(index.read_bytes())
        places = document["weight_map"]
        files = sorted(set(places.values()))
        if not all(isinstance(name, str) and name and name == Path(name).name for name in files):
            raise ValueError("its shards are no names of files beside it")
        if not 0 < len(files) <= MOST_SHARDS:
            raise ValueError(f"it names {len(files)} shards")
    except OSError as error:
        raise ModelFileError(f"cannot read {index}: {error.strerror or error}") from None
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        reason = "it has no 'weight_map'" if isinstance(error, KeyError) else one_line(error, 120)
        raise ModelFileError(f"{index} is no index of shards: {reason}") from None
    if absent := [name for name in files if not _is_file(index.parent / name)]:
        more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
        raise ModelFileError(
            f"{index} names {len(files)} shards, of which {absent[0][:200]}{more} is not beside it: "
            "fetch it too"
        )
    weights: dict[str, NDArray[Any]] = {}
    for name in files:
        shard = index.parent / name
        if name.endswith(".safetensors"):
            held: dict[str, NDArray[Any]] = read_safetensors(shard, what="shard of weights").arrays
        else:
            held = read_torch_weights(shard)
        weights |= {key: array for key, array in held.items() if places.get(key) == name}
    if missing := [key for key in places if key not in weights]:
        raise ModelFileError(
            f"{index} says that {places[missing[0]]} holds {missing[0][:200]}, and it does not: the "
            "shards are not of one set; fetch them again"
        )
    return weights


def read_npy_folder(folder: Path) -> dict[str, NDArray[Any]]:
    """{file's name without .npy: array} of the .npy files in a folder, or in the folder weights/ in it.

    Raises ModelFileError where there are none, and for files that hold no plain numbers.
    """
    files = _glob(folder, "*.npy") or _glob(folder / "weights", "*.npy")
    if not files:
        raise ModelFileError(
            f"{folder} holds no .npy files of weights: name a folder of them, a file that PyTorch wrote, "
            "a model file or a run folder"
        )
    return {path.stem: _read_array(path) for path in files}


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _glob(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(folder.glob(pattern))
    except OSError as error:
        raise ModelFileError(f"cannot look into {folder}: {error.strerror or error}") from None


def _read_array(path: Path) -> NDArray[Any]:
    plain_size(path)
    try:
        # Mapped first: a header can claim any size, which the file must have before memory is taken.
        with warnings.catch_warnings(category=UserWarning, action="ignore"):  # of Python 2's headers
            mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        if not isinstance(mapped, np.ndarray):
            raise ValueError("it is an archive of several")
        if mapped.dtype.kind not in "fiu" or mapped.nbytes > MOST_BYTES:
            raise ValueError(f"it holds {mapped.dtype} of shape {mapped.shape}")
        return np.array(mapped)
    except OSError as error:
        raise ModelFileError(f"cannot read {path}: {error.strerror or error}") from None
    except _NO_ARRAY as error:
        reason = one_line(error, 120)
        raise ModelFileError(f"{path} holds no plain array of numbers: {reason}. Fetch it again.") from None
