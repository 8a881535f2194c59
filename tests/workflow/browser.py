"""Chromium without a window, driven over its pipe: needs no package and no port."""

import json
import os
import shutil
import subprocess
import time

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt install chromium")
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


class Browser:
    """One page that is sent to addresses and asked what it shows; a context manager."""

    def __init__(self, profile, width=1600, height=1400):
        """Start Chromium with an empty profile folder; numbers are pixels."""
        read_command, self._write = os.pipe()
        self._read, write_answer = os.pipe()
        # Chromium reads file descriptor 3 and writes 4.
        script = f'exec "$0" "$@" 3<&{read_command} 4>&{write_answer}'
        arguments = [*OPTIONS, "--remote-debugging-pipe", f"--window-size={width},{height}"]
        self._process = subprocess.Popen(
            ["bash", "-c", script, CHROMIUM, *arguments, f"--user-data-dir={profile}"],
            pass_fds=(read_command, write_answer),
            stderr=subprocess.DEVNULL,
        )
        os.close(read_command)
        os.close(write_answer)
        self._received, self._calls, self._session = b"", 0, None
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(30)
        os.close(self._write)
        os.close(self._read)

    def open(self, address):
        """Go to an address; what it shows comes later."""
        self._call("Page.navigate", url="about:blank")  # else only the part after # would change
        self._call("Page.navigate", url=address)

    def ask(self, script):
        """Return what a JavaScript expression, or its promise, gives; None where it fails."""
        how = {"returnByValue": True, "awaitPromise": True}
        return self._call("Runtime.evaluate", expression=script, **how)["result"].get("value")

    def wait_for(self, *texts, script="document.body?.innerText", seconds=60):
        """Return the text of the page as soon as all of these are in it; fail after a while."""
        end = time.monotonic() + seconds
        while True:
            shown = self.ask(script) or ""
            missing = [text for text in texts if text not in shown]
            if not missing:
                return shown
            assert time.monotonic() < end, f"not shown: {missing}, but:\n{shown}"
            time.sleep(0.2)

    def _call(self, method, **parameters):
        self._calls += 1
        message = {"id": self._calls, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = json.loads(self._next())
            if answer.get("id") == self._calls:
                assert "error" not in answer, answer
                return answer["result"]

    def _next(self):
        while b"\0" not in self._received:
            more = os.read(self._read, 1 << 16)
            assert more, "Chromium is gone"
            self._received += more
        message, _, self._received = self._received.partition(b"\0")
        return message
