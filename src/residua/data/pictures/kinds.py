"""What a file is by its content, whatever it is called: pictures that can be read, and all else."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cache

from residua.data.pictures.metadata import tiff_tags

START = 4096  # bytes of a file that tell what it is


@dataclass(frozen=True)
class Kind:
    """A kind of file. one, many: what one and several are called. todo: what to do, "{0}" for it or them.

    pillow: the name under which Pillow reads it; none where it is not read. picture: whether people would
    take it for a picture.
    """

    one: str
    many: str
    todo: str = ""
    pillow: str = ""
    picture: bool = True

    def advice(self, pronoun: str) -> str:
        """What to do about one ("it") or several ("them"); empty where there is nothing to say."""
        return self.todo.format(pronoun)


def _readable(name: str, pillow: str) -> Kind:
    return Kind(f"a {name} picture", f"{name} pictures", pillow=pillow)


def _saved(one: str, many: str, as_what: str = "JPEG or PNG") -> Kind:
    return Kind(one, many, f"save {{0}} as {as_what}")


def _other(one: str, many: str, todo: str = "") -> Kind:
    return Kind(one, many, todo, picture=False)


HEIC = Kind(
    "a HEIC picture",
    "HEIC pictures",
    "pip install 'residua[heic]' reads {0}; or save {0} as JPEG",
    pillow="HEIF",
)
AVIF = Kind(
    "an AVIF picture",
    "AVIF pictures",
    "this Pillow reads no AVIF: pip install --upgrade pillow, or save {0} as JPEG",
    pillow="AVIF",
)
RAW = _saved("a camera's raw file", "cameras' raw files", "JPEG")
SVG = _saved("an SVG drawing", "SVG drawings", "PNG")
VIDEO = _other("a video", "videos", "save its frames as JPEG")
TEXT = _other("a text file", "text files")
EMPTY = _other("an empty file", "empty files")
PAGE = _other("a web page", "web pages", "fetch the picture itself")
TGA = _readable("TGA", "TGA")
WEIGHTS = _other("a file of weights", "files of weights", "make a model of {0} with residua import")
ARRAY = _other("a NumPy array", "NumPy arrays", "residua.Classifier in Python takes {0}")
POINTER = Kind("a Git LFS pointer", "Git LFS pointers", "fetch the pictures themselves with: git lfs pull")

# What begins with these bytes, and where they stand.
_MAGIC: tuple[tuple[int, bytes, Kind], ...] = (
    (0, b"\xff\xd8\xff", _readable("JPEG", "JPEG")),
    (0, b"\x89PNG\r\n\x1a\n", _readable("PNG", "PNG")),
    (0, b"GIF87a", _readable("GIF", "GIF")),
    (0, b"GIF89a", _readable("GIF", "GIF")),
    (0, b"\x00\x00\x00\x0cjP  ", _readable("JPEG 2000", "JPEG2000")),
    (0, b"\xff\x4f\xff\x51", _readable("JPEG 2000", "JPEG2000")),
    (0, b"\x00\x00\x01\x00", Kind("an icon", "icons", pillow="ICO")),
    (0, b"II*\x00\x10\x00\x00\x00CR", RAW),
    (0, b"FUJIFILMCCD-RAW", RAW),
    (0, b"IIRO", RAW),
    (0, b"IIRS", RAW),
    (0, b"IIU\x00", RAW),
    (0, b"II*\x00", _readable("TIFF", "TIFF")),
    (0, b"MM\x00*", _readable("TIFF", "TIFF")),
    (0, b"II+\x00", _readable("TIFF", "TIFF")),
    (0, b"MM\x00+", _readable("TIFF", "TIFF")),
    (0, b"\xff\x0a", _saved("a JPEG XL picture", "JPEG XL pictures")),
    (0, b"\x00\x00\x00\x0cJXL ", _saved("a JPEG XL picture", "JPEG XL pictures")),
    (0, b"8BPS", _saved("a Photoshop document", "Photoshop documents")),
    (0, b"gimp xcf", _saved("a GIMP document", "GIMP documents")),
    (0, b"%PDF", _saved("a PDF document", "PDF documents")),
    (0, b"%!PS", _saved("a PostScript drawing", "PostScript drawings", "PNG")),
    (0, b"\xc5\xd0\xd3\xc6", _saved("a PostScript drawing", "PostScript drawings", "PNG")),
    (0, b"AT&TFORM", _saved("a DjVu document", "DjVu documents")),
    (0, b"\xd7\xcd\xc6\x9a", _saved("a Windows metafile", "Windows metafiles", "PNG")),
    (40, b" EMF", _saved("a Windows metafile", "Windows metafiles", "PNG")),
    (0, b"icns", _saved("an icon of macOS", "icons of macOS", "PNG")),
    (0, b"\x00\x00\x02\x00", _saved("a mouse cursor", "mouse cursors", "PNG")),
    (0, b"DDS ", _saved("a DDS texture", "DDS textures", "PNG")),
    (0, b"qoif", _saved("a QOI picture", "QOI pictures", "PNG")),
    (0, b"v/1\x01", _saved("an OpenEXR picture", "OpenEXR pictures", "8-bit PNG")),
    (0, b"#?RADIANCE", _saved("a Radiance picture", "Radiance pictures", "8-bit PNG")),
    (0, b"SIMPLE  =", _saved("a FITS picture", "FITS pictures", "PNG")),
    (128, b"DICM", _saved("a DICOM picture", "DICOM pictures", "PNG")),
    (0, b"PK\x03\x04", _other("a ZIP archive", "ZIP archives", "unpack {0}")),
    (0, b"PK\x05\x06", _other("a ZIP archive", "ZIP archives", "unpack {0}")),
    (0, b"\x1f\x8b", _other("a gzip archive", "gzip archives", "unpack {0}")),
    (0, b"BZh", _other("a bzip2 archive", "bzip2 archives", "unpack {0}")),
    (0, b"\xfd7zXZ\x00", _other("an xz archive", "xz archives", "unpack {0}")),
    (0, b"(\xb5/\xfd", _other("a Zstandard archive", "Zstandard archives", "unpack {0}")),
    (0, b"7z\xbc\xaf'\x1c", _other("a 7z archive", "7z archives", "unpack {0}")),
    (0, b"Rar!\x1a\x07", _other("a RAR archive", "RAR archives", "unpack {0}")),
    (257, b"ustar", _other("a tar archive", "tar archives", "unpack {0}")),
    (0, b"\x1aE\xdf\xa3", VIDEO),
    (0, b"\x00\x00\x01\xba", VIDEO),
    (0, b"FLV\x01", VIDEO),
    (0, b"ID3", _other("a sound file", "sound files")),
    (0, b"OggS", _other("a sound file", "sound files")),
    (0, b"\x93NUMPY", ARRAY),
    (0, b"\x89HDF\r\n", _other("an HDF5 file", "HDF5 files")),
    (0, b"SQLite format 3", _other("a database", "databases")),
    (0, b"\xd0\xcf\x11\xe0", _other("an Office document", "Office documents")),
    (0, b"\x00\x05\x16\x07", _other("macOS's notes on a file", "macOS's notes on files", "remove {0}")),
    (0, b"\x7fELF", _other("a program", "programs")),
    (0, b"version https://git-lfs", POINTER),
)
_BRANDS = {b"avif": AVIF, b"avis": AVIF, b"crx ": RAW} | dict.fromkeys(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"), HEIC
)


def suffixes(names: str) -> frozenset[str]:
    """Suffixes with their dot out of names with blanks between."""
    return frozenset(f".{name}" for name in names.split())


_ARCHIVED = {".npz": ARRAY} | dict.fromkeys(suffixes("pt pth ckpt bin"), WEIGHTS)  # ZIP archives too
RAW_SUFFIXES = suffixes("dng nef nrw arw srf sr2 pef cr2 cr3 crw raf orf rw2 rwl 3fr iiq srw x3f")


def recognise(start: bytes, suffix: str = "") -> Kind | None:
    """The kind of file that begins with `start`; None for one that nobody here knows.

    start: the first `START` bytes or all. suffix: of its name, in small letters with the dot; only where
    content cannot tell, as with raw files that are TIFF files too and TGA pictures, which bear no mark.
    """
    # A picture of TGA begins as a cursor or an icon may.
    if start[-18:] == b"TRUEVISION-XFILE.\x00" or (suffix == ".tga" and start[1:2] in (b"\x00", b"\x01")):
        return TGA
    if start[4:8] == b"ftyp":
        return _of_box(start)
    if start[:4] == b"RIFF":
        return _readable("WebP", "WEBP") if start[8:12] == b"WEBP" else VIDEO
    if start[:2] == b"BM" and start[6:10] == bytes(4):
        return _readable("BMP", "BMP")
    if start[:1] == b"P" and start[1:2] in tuple(b"%c" % c for c in b"123456Ffy") and start[2:3].isspace():
        return _readable("PPM", "PPM")
    kind = next((kind for place, mark, kind in _MAGIC if start[place : place + len(mark)] == mark), None)
    if kind is not None and kind.pillow == "TIFF" and (suffix in RAW_SUFFIXES or _is_raw(start)):
        return RAW
    if start[5:10] == b'\x00\x00\x00{"':  # safetensors: the header's length, then the header
        return WEIGHTS
    if start[:2] == b"PK":
        return _ARCHIVED.get(suffix, kind)
    return kind if kind is not None else _of_text(start)


def _of_box(start: bytes) -> Kind:
    """A file of ISO 14496-12: its brands, the main one first, tell a picture from a video."""
    length = max(int.from_bytes(start[:4], "big"), 16)
    brands = [start[8:12], *(start[at : at + 4] for at in range(16, min(length, len(start)), 4))]
    return next((_BRANDS[brand] for brand in brands if brand in _BRANDS), VIDEO)


def _is_raw(start: bytes) -> bool:
    """Whether a TIFF file is a camera's: its first picture is but a small preview."""
    tags = tiff_tags(start)
    return 50706 in tags or (330 in tags and 271 in tags and tags.get(254) == 1)  # DNG; sub-files of a camera


