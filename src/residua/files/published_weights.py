"""Published weights under whichever names they came: a file that PyTorch wrote, or a folder of .npy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.errors import ModelFileError
from residua.files.torch_file import read_torch_weights

MOST_BYTES = 4_000_000_000  # of one array


def read_weights(path: str | Path) -> dict[str, NDArray[Any]]:
    """{name: array} of the weights in a .pth, .pt, .th or .safetensors file, or in a folder of .npy files.

    Raises ModelFileError.
    """
    path = Path(path)
    return read_npy_folder(path) if path.is_dir() else read_torch_weights(path)


def read_npy_folder(folder: Path) -> dict[str, NDArray[Any]]:
    """{file's name without .npy: array} of the .npy files in a folder, or in the folder weights/ in it.

    Raises ModelFileError where there are none, and for files that hold no plain numbers.
    """
    try:
        files = sorted(folder.glob("*.npy")) or sorted((folder / "weights").glob("*.npy"))
    except OSError as error:
        raise ModelFileError(f"cannot look into {folder}: {error.strerror or error}") from None
    if not files:
        raise ModelFileError(
            f"{folder} holds no .npy files of weights: name a folder of them, a file that PyTorch wrote, "
            "a model file or a run folder"
        )
    return {path.stem: _read_array(path) for path in files}


def _read_array(path: Path) -> NDArray[Any]:
    try:
        # Mapped first: a header can claim any size, which the file must have before memory is taken.
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        if mapped.dtype.kind not in "fiu" or mapped.nbytes > MOST_BYTES:
            raise ValueError(f"it holds {mapped.dtype} of shape {mapped.shape}")
        return np.array(mapped)
    except OSError as error:
        raise ModelFileError(f"cannot read {path}: {error.strerror or error}") from None
    except (ValueError, EOFError, TypeError, SyntaxError, OverflowError, MemoryError) as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise ModelFileError(f"{path} holds no plain array of numbers: {reason}. Fetch it again.") from None
