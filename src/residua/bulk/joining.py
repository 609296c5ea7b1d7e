"""One table of all parts, in the order of the manifest, without having more than a part in memory."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from residua.bulk.folder import Folder
from residua.bulk.manifest import Manifest
from residua.bulk.rows import SUFFIX, require_pyarrow
from residua.files.durable import replacing


class DamagedPart(Exception):
    """A part that was done is not what it was; `number` says which."""

    def __init__(self, number: int) -> None:
        super().__init__(f"part {number}")
        self.number = number


def join(folder: Folder, manifest: Manifest) -> Path:
    """Write the table of all parts; where it lies. Raises DamagedPart, and RunError."""
    table = manifest.asked.table
    target = folder.path / f"predictions{SUFFIX[table]}"
    with replacing(target) as temporary:
        if table == "parquet":
            _join_parquet(folder, manifest, temporary)
        else:
            with temporary.open("xb") as stream:
                for number, data in _parts(folder, manifest):
                    # Each CSV file begins with the same header.
                    stream.write(data.partition(b"\n")[2] if number and table == "csv" else data)
    return target


def _parts(folder: Folder, manifest: Manifest) -> Iterator[tuple[int, bytes]]:
    for number in range(manifest.parts):
        data = folder.read_part(manifest, number)
        if data is None:
            raise DamagedPart(number)
        yield number, data


def _join_parquet(folder: Folder, manifest: Manifest, path: Path) -> None:
    _, parquet = require_pyarrow()
    writer = None
    try:
        for _, data in _parts(folder, manifest):
            rows = parquet.read_table(io.BytesIO(data))
            writer = writer or parquet.ParquetWriter(path, rows.schema, compression="zstd")
            writer.write_table(rows)
    finally:
        if writer is not None:
            writer.close()
