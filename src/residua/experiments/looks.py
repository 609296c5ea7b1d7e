"""What an experiment looks at in the networks that it trained: verbs of insight, with their own options."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from residua import api
from residua.config import ExplainConfig, FoolConfig, InsideConfig, MistakesConfig
from residua.config.options import option_names
from residua.data.pictures.arrays import Pictures
from residua.errors import ConfigError, near
from residua.experiments.recipe import Look
from residua.experiments.training_runs import Say
from residua.insight.shared.picture_files import encode_png


def take_look(look: Look, run: Path, folder: Path, quick: bool, engine: str, say: Say) -> list[Path]:
    """The pictures that a look draws into the folder. Raises ResiduaError."""
    options: dict[str, Any] = {"engine": engine} | look.options | (look.quick if quick else {})
    options |= {"output": str(folder), "say": say}
    return [Path(path) for path in _LOOKS[look.verb](run, options)]


def check_look(look: Look) -> None:
    """Raise ConfigError for a verb that there is none of, or an option that it has not."""
    if look.verb not in _LOOKS:
        raise ConfigError(f"[[look]] knows no verb {look.verb!r}.{near(look.verb, _LOOKS)}")
    known = set(option_names(_CONFIGS[look.verb])) | ({"number"} if look.verb == "fool" else set())
    for name in look.options | look.quick:
        if name not in known:
            raise ConfigError(f"[[look]] {look.verb} has no option {name!r}.{near(name, known)}")


def _mistakes(run: Path, options: dict[str, Any]) -> list[Path]:
    return api.mistakes(run, **options)[1]


def _explain(run: Path, options: dict[str, Any]) -> list[Path]:
    return list(api.explain(run, **options | _tuples(options)).drawn)


def _inside(run: Path, options: dict[str, Any]) -> list[Path]:
    return api.inside(run, **options | _tuples(options))[1]


def _fool(run: Path, options: dict[str, Any]) -> list[Path]:
    """A test picture, by its number, is fooled: written as a file first, as anybody's would be."""
    number, folder = options.pop("number", 0), Path(options["output"])
    return api.fool(run, _test_picture(run, number, folder), **options)[1]


def _fool_from_noise(run: Path, options: dict[str, Any]) -> list[Path]:
    return api.fool_from_noise(run, **options)[1]


_LOOKS: dict[str, Callable[[Path, dict[str, Any]], list[Path]]] = {
    "mistakes": _mistakes,
    "explain": _explain,
    "inside": _inside,
    "fool": _fool,
    "fool-from-noise": _fool_from_noise,
}
_CONFIGS: dict[str, type] = {
    "mistakes": MistakesConfig,
    "explain": ExplainConfig,
    "inside": InsideConfig,
    "fool": FoolConfig,
    "fool-from-noise": FoolConfig,
}


def _tuples(options: dict[str, Any]) -> dict[str, Any]:
    """Lists, as TOML has them, as options have them."""
    return {name: tuple(value) for name, value in options.items() if isinstance(value, list)}


def _test_picture(run: Path, number: int, folder: Path) -> Path:
    from residua.config import EvaluateConfig
    from residua.insight.evaluation.predictions import find_pictures_of
    from residua.models.model_file import find_model, load_model

    model = load_model(find_model(run))
    pictures: Pictures = find_pictures_of(model, EvaluateConfig(), lambda line: None).pictures
    if number >= len(pictures):
        raise ConfigError(f"the test split has the pictures 0 to {len(pictures) - 1}, not {number}")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"test-{number}.png"
    path.write_bytes(encode_png(pictures.images[number]))
    return path
