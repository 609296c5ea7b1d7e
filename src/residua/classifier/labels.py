"""Labels as people have them: each one is one, or it is said how many are none and in which rows."""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.config.plain import plain
from residua.errors import DataError, ShapeError

SHOWN = 5  # rows that a message names
ABSENT = frozenset(["", "nan", "NaN", "NAN", "NaT", "<NA>"])  # what missing values become as text

Labels = NDArray[Any]


def read_labels(y: Any, count: int) -> Labels:
    """y as (N,) labels of one kind, none of them missing; see `Classifier.fit`. count: N, the pictures.

    Raises DataError that says how many rows are wrong and which, ShapeError for another shape. Warns, as
    scikit-learn does, where y is a column of shape (N, 1).
    """
    if y is None:
        raise DataError(
            "Classifier requires y to be passed, but the target y is None: give one label a picture"
        )
    if hasattr(y, "tocsr"):
        raise DataError("y is sparse; labels are an ordinary list or array: y.toarray().ravel()")
    masked = np.ma.getmaskarray(y).reshape(-1) if isinstance(y, np.ma.MaskedArray) else None
    labels = _as_column(_as_array(y))
    if len(labels) != count:
        raise ShapeError(f"{count} pictures need as many labels; y has the shape {labels.shape}")
    if masked is not None and masked.any():
        _refuse_rows("Input y contains masked values", masked, "unmask them, or leave these rows out")
    missing = find_missing(labels)
    if missing.any():
        _refuse_rows("Input y contains NaN or empty labels", missing, "leave these rows out, or name them")
    labels = _of_one_kind(labels)
    _check_numbers(labels)
    _check_texts(labels)
    return labels


def find_missing(labels: Labels) -> NDArray[np.bool_]:
    """(N,) where a label is none: NaN, NaT, None, pandas' NA, empty text, blanks, or the text 'nan'."""
    if labels.dtype.kind in "fmMc":
        return np.asarray(np.isnat(labels) if labels.dtype.kind in "mM" else np.isnan(labels))
    if labels.dtype.kind in "OUS":
        return np.array([_is_missing(label) for label in labels.tolist()], bool)
    return np.zeros(len(labels), bool)


def distinct_labels(labels: Labels) -> tuple[Labels, NDArray[np.int64]]:
    """(classes, sorted; (N,) the index of each label among them). Raises DataError for fewer than two."""
    try:
        classes, numbers = np.unique(labels, return_inverse=True)
    except TypeError as error:
        raise DataError(f"the labels in y cannot be put into an order: {error}") from None
    if len(classes) < 2:
        raise DataError(f"training needs two or more classes; y holds {len(classes)} class")
    return classes, numbers.reshape(-1).astype(np.int64)


def class_names(classes: Labels) -> tuple[str, ...]:
    """What the classes are called in a model file."""
    return tuple(
        label.decode(errors="backslashreplace") if isinstance(label, bytes) else str(label)
        for label in classes
    )


def check_known(labels: Labels, classes: Labels) -> None:
    """Warn of labels that are none of the classes; raise DataError where they are of another kind."""
    given, known = _kind(labels.flat[0]), _kind(classes.flat[0])
    if given != known:
        raise DataError(
            f"the model's classes are {known} ({plain(classes[0])!r}, ...), the labels in y {given}"
        )
    unknown = ~np.isin(labels, classes)
    if unknown.any():
        names = ", ".join(repr(plain(label)) for label in np.unique(labels[unknown])[:SHOWN])
        warnings.warn(
            f"{unknown.sum()} of {len(labels)} labels are none of the model's classes ({names}): "
            "their pictures count as wrong",
            UserWarning,
            stacklevel=3,
        )


