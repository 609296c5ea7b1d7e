"""A headless Firefox of the system, where there is one, spoken to by Marionette, its own protocol.

Playwright speaks to a Firefox of its own making alone. The protocol: JSON behind its length, over a port of
this computer (firefox-source-docs.mozilla.org/testing/marionette/Protocol.html).
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time

import pytest

PROGRAMS = ("firefox", "firefox-esr")
START_SECONDS = 60.0
PREFERENCES = {
    # Else the list of downloads opens by itself, when the file has long been there, and takes the keyboard.
    "browser.download.alwaysOpenPanel": False,
    "browser.download.folderList": 2,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "intl.locale.requested": "en-US",
    "media.navigator.permission.disabled": True,
    "media.navigator.streams.fake": True,
    "toolkit.telemetry.enabled": False,
}
# What explains a wait in vain: the line that the page announces, and where keys go.
STATE = """const line = document.getElementById("said"), held = document.activeElement;
    const keys = document.hasFocus() ? "go to" : "would go to the browser's own window, not to";
    return `#said reads "${line?.textContent ?? ""}", keys ${keys} ${held?.id || held?.nodeName}`;"""


class Firefox:
    """One window. Scripts run beside the page's own and see its document."""

    def __init__(self, port):
        self.socket = _connected(port)
        self.rest, self.number = b"", 0
        self._received()  # it says who it is
        self.ask("WebDriver:NewSession", {"strictFileInteractability": False})
        self.ask("WebDriver:SetTimeouts", {"script": 120_000})

    def ask(self, command, values=None):
        """What it says to a command."""
        self.number += 1
        message = json.dumps([0, self.number, command, values or {}]).encode()
        self.socket.sendall(b"%d:%s" % (len(message), message))
        kind, number, problem, found = self._received()
        assert (kind, number, problem) == (1, self.number, None), problem
        return found.get("value", found) if isinstance(found, dict) else found

    def _received(self):
        while b":" not in self.rest:
            self.rest += self._more()
        length, _, self.rest = self.rest.partition(b":")
        while len(self.rest) < int(length):
            self.rest += self._more()
        message, self.rest = self.rest[: int(length)], self.rest[int(length) :]
        return json.loads(message)

    def _more(self):
        some = self.socket.recv(1 << 16)
        assert some, "Firefox has ended"
        return some

    def go(self, address):
        """Open a page."""
        self.ask("WebDriver:Navigate", {"url": address})

    def run(self, script, *given):
        """What a script returns."""
        return self.ask("WebDriver:ExecuteScript", {"script": script, "args": list(given)})

    def run_later(self, script, *given):
        """What a script hands to its last argument."""
        return self.ask("WebDriver:ExecuteAsyncScript", {"script": script, "args": list(given)})

    def _found(self, selector):
        found = self.ask("WebDriver:FindElement", {"using": "css selector", "value": selector})
        return next(iter(found.values()))

    def click(self, selector):
        """As with a mouse."""
        self.ask("WebDriver:ElementClick", {"id": self._found(selector)})

    def press(self, key):
        """One key, wherever the focus is."""
        steps = [{"type": kind, "value": key} for kind in ("keyDown", "keyUp")]
        self.ask(
            "WebDriver:PerformActions", {"actions": [{"type": "key", "id": "keyboard", "actions": steps}]}
        )

    def give(self, selector, files):
        """Files to an input, as its dialogue does."""
        text = "\n".join(map(str, files))
        self.ask("WebDriver:ElementSendKeys", {"id": self._found(selector), "text": text})

    def wait(self, condition, seconds=60.0):
        """Until an expression is true."""
        end = time.monotonic() + seconds
        while not (found := self.run(f"return {condition}")):
            assert time.monotonic() < end, f"{condition} after {seconds:g} s: {self.run(STATE)}"
            time.sleep(0.05)
        return found


@pytest.fixture(scope="session")
def firefox(tmp_path_factory):
    """One for all tests; its downloads lie in `firefox.downloads`."""
    program = os.environ.get("RESIDUA_FIREFOX") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("no Firefox here: install one, or name it in RESIDUA_FIREFOX")
    profile, downloads = tmp_path_factory.mktemp("firefox"), tmp_path_factory.mktemp("downloads")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    wanted = PREFERENCES | {"marionette.port": port, "browser.download.dir": str(downloads)}
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in wanted.items()]
    (profile / "user.js").write_text("".join(lines))
    command = [program, "--headless", "--no-remote", "--marionette", "--profile", str(profile)]
    environment = os.environ | {"HOME": str(profile)}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    opened = None
    try:
        opened = Firefox(port)
        opened.downloads = downloads
        yield opened
    finally:
        if opened is not None:
            opened.socket.close()
        process.terminate()
        process.wait(30)


def _connected(port):
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            opened = socket.create_connection(("127.0.0.1", port), timeout=150)
        except OSError:
            assert time.monotonic() < end, "Firefox has not started"
            time.sleep(0.2)
        else:
            return opened
