"""Every kind of file: its seeds, how it is spoilt, and what reads it and then uses what was read."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from foreign_files import safetensors_bytes

from fuzzing import mutations, seeds, uses
from fuzzing.mutations import spoil_bytes

Spoil = Callable[[random.Random, bytes], bytes]


@dataclass(frozen=True)
class Kind:
    """suffix: of the file. spoil: ways to spoil it, each as often as the others. use: reads the file.

    share: of all mutations, relative to other kinds.
    """

    name: str
    suffix: str
    seeds: list[bytes]
    spoil: tuple[Spoil, ...]
    use: Callable[[Path, random.Random], Any]
    share: int = 4

    def mutate(self, seed: int, number: int) -> tuple[bytes, random.Random]:
        """The file of that number, and the chance that its use may draw on."""
        rng = random.Random(f"{seed} {self.name} {number}")
        data = rng.choice(self.seeds)
        try:
            data = rng.choice(self.spoil)(rng, data)
        except Exception:  # a spoiler that stumbles over its own work
            data = spoil_bytes(rng, data)
        return data, rng


def _repacked(rng: random.Random, data: bytes) -> bytes:
    """gzip around spoilt content; now and then around much more than is claimed."""
    import gzip

    content = gzip.decompress(data)
    if rng.random() < 0.03:
        side = rng.choice((1000, 5000, 20000))
        return gzip.compress(
            content[:4] + b"\0\0\x4e\x20" + side.to_bytes(4, "big") * 2 + bytes(10**7), 1, mtime=0
        )
    return gzip.compress(spoil_bytes(rng, content), 1, mtime=0)


def _spoil_header(rng: random.Random, data: bytes, whole: bool = True) -> bytes:
    """A safetensors header whose JSON is changed, its length right."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    if "__metadata__" in header and whole and rng.random() < 0.9:
        inner = json.loads(header["__metadata__"]["residua"])
        if rng.random() < 0.1:
            header["__metadata__"]["residua"] = mutations.dump(mutations.spoil_tree(rng, inner))
        else:
            inner["document"] = mutations.dump(_spoil_document(rng, json.loads(inner["document"])))
            inner["sha256"] = uses.digest(data, inner["document"])
            header["__metadata__"]["residua"] = json.dumps(inner)
        text = json.dumps(header)
    else:
        text = mutations.dump(mutations.spoil_tree(rng, header))
        for old in ("F32", "BF16"):
            if rng.random() < 0.2:
                kinds = (
                    "F8_E4M3",
                    "F8_E5M2",
                    "F4",
                    "BF16",
                    "F16",
                    "F64",
                    "I64",
                    "U64",
                    "BOOL",
                    "C64",
                    "U16",
                    "I8",
                    "x",
                )
                text = text.replace(f'"{old}"', f'"{rng.choice(kinds)}"', rng.choice((1, 1, 2)))
    packed = text.encode("utf-8", "surrogatepass")
    return len(packed).to_bytes(8, "little") + packed + data[8 + length :]


def _spoil_document(rng: random.Random, document: Any) -> Any:
    """The whole document, or one part of it: each part is met as often as any other."""
    parts = [name for name, value in document.items() if isinstance(value, (dict, list))]
    if rng.random() < 0.15:
        return mutations.spoil_tree(rng, document)
    name = rng.choice(parts)
    document[name] = mutations.spoil_tree(rng, document[name], 1)
    return document


def _spoil_lines(rng: random.Random, data: bytes) -> bytes:
    lines = data.splitlines()
    at = rng.randrange(len(lines))
    lines[at] = mutations.dump(mutations.spoil_tree(rng, json.loads(lines[at]))).encode(
        "utf-8", "surrogatepass"
    )
    return b"\n".join(lines) + rng.choice((b"\n", b"", b"\n\n", b'\n{"epoch'))


def _spoil_json(rng: random.Random, data: bytes) -> bytes:
    return mutations.dump(mutations.spoil_tree(rng, json.loads(data))).encode("utf-8", "surrogatepass")


def _spoil_toml(rng: random.Random, data: bytes) -> bytes:
    """One value of one line replaced."""
    lines = data.decode().splitlines()
    at = rng.randrange(len(lines))
    name, equals, _ = lines[at].partition(" = ")
    value = rng.choice(
        (*mutations.VALUES, "1979-05-27", "inf", "nan", "'x'", "[[1]]", "{a = 1}", "0x10", "1_000")
    )
    lines[at] = f"{name} = {value}" if equals else rng.choice(("[", "[[x]]", "[x.y]", "a.b = 1", ""))
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _pickle_words(rng: random.Random, data: bytes) -> bytes:
    """A pickle with one of its words or numbers changed, so that it stays a pickle."""
    import pickletools

    places = [(op, arg, at) for op, arg, at in pickletools.genops(data)]
    _, _, at = rng.choice(places)
    after = next((p for _, _, p in places if p > at), len(data))
    words = (b"N", b"\x88", b"]", b"}", b")", b"K\x05", b"J\xff\xff\xff\x7f", b"\x8a\x08" + b"\xff" * 7 + b"\x7f", b"(", b"0",
             b"X\x02\0\0\0ab", b"cos\nsystem\n", b"cbuiltins\neval\n", b"ctorch\nUntypedStorage\n", b"R", b"b", b"\x85",
             b"ctorch\nfloat8_e4m3fn\n", b"ccollections\nOrderedDict\n", b"cargparse\nNamespace\n", b"\x81", b"2", b"\x8f")  # fmt: skip
    action = rng.randrange(3)
    if action == 0:
        return data[:at] + rng.choice(words) + data[after:]
    if action == 1:
        return data[:at] + rng.choice(words) + data[at:]
    return data[:at] + spoil_bytes(rng, data[at:after], 1) + data[after:]


