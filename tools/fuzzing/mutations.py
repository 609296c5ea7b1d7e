"""Ways to spoil a file: bytes, JSON trees, cells of tables, chunks of pictures, pickles, entries of archives."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
import zlib
from typing import Any

BYTES = (
    b"\0",
    b"\xff",
    b"\x80",
    b"\n",
    b'"',
    b",",
    b"0",
    b"{",
    b"[",
    b"\\",
    b"\xef\xbb\xbf",
    b"\xd8\x00",
    b"\r\n",
)
NUMBERS = (
    0,
    1,
    2,
    7,
    127,
    128,
    255,
    256,
    2**15,
    2**16 - 1,
    2**24,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**63 - 1,
    2**64 - 1,
)
# As JSON texts, so that what no JSON library writes is among them.
VALUES = (
    *[
        "null",
        "true",
        "false",
        "0",
        "1",
        "-1",
        "2",
        "7",
        "255",
        "256",
        "65535",
        "65536",
        "1000000",
        "2147483647",
        "2147483648",
        "4294967296",
    ],
    *[
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551616",
        "1e5",
        "1e-5",
        "0.5",
        "-0.0",
        "1e308",
        "1e400",
        "-1e400",
    ],
    *[
        "NaN",
        "Infinity",
        "-Infinity",
        "[]",
        "{}",
        "[[]]",
        "[0]",
        "[1,2,3]",
        '{"a":1}',
        '""',
        '"x"',
        '"0"',
        '"1"',
        '"a\\u0000b"',
        '"\\ud800"',
    ],
    *[
        '"../../etc/passwd"',
        '"/dev/zero"',
        '"\\u001b[31m"',
        '"RGB"',
        '"BGR"',
        '"digits"',
        '"folder"',
        "1e-300",
        "5e-324",
    ],
    *("1" * 400, "1" * 5000, "[" * 50 + "]" * 50, "[" * 2000 + "]" * 2000, '"' + "x" * 3000 + '"'),
)


def spoil_bytes(rng: random.Random, data: bytes, times: int = 0) -> bytes:
    """One to six changes of single bytes or stretches of them."""
    spoilt = bytearray(data)
    for _ in range(times or rng.choice((1, 1, 1, 2, 3, 6))):
        place = (
            rng.randrange(len(spoilt) + 1) if rng.random() < 0.6 else rng.randrange(min(len(spoilt), 64) + 1)
        )
        kind = rng.randrange(9)
        if kind == 0 and place < len(spoilt):
            spoilt[place] ^= 1 << rng.randrange(8)
        elif kind == 1 and place < len(spoilt):
            spoilt[place] = rng.randrange(256)
        elif kind == 2:
            spoilt[place : place + rng.choice((1, 2, 4, 8, 64, 512))] = b""
        elif kind == 3:
            spoilt[place:place] = rng.choice(BYTES) * rng.choice((1, 1, 2, 4, 100))
        elif kind == 4:
            width = rng.choice((1, 2, 4, 8))
            number = rng.choice(NUMBERS) % 256**width
            spoilt[place : place + width] = number.to_bytes(width, rng.choice(("little", "big")))
        elif kind == 5:
            del spoilt[place:]
        elif kind == 6:
            start = rng.randrange(len(spoilt) + 1)
            spoilt[place:place] = spoilt[start : start + rng.choice((1, 4, 16, 128))]
        elif kind == 7:
            spoilt += rng.randbytes(rng.choice((1, 4, 100)))
        elif place < len(spoilt):
            spoilt[place : place + 4] = rng.randbytes(4)
    return bytes(spoilt)


class Raw(str):
    """A JSON text that stands in a tree as it is."""


def dump(tree: Any) -> str:
    """JSON text of a tree, in which `Raw` stands as it is and a key may occur twice (lists of pairs)."""
    if isinstance(tree, Raw):
        return str(tree)
    if isinstance(tree, dict):
        return "{" + ",".join(f"{json.dumps(str(k))}:{dump(v)}" for k, v in tree.items()) + "}"
    if isinstance(tree, Pairs):
        return "{" + ",".join(f"{json.dumps(str(k))}:{dump(v)}" for k, v in tree.pairs) + "}"
    if isinstance(tree, list):
        return "[" + ",".join(map(dump, tree)) + "]"
    return json.dumps(tree)


class Pairs:
    """An object of JSON in which a key stands twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        self.pairs = pairs


def spoil_tree(rng: random.Random, tree: Any, times: int = 0) -> Any:
    """A copy of a JSON tree with one to three values replaced, removed, renamed, doubled or moved."""
    tree = json.loads(json.dumps(tree))
    for _ in range(times or rng.choice((1, 1, 2, 3))):
        places: list[tuple[Any, Any]] = []
        _collect(tree, places)
        if not places:
            return Raw(rng.choice(VALUES))
        holder, key = rng.choice(places)
        kind = rng.randrange(8)
        if kind <= 3:
            holder[key] = Raw(rng.choice(VALUES))
        elif kind == 4:
            del holder[key]
        elif kind == 5 and isinstance(holder, dict):
            holder[rng.choice(("", "x", "layer", "weight", "__class__", "a.b", "é" * 50))] = holder.pop(key)
        elif kind == 6:
            other, at = rng.choice(places)
            if at in other if isinstance(other, dict) else at < len(other):
                holder[key] = json.loads(json.dumps(_plain(other[at])))
        elif isinstance(holder[key], (int, float)) and not isinstance(holder[key], bool):
            holder[key] = rng.choice(
                (-holder[key], holder[key] * 2, holder[key] + 1, holder[key] * 1000, 0.5)
            )
        elif isinstance(holder[key], dict) and holder[key]:
            name = rng.choice(list(holder[key]))
            holder[key] = Pairs([*holder[key].items(), (name, Raw(rng.choice(VALUES)))])
    return tree


