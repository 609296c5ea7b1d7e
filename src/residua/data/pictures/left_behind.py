"""Folders that hold nobody's pictures: left by file servers, systems, editors, and by residua itself."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from pathlib import Path

from residua.files.names import first_names

# Their names alone tell, in any capitals; no class is called so.
_NAMES = frozenset(
    {
        # file systems and Windows, macOS, Android
        *("lost+found", "$recycle.bin", "$windows.~bt", "$windows.~ws", "system volume information"),
        *("msdownld.tmp", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "lost.dir"),
        *("__macosx", "network trash folder", "temporary items", "thevolumesettingsfolder", "resource.frk"),
        # file servers (Synology, QNAP, NetApp), synchronising programs, web servers
        *("@eadir", "@tmp", "@recycle", "@recently-snapshot", "@snapshot", "@sharesnap", "@sharebin"),
        *("@__thumb", "@transcode", "@syno", "#recycle", "#snapshot", "~snapshot", "_gsdata_"),
        *("_vti_cnf", "_vti_pvt", "_vti_bin", "_vti_script", "_notes", "picasaoriginals"),
        # programs
        *("__pycache__", "__pypackages__", "node_modules", "site-packages", "lightning_logs", "mlruns"),
        *("wandb", "catboost_info"),
    }
)
# Names that a class may have too: a file inside decides.
_MARKED = {
    "cvs": ("Entries", "Root"),
    "recycled": ("desktop.ini", "INFO2", "info2"),
    "recycler": ("desktop.ini", "INFO2", "info2"),
}
_LOST = re.compile(r"found\.\d{3}")  # what Windows' chkdsk finds
_WINDOWS_USER = re.compile(r"S-1-\d[\d-]*")  # a recycle bin has a folder for each user
RUN_MARK = "run.toml"
_ENVIRONMENT_MARK = "pyvenv.cfg"
# What residua draws, with the model's name before it or not (`residua evaluate --output`, and so on).
_DRAWINGS = re.compile(
    r"(?:(?:.+-)?(?:confusion|curves|reliability|risk-coverage|reconstructions|dimensions|mistakes|pairs"
    r"|label-errors|explain-\d+|filters|activations-\d+|strongest|map-(?:pca|tsne)|statistics|robustness"
    r"|class-pictures.*|compare)|(?:check|augment|rates)-.+|.+-as-.+-shown)\.(?:png|svg|pdf)"
)
_WRITTEN = (".json", ".jsonl", ".html", ".md", ".safetensors", ".toml")  # beside drawings


def has_left_name(name: str) -> bool:
    """Whether a folder's name alone tells that it holds no data."""
    folded = name.casefold()
    return folded in _NAMES or _LOST.fullmatch(folded) is not None


def holds_no_data(name: str, folders: Collection[str], files: Collection[str]) -> bool:
    """Whether a folder's content tells so: a run, a Python environment, nothing but residua's drawings.

    name: the folder's. folders, files: names of what lies in it.
    """
    marks = _MARKED.get(name.casefold(), ())
    if any(mark in files for mark in (*marks, RUN_MARK, _ENVIRONMENT_MARK)):
        return True
    if marks and any(map(_WINDOWS_USER.fullmatch, folders)):
        return True
    visible = [file for file in files if not file.startswith(".")]
    drawn = {file for file in visible if is_drawing(file)}
    # A picture that `residua fool` has changed lies beside the one that shows how.
    drawn |= {file.replace("-shown.", ".") for file in drawn}
    return bool(drawn) and not folders and all(f in drawn or f.endswith(_WRITTEN) for f in visible)


def is_drawing(name: str) -> bool:
    """Whether a file is called as residua's drawings are."""
    return _DRAWINGS.fullmatch(name) is not None


def passed_folders_line(place: Path | str, passed: Sequence[Path]) -> str:
    """What to say of folders that were passed over: how many, and what they are called; empty for none."""
    if not passed:
        return ""
    names = list(dict.fromkeys(path.name for path in passed))
    kinds = "folder that holds" if len(passed) == 1 else "folders that hold"
    return f"{place}: passed over {len(passed):,} {kinds} no data ({first_names(names, 5)})."


def is_left_behind(folder: Path) -> bool:
    """Whether a folder was put there by a file server, a system, an editor or residua, and holds no data.

    A folder of run folders counts too; one run is enough, for there may be unfinished ones beside it.
    """
    if has_left_name(folder.name):
        return True
    try:
        with os.scandir(folder) as entries:
            kinds = [(entry.name, entry.is_dir()) for entry in entries]
    except OSError:
        return False  # whoever looks into it says why that cannot be done
    folders = [name for name, is_folder in kinds if is_folder]
    if holds_no_data(folder.name, folders, [name for name, is_folder in kinds if not is_folder]):
        return True
    return any(os.path.isfile(folder / name / RUN_MARK) for name in folders if not name.startswith("."))
