"""MATLAB's .mat files (version 5), as SVHN and ImageNet's devkit come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from residua.data.sources.readers.labelled import FETCH_AGAIN
from residua.errors import DataError


def read_matlab(path: Path) -> dict[str, Any]:
    """The variables of a .mat file, without needless dimensions. Raises DataError."""
    from scipy.io import loadmat  # comes with scikit-learn

    try:
        variables: dict[str, Any] = loadmat(path, squeeze_me=True, chars_as_strings=True)
    except OSError as problem:
        raise DataError(f"Cannot read {path}: {problem.strerror or problem}. {FETCH_AGAIN}") from None
    except NotImplementedError:
        raise DataError(
            f"{path} is of MATLAB 7.3; the published file is of version 5. {FETCH_AGAIN}"
        ) from None
    except Exception as problem:  # damaged bytes end in a dozen kinds, struct's and zlib's among them
        reason = " ".join(str(problem).split())[:120] or type(problem).__name__
        raise DataError(f"{path} is damaged or no .mat file ({reason}). {FETCH_AGAIN}") from None
    return variables
