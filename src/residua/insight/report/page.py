"""The page itself: everything that was collected, put into the template."""

from __future__ import annotations

import datetime
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.config import TrainConfig
from residua.config.options import chosen_options, flag
from residua.files.names import printable
from residua.insight.calibration.numbers import before_and_after, coverage_at, reliability, risk_coverage
from residua.insight.evaluation.figure import WITH_COUNTS, confusion_figure
from residua.insight.inspection.statistics_figure import statistics_panels
from residua.insight.report import figure as charts
from residua.insight.report import pictures
from residua.insight.report import text as words
from residua.insight.report.command import repeat_command
from residua.insight.report.data_uri import LOSSLESS, data_uri, figure_png, figure_svg
from residua.insight.report.numbers import ReportContents
from residua.insight.report.pictures import PagePicture
from residua.insight.report.saliency_section import saliency
from residua.insight.report.tables import class_rows, confusion_rows, count_rows, layer_rows, stage_rows
from residua.insight.shared.text import format_duration
from residua.models import MODELS

if TYPE_CHECKING:
    from jinja2 import Environment
    from matplotlib.figure import Figure

LONG = 24  # rows of a table that are shown; the rest is there to be opened
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def report_html(contents: ReportContents, show: int) -> str:
    """The whole page as HTML: one text that needs no other file, no network and no script.

    show: how many mistakes are shown at most.
    """
    values = page_values(contents) | {
        "examples": pictures.example_pictures(contents.answered),
        "curves": _curves(contents),
        "confusion": _confusion(contents),
        "calibration": _calibration(contents),
        "statistics": _statistics(contents),
        "saliency": saliency(contents),
        **_mistakes(contents, show),
    }
    text = environment().get_template("report.html").render(values)
    text = printable(text, keep="\n\t")  # a page is UTF-8, and a name may not be
    return re.sub(r"(?<=\d) %", "\u00a0%", text)  # a number and its sign stay on one line


def environment() -> Environment:
    """The templates; what is put into HTML is escaped, and what is missing is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    templates = Environment(
        loader=PackageLoader("residua.insight.report"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["percent"] = words.percent
    templates.filters["count"] = words.count
    templates.filters["cell"] = _cell
    return templates


def page_values(contents: ReportContents) -> dict[str, Any]:
    """What page and card have in common: plain values, and tables as lists of rows."""
    a, e, model, run = contents.answered, contents.answered.evaluation, contents.model, contents.run
    shape, known = model.preprocessing, MODELS.get(model.name)
    card = contents.opened.data.card
    classes, counts = class_rows(contents), count_rows(contents.counts)
    return {
        "title": f"{model.name} on {words.data_name(contents)}",
        "contents": contents,
        "model": model,
        "known": known,
        "dataset": card,
        # What lies above a folder is nobody's business but its owner's.
        "data_title": card.title if card.citation else f"Pictures in the folder {words.data_name(contents)}",
        "other_data": None if contents.opened.same else _name(model.training.get("data")),
        "trained_on": _name(model.training.get("data")),
        "evaluation": e,
        "part": e.part,
        "summary": words.summary(contents),
        "caveats": words.caveats(contents),
        "training": words.training_text(contents),
        "exposure": words.exposure(contents),
        "tiles": _tiles(contents),
        "size": f"{shape.height}×{shape.width} pixels, {'colour' if shape.channels == 3 else 'grey'}",
        "parameters": sum(row.parameters for row in contents.rows),
        "multiply_adds": sum(row.multiply_adds for row in contents.rows),
        "bytes": contents.file.stat().st_size,
        "counts": counts,
        "splits": list(contents.counts),
        "classes": classes,
        "layers": layer_rows(contents.rows),
        "stages": stage_rows(contents),
        "dead": words.dead_text(contents),
        "run": run,
        "command": None if run is None else repeat_command(run.config),
        "options": {} if run is None else _options(run.config),
        "versions": contents.versions if run is None else run.versions,
        "machine": contents.machine if run is None else run.machine,
        "written_with": contents.versions,
        "long": LONG,
        "today": written(datetime.date.today()),
        "totals": [sum(own.values()) for own in contents.counts.values()],
        "largest": _extreme(counts, largest=True),
        "smallest": _extreme(counts, largest=False),
        "guessing": math.log(len(e.classes)),
        "weakest": sorted(classes, key=lambda row: (not row["pictures"], row["recall"]))[:10],
        "suspects": len(contents.mistakes.label_errors),
        "suspected_share": contents.mistakes.label_errors.share,
        "wrong": len(contents.mistakes),
        "pairs": [
            {
                "true": a.classes[true],
                "answer": a.classes[answer],
                "number": number,
                "share": number / max(e.classes[true].pictures, 1),
            }
            for true, answer, number in contents.mistakes.pairs[:10]
        ],
    }


def _options(config: TrainConfig) -> dict[str, str]:
    """Options as they are written on a line."""
    answers = {True: "yes", False: "no"}
    return {
        flag(name): answers[value] if isinstance(value, bool) else
        " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
        for name, value in chosen_options(config).items()
    }  # fmt: skip


def _name(data: str | None) -> str | None:
    return None if data is None else Path(data).name or data


def written(day: datetime.date) -> str:
    """Such as 3 May 2026, in the page's language, whatever the locale calls its months."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _extreme(counts: list[tuple[str, list[int]]], *, largest: bool) -> dict[str, Any]:
    """The class with the most or the fewest pictures in all splits together."""
    sums = {name: sum(numbers) for name, numbers in counts}
    name = (max if largest else min)(sums, key=lambda entry: sums[entry])
    return {"name": name, "number": sums[name]}


