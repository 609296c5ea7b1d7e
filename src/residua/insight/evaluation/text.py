"""An evaluation in words: figures, a table of classes, the confusion matrix."""

from __future__ import annotations

from residua.files.names import distinct, printable
from residua.insight.evaluation.numbers import Evaluation, confused_pairs
from residua.insight.shared.text import cells, padded, shorten

TERMINAL = 80  # columns
_LETTERS = 30  # of a name, beside four columns of figures


def evaluation_text(evaluation: Evaluation) -> str:
    """The evaluation as a page of text: figures, a table of classes, the confusion matrix."""
    e = evaluation
    low, high = e.interval
    lines = [
        f"{printable(e.data)}, {e.part}: {e.pictures:,} picture{'s' * (e.pictures != 1)}, "
        f"{len(e.classes)} classes",
        "",
        f"  top-1 accuracy              {100 * e.accuracy:6.2f} %   ({e.correct:,} right)",
        f"    95 % interval             {100 * low:6.2f} % to {100 * high:.2f} %",
        # With five classes or fewer it is always 100 %.
        *([f"  top-5 accuracy              {100 * e.top5_accuracy:6.2f} %"] if len(e.classes) > 5 else []),
        f"  balanced accuracy           {100 * e.balanced_accuracy:6.2f} %",
        f"  negative log-likelihood     {e.loss:8.4f}",
        f"  expected calibration error  {100 * e.calibration_error:6.2f} %",
        "",
    ]
    names = _names(e)
    width = max(len("class"), *map(cells, names))
    lines.append(f"  {'class':<{width}}  pictures  precision    recall        F1")
    lines += [
        f"  {padded(name, width)}  {entry.pictures:8,}  {100 * entry.precision:7.2f} %"
        f"  {100 * entry.recall:6.2f} %  {100 * entry.f1:6.2f} %"
        if entry.pictures
        # Of a class without pictures nothing is known.
        else f"  {padded(name, width)}  {0:8,}  {'-':>9}  {'-':>8}  {'-':>8}"
        for name, entry in zip(names, e.classes, strict=True)
    ]
    if len(e.classes) <= 20:
        lines += ["", "  confusion matrix: rows are the true classes, columns the answers"]
        lines += ["  " + line for line in _confusion_lines(e)]
    elif e.correct < e.pictures:
        lines += ["", "  most frequent mistakes"]
        lines += [f"  {name}" for name in _mistakes(e)]
    return "\n".join(lines)


def measured_line(test: Evaluation, part: str = "") -> str:
    """What a trained model is worth on the test split; `part` says what is to be known of the pictures."""
    low, high = test.interval
    return (
        f"Test accuracy: {100 * test.accuracy:.2f} % ({test.correct:,} of {test.pictures:,} pictures{part}; "
        f"95 % interval {100 * low:.2f} to {100 * high:.2f})"
    )


def _names(e: Evaluation) -> list[str]:
    """The classes' names as a line has room for, as long as all stay different."""
    names = distinct([entry.name for entry in e.classes])
    short = [shorten(name, _LETTERS) for name in names]
    return short if len(set(short)) == len(set(names)) else names


def _mistakes(e: Evaluation, most: int = 10) -> list[str]:
    pairs = confused_pairs(e.confusion, most)
    names = _names(e)
    width = max(cells(names[true]) for true, _, _ in pairs)
    return [
        f"{count:5,} x {padded(names[true], width)}  taken for {names[answer]}"
        for true, answer, count in pairs
    ]


def _confusion_lines(e: Evaluation) -> list[str]:
    names = _names(e)
    width = max(map(cells, names))
    digits = max(4, *(len(f"{n:,}") for n in e.confusion.flat))
    # Names are cut to fit a terminal, as far as they stay different.
    letters = max(digits, min((TERMINAL - 2 - width) // len(names) - 1, 12))
    while letters < max(map(len, names)) and len({name[:letters] for name in names}) < len(names):
        letters += 1
    cell = max(digits, *(cells(name[:letters]) for name in names)) + 1
    head = " " * width + "".join(" " * (cell - cells(name[:letters])) + name[:letters] for name in names)
    rows = [
        padded(name, width) + "".join(f"{n:>{cell},}" if n else f"{'.':>{cell}}" for n in row)
        for name, row in zip(names, e.confusion.tolist(), strict=True)
    ]
    return [head, *rows]
