"""Packed files for tests: tars, zips and Parquet shards with numbered pictures."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile

from PIL import Image


def png(number):
    """The bytes of a picture of one colour that tells its number."""
    stream = io.BytesIO()
    Image.new("RGB", (5, 4), (number % 256, number // 256, 7)).save(stream, "PNG")
    return stream.getvalue()


def write_tar(path, entries):
    """A tar of {name: bytes}, in that order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, content in entries.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def write_zip(path, entries):
    """A zip of {name: bytes}."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def samples(numbers, ending="cls", label=lambda number: str(number % 2)):
    """WebDataset's entries of pictures with these numbers."""
    entries = {}
    for number in numbers:
        entries[f"{number:06d}.png"] = png(number)
        text = label(number)
        entries[f"{number:06d}.{ending}"] = (json.dumps(text) if ending == "json" else text).encode()
    return entries


def folders(*names, count=6):
    """Entries such as cat/0.png, numbered on."""
    return {f"{name}/{k}.png": png(20 * place + k) for place, name in enumerate(names) for k in range(count)}


def write_parquet(path, numbers, classes=("cat", "dog"), **columns):
    """A shard as the Hub has it: image {bytes, path}, label, and the classes in the schema."""
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    path.parent.mkdir(parents=True, exist_ok=True)
    numbers = list(numbers)
    pictures = [{"bytes": png(number), "path": f"{number}.png"} for number in numbers]
    table = {"image": pictures, "label": [number % 2 for number in numbers]} | columns
    made = arrow.table({name: column for name, column in table.items() if column is not None})
    if classes is not None:
        features = {"image": {"_type": "Image"}, "label": {"names": list(classes), "_type": "ClassLabel"}}
        facts = json.dumps({"info": {"features": features}})
        made = made.replace_schema_metadata({"huggingface": facts})
    parquet.write_table(made, path, row_group_size=4)
    return path
