"""Fool a model on one picture: what was changed, how much, and what the model says before and after."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.config import FoolConfig
from residua.data.preprocessing import Preprocessing
from residua.engines import Engine, open_engine
from residua.errors import ConfigError, near
from residua.insight.adversarial.attacks import Attack, Attacked, attack, distance, smallest
from residua.insight.shared.pixel_model import Floats, PixelModel
from residua.models.model_file import Model

MANY = 20  # classes that an error does not name one by one
MOST_STEP = 32.0  # of 255, at any pixel
MOST_ROOT = 8.0  # of 255, at every number of a picture
STEPS = 40
# An answer is computed in another way than its gradient, and may differ in the last digits.
MARGINS = (1e-3, 1e-2, 0.1, 1.0)


@dataclass(frozen=True, eq=False)
class Fooling:
    """One picture before and after, (H, W, C) uint8 as read from files, and what the model says of both.

    probabilities: (2, classes). target: the class that was wanted, None for any other. size: how much was
    allowed; below: the largest size that the same method failed with, where the least was looked for
    (`searched`; 0 where none failed). most: up to where. png: the file, whose answer is the one after.
    gradients: how many were computed.
    """

    model: Model
    file: str
    before: NDArray[np.uint8]
    after: NDArray[np.uint8]
    probabilities: Floats
    target: int | None
    how: Attack
    searched: bool
    fooled: bool
    size: float
    below: float
    most: float
    gradients: int
    png: bytes = field(repr=False)

    @property
    def answers(self) -> tuple[int, int]:
        """The most probable classes before and after."""
        before, after = self.probabilities.argmax(axis=1).tolist()
        return before, after

    @property
    def change(self) -> NDArray[np.int16]:
        """(H, W, C): after - before."""
        return self.after.astype(np.int16) - self.before.astype(np.int16)

    @property
    def largest(self) -> int:
        """The largest change of any number, in steps of 8-bit pixels."""
        return int(np.abs(self.change).max())

    @property
    def root(self) -> float:
        """The root of the sum of squared changes, in steps of 8-bit pixels."""
        return float(distance(self.change[None].astype(np.float32), "l2")[0])

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; sizes are in steps of 8-bit pixels, 1 of 255."""
        names, before, after = self.model.classes, *self.answers
        return {
            "file": self.file,
            "fooled": self.fooled,
            "target": None if self.target is None else names[self.target],
            "before": {"class": names[before], "probability": float(self.probabilities[0, before])},
            "after": {"class": names[after], "probability": float(self.probabilities[1, after])},
            "probabilities": [
                {"class": name, "before": float(one), "after": float(two)}
                for name, one, two in zip(names, *self.probabilities, strict=True)
            ],
            "method": self.how.method,
            "norm": self.how.norm,
            "steps": 1 if self.how.method == "fgsm" else self.how.steps,
            "searched": self.searched,
            "size": self.size,
            "not_enough": self.below,
            "largest_change": self.largest,
            "root_of_squares": self.root,
            "changed_share": float((self.change != 0).mean()),
            "gradients": self.gradients,
        }


def find_class(model: Model, name: str) -> int:
    """The place of a class, whichever its capitals. Raises ConfigError with the nearest names."""
    folded = [entry.casefold() for entry in model.classes]
    if name in model.classes:
        return model.classes.index(name)
    if folded.count(name.casefold()) == 1:
        return folded.index(name.casefold())
    hint = near(name, model.classes)
    if hint.startswith(" Choose") and len(folded) > MANY:
        # Names of ImageNet hold several words for one class.
        holding = [entry for entry in model.classes if name.casefold() in entry.casefold()][:3]
        some = holding or list(model.classes[:3])
        told = " or ".join(repr(entry) for entry in some)
        hint = f" Did you mean {told}?" if holding else f" It has {len(folded):,}, such as {told}."
    raise ConfigError(f"{model.name} has no class {name!r}.{hint}")


def open_pixel_model(model: Model, config: FoolConfig, gradients: int) -> PixelModel:
    """The model on the engine that so many gradients are worth. Raises EngineError."""
    # A gradient takes a pass forward and, by inputs alone, about as much back; the reference takes both.
    engine = open_engine(config.engine, threads=config.threads, work=3 * model.work(gradients))
    return PixelModel(model, engine)


