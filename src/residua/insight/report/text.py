"""What a report says in plain words, and what its pictures show for those who do not see them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from residua.files.names import first_names
from residua.insight.calibration.numbers import Reliability, RiskCoverage
from residua.insight.report.numbers import ReportContents
from residua.insight.shared.text import format_duration

FEW = 30  # pictures of a class, below which its figures say little
SMALL_GAP = 0.01  # of confidence against accuracy: less is not worth a word


def percent(share: float, digits: int = 2) -> str:
    """A share between 0 and 1 as per cent."""
    return f"{100 * share:.{digits}f} %"


def data_name(contents: ReportContents) -> str:
    """The data set's name, or the folder's without what lies above it."""
    return Path(contents.answered.data).name or contents.answered.data


def count(number: int, noun: str) -> str:
    """A number with its noun: 1 picture, 1,000 pictures, 2 classes."""
    return f"{number:,} {noun if number == 1 else noun + ('es' if noun.endswith('s') else 's')}"


def exposure(contents: ReportContents) -> str:
    """Whether the model knew the pictures that it was asked about."""
    answered, known, own = contents.answered, contents.model.training, contents.opened.own
    if own and answered.split == "train":
        return "which it was trained on, so that the figures flatter it"
    seen = answered.exposure
    if seen.trained_on:
        some = f"{seen.trained_on:,} of which" if seen.trained_on < seen.pictures else "which"
        return f"{some} it was trained on, so that the figures flatter it"
    if (known.get("fingerprint") if own else seen.trained_on) is None:
        return "whether it was trained on some of them its file does not say"
    if own and answered.split == "validation":
        return "by which its best epoch was chosen, so that the figures flatter it a little"
    if seen.chosen_by:
        some = f"{seen.chosen_by:,} of which chose" if seen.chosen_by < seen.pictures else "which chose"
        return f"{some} its best epoch, so that the figures flatter it a little"
    return (
        "which took no part in training" if contents.opened.same else "of other data than it was trained on"
    )


def summary(contents: ReportContents) -> list[str]:
    """The findings that matter, in sentences: how often right, compared with what, where not, how sure."""
    e = contents.answered.evaluation
    low, high = e.interval
    part = "" if e.split == "whole folder" else f"{e.split} "
    sentences = [
        f"Of {count(e.pictures, part + 'picture')} ({exposure(contents)}) it names {e.correct:,} right: "
        f"{percent(e.accuracy)}. On other pictures of the same kind the share probably lies between "
        f"{percent(low)} and {percent(high)} (95 % interval)."
    ]
    if len(e.classes) > 1:
        sizes = [entry.pictures for entry in e.classes]
        largest = max(e.classes, key=lambda entry: entry.pictures)
        same = max(sizes) == min(sizes)
        always = "any one class" if same else f"“{largest.name}”, the largest class,"
        sentences.append(f"Always answering {always} would be right in {percent(max(sizes) / e.pictures)}.")
    tested = [entry for entry in e.classes if entry.pictures]
    best, worst = max(tested, key=lambda c: c.recall), min(tested, key=lambda c: c.recall)
    if e.correct == e.pictures:
        sentences.append("It made no mistake on these pictures.")
    elif best.recall > worst.recall:
        sentences.append(
            f"It finds “{best.name}” best ({percent(best.recall, 1)} of them) and “{worst.name}” worst "
            f"({percent(worst.recall, 1)})."
        )
    if contents.mistakes.pairs:
        true, answer, number = contents.mistakes.pairs[0]
        of = count(e.classes[true].pictures, "picture")
        sentences.append(
            f"Its most frequent mistake is to take “{e.classes[true].name}” for “{e.classes[answer].name}”: "
            f"{number:,} of {of}."
        )
    sentences.append(certainty(contents))
    return sentences


def certainty(contents: ReportContents) -> str:
    """Whether it is as often right as it says, in one sentence."""
    a, error = contents.answered, contents.answered.evaluation.calibration_error
    confidence = float(a.probabilities.max(axis=1).mean(dtype=np.float64))
    gap = confidence - a.evaluation.accuracy
    if abs(gap) < SMALL_GAP:
        kind = "about as sure as it may be"
    else:
        kind = "too sure of itself" if gap > 0 else "more modest than it need be"
    return (
        f"It is {kind}: {percent(confidence, 1)} sure on average and right in "
        f"{percent(a.evaluation.accuracy, 1)}; confidence and accuracy differ by {100 * error:.1f} points "
        "on average (expected calibration error)."
    )


def training_text(contents: ReportContents) -> str:
    """How it was trained, in one sentence; what is not known is said."""
    run, known = contents.run, contents.model.training
    if run is None:
        if known.get("imported_from"):
            source = known["imported_from"]
            return f"The weights were imported from {source}; how they were trained is not known."
        return "This is a model file without its run folder, so how it was trained is not known in full."
    done, planned = len(run.log), run.config.schedule.epochs or 0
    words = f"Trained for {count(done, 'epoch')}"
    if done < planned and not run.config.schedule.stop_patience:
        words += f" of {planned:,} (the run is not finished)"
    if run.seconds is not None:
        words += f" in {format_duration(run.seconds)}"
    if run.machine.get("processor"):
        threads = run.config.run.threads or int(run.machine.get("cores", 1))
        words += f" on {run.machine['processor']} with {count(threads, 'thread')}"
    epoch = known.get("at", {}).get("epoch")
    if epoch is not None and run.best is not None:
        words += f"; this is the model of epoch {epoch}, the best on validation pictures"
    return words + "."


def curve_alt(rows: Sequence[dict[str, Any]], kind: str) -> str:
    """What a learning curve shows; kind: loss or error."""
    unit = "nats" if kind == "loss" else "per cent"
    train = [float(row[f"train_{kind}"]) for row in rows]
    words = f"Line chart of the {kind} in {unit} over {count(len(rows), 'epoch')}. Training"
    words += f" goes from {train[0]:.3g} to {train[-1]:.3g}."
    if f"validation_{kind}" in rows[-1]:
        validation = [float(row[f"validation_{kind}"]) for row in rows]
        least = int(np.argmin(validation))
        words += f" Validation goes from {validation[0]:.3g} to {validation[-1]:.3g}, "
        words += f"with its least, {validation[least]:.3g}, in epoch {rows[least]['epoch']}."
    return words


def reliability_alt(bins: Reliability, name: str) -> str:
    """What a reliability diagram shows: the three fullest bins, and the mean gap."""
    fullest = [index for index in np.argsort(-bins.counts)[:3].tolist() if bins.counts[index]]
    parts = [
        f"of {count(int(bins.counts[index]), 'answer')} about {percent(bins.confidence[index], 0)} sure, "
        f"{percent(bins.accuracy[index], 0)} are right"
        for index in sorted(fullest)
    ]
    words = f"Bar chart, {name}, of how often answers are right by how sure the model is: "
    return f"{words}{'; '.join(parts)}. The mean gap is {100 * bins.error:.1f} points."


def risk_alt(curve: RiskCoverage) -> str:
    """What the risk-coverage curve shows: the error of all answers, and of the surest 80 and 50 %."""
    parts = [f"Of all answers {percent(float(curve.risk[-1]))} are wrong"]
    for share in (0.8, 0.5):
        index = int(np.searchsorted(curve.coverage, share))
        parts.append(f"of the surest {percent(share, 0)} {percent(float(curve.risk[index]))}")
    return f"Curve of the share of wrong answers by how many are given, surest first. {', '.join(parts)}."


def confusion_alt(contents: ReportContents) -> str:
    """What the confusion matrix shows: the strongest confusions."""
    e, names = contents.answered.evaluation, contents.answered.classes
    pairs = [f"{names[t]} taken for {names[a]} {n:,} times" for t, a, n in contents.mistakes.pairs[:5]]
    strongest = f"The strongest confusions: {'; '.join(pairs)}." if pairs else "There is no mistake in it."
    return f"Confusion matrix of {count(len(e.classes), 'class')}: true classes by answers. {strongest}"


def statistics_alt(rows: Sequence[dict[str, Any]]) -> str:
    """What the picture of the layers' statistics shows."""
    last = rows[-1]["layers"]
    dead = sum(layer.get("dead", 0) for layer in last)
    off = [100 * layer["off"] for layer in last if "off" in layer]
    words = f"Four heat maps of {count(len(last), 'layer')} by {count(len(rows), 'epoch')}: deviation of "
    words += "weights, deviation of activations, results that ReLU made zero, channels never on."
    if off:
        words += f" At last ReLU makes {min(off):.0f} to {max(off):.0f} per cent of a layer's results zero"
        words += f" and {count(dead, 'channel')} {'is' if dead == 1 else 'are'} never on."
    return words


