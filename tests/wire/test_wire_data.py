"""`--data` from outside: what a bot sees of a venue that was killed and started again."""

import json
import signal
import subprocess
import sys
import time
import urllib.request

from wire_kit import ROOT

from bitmex_venue.__main__ import main
from bitmex_venue.wire.auth import signature


class Started:
    """A venue process that keeps its state in a directory."""

    def __init__(self, directory, *options):
        command = [sys.executable, "-m", "bitmex_venue", "--port", "0", "--ready-json", "--data", str(directory), *options]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.facts = json.loads(self.process.stdout.readline())

    def call(self, method, path, args=None, key=None):
        key = key or self.facts
        body = json.dumps(args).encode() if args is not None else b""
        expires = str(int(time.time()) + 60)
        text = signature(key["secret"], method, "/api/v1/" + path, expires, body)
        headers = {"api-key": key["key"], "api-expires": expires, "api-signature": text, "content-type": "application/json"}
        request = urllib.request.Request(self.facts["url"] + path, body or None, headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as reply:
            return json.loads(reply.read())

    def end(self, number=None):
        """Kill it, or let it end; returns the exit code and what it said on stderr."""
        if number is not None:
            self.process.send_signal(number)
        _, said = self.process.communicate(timeout=20)
        return self.process.returncode, said


def test_a_bots_key_orders_and_position_are_there_after_kill_9_and_after_a_clean_end(tmp_path):
    first = Started(tmp_path, "--market", "calm", "--no-rate-limit")
    bot = first.facts
    order = first.call("POST", "order", {"symbol": "XBTUSD", "orderQty": 100, "price": 1000.5})
    filled = first.call("POST", "order", {"symbol": "XBTUSD", "orderQty": 300, "ordType": "Market"})
    assert filled["ordStatus"] == "Filled"
    for n in range(20):
        last = first.call("POST", "order", {"symbol": "XBTUSD", "orderQty": 1, "price": 900 + n})
    first.end(signal.SIGKILL)
    second = Started(tmp_path, "--market", "calm", "--no-rate-limit", "--balance-xbt", "5")
    assert (second.facts["key"], second.facts["secret"]) == (bot["key"], bot["secret"])
    for venue in (second, Started):
        if venue is Started:
            assert second.end(signal.SIGTERM) == (0, "")
            venue = second = Started(tmp_path, "--market", "calm", "--no-rate-limit")
        found = {o["orderID"] for o in venue.call("GET", "order?filter=%7B%22open%22%3Atrue%7D", key=bot)}
        assert len(found) == 21 and {order["orderID"], last["orderID"]} <= found
        assert [p["currentQty"] for p in venue.call("GET", "position", key=bot)] == [300]
        assert [e["orderID"] for e in venue.call("GET", "execution/tradeHistory", key=bot)][:1] == [filled["orderID"]]
        assert venue.call("GET", "user/wallet", key=bot)["deposited"] == 10**8
    assert second.end() == (0, "")


def test_data_that_cannot_be_used_is_one_line_and_exit_code_1(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["--data", str(tmp_path / "file"), "--market", "empty"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("bitmex_venue: ") and said.count("\n") == 1 and "Traceback" not in said