def _row_words(rng: random.Random, data: bytes) -> bytes:
    """One of the pickles in a row."""
    import pickletools

    stream, parts = io.BytesIO(data), []
    for _ in range(5 if data[:2] == b"\x80\x02" else 1):
        start = stream.tell()
        for _ in pickletools.genops(stream):
            pass
        parts.append(data[start : stream.tell()])
    rest, at = data[stream.tell() :], rng.randrange(len(parts))
    parts[at] = _pickle_words(rng, parts[at])
    return b"".join(parts) + rest


def make_kinds(folder: Path) -> dict[str, Kind]:
    """All kinds by name; `folder` is where their seeds and what stands beside them are made."""
    zipped = partial(
        mutations.spoil_zip, spoil_entry=lambda rng, data: rng.choice((_entry, spoil_bytes))(rng, data)
    )
    plain = [safetensors_bytes(seeds.weights()), safetensors_bytes(seeds.weights(), "BF16")]
    run_toml = uses.prepare(folder)
    kinds = [
        Kind("model file", ".safetensors", seeds.models(folder),
             (spoil_bytes, _spoil_header, _spoil_header, _spoil_header), uses.use_model, 10),
        Kind("safetensors", ".safetensors", plain, (spoil_bytes, _spoil_header), uses.use_weights, 6),
        Kind("shards", ".index.json", [uses.INDEX], (spoil_bytes, _spoil_json, _spoil_json), uses.use_weights, 3),
        Kind("pth", ".pth", seeds.torch_files(), (spoil_bytes, zipped, zipped, zipped), uses.use_weights, 8),
        Kind("th", ".th", seeds.torch_rows(), (spoil_bytes, _row_words, _row_words), uses.use_weights, 8),
        Kind("npy", ".npy", [uses.NPY], (spoil_bytes,), uses.use_npy, 3),
        Kind("idx.gz", ".gz", [seeds.idx(True)], (spoil_bytes, _repacked, _repacked), uses.use_idx, 5),
        Kind("idx", ".idx", [seeds.idx(False)], (spoil_bytes,), uses.use_idx, 5),
        Kind("cifar batch", "", [seeds.cifar_batch(p) for p in (0, 2, 4)], (spoil_bytes, _pickle_words), uses.use_cifar, 7),
        Kind("cifar archive", ".tar.gz", [seeds.cifar_archive()], (spoil_bytes, _repacked_tar), uses.use_archive, 1),
        Kind("mat", ".mat", seeds.matlab(), (spoil_bytes,), uses.use_matlab, 5),
        Kind("labels", ".csv", list(seeds.LABELS), (spoil_bytes, mutations.spoil_table, mutations.spoil_table),
             uses.use_labels, 6),
        Kind("pixel table", ".csv", seeds.pixel_tables(), (spoil_bytes, mutations.spoil_table), uses.use_pixels, 6),
        Kind("class list", ".txt", list(seeds.CLASS_LISTS), (spoil_bytes, mutations.spoil_table), uses.use_classes, 3),
        Kind("log", ".jsonl", [seeds.LOG], (spoil_bytes, _spoil_lines, _spoil_lines), uses.use_log, 6),
        Kind("timing", ".jsonl", [seeds.TIMING], (spoil_bytes, _spoil_lines), uses.use_timing, 2),
        Kind("statistics", ".jsonl", [seeds.STATISTICS], (spoil_bytes, _spoil_lines), uses.use_statistics, 3),
        Kind("run.toml", ".toml", [run_toml], (spoil_bytes, _spoil_toml, _spoil_toml), uses.use_run, 2),
        Kind("checkpoint", ".safetensors", [uses.checkpoint(folder)], (spoil_bytes, _spoil_header), uses.use_checkpoint, 4),
    ]  # fmt: skip
    closer = {"png": mutations.spoil_png, "jpg": mutations.spoil_jpeg}
    for suffix, files in seeds.pictures().items():
        spoil = (spoil_bytes, closer[suffix], closer[suffix]) if suffix in closer else (spoil_bytes,)
        kinds.append(Kind(suffix, f".{suffix}", files, spoil, uses.use_picture, 2 if suffix == "avif" else 5))
    return {kind.name: kind for kind in kinds}


def _entry(rng: random.Random, data: bytes) -> bytes:
    return _pickle_words(rng, data) if data[:1] == b"\x80" else spoil_bytes(rng, data)


def _repacked_tar(rng: random.Random, data: bytes) -> bytes:
    import gzip

    return gzip.compress(spoil_bytes(rng, gzip.decompress(data)), 1, mtime=0)
