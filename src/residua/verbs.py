"""What residua can do: every verb, and the functions that do it in Python.

A verb is one file of the same name in `cli/` and, where it has a side in Python or options of its own, in
`api/` and `config/`: `find-rate` is `find_rate.py`, and `import`, which is a word of Python's, `import_.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from keyword import iskeyword


@dataclass(frozen=True)
class Verb:
    """A word of the command line.

    functions: what `residua.api` has for it; `residua` itself exports those that are not in `internal`.
    """

    name: str
    functions: tuple[str, ...] = ()
    internal: tuple[str, ...] = ()

    @property
    def module(self) -> str:
        """Its file in each of `cli/`, `api/` and `config/`, and its function in `cli/`."""
        word = self.name.replace("-", "_")
        return f"{word}_" if iskeyword(word) else word

    @property
    def public(self) -> tuple[str, ...]:
        """The functions that `residua` exports."""
        return tuple(name for name in self.functions if name not in self.internal)


VERBS = (
    Verb("train", ("train",)),
    Verb(
        "evaluate",
        ("evaluate", "evaluate_in_parts", "measure_in_parts"),
        internal=("measure_in_parts",),
    ),
    Verb(
        "predict",
        ("iterate_predictions", "predict", "predict_in_parts", "answer_in_parts"),
        internal=("iterate_predictions", "answer_in_parts"),
    ),
    Verb("report", ("report",)),
    Verb("compare", ("compare",)),
    Verb("explain", ("explain",)),
    Verb("mistakes", ("mistakes",)),
    Verb("calibrate", ("calibrate",)),
    Verb("curves", ("curves",)),
    Verb("inside", ("inside",)),
    Verb("fool", ("class_pictures", "fool", "fool_from_noise", "robustness")),
    Verb("find-rate", ("find_rate",)),
    Verb("sweep", ("sweep",)),
    Verb("experiment"),
    Verb("ensemble", ("ensemble",)),
    Verb("reconstruct", ("reconstruct",)),
    Verb("check", ("check_data",), internal=("check_data",)),
    Verb("augment", ("augment_sheet",), internal=("augment_sheet",)),
    Verb("models"),
    Verb("summary"),
    Verb("engines"),
    Verb("warm"),
    Verb("bench"),
    Verb("import", ("import_weights",)),
    Verb("export", ("export",)),
    Verb("page", ("page",)),
    Verb("serve"),
)

PUBLIC = {function: verb for verb in VERBS for function in verb.public}
