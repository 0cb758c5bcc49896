"""A headless Chromium that tests drive through its devtools: open a page, ask it things, move the mouse, see what it fetched."""

import json
import os
import subprocess
import urllib.request

import websocket

from running import wait_until

OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-port=0")


class Chromium:
    """One browser with one tab. `folder` is for its profile; `stop` ends it."""

    def __init__(self, path, folder):
        command = [path, *OPTIONS, f"--user-data-dir={folder}", "about:blank"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        told = os.path.join(folder, "DevToolsActivePort")
        assert wait_until(lambda: os.path.exists(told) and open(told).read().count("\n") >= 1, 60), "the browser did not start"
        address = f"http://127.0.0.1:{open(told).readline().strip()}/json"
        with urllib.request.urlopen(address, timeout=30) as answer:
            tab = next(tab for tab in json.load(answer) if tab["type"] == "page")
        self._socket = websocket.create_connection(tab["webSocketDebuggerUrl"], timeout=60, suppress_origin=True)
        self._number, self._fetched = 0, []
        for domain in ("Page", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        """A command of the devtools protocol; its result."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("method") == "Network.requestWillBeSent":
                self._fetched.append(answer["params"]["request"]["url"])
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def ask(self, expression):
        """The value of a JavaScript expression in the page."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def open(self, path, width=1280, scheme="light"):
        """Show a file in a window of this width and in this colour scheme, with what was fetched before forgotten."""
        self._fetched = []
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.set_scheme(scheme)
        self.call("Page.navigate", url=path.as_uri())

    def set_scheme(self, scheme):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def fetched(self):
        """Addresses that were asked for since the page was opened, but for the page itself and data within it."""
        self.ask("1")  # what was told before has been read then
        return [url for url in self._fetched[1:] if not url.startswith(("data:", "blob:"))]

    def drag(self, start, end):
        """Press the mouse at one place, (x, y), and let it go at another."""
        self._mouse("mouseMoved", start)
        self._mouse("mousePressed", start, button="left", clickCount=1)
        for part in (0.3, 0.6, 1.0):
            self._mouse("mouseMoved", [begin + part * (stop - begin) for begin, stop in zip(start, end, strict=True)], button="left")
        self._mouse("mouseReleased", end, button="left", clickCount=1)

    def double_click(self, place):
        for count in (1, 2):
            self._mouse("mousePressed", place, button="left", clickCount=count)
            self._mouse("mouseReleased", place, button="left", clickCount=count)

    def _mouse(self, kind, place, **more):
        self.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], **more)

    def stop(self):
        self._socket.close()
        self._process.terminate()
        self._process.wait(timeout=30)
