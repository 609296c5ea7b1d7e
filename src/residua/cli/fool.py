"""The verb that fools trained models."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from residua.cli.terminal import to_stderr
from residua.config import FoolConfig
from residua.errors import ConfigError

_Switch = Annotated[bool, Parameter(negative="")]


def fool(
    model: str,
    file: str | None = None,
    /,
    *,
    noise: _Switch = False,
    classes: _Switch = False,
    curve: _Switch = False,
    json: _Switch = False,
    options: Annotated[FoolConfig, Parameter(name="*")] = FoolConfig(),
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
    import json as json_module

    asked = [flag for flag, on in (("noise", noise), ("classes", classes), ("curve", curve)) if on]
    if len(asked) > 1:
        raise ConfigError(f"choose one of {' and '.join(f'--{flag}' for flag in asked)}")
    if asked in (["noise"], ["classes"]) and file is not None:
        raise ConfigError(f"--{asked[0]} starts from no picture: leave {file} out")
    if curve and options.target is not None:
        raise ConfigError("--curve counts any wrong answer: leave --target out")
    if not asked and file is None:
        raise ConfigError("fool needs a picture after the model, or --noise, --classes or --curve")
    work = {"noise": _noise, "classes": _classes, "curve": _curve}[asked[0]] if asked else _picture
    found, text, drawn, code = work(model, file, vars(options))
    print(json_module.dumps(found) if json else text)
    for line in drawn:
        (to_stderr if json else print)(line)
    return code


_Told = tuple[dict[str, Any], str, list[str], int]


def _picture(model: str, file: str | None, options: dict[str, Any]) -> _Told:
    from residua import api
    from residua.insight.adversarial.numbers import fool_text

    assert file is not None
    found, drawn = api.fool(model, file, say=to_stderr, **options)
    lines = [
        f"{what}: {path}" for what, path in zip(("Fooled picture", "Shown beside it"), drawn, strict=False)
    ]
    return found.to_dict(), fool_text(found), lines, 0 if found.fooled else 1


def _noise(model: str, file: str | None, options: dict[str, Any]) -> _Told:
    from residua import api
    from residua.insight.adversarial.class_visualization import noise_text

    found, drawn = api.fool_from_noise(model, **options)
    code = 0 if found.reached == len(found.classes) else 1
    return found.to_dict(), noise_text(found), [f"Picture: {path}" for path in drawn], code


def _classes(model: str, file: str | None, options: dict[str, Any]) -> _Told:
    from residua import api
    from residua.insight.adversarial.class_visualization import class_text

    found, path = api.class_pictures(model, **options)
    return found.to_dict(), class_text(found), [f"Picture: {path}"], 0


def _curve(model: str, file: str | None, options: dict[str, Any]) -> _Told:
    from residua import api
    from residua.insight.adversarial.robustness import robustness_text

    found, path = api.robustness(model, file, say=to_stderr, **options)
    return found.to_dict(), robustness_text(found), [f"Picture: {path}"], 0