def _tiles(contents: ReportContents) -> list[tuple[str, str, str]]:
    """The figures at the top: what it is, the figure, and what stands below it."""
    e, model = contents.answered.evaluation, contents.model
    tested = [entry for entry in e.classes if entry.pictures]
    worst = min(tested, key=lambda entry: entry.recall)
    low, high = e.interval
    tiles = [
        ("Right answers", words.percent(e.accuracy), f"95 % interval {100 * low:.2f} to {100 * high:.2f}"),
        ("Weakest class", words.percent(worst.recall, 1), f"of “{worst.name}” are found"),
    ]
    if len(e.classes) > 5:
        tiles.append(("Among its first five", words.percent(e.top5_accuracy), "top-5 accuracy"))
    else:
        tiles.append(("Mean over the classes", words.percent(e.balanced_accuracy), "balanced accuracy"))
    gap = f"{100 * e.calibration_error:.1f} points"
    tiles.append(("Confidence is off by", gap, "expected calibration error"))
    parameters = sum(row.parameters for row in contents.rows)
    size = f"{contents.file.stat().st_size / 1e6:.1f} MB"
    tiles.append(("Parameters", f"{parameters:,}", f"{model.name}, a file of {size}"))
    run = contents.run
    if run is not None and run.seconds is not None:
        tiles.append(("Training", format_duration(run.seconds), words.count(len(run.log), "epoch")))
    return tiles


def _curves(contents: ReportContents) -> list[PagePicture]:
    if contents.run is None or not contents.run.log:
        return []
    rows = contents.run.log
    return [_chart(charts.curve_chart(rows, kind), words.curve_alt(rows, kind)) for kind in ("loss", "error")]


def _chart(figure: Figure, alt: str, name: str = "") -> PagePicture:
    return PagePicture(data_uri(figure_svg(figure), "svg+xml"), alt, (("given", name),) if name else ())


def _confusion(contents: ReportContents) -> dict[str, Any]:
    """The matrix as a table that can be read, or above 30 classes as a picture."""
    e = contents.answered.evaluation
    if len(e.classes) <= WITH_COUNTS:
        return {"rows": confusion_rows(e), "names": [entry.name for entry in e.classes], "picture": None}
    picture = PagePicture(data_uri(figure_png(confusion_figure(e)), "png"), words.confusion_alt(contents))
    return {"rows": [], "names": [], "picture": picture}


def _mistakes(contents: ReportContents, show: int) -> dict[str, Any]:
    mistakes = contents.mistakes
    return {
        "worst": pictures.worst_mistakes(mistakes, show),
        "least_sure": [] if len(mistakes) else pictures.least_certain(contents.answered, min(show, 12)),
        "suspected": pictures.suspected_labels(mistakes, min(show, 12)),
        "pixelated": max(contents.answered.pictures.images.shape[1:3]) <= LOSSLESS,
    }


def _calibration(contents: ReportContents) -> dict[str, Any]:
    a = contents.answered
    reliabilities = []
    for name, side in before_and_after(a):
        bins = reliability(side.probabilities, side.labels)
        caption = f"{name}: calibration error {100 * bins.error:.2f} %, loss {side.evaluation.loss:.4f} nats"
        chart = _chart(charts.reliability_chart(bins), words.reliability_alt(bins, name), caption)
        reliabilities.append(chart)
    curve = risk_coverage(a.probabilities, a.labels)
    return {
        "words": words.certainty(contents),
        "found": contents.model.calibration,
        "charts": reliabilities,
        "risk": _chart(charts.risk_chart(curve), words.risk_alt(curve)),
        "thresholds": _thresholds(contents),
    }


def _thresholds(contents: ReportContents) -> list[dict[str, Any]]:
    """What the model file keeps of 'not sure': for accuracies, the threshold and what is then answered."""
    calibration = contents.model.calibration
    if calibration is None:
        return []
    rows = []
    for accuracy in (0.9, 0.95, 0.99):
        coverage = coverage_at(calibration, accuracy)
        if coverage is not None:
            share = coverage.accepted / calibration.pictures
            rows.append({"accuracy": accuracy, "threshold": coverage.threshold, "answered": share})
    return rows


def _statistics(contents: ReportContents) -> PagePicture | None:
    run = contents.run
    if run is None or not run.statistics:
        return None
    figure = statistics_panels(run.statistics, 10)
    figure.suptitle("")
    return PagePicture(data_uri(figure_png(figure), "png"), words.statistics_alt(run.statistics))


def _cell(value: Any) -> str:
    """Text for a Markdown table or list: no line may end, and no column begin, inside it."""
    text = " ".join(printable(value, keep="\n\t").split())
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
