"""What a part's file holds: predictions as CSV, JSON lines or Parquet; equal answers give equal bytes."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

from residua.config.parts import Table
from residua.errors import ConfigError
from residua.insight.prediction.numbers import Prediction
from residua.insight.prediction.text import csv_columns, write_csv

SUFFIX: dict[Table, str] = {"csv": ".csv", "jsonl": ".jsonl", "parquet": ".parquet"}


def part_bytes(predictions: Sequence[Prediction], table: Table, top: int) -> bytes:
    """The file of a part; CSV begins with its header. Raises ConfigError for Parquet without pyarrow."""
    if table == "jsonl":
        lines = (json.dumps(prediction.to_dict()) + "\n" for prediction in predictions)
        return "".join(lines).encode()
    if table == "csv":
        text = io.StringIO()
        write_csv(predictions, text, top)
        return text.getvalue().encode(errors="surrogateescape")
    return _parquet(predictions, top)


def require_pyarrow() -> tuple[Any, Any]:
    """The libraries that write Parquet. Raises ConfigError that says which extra brings them."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise ConfigError(
            "--table parquet takes pyarrow: pip install 'residua[parquet]', or choose csv or jsonl"
        ) from None
    return pyarrow, pyarrow.parquet


def _parquet(predictions: Sequence[Prediction], top: int) -> bytes:
    arrow, parquet = require_pyarrow()
    first = predictions[0] if predictions else Prediction("", ())
    columns = csv_columns(top, sure=first.sure is not None, truth=first.truth is not None)
    kinds = {"probability": arrow.float32(), "sure": arrow.bool_()}
    schema = arrow.schema([(name, kinds.get(name.split("_")[0], arrow.string())) for name in columns])
    rows = [dict(_cells(prediction, columns)) for prediction in predictions]
    into = io.BytesIO()
    parquet.write_table(arrow.Table.from_pylist(rows, schema), into, compression="zstd")
    return into.getvalue()


def _cells(prediction: Prediction, columns: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """(column, value) of a row; what a picture that cannot be read does not have is null."""
    named = [value for pair in prediction.top for value in pair]
    # Parquet's text is UTF-8, and a name on a disk may be anything.
    yield "file", prediction.file.encode(errors="surrogateescape").decode(errors="backslashreplace")
    if "truth" in columns:
        yield "truth", prediction.truth
    yield from zip(
        (name for name in columns if name.split("_")[0] in ("class", "probability")), named, strict=False
    )
    if "sure" in columns:
        yield "sure", prediction.sure
    yield "error", prediction.error
