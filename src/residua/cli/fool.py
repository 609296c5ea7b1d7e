"""The verb fool."""

from __future__ import annotations

from typing import Annotated, Any

from residua.cli.shared import Options, Switch, print_line, print_pictures, printer
from residua.cli.terminal import Notes
from residua.config import FoolConfig
from residua.errors import ConfigError


def fool(
    model: str,
    file: str | None = None,
    /,
    *,
    noise: Switch = False,
    classes: Switch = False,
    curve: Switch = False,
    json: Switch = False,
    options: Annotated[FoolConfig, Options] = FoolConfig(),
) -> int:
    """Fool a model: change a picture a little, or noise until it is taken for something.

    Parameters
    ----------
    model
        A model file or a run folder.
    file
        A picture; for --curve a data set or a folder of pictures (what the model was trained on).
    noise
        Start from noise: pictures of nothing that the model is sure of, for --target or for every class.
    classes
        Draw the pictures that raise each class's score most.
    curve
        Measure how many pictures stay right under changes of rising size.
    json
        Print everything as JSON.
    """
    modes = [flag for flag, on in (("noise", noise), ("classes", classes), ("curve", curve)) if on]
    if len(modes) > 1:
        raise ConfigError(f"choose one of {' and '.join(f'--{flag}' for flag in modes)}")
    if modes in (["noise"], ["classes"]) and file is not None:
        raise ConfigError(f"--{modes[0]} starts from no picture: leave {file} out")
    if curve and options.target is not None:
        raise ConfigError("--curve counts any wrong answer: leave --target out")
    if not modes and file is None:
        raise ConfigError("fool needs a picture after the model, or --noise, --classes or --curve")
    work = {"noise": _noise, "classes": _classes, "curve": _curve}[modes[0]] if modes else _picture
    return work(model, file, json, vars(options))


def _picture(model: str, file: str | None, json: bool, options: dict[str, Any]) -> int:
    from residua import api
    from residua.insight.adversarial.text import fool_text

    assert file is not None
    result, drawn = api.fool(model, file, say=Notes(), on_result=printer(json, fool_text), **options)
    for what, path in zip(("Fooled picture", "Shown beside it"), drawn, strict=False):
        print_line(f"{what}: {path}", json)
    return 0 if result.fooled else 1


def _noise(model: str, file: str | None, json: bool, options: dict[str, Any]) -> int:
    from residua import api
    from residua.insight.adversarial.text import noise_text

    result, drawn = api.fool_from_noise(model, say=Notes(), on_result=printer(json, noise_text), **options)
    print_pictures(drawn, json)
    return 0 if result.reached == len(result.classes) else 1


def _classes(model: str, file: str | None, json: bool, options: dict[str, Any]) -> int:
    from residua import api
    from residua.insight.adversarial.text import class_text

    _, path = api.class_pictures(model, say=Notes(), on_result=printer(json, class_text), **options)
    print_pictures([path], json)
    return 0


def _curve(model: str, file: str | None, json: bool, options: dict[str, Any]) -> int:
    from residua import api
    from residua.insight.adversarial.text import robustness_text

    show = printer(json, robustness_text)
    _, path = api.robustness(model, file, say=Notes(), on_result=show, **options)
    print_pictures([path], json)
    return 0