def fool_picture(
    model: Model, picture: NDArray[np.uint8], config: FoolConfig, name: str = "", engine: Engine | None = None
) -> Fooling:
    """Change one picture so that the model sees `config.target` in it, or anything else than now.

    picture: (H, W, C) uint8, as `model.preprocessing.read` gives it. The
    change is of `config.epsilon`, or the least that is enough, up to `config.most`; `fooled` tells whether
    any was. The answer after is that to the PNG's own bytes. Raises ConfigError for a model of one class,
    a class that there is not, and a target that is the answer already.
    """
    if len(model.classes) < 2:
        raise ConfigError(f"{model.name} knows one class alone: no other answer can come of it")
    target = None if config.target is None else find_class(model, config.target)
    seen = (
        open_pixel_model(model, config, 5 * (config.iterations or STEPS))
        if engine is None
        else PixelModel(model, engine)
    )
    shape = model.preprocessing
    part = shape.cut(picture)
    first = seen.probabilities(part[None])[0]
    answer = int(first.argmax())
    if target == answer and first[answer] >= (config.confidence or 0):
        told = f"{model.name} sees {model.classes[answer]} in {name or 'it'} already"
        raise ConfigError(f"{told} ({100 * first[answer]:.1f} %): name another class with --target, or none")
    how = Attack(config.method, config.norm, config.iterations or STEPS, config.seed)
    most = config.most or (MOST_STEP if how.norm == "inf" else MOST_ROOT * part.size**0.5)
    labels = np.array([answer if target is None else target])
    gradients = 0
    for margin in MARGINS:
        how = replace(how, confidence=config.confidence or 0.0, margin=margin)
        found = _change(seen, part, labels, config.epsilon, most, how, target is not None)
        gradients += found.gradients
        whole = picture.copy()
        shape.cut(whole)[:] = found.pictures[0].astype(np.uint8)
        png = to_png(whole)
        after = shape.read(png)
        second = seen.probabilities(shape.cut(after)[None])[0]
        best = int(second.argmax())
        fooled = (best != answer if target is None else best == target) and second[best] >= how.confidence
        if fooled or not found.fooled[0]:
            break
    return Fooling(
        model,
        name,
        picture,
        after,
        np.stack([first, second]),
        target,
        how,
        config.epsilon is None,
        bool(fooled),
        float(found.sizes[0]),
        float(found.below[0]),
        most,
        gradients,
        png,
    )


def _change(
    seen: PixelModel,
    part: NDArray[np.uint8],
    labels: NDArray[np.int64],
    epsilon: float | None,
    most: float,
    how: Attack,
    targeted: bool,
) -> Attacked:
    if epsilon is None:
        return smallest(seen, part[None], labels, most, how, targeted)
    return attack(seen, part[None], labels, np.array([epsilon]), how, targeted)


def to_png(picture: NDArray[np.uint8]) -> bytes:
    """A PNG file's bytes of an (H, W, 1 or 3) picture: without loss."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture).save(buffer, "PNG")
    return buffer.getvalue()


def file_name(words: Sequence[str]) -> str:
    """Words as a part of a file's name: letters, digits and dots are kept."""
    kept = ["".join(c if c.isalnum() or c in "._" else "-" for c in word).strip("-.") for word in words]
    return "-".join(word[:60] for word in kept if word)


def size_told(path: Path, shape: Preprocessing) -> str:
    """A remark where a file's picture has another size than the fooled one; empty where it has not."""
    from PIL import Image

    height, width = shape.reading
    with Image.open(path) as image:
        if image.size == (width, height):
            return ""
        return f"{width}x{height} pixels, as the model sees it; {path.name} has {image.width}x{image.height}"


def measure_told(found: Fooling, size: float) -> str:
    """A size in words."""
    if found.how.norm == "inf":
        return f"{size:g}/255 at any pixel"
    return f"{size:.4g}/255 as the root of the sum of squares"


def fool_text(found: Fooling) -> str:
    """What changed and what the model says, in words."""
    names, (before, after) = found.model.classes, found.answers
    one, two = found.probabilities
    way = f"{found.how.method}, 1 step" if found.how.method == "fgsm" else _way(found.how)
    if not found.fooled:
        wanted = "anything else" if found.target is None else names[found.target]
        tried = found.most if found.searched else found.size
        reached = found.how.confidence and f" with {100 * found.how.confidence:g} %"
        return (
            f"{found.file}: {names[before]} {100 * one[before]:.1f} %, not fooled: nothing up to "
            f"{measure_told(found, tried)} makes it {wanted}{reached or ''} by {way}; allow more with "
            f"{'--most' if found.searched else '--epsilon'}, or try --method pgd and more --iterations"
        )
    lines = [
        f"{found.file}: {names[before]} {100 * one[before]:.1f} %  ->  "
        f"{names[after]} {100 * two[after]:.1f} %",
        f"  changed by at most {found.largest}/255 at any pixel; the root of the sum of squares is "
        f"{found.root:.4g}/255; {100 * float((found.change != 0).mean()):.1f} % of the numbers changed",
    ]
    if found.searched:
        failed = f"{measure_told(found, found.below)} is not" if found.below else "no smaller one was tried"
        if found.how.norm == "inf" and found.size == 1:
            failed = "files hold no smaller one"
        lines.append(f"  {measure_told(found, found.size)} is enough by {way}; {failed}")
    else:
        lines.append(f"  allowed: {measure_told(found, found.size)}, by {way}")
    shown = shown_classes(found)
    wide = max(len("class"), *(len(names[place]) for place in shown))
    lines += ["", f"  {'class':<{wide}}    before     after"]
    lines += [
        f"  {names[place]:<{wide}}  {100 * one[place]:6.1f} %  {100 * two[place]:6.1f} %" for place in shown
    ]
    return "\n".join(lines)


def _way(how: Attack) -> str:
    return f"{how.method}, {how.steps} steps"


def shown_classes(found: Fooling, each: int = 3) -> list[int]:
    """The classes that matter: the first ones before, the first ones after, and the target."""
    order = np.argsort(-found.probabilities, axis=1, kind="stable")[:, :each]
    places = [*order[0].tolist(), *order[1].tolist()]
    if found.target is not None:
        places.append(found.target)
    return sorted(dict.fromkeys(places), key=lambda place: -float(found.probabilities[:, place].max()))
