"""What the programs of a benchmark run in: that of their users, with byte code and caches as they come to be.

A program that is installed, or has run once, need not read its own source again; and Matplotlib knows the
fonts. With PYTHONDONTWRITEBYTECODE, or an empty cache of Matplotlib's, every run would pay anew for what a
user pays for once.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from residua.files.user_cache import kernels_folder, user_cache


def program_environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment, and `more`, for a program whose first run may leave byte code."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | dict(more or {})


def known_beforehand() -> dict[str, str]:
    """Where what is no picture is kept, for a program whose cache is an empty folder."""
    fonts = os.environ.get("MPLCONFIGDIR", str(user_cache().parent / "matplotlib"))
    return {"RESIDUA_KERNEL_CACHE": str(kernels_folder()), "MPLCONFIGDIR": fonts}
