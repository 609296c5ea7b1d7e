"""The page as one text of HTML: a model, the scripts and the words, and a policy that lets nothing out."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from residua.config import PageConfig
from residua.deploy.page.facts import describe_facts
from residua.deploy.page.packing import pack_network
from residua.deploy.page.preprocessing import describe_preprocessing
from residua.deploy.page.sources import kernel, page_script, read_source, served_script
from residua.errors import ConfigError
from residua.insight.saliency.figure import OVERLAY
from residua.models.model_file import Model
from residua.variables import flatten

if TYPE_CHECKING:
    from jinja2 import Environment

MOST_BYTES = 200_000_000  # of a page: beyond, browsers take minutes and telephones give up
_SCRIPTS = 200_000  # bytes of a page that are not the model's, at most
OWN_RULES = {"connect-src": "'none'", "script-src": " 'wasm-unsafe-eval'"}  # no address anywhere
SERVED_RULES = {"connect-src": "'self'"}  # the server that gave the page


@dataclass(frozen=True)
class ServedPage:
    """A page whose pictures a server answers, and the policy that its header says beside its own."""

    html: str
    policy: str


def page_html(model: Model, config: PageConfig) -> str:
    """The whole page. Raises ConfigError for a model that is too large or has layers that no page knows."""
    _check_size(model, config)
    facts = describe_facts(model, config)  # refuses options, which packing need not be waited for
    packed = pack_network(model, half=config.half)
    document = facts | packed.document
    document["preprocessing"] = describe_preprocessing(model.preprocessing)
    document["colours"] = OVERLAY
    inside = {"numbers": _coded(packed.content), "kernel": _coded(kernel()), "private": "private"}
    script, style = _whole(page_script()), read_source("interface/style.css")
    return _render(document, script, style, _policy(script, style, OWN_RULES), **inside)


def served_html(model: Model, config: PageConfig, name: str, names: Sequence[str]) -> ServedPage:
    """The page of a model that a server calls `name`, beside others. Raises ConfigError as `least_sure`."""
    document = describe_facts(model, config)
    document["preprocessing"] = describe_preprocessing(model.preprocessing)
    document |= {"names": list(model.classes), "address": f"/v1/models/{quote(name, safe='')}"}
    others = [
        {"name": other, "address": f"/page/{quote(other, safe='')}"} for other in names if other != name
    ]
    script, style = _whole(served_script()), read_source("interface/style.css")
    policy = _policy(script, style, SERVED_RULES)
    html = _render(document, script, style, policy, others=others, private="privateServed")
    return ServedPage(html, f"{policy}; frame-ancestors 'none'")


def _render(document: dict[str, Any], script: str, style: str, policy: str, **more: Any) -> str:
    texts = _json(json.loads(read_source("interface/texts.json")))
    about = {"version": version("residua"), "title": document["name"], "model": _json(document)}
    given = {"others": (), "kernel": "", "numbers": "", "texts": texts, **about, **more}
    template = _environment().get_template("page.html")
    return template.render(policy=policy, style=style, script=script, **given)


def _whole(script: str) -> str:
    return f'(() => {{\n"use strict";\n{script}\n}})();'


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


def _policy(script: str, style: str, more: dict[str, str]) -> str:
    """The content security policy: this script and this style, and what `more` allows (W3C CSP level 3)."""
    rules = {
        "default-src": "'none'",
        "script-src": f"'{_hash(script)}'",
        "style-src": f"'{_hash(style)}'",
        "img-src": "blob: data:",
        "media-src": "blob:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    rules["script-src"] += more.get("script-src", "")
    rules["connect-src"] = more["connect-src"]
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