def dead_text(contents: ReportContents) -> str:
    """Dead units in a sentence."""
    if contents.dead is None:
        return "This network is no row of layers, so its channels were not looked at."
    pictures = f"for any of {count(contents.sample, 'picture')}"
    if not contents.dead:
        return f"No channel is dead: every one is on for some of {count(contents.sample, 'picture')}."
    places = [f"{len(layer.channels)} of {layer.of} in {layer.layer}" for layer in contents.dead[:6]]
    more = f" and {len(contents.dead) - 6} layers more" if len(contents.dead) > 6 else ""
    total = sum(len(layer.channels) for layer in contents.dead)
    return f"{count(total, 'channel')} never on {pictures}: {', '.join(places)}{more}."


def caveats(contents: ReportContents) -> list[str]:
    """What a user of the model should know of these figures."""
    e, sentences = contents.answered.evaluation, []
    if e.left_out:
        sentences.append(
            f"Pictures of classes that it does not know were left out: {', '.join(list(e.left_out)[:6])} "
            f"({sum(e.left_out.values()):,} in all)."
        )
    sentences += _of_use(contents)
    sentences.append(certainty(contents))
    few = [entry.name for entry in e.classes if entry.pictures < FEW]
    if few:
        sentences.append(
            f"Fewer than {FEW} pictures stand behind the figures of {first_names(few, 6)}: "
            "they may be far off."
        )
    sentences.append(
        "One training run, one seed: another seed gives another model and somewhat other figures."
    )
    return sentences


def _of_use(contents: ReportContents) -> list[str]:
    """Where it errs most, and what was not looked at."""
    e = contents.answered.evaluation
    sentences = []
    if contents.mistakes.pairs:
        true, answer, number = contents.mistakes.pairs[0]
        sentences.append(
            f"It takes {e.classes[true].name} for {e.classes[answer].name} most often: {number:,} of "
            f"{count(e.classes[true].pictures, 'picture')}."
        )
    sentences.append(
        "Copies between training and test pictures were not looked for here: residua check does."
    )
    return sentences