def _as_array(y: Any) -> Labels:
    """y as an array whose elements are those of y: NumPy itself makes texts of numbers beside texts."""
    if not isinstance(y, np.ndarray) and hasattr(y, "__array__"):
        return np.asarray(y)
    if isinstance(y, np.ndarray):
        return np.asarray(y)
    if isinstance(y, str | bytes) or not isinstance(y, Iterable):
        raise ShapeError(f"y should be a 1d array, a label for each picture; it is {y!r}")
    items = [plain(item) if isinstance(item, str | np.generic) else item for item in y]
    nested = any(isinstance(item, list | tuple | np.ndarray) and np.ndim(item) for item in items)
    if nested:
        try:
            return np.asarray(items)
        except ValueError:
            raise ShapeError(
                "y should be a 1d array, a label for each picture; its rows differ in length"
            ) from None
    array = np.empty(len(items), object)
    array[:] = items
    kinds = {_kind(item) for item in items}
    natural = np.asarray(items) if (kinds and kinds <= {"numbers"}) or len(kinds) == 1 else array
    return natural if natural.dtype.kind in "biufUSM" and natural.shape == array.shape else array


def _as_column(labels: Labels) -> Labels:
    """(N,) of (N,) or, with a warning, (N, 1). Raises ShapeError."""
    if labels.ndim == 1:
        return labels
    if labels.ndim == 2 and labels.shape[1] == 1:
        from sklearn.exceptions import DataConversionWarning

        warnings.warn(
            "A column-vector y was passed when a 1d array was expected. Please change the shape of y to "
            "(n_samples, ), for example using ravel().",
            DataConversionWarning,
            stacklevel=4,
        )
        return labels.reshape(-1)
    if labels.ndim == 2 and labels.dtype.kind in "biuf" and labels.size:
        ones = (labels == 1).sum(axis=1) == 1
        if ones.all() and ((labels == 0) | (labels == 1)).all():
            raise ShapeError(
                f"y should be a 1d array, a label for each picture; it is one-hot, of shape {labels.shape}: "
                "give y.argmax(axis=1)"
            )
    raise ShapeError(
        f"y should be a 1d array, a label for each picture; it has the shape {labels.shape}, several labels "
        "a picture, which are not supported"
    )


def _of_one_kind(labels: Labels) -> Labels:
    """Labels without a type of NumPy's (objects) as such ones where they are numbers. Raises DataError."""
    if labels.dtype.kind != "O":
        return labels
    kinds = np.array([_kind(label) for label in labels.tolist()])
    names, counts = np.unique(kinds, return_counts=True)
    if len(names) > 1:
        rare = names[counts.argmin()]
        rows = _rows(kinds == rare)
        words = " and ".join(names)
        raise DataError(
            f"Unknown label type: y mixes {words} ({counts.min()} {rare}, {rows}); make them one kind"
        )
    if len(names) and names[0] not in KINDS:
        raise DataError(
            f"Unknown label type: y holds {names[0]}; labels are texts, numbers, truth values, bytes or dates"
        )
    if len(names) and names[0] in ("numbers", "truth values"):
        return np.asarray(labels.tolist())
    return labels


def _check_numbers(labels: Labels) -> None:
    if labels.dtype.kind not in "biufUSOmM":
        raise DataError(
            f"Unknown label type: y holds {labels.dtype}; labels are texts, whole numbers or dates"
        )
    if labels.dtype.kind != "f":
        return
    infinite = np.isinf(labels)
    if infinite.any():
        text = f"Input y contains infinity or a value too large for dtype('{labels.dtype}')."
        _refuse_rows(text.rstrip("."), infinite, "leave these rows out")
    between = labels != np.floor(labels)
    if between.any():
        first = labels[between][0]
        raise DataError(
            f"Unknown label type: continuous. Classes are named or numbered by whole numbers; "
            f"{between.sum()} of {len(labels)} are not ({first:g} and so on, {_rows(between)})"
        )


