"""What a page does: its scripts, each a file, joined into one, and the kernel's bytes."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from residua.deploy.page.assembler import assemble

# In the order in which they are read: a file uses names of those before it, or within functions of any.
ENGINE = ("memory", "convolution", "maps", "activation", "capsules", "containers", "network")
PROBLEMS = ("problems",)
PIXELS = (*PROBLEMS, "metadata", "png", "jpeg", "planes", "resampling", "preparation", "decoding")
INTERFACE = ("texts", "facts", "answering")
ITSELF = ("places", "occlusion", "local")  # answers by what is inside
SERVED = ("places", "served")  # answers by the server that gave the page
CONNECTED = ("table", "inputs", "start")


def read_source(name: str) -> str:
    """A file of this folder, such as engine/memory.js."""
    return files(__package__).joinpath(*name.split("/")).read_text(encoding="utf-8")


@cache
def kernel() -> bytes:
    """The kernel as a WebAssembly module."""
    return assemble(read_source("engine/kernels.wat"))


def engine_script() -> str:
    """What a network says of numbers."""
    return _joined("engine", ENGINE)


def pixels_script() -> str:
    """How a picture file becomes numbers."""
    return _joined("pixels", PIXELS)


def page_script() -> str:
    """All that a page does."""
    parts = (INTERFACE, ITSELF, CONNECTED)
    return "\n".join([engine_script(), pixels_script(), *(_joined("interface", names) for names in parts)])


def served_script() -> str:
    """All that a page does whose pictures a server answers."""
    parts = (INTERFACE, SERVED, CONNECTED)
    return "\n".join([_joined("pixels", PROBLEMS), *(_joined("interface", names) for names in parts)])


def _joined(folder: str, names: tuple[str, ...]) -> str:
    return "\n".join(read_source(f"{folder}/{name}.js") for name in names)
