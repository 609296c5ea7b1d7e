"""The verb predict."""

from __future__ import annotations

import io
import sys
from typing import Annotated

from residua.cli.shared import Switch, sections
from residua.cli.terminal import Notes, to_stderr, to_stdout
from residua.config import PredictConfig, PredictPartsConfig
from residua.config.options import check
from residua.errors import ConfigError

_ANSWERS, _PARTS = sections("Answers", "Answers by the million")


def predict(
    model: str,
    /,
    *files: str,
    json: Switch = False,
    csv: Switch = False,
    options: Annotated[PredictConfig, _ANSWERS] = PredictConfig(),
    parts: Annotated[PredictPartsConfig, _PARTS] = PredictPartsConfig(),
) -> int:
    """Name what is in pictures: an answer for each that is named, in that order.

    With --output answers by the million lie in parts, and the same command goes on where it stopped.

    Parameters
    ----------
    model
        A model file or a run folder.
    files
        Pictures, folders of pictures, or tables of pixels as Kaggle's test.csv.
    json
        Print a JSON list.
    csv
        Print a CSV table: file, class, probability, and so on down to the last of --top.
    """
    from residua import api
    from residua.insight.prediction.text import write_csv, write_json, write_text
    from residua.models.model_file import load_model

    if not files:
        raise ConfigError("predict needs pictures or folders after the model")
    if json and csv:
        raise ConfigError("choose one of --json and --csv")
    if parts != PredictPartsConfig():
        return _in_parts(model, files, options, parts, printed=json or csv)
    loaded = load_model(model)
    predictions = api.iterate_predictions(loaded, files, check(options), Notes())
    write = write_json if json else write_csv if csv else write_text
    bad = write(
        predictions,
        (_Seen() if csv else _Shown()) if sys.stdout.isatty() else sys.stdout,
        min(options.top, len(loaded.classes)),
    )
    for prediction in bad:
        to_stderr(f"residua: {prediction.error}")
    return 1 if bad else 0


def _in_parts(
    model: str, files: tuple[str, ...], options: PredictConfig, parts: PredictPartsConfig, *, printed: bool
) -> int:
    """Answers written into a folder."""
    from residua import api

    if printed and parts.output is not None:
        raise ConfigError(
            "with --output nothing is printed: leave --json and --csv out, or choose by --table"
        )
    outcome = api.answer_in_parts(model, files, options, parts, Notes())
    to_stdout(outcome.text())
    return 1 if outcome.failed else 0


class _Shown(io.StringIO):
    """A terminal's output as it is at the moment: a bar may be there, which what is printed goes above."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


class _Seen(io.StringIO):
    """A table on a terminal: in a file a name is kept to the byte, here it is only looked at."""

    def write(self, text: str) -> int:
        to_stdout(text, end="")
        return len(text)