def _check_texts(labels: Labels) -> None:
    """Raise DataError where two labels look the same: but for blanks around them, or their Unicode form."""
    if labels.dtype.kind not in "UOS":
        return
    seen: dict[Any, Any] = {}
    for label in np.unique(labels).tolist() if _kind(labels.flat[0]) in ("texts", "bytes") else []:
        key = label.strip() if isinstance(label, bytes) else unicodedata.normalize("NFC", label.strip())
        if key in seen:
            show = (
                repr if seen[key].strip() == label.strip() else ascii
            )  # two Unicode forms of one text look the same
            pair = show(seen[key]), show(label)
            count = int((labels == label).sum())
            raise DataError(
                f"the labels {pair[0]} and {pair[1]} ({count} rows, {_rows(labels == label)}) look the same: "
                "strip the blanks around labels, and write each in one way"
            )
        seen[key] = label


KINDS = ("texts", "numbers", "truth values", "bytes", "dates", "moments")


def _kind(label: Any) -> str:
    """What a label is, in words."""
    if isinstance(label, str):
        return "texts"
    if isinstance(label, bytes):
        return "bytes"
    if isinstance(label, bool | np.bool_):
        return "truth values"
    if isinstance(label, np.datetime64 | np.timedelta64 | datetime):
        return "moments"
    if isinstance(label, Integral | Real):
        return "numbers"
    if isinstance(label, date):
        return "dates"
    return f"objects of the kind {type(label).__name__}"


def _is_missing(label: Any) -> bool:
    if isinstance(label, str):
        return label.strip() in ABSENT
    if isinstance(label, bytes):
        return label.strip() in (b"", b"nan")
    if label is None or type(label).__name__ in ("NAType", "NaTType", "MaskedConstant"):
        return True
    return isinstance(label, float | np.floating | np.datetime64) and bool(label != label)


def _rows(where: NDArray[np.bool_]) -> str:
    """The first rows in words."""
    rows = np.flatnonzero(where)
    named = ", ".join(map(str, rows[:SHOWN]))
    return f"row {named}" if len(rows) == 1 else f"rows {named}{', ...' if len(rows) > SHOWN else ''}"


def _refuse_rows(what: str, where: NDArray[np.bool_], todo: str) -> None:
    raise DataError(f"{what}: {where.sum()} of {len(where)} ({_rows(where)}); {todo}")


def store_labels(classes: Labels) -> dict[str, Any]:
    """The classes as plain JSON types; `restore_labels` gives them back in their own type."""
    kind = classes.dtype.kind
    if kind == "S":
        return {"type": classes.dtype.str, "labels": [label.decode("latin-1") for label in classes.tolist()]}
    if kind in "mM":
        return {"type": classes.dtype.str, "labels": classes.astype(np.int64).tolist()}
    if kind != "O":
        return {"type": classes.dtype.str, "labels": classes.tolist()}
    of = _kind(classes.flat[0])
    if of == "bytes":
        return {"type": "bytes", "labels": [label.decode("latin-1") for label in classes.tolist()]}
    if of in ("dates", "moments"):
        return {"type": of, "labels": [label.isoformat() for label in classes.tolist()]}
    return {"type": "object", "labels": list(map(str, classes.tolist()))}


def restore_labels(stored: dict[str, Any], names: Sequence[str]) -> Labels:
    """What `store_labels` kept. Raises ValueError where it is no such thing, or for other classes."""
    of, values = stored["type"], stored["labels"]
    if not isinstance(of, str) or not isinstance(values, list) or len(values) != len(names):
        raise ValueError("its labels are not those of its classes")
    readers: dict[str, Any] = {
        "bytes": lambda text: text.encode("latin-1"),
        "dates": date.fromisoformat,
        "moments": datetime.fromisoformat,
        "object": str,
    }
    if of in readers:
        classes = np.empty(len(values), object)
        classes[:] = [readers[of](value) for value in values]
    elif np.dtype(of).kind == "S":
        classes = np.array([text.encode("latin-1") for text in values], of)
    elif np.dtype(of).kind in "mM":
        classes = np.array(values, np.int64).astype(of)
    elif np.dtype(of).kind in "biufU":
        classes = np.array(values, of)
    else:
        raise ValueError(f"its labels are of the kind {of}")
    if class_names(classes) != tuple(names):
        raise ValueError("its labels are not those of its classes")
    return classes
