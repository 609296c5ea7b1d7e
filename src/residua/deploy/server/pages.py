"""The page that a server gives to browsers: that of `residua page`, answered by the server."""

from __future__ import annotations

import threading
from weakref import WeakKeyDictionary

from starlette.responses import HTMLResponse, Response

from residua.config import PageConfig, ServeConfig
from residua.deploy.page.document import ServedPage, served_html
from residua.deploy.server.answering import Loaded, Served
from residua.deploy.server.state import State


class Pages:
    """A page for each model as it was loaded, made when it is first asked for."""

    def __init__(self, config: ServeConfig) -> None:
        self.config = PageConfig(reject=config.reject, reject_accuracy=config.reject_accuracy)
        self._made: WeakKeyDictionary[Loaded, ServedPage] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def page(self, state: State, served: Served) -> Response:
        """The page of one model, with links to those of the others."""
        loaded = served.loaded
        with self._lock:
            made = self._made.get(loaded)
            if made is None:
                made = self._made[loaded] = served_html(loaded.model, self.config, served.name, state.names)
        return HTMLResponse(made.html, headers={"Content-Security-Policy": made.policy, "Vary": "Accept"})
