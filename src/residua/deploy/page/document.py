"""The page as one text of HTML: a model, the scripts and the words, and a policy that lets nothing out."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from residua.config import PageConfig
from residua.deploy.page.facts import describe_facts
from residua.deploy.page.packing import pack_network
from residua.deploy.page.preprocessing import describe_preprocessing
from residua.deploy.page.sources import kernel, page_script, read_source
from residua.errors import ConfigError
from residua.models.model_file import Model
from residua.variables import flatten

if TYPE_CHECKING:
    from jinja2 import Environment

MOST_BYTES = 200_000_000  # of a page: beyond, browsers take minutes and telephones give up
_SCRIPTS = 200_000  # bytes of a page that are not the model's, at most


def page_html(model: Model, config: PageConfig) -> str:
    """The whole page. Raises ConfigError for a model that is too large or has layers that no page knows."""
    _check_size(model, config)
    facts = describe_facts(model, config)  # refuses options, which packing need not be waited for
    packed = pack_network(model, half=config.half)
    document = facts | packed.document
    document["preprocessing"] = describe_preprocessing(model.preprocessing)
    script, style = f'(() => {{\n"use strict";\n{page_script()}\n}})();', read_source("interface/style.css")
    return (
        _environment()
        .get_template("page.html")
        .render(
            policy=_policy(script, style),
            version=version("residua"),
            title=document["name"],
            style=style,
            script=script,
            texts=_json(json.loads(read_source("interface/texts.json"))),
            model=_json(document),
            numbers=_coded(packed.content),
            kernel=_coded(kernel()),
        )
    )


def _check_size(model: Model, config: PageConfig) -> None:
    """Raise ConfigError where a model would make a page that browsers cannot open."""
    numbers = sum(array.size for array in flatten(model.variables).values())
    size = numbers * (2 if config.half else 4) * 4 // 3 + _SCRIPTS
    if size > MOST_BYTES:
        small = "" if config.half or size > 2 * MOST_BYTES else "write it with --half, "
        most = f"{MOST_BYTES / 1e6:.0f} MB"
        raise ConfigError(
            f"a page with {model.name} would have {size / 1e6:,.0f} MB, and browsers open {most}: "
            f"{small}train a smaller network, or answer from this computer with `residua serve`"
        )


def _policy(script: str, style: str) -> str:
    """The content security policy: this script and this style, and no address anywhere (W3C CSP level 3)."""
    rules = {
        "default-src": "'none'",
        "script-src": f"'{_hash(script)}' 'wasm-unsafe-eval'",
        "style-src": f"'{_hash(style)}'",
        "img-src": "blob: data:",
        "media-src": "blob:",
        "connect-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _hash(text: str) -> str:
    return f"sha256-{_coded(hashlib.sha256(text.encode()).digest())}"


def _coded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _json(value: Any) -> str:
    """JSON that no tag can end."""
    return re.sub("[<>&]", lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, separators=(",", ":")))


def _environment() -> Environment:
    """The template; what is put into it is ours, or JSON, or escaped there."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("residua.deploy.page", "interface"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
