"""Fooled models in words: what was changed and by how much, noise, classes, accuracy under attack."""

from __future__ import annotations

from pathlib import Path

from residua.data.pictures.headers import read_header
from residua.data.preprocessing import Preprocessing
from residua.files.names import distinct, printable
from residua.insight.adversarial.attacks import Attack
from residua.insight.adversarial.class_visualization import ClassPictures
from residua.insight.adversarial.noise import Noise
from residua.insight.adversarial.numbers import Fooling, shown_classes
from residua.insight.adversarial.robustness import Robustness
from residua.insight.shared.text import cells, padded


def format_size(result: Fooling, size: float) -> str:
    """A size in words."""
    if result.how.norm == "inf":
        return f"{size:g}/255 at any pixel"
    return f"{size:.4g}/255 as the root of the sum of squares"


def size_note(path: Path, shape: Preprocessing) -> str:
    """A remark where a file's picture has another size than the fooled one; empty where it has not."""
    height, width = shape.reading
    (own_width, own_height), _ = read_header(path)
    if (own_width, own_height) == (width, height):
        return ""
    name = printable(path.name)
    return f"{width}x{height} pixels, as the model sees it; {name} has {own_width}x{own_height}"


def fool_text(result: Fooling) -> str:
    """What changed and what the model says, in words."""
    names, (before, after) = distinct(result.model.classes), result.answers
    file = printable(result.file)
    one, two = result.probabilities
    method = f"{result.how.method}, 1 step" if result.how.method == "fgsm" else _method(result.how)
    if not result.fooled:
        goal = "anything else" if result.target is None else names[result.target]
        bound = result.most if result.searched else result.size
        reached = result.how.confidence and f" with {100 * result.how.confidence:g} %"
        return (
            f"{file}: {names[before]} {100 * one[before]:.1f} %, not fooled: nothing up to "
            f"{format_size(result, bound)} makes it {goal}{reached or ''} by {method}; allow more with "
            f"{'--most' if result.searched else '--epsilon'}, or try --method pgd and more --iterations"
        )
    lines = [
        f"{file}: {names[before]} {100 * one[before]:.1f} %  ->  {names[after]} {100 * two[after]:.1f} %",
        f"  changed by at most {result.largest}/255 at any pixel; the root of the sum of squares is "
        f"{result.root:.4g}/255; {100 * float((result.change != 0).mean()):.1f} % of the numbers changed",
    ]
    if result.searched:
        failed = f"{format_size(result, result.below)} is not" if result.below else "no smaller one was tried"
        if result.how.norm == "inf" and result.size == 1:
            failed = "files hold no smaller one"
        lines.append(f"  {format_size(result, result.size)} is enough by {method}; {failed}")
    else:
        lines.append(f"  allowed: {format_size(result, result.size)}, by {method}")
    classes = shown_classes(result)
    width = max(len("class"), *(cells(names[index]) for index in classes))
    lines += ["", f"  {'class':<{width}}    before     after"]
    lines += [
        f"  {padded(names[index], width)}  {100 * one[index]:6.1f} %  {100 * two[index]:6.1f} %"
        for index in classes
    ]
    return "\n".join(lines)


def _method(settings: Attack) -> str:
    return f"{settings.method}, {settings.steps} steps"


def noise_text(result: Noise) -> str:
    """Every class and how sure the model is, in words."""
    names = distinct(result.model.classes)
    width = max(cells(names[index]) for index in result.classes)
    lines = [
        f"{result.reached} of {len(result.classes)} seen in noise with {100 * result.confidence:g} % or more "
        f"({result.gradients:,} gradients)"
    ]
    lines += [
        f"  {padded(names[index], width)}  {100 * float(result.start[row, index]):6.2f} % in the noise itself"
        f"  ->  {100 * share:6.2f} %{'' if share >= result.confidence else '   not reached: --iterations'}"
        for row, (index, share) in enumerate(zip(result.classes, result.shares, strict=True))
    ]
    return "\n".join(lines)


def class_text(result: ClassPictures) -> str:
    """Every class with its score and probability."""
    names = distinct(result.model.classes)
    width = max(cells(names[index]) for index in result.classes)
    return "\n".join(
        f"  {padded(names[index], width)}  score {value:8.2f}   probability {100 * float(row[index]):6.2f} %"
        for index, value, row in zip(result.classes, result.scores, result.probabilities, strict=True)
    )


def robustness_text(result: Robustness) -> str:
    """The curve as a table."""
    low, high = (100 * share for share in result.interval(result.clean))
    lines = [
        f"{result.title}: {result.pictures:,} pictures",
        f"  unchanged: {100 * result.clean / result.pictures:.2f} % right "
        f"(95 % interval {low:.2f} to {high:.2f})",
        "",
        f"  largest change   random signs   1 step (fgsm)   {result.steps} steps (pgd)   95 % interval",
    ]
    for index, size in enumerate(result.sizes):
        shares = {name: 100 * counts[index] / result.pictures for name, counts in result.right.items()}
        low, high = (100 * share for share in result.interval(result.right["pgd"][index]))
        lines.append(
            f"  {size:>8g}/255   {shares['random']:10.2f} %   {shares['fgsm']:11.2f} %   "
            f"{shares['pgd']:12.2f} %   {low:6.2f} to {high:.2f}"
        )
    return "\n".join(lines)