def _plain(value: Any) -> Any:
    if isinstance(value, (Raw, Pairs)):
        return None
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _collect(tree: Any, places: list[tuple[Any, Any]]) -> None:
    keys = list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    for key in keys:
        places.append((tree, key))
        _collect(tree[key], places)


CELLS = ("", " ", "nan", "NaN", "-1", "256", "1e9", "9" * 5000, '"', '""', "a,b", "\0", "x" * 5000, "../../etc/passwd",
         "/dev/zero", "\ufeff", "é", "\u202e", "None", "cat\\0.png", "=cmd()", "\n", "0.5", "+1", "1_0", "٣")  # fmt: skip


def spoil_table(rng: random.Random, data: bytes) -> bytes:
    """Cells, lines and separators of a table changed; sometimes its encoding."""
    text = data.decode()
    lines = [line.split(",") for line in text.split("\n")]
    for _ in range(rng.choice((1, 1, 2, 4))):
        line = rng.choice(lines)
        kind = rng.randrange(7)
        if kind <= 2 and line:
            line[rng.randrange(len(line))] = rng.choice(CELLS)
        elif kind == 3:
            line.insert(rng.randrange(len(line) + 1), rng.choice(CELLS))
        elif kind == 4 and line:
            del line[rng.randrange(len(line))]
        elif kind == 5:
            lines.insert(rng.randrange(len(lines)), list(rng.choice(lines)))
        elif len(lines) > 1:
            lines.remove(line)
        if not lines:
            break
    separator = rng.choice((",", ",", ",", ",", ";", "\t", "|", ", "))
    text = rng.choice(("\n", "\n", "\n", "\r\n", "\r")).join(separator.join(line) for line in lines)
    encoding = rng.choice(("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1", "utf-32"))
    return text.encode(encoding, "replace")


def spoil_zip(rng: random.Random, data: bytes, spoil_entry: Any) -> bytes:
    """The archive written anew with one entry spoilt, dropped, doubled, renamed or compressed."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = [(name, archive.read(name)) for name in archive.namelist()]
    place = rng.randrange(len(entries))
    name, content = entries[place]
    kind = rng.randrange(8)
    if kind <= 4:
        place = (
            next((i for i, (n, _) in enumerate(entries) if n.endswith("data.pkl")), place)
            if kind < 4
            else place
        )
        name, content = entries[place]
        entries[place] = (name, spoil_entry(rng, content))
    elif kind == 5:
        del entries[place]
    elif kind == 6:
        entries[place] = (rng.choice(("x", "../x", "/etc/x", "data.pkl", name + "x", "w/data/99")), content)
    stream = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if kind == 7 else zipfile.ZIP_STORED
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in entries:
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return stream.getvalue()


def spoil_png(rng: random.Random, data: bytes) -> bytes:
    """One chunk changed, dropped, doubled or made, its checksum right; pixel data are packed anew."""
    chunks, place = [], 8
    while place + 8 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        chunks.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + length]))
        place += 12 + length
    at = rng.randrange(len(chunks))
    kind, content = chunks[at]
    action = rng.randrange(6)
    if action <= 2:
        if kind == b"IDAT" and rng.random() < 0.7:
            content = zlib.compress(spoil_bytes(rng, zlib.decompress(content)))
        elif kind == b"IHDR":
            fields = list(struct.unpack(">IIBBBBB", content))
            fields[rng.randrange(7)] = rng.choice((0, 1, 2, 3, 4, 6, 8, 16, 32, 255))
            if rng.random() < 0.3:
                fields[rng.randrange(2)] = rng.choice((0, 1, 1000, 9000, 2**16, 2**31 - 1, 2**31, 2**32 - 1))
            content = struct.pack(
                ">IIBBBBB", *(n % 2**32 if i < 2 else n % 256 for i, n in enumerate(fields))
            )
        else:
            content = spoil_bytes(rng, content)
        chunks[at] = (kind, content)
    elif action == 3:
        del chunks[at]
    elif action == 4:
        chunks.insert(at, chunks[rng.randrange(len(chunks))])
    else:
        name = rng.choice(
            (
                b"iCCP",
                b"eXIf",
                b"tEXt",
                b"zTXt",
                b"iTXt",
                b"tRNS",
                b"PLTE",
                b"gAMA",
                b"acTL",
                b"fcTL",
                b"fdAT",
            )
        )
        chunks.insert(
            1 + rng.randrange(len(chunks)), (name, rng.choice((b"", b"x\0\0", b"a\0" + rng.randbytes(60))))
        )
    parts = [data[:8]]
    for kind, content in chunks:
        parts.append(
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )
    return b"".join(parts)


def spoil_jpeg(rng: random.Random, data: bytes) -> bytes:
    """One segment before the pixels changed, its length right; or dropped, doubled, moved."""
    segments, place = [], 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        segments.append((data[place + 1], data[place + 4 : place + 2 + length]))
        place += 2 + length
        if segments[-1][0] == 0xDA:
            break
    rest = data[place:]
    at = rng.randrange(len(segments))
    marker, content = segments[at]
    action = rng.randrange(5)
    if action <= 2:
        segments[at] = (marker, spoil_bytes(rng, content)[:65000])
    elif action == 3:
        del segments[at]
    else:
        segments.insert(rng.randrange(len(segments)), (rng.choice((marker, 0xE1, 0xE2, 0xED, 0xFE)), content))
    parts = [data[:2]]
    parts += [bytes((0xFF, m)) + struct.pack(">H", len(c) + 2) + c for m, c in segments]
    return b"".join(parts) + (spoil_bytes(rng, rest) if rng.random() < 0.2 and rest else rest)
