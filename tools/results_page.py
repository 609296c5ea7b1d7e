"""docs/results.md and the README's lines, drawn anew from docs/results/*.json.

python tools/results_page.py                 draw them
python tools/results_page.py --take FOLDER   first take over results and their pictures, from experiments-out;
                                             runs of other seeds and variants, kept before, stay
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from residua.errors import ResiduaError
from residua.experiments.catalogue import experiment_names, find_experiment
from residua.experiments.joining import join_results
from residua.experiments.page import results_page, shown_pictures, with_summary
from residua.experiments.results import FILE, read_results, write_results

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "docs" / "results"


def take(folder: Path) -> None:
    """Copy the results of experiments out of their folder; those of quick runs are not looked at."""
    for name in experiment_names():
        path, before = folder / name / FILE, KEPT / f"{name}.json"
        if not path.exists():
            continue
        added = read_results(path)
        if not any(row["runs"] for row in added["variants"]):
            continue
        joined = added
        if before.exists():
            joined = join_results(find_experiment(name), read_results(before), added)
        for picture, kept, _ in shown_pictures(name, added):
            (KEPT / kept).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path.parent / picture, KEPT / kept)
        write_results(KEPT, joined, before.name)
        shown = {kept for _, kept, _ in shown_pictures(name, joined)}
        for picture in KEPT.glob(f"{name}/*"):
            if picture.relative_to(KEPT).as_posix() not in shown:
                picture.unlink()
        print(f"taken: {name}")


def main(arguments: list[str]) -> int:
    """See the module's docstring."""
    try:
        if arguments[:1] == ["--take"]:
            take(Path(arguments[1]))
        (ROOT / "docs" / "results.md").write_text(results_page(KEPT), encoding="utf-8")
        readme = ROOT / "README.md"
        readme.write_text(with_summary(readme.read_text(encoding="utf-8"), KEPT), encoding="utf-8")
    except ResiduaError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