def _of_text(start: bytes) -> Kind | None:
    """What kind of text it is, if it is one."""
    if not start.strip(b"\x00"):
        return Kind("a file of nothing but zeros", "files of nothing but zeros", "fetch {0} again")
    try:
        text = start.decode("utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as problem:
        if problem.start < len(start) - 4 or not start[: problem.start]:  # else a letter that is cut in two
            return None
        text = start[: problem.start].decode()
    if any(ord(letter) < 32 and letter not in "\t\n\r\f\x1b" for letter in text):
        return None
    head = text.lstrip().lower()
    if "<svg" in head and head.startswith(("<svg", "<?xml", "<!doctype svg", "<!--")):
        return SVG
    if head.startswith(("<!doctype html", "<html", "<head", "<body")):
        return PAGE
    if head.startswith(("{", "[")):
        return _other("a JSON file", "JSON files")
    return _other("an XML file", "XML files") if head.startswith("<?xml") else TEXT


@cache
def heic_is_read() -> bool:
    """Whether the extra is installed that reads HEIC pictures; Pillow is told of it."""
    if importlib.util.find_spec("pillow_heif") is None:
        return False
    try:
        from pillow_heif import register_heif_opener  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return False
    register_heif_opener()
    return True


@cache
def avif_is_read() -> bool:
    """Whether this Pillow was built with AVIF."""
    from PIL import features

    return bool(features.check("avif"))


def is_read(kind: Kind | None) -> bool:
    """Whether pictures of a kind can be read here."""
    if kind is None or not kind.pillow:
        return False
    if kind is HEIC:
        return heic_is_read()
    return kind is not AVIF or avif_is_read()
