"""Predictions as text, JSON or CSV; each writer gives back those that failed."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from typing import TextIO

from residua.files.names import printable
from residua.insight.prediction.numbers import Prediction


def write_text(predictions: Iterable[Prediction], out: TextIO, top: int) -> list[Prediction]:
    """One line a picture: its name and the most probable classes, behind 'not sure' where they are not.

    A picture that cannot be read has its line too, so that lines can be joined to what was named.
    """
    failed = []
    for prediction in predictions:
        if prediction.error is not None:
            failed.append(prediction)
            print(f"{prediction.file}   cannot be read", file=out, flush=True)
            continue
        names = "   ".join(
            f"{printable(name)} {100 * probability:.1f} %" for name, probability in prediction.top
        )
        answer = f"not sure   ({names})" if prediction.sure is False else names
        print(f"{printable(prediction.file)}   {answer}", file=out, flush=True)
    return failed


def write_json(predictions: Iterable[Prediction], out: TextIO, top: int) -> list[Prediction]:
    """A JSON list of all pictures; those that failed have an `error` in place of a class."""
    everything = list(predictions)
    json.dump([prediction.to_dict() for prediction in everything], out, indent=1)
    print(file=out)
    return [prediction for prediction in everything if prediction.error is not None]


def write_csv(predictions: Iterable[Prediction], out: TextIO, top: int) -> list[Prediction]:
    """A header, then a row a picture; those that failed have only their file and the error."""
    failed = []
    writer = csv.writer(out, lineterminator="\n")
    has_sure = has_truth = False
    for number, prediction in enumerate(predictions):
        if number == 0:
            # Else no column more: others read this by position.
            has_sure, has_truth = prediction.sure is not None, prediction.truth is not None
            writer.writerow(csv_columns(top, sure=has_sure, truth=has_truth))
        cells = [cell for name, probability in prediction.top for cell in (name, repr(probability))]
        cells += [""] * (2 * top - len(cells))
        if has_sure:
            cells.append("" if prediction.error is not None else "yes" if prediction.sure else "no")
        truth = [prediction.truth] if has_truth else []
        writer.writerow([prediction.file, *truth, *cells, prediction.error or ""])
        if prediction.error is not None:
            failed.append(prediction)
    return failed


def csv_columns(top: int, *, sure: bool, truth: bool = False) -> list[str]:
    """The names of a table's columns: so many classes with their probabilities, and whether they are sure.

    truth: with the pictures' own classes, before the answers.
    """
    named = [name for place in range(top) for name in _columns(place)]
    return ["file", *["truth"] * truth, *named, *["sure"] * sure, "error"]


def _columns(place: int) -> tuple[str, str]:
    return ("class", "probability") if not place else (f"class_{place + 1}", f"probability_{place + 1}")
