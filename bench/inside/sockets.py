"""Let one program read a replay server with its own socket and thread, and say how long that took.

{"reader": name, "port": where} -> {"cpu_s": seconds of this process, "done": moment of the monotonic clock at which the last message had arrived}
"""

import json
import logging
import os
import sys
import threading
import time

import readers

LOOK_S = 0.002
SETTLE_S = 1.2  # within the server's pause, so that what the start costs does not count


def ours(port):
    from market_maker.utils.clock import RealClock, Wakeup
    from market_maker.ws.ws_thread import BitMEXWebsocket

    reader = BitMEXWebsocket(RealClock(), Wakeup())
    reader.connect("http://127.0.0.1:%d/api/v1/" % port, "XBTUSD")
    return lambda: [reader.tables.row("trade") or {}]


def original(port):
    from market_maker.ws import ws_thread

    reader = ws_thread.BitMEXWebsocket()
    _aside(lambda: reader.connect("http://127.0.0.1:%d/api/v1/" % port, "XBTUSD", False))
    return lambda: reader.data.get("trade", [])


def bitmex_ws(port):
    import bitmex_websocket

    made = []

    class Known(bitmex_websocket.BitMEXWebsocket):
        """The constructor returns when it is connected; we want to look before."""

        def __new__(cls, *arguments, **options):
            made.append(super().__new__(cls))
            made[0].data = {}
            return made[0]

    _aside(lambda: Known("ws://127.0.0.1:%d/realtime" % port, "XBTUSD"))
    return lambda: made[0].data.get("trade", []) if made else []


READERS = {"ours": ours, "bitmex-market-maker": original, "bitmex-ws": bitmex_ws}


def _aside(connect):
    threading.Thread(target=connect, daemon=True).start()


def _wait(condition):
    end = time.monotonic() + 120
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("nothing came")
        time.sleep(LOOK_S)


def main():
    task = json.load(sys.stdin)
    logging.disable(logging.INFO)
    readers.write_settings()
    trades = READERS[task["reader"]](task["port"])
    _wait(lambda: trades() and trades()[-1])
    time.sleep(SETTLE_S)
    began = time.process_time()
    _wait(lambda: trades()[-1].get("trdMatchID") == "the end")
    done, cpu_s = time.monotonic(), time.process_time() - began
    print(json.dumps({"cpu_s": cpu_s, "done": done}), flush=True)
    os._exit(0)  # its threads are of no more use


if __name__ == "__main__":
    main()
