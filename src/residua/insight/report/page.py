"""The page itself: everything that was found, put into the template."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.config import ReportConfig, TrainConfig
from residua.config.options import flag
from residua.insight.calibration.numbers import reliability, risk_coverage, with_temperature
from residua.insight.comparison.text import duration
from residua.insight.evaluation.figure import WITH_COUNTS, confusion_figure
from residua.insight.inspection.statistics import statistics_figure
from residua.insight.report import charts
from residua.insight.report import embedding as pictures
from residua.insight.report import text as words
from residua.insight.report.command import chosen_options, repeat_command
from residua.insight.report.contents import Findings
from residua.insight.report.embedding import Shown, data_uri
from residua.insight.report.examples import saliency
from residua.insight.report.tables import class_rows, confusion_rows, count_rows, layer_rows, stage_rows
from residua.models import MODELS

if TYPE_CHECKING:
    from jinja2 import Environment
    from matplotlib.figure import Figure

Say = Callable[[str], None]
LONG = 24  # rows of a table that are shown; the rest is there to be opened


def report_html(findings: Findings, config: ReportConfig, say: Say) -> str:
    """The whole page as HTML: one text that needs no other file, no network and no script."""
    shown = context(findings) | {
        "examples": pictures.examples(findings.answered),
        "curves": _curves(findings),
        "confusion": _confusion(findings),
        "calibration": _calibration(findings),
        "statistics": _statistics(findings),
        "saliency": saliency(findings, config, say),
        **_mistakes(findings, config.show),
    }
    text = environment().get_template("report.html").render(shown)
    return re.sub(r"(?<=\d) %", "\u00a0%", text)  # a number and its sign stay on one line


def environment() -> Environment:
    """The templates; what is put into HTML is escaped, and what is missing is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    made = Environment(
        loader=PackageLoader("residua.insight.report"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["percent"] = words.percent
    made.filters["count"] = words.count
    made.filters["cell"] = _cell
    return made


def context(findings: Findings) -> dict[str, Any]:
    """What page and card have in common: plain values, and tables as lists of rows."""
    a, e, model, run = findings.answered, findings.answered.evaluation, findings.model, findings.run
    shape, known = model.preprocessing, MODELS.get(model.name)
    card = findings.opened.data.card
    return {
        "title": f"{model.name} on {words.data_name(findings)}",
        "findings": findings,
        "model": model,
        "known": known,
        "dataset": card,
        # What lies above a folder is nobody's business but its owner's.
        "data_title": card.title if card.citation else f"Pictures in the folder {words.data_name(findings)}",
        "other_data": None if findings.opened.same else _name(model.training.get("data")),
        "trained_on": _name(model.training.get("data")),
        "evaluation": e,
        "part": e.part,
        "summary": words.summary(findings),
        "caveats": words.caveats(findings),
        "training": words.training_words(findings),
        "seen": words.seen(findings),
        "tiles": _tiles(findings),
        "size": f"{shape.height}×{shape.width} pixels, {'colour' if shape.channels == 3 else 'grey'}",
        "parameters": sum(row.parameters for row in findings.rows),
        "multiply_adds": sum(row.multiply_adds for row in findings.rows),
        "bytes": findings.file.stat().st_size,
        "counts": count_rows(findings.counts),
        "splits": list(findings.counts),
        "classes": class_rows(findings),
        "layers": layer_rows(findings.rows),
        "stages": stage_rows(findings),
        "dead": words.dead_words(findings),
        "run": run,
        "command": None if run is None else repeat_command(run.config),
        "options": {} if run is None else _options(run.config),
        "versions": findings.versions if run is None else run.versions,
        "machine": findings.machine if run is None else run.machine,
        "written_with": findings.versions,
        "long": LONG,
        "today": f"{datetime.date.today():%d %B %Y}".lstrip("0"),
        "totals": [sum(own.values()) for own in findings.counts.values()],
        "largest": _extreme(findings, largest=True),
        "smallest": _extreme(findings, largest=False),
        "guessing": math.log(len(e.classes)),
        "weakest": sorted(class_rows(findings), key=lambda row: (not row["pictures"], row["recall"]))[:10],
        "suspects": len(findings.mistakes.label_errors),
        "suspected_share": findings.mistakes.label_errors.share,
        "wrong": len(findings.mistakes),
        "pairs": [
            {
                "true": a.classes[true],
                "answer": a.classes[answer],
                "number": number,
                "share": number / max(e.classes[true].pictures, 1),
            }
            for true, answer, number in findings.mistakes.pairs[:10]
        ],
    }


def _options(config: TrainConfig) -> dict[str, str]:
    """Options as they are written on a line."""
    said = {True: "yes", False: "no"}
    return {
        flag(name): said[value] if isinstance(value, bool) else
        " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
        for name, value in chosen_options(config).items()
    }  # fmt: skip


def _name(data: str | None) -> str | None:
    return None if data is None else Path(data).name or data


def _extreme(findings: Findings, *, largest: bool) -> dict[str, Any]:
    """The class with the most or the fewest pictures in all splits together."""
    sums = {name: sum(numbers) for name, numbers in count_rows(findings.counts)}
    name = (max if largest else min)(sums, key=lambda entry: sums[entry])
    return {"name": name, "number": sums[name]}


def _tiles(findings: Findings) -> list[tuple[str, str, str]]:
    """The figures at the top: what it is, the figure, and what stands below it."""
    e, model = findings.answered.evaluation, findings.model
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
    parameters = sum(row.parameters for row in findings.rows)
    size = f"{findings.file.stat().st_size / 1e6:.1f} MB"
    tiles.append(("Parameters", f"{parameters:,}", f"{model.name}, a file of {size}"))
    run = findings.run
    if run is not None and run.seconds is not None:
        tiles.append(("Training", duration(run.seconds), words.count(len(run.log), "epoch")))
    return tiles


def _curves(findings: Findings) -> list[Shown]:
    if findings.run is None or not findings.run.log:
        return []
    rows = findings.run.log
    return [_chart(charts.curve_chart(rows, kind), words.curve_alt(rows, kind)) for kind in ("loss", "error")]


def _chart(figure: Figure, alt: str, name: str = "") -> Shown:
    return Shown(data_uri(charts.svg(figure), "svg+xml"), alt, (("given", name),) if name else ())


def _confusion(findings: Findings) -> dict[str, Any]:
    """The matrix as a table that can be read, or above 30 classes as a picture."""
    e = findings.answered.evaluation
    if len(e.classes) <= WITH_COUNTS:
        return {"rows": confusion_rows(e), "names": [entry.name for entry in e.classes], "picture": None}
    shown = Shown(data_uri(pictures.png(confusion_figure(e)), "png"), words.confusion_alt(findings))
    return {"rows": [], "names": [], "picture": shown}


def _mistakes(findings: Findings, show: int) -> dict[str, Any]:
    found = findings.mistakes
    return {
        "worst": pictures.mistake_pictures(found, show),
        "least_sure": [] if len(found) else pictures.least_sure(findings.answered, min(show, 12)),
        "suspected": pictures.suspect_pictures(found, min(show, 12)),
        "pixelated": max(findings.answered.pictures.images.shape[1:3]) <= pictures.LOSSLESS,
    }


def _calibration(findings: Findings) -> dict[str, Any]:
    a, kept = findings.answered, findings.model.calibration
    sides = [("as trained", with_temperature(a, None))]
    if kept is not None:
        sides.append((f"at temperature {kept.temperature:.3f}", a))
    shown = []
    for name, side in sides:
        found = reliability(side.probabilities, side.labels)
        caption = f"{name}: calibration error {100 * found.error:.2f} %, loss {side.evaluation.loss:.4f} nats"
        shown.append(_chart(charts.reliability_chart(found), words.reliability_alt(found, name), caption))
    curve = risk_coverage(a.probabilities, a.labels)
    return {
        "words": words.sureness(findings),
        "kept": kept,
        "charts": shown,
        "risk": _chart(charts.risk_chart(curve), words.risk_alt(curve)),
        "thresholds": _thresholds(findings),
    }


def _thresholds(findings: Findings) -> list[dict[str, Any]]:
    """What the model file keeps of 'not sure': for accuracies, the threshold and what is then answered."""
    kept = findings.model.calibration
    if kept is None:
        return []
    rows = []
    for wanted in (0.9, 0.95, 0.99):
        found = next((e for e in kept.coverages if e.right >= wanted * e.accepted), None)
        if found is not None:
            share = found.accepted / kept.pictures
            rows.append({"wanted": wanted, "threshold": found.threshold, "answered": share})
    return rows


def _statistics(findings: Findings) -> Shown | None:
    run = findings.run
    if run is None or not run.statistics:
        return None
    figure = statistics_figure(run.folder, 10)
    figure.suptitle("")
    return Shown(data_uri(pictures.png(figure), "png"), words.statistics_alt(run.statistics))


def _cell(value: Any) -> str:
    """Text for a Markdown table or list: no line may end, and no column begin, inside it."""
    return " ".join(str(value).split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
