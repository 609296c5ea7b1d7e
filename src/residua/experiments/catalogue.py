"""Which experiments there are, and where their files lie."""

from __future__ import annotations

from pathlib import Path

from residua.errors import ConfigError, near
from residua.experiments.recipe import Experiment, read_experiment

FOLDER = Path(__file__).with_name("recipes")


def experiment_names() -> list[str]:
    """The names of all experiments that residua brings."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def find_experiment(name: str) -> Experiment:
    """An experiment by its name, or out of somebody's own TOML file. Raises ConfigError."""
    names = experiment_names()
    if name in names:
        return read_experiment(FOLDER / f"{name}.toml")
    if name.endswith(".toml"):
        return read_experiment(Path(name).expanduser())
    raise ConfigError(f"there is no experiment {name!r}.{near(name, [*names, 'all', 'list'])}")


def chosen_experiments(names: tuple[str, ...]) -> list[Experiment]:
    """The experiments of those names, `all` spelled out, each once. Raises ConfigError."""
    if not names:
        raise ConfigError(f"experiment takes a name, a file, all or list.{near('', experiment_names())}")
    spelled = [one for name in names for one in (experiment_names() if name == "all" else [name])]
    return [find_experiment(name) for name in dict.fromkeys(spelled)]
