"""A venue that does as it is told: it keeps orders without ever filling one, and knows to the microsecond when what was said and when what came back.

It speaks as much of the protocol as a market maker needs. No engine, so that nothing but the bot takes time. Moments are seconds of `time.perf_counter()`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import Any

from aiohttp import WSMsgType, web

from bench.inputs import INSTRUMENT, SYMBOL

START_BID, START_ASK = 32000.0, 32000.5
STAMP = "2021-07-22T22:36:00.000Z"
KEYS = {
    "instrument": ["symbol"], "order": ["orderID"], "execution": ["execID"], "orderBookL2_25": ["symbol", "id", "side"],
    "position": ["account", "symbol", "currency"], "margin": ["account", "currency"],
}  # fmt: skip
MARGIN = {
    "account": 1, "currency": "XBt", "riskLimit": 1000000000000, "amount": 10**10, "walletBalance": 10**10, "marginBalance": 10**10,
    "availableMargin": 10**10, "excessMargin": 10**10, "withdrawableMargin": 10**10, "timestamp": STAMP,
}  # fmt: skip
HEADERS = {"x-ratelimit-limit": "100000", "x-ratelimit-remaining": "99999", "x-ratelimit-reset": "9999999999"}


class ScriptedVenue:
    """`port` is known after `start`. `first_order` is when the first order arrived; `amended` is called with the time and count of each amend."""

    def __init__(self) -> None:
        self.bid, self.ask = START_BID, START_ASK
        self.first_order: float | None = None
        self.orders: dict[str, dict[str, Any]] = {}
        self.amends: asyncio.Queue[tuple[float, int]] = asyncio.Queue()
        self._sockets: set[web.WebSocketResponse] = set()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/realtime", self._realtime)
        app.router.add_route("*", "/api/v1/{path:.*}", self._rest)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        for socket in list(self._sockets):
            await socket.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1/"

    def forget(self) -> None:
        """Another bot comes."""
        self.first_order = None
        self.orders.clear()
        while not self.amends.empty():
            self.amends.get_nowait()

    async def move(self, ticks: int) -> float:
        """Move the touch, tell everybody, and return the moment at which that began."""
        self.bid, self.ask = self.bid + ticks * 0.5, self.ask + ticks * 0.5
        texts = [self._table("quote", "insert", [self._quote()]), self._table("instrument", "update", [self._instrument_change()])]
        began = time.perf_counter()
        for socket in list(self._sockets):
            for text in texts:
                await socket.send_str(text)
        return began

    # ---- rows

    def _quote(self) -> dict[str, Any]:
        return {"timestamp": STAMP, "symbol": SYMBOL, "bidSize": 100, "bidPrice": self.bid, "askPrice": self.ask, "askSize": 100}

    def _instrument_change(self) -> dict[str, Any]:
        mid = (self.bid + self.ask) / 2
        return {"symbol": SYMBOL, "bidPrice": self.bid, "midPrice": mid, "askPrice": self.ask, "timestamp": STAMP}

    def _image(self, table: str) -> list[dict[str, Any]]:
        if table == "instrument":
            return [dict(INSTRUMENT, **self._instrument_change())]
        if table == "orderBookL2_25":
            sides = (("Sell", 2, self.ask), ("Buy", 3, self.bid))
            return [{"symbol": SYMBOL, "id": number, "side": side, "size": 100, "price": price} for side, number, price in sides]
        trade = {"timestamp": STAMP, "symbol": SYMBOL, "side": "Buy", "size": 100, "price": self.bid}
        return {"quote": [self._quote()], "trade": [trade], "margin": [MARGIN]}.get(table, [])

    @staticmethod
    def _table(table: str, action: str, rows: list[Any], **more: Any) -> str:
        return json.dumps({"table": table, "action": action, **more, "data": rows}, separators=(",", ":"))

    # ---- realtime

    async def _realtime(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        for topic in request.query.get("subscribe", "").split(","):
            table, _, symbol = topic.partition(":")
            within = {"symbol": symbol} if symbol else {}
            await socket.send_str(json.dumps({"success": True, "subscribe": topic, "request": {"op": "subscribe", "args": [topic]}}))
            await socket.send_str(self._table(table, "partial", self._image(table), keys=KEYS.get(table, []), filter=within))
        self._sockets.add(socket)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT and message.data == "ping":
                    await socket.send_str("pong")
        finally:
            self._sockets.discard(socket)
        return socket

    async def _say_orders(self, action: str, rows: list[dict[str, Any]]) -> None:
        if rows:
            for socket in list(self._sockets):
                with contextlib.suppress(ConnectionError):  # who has seen enough is gone
                    await socket.send_str(self._table("order", action, rows))

    # ---- REST

    async def _rest(self, request: web.Request) -> web.Response:
        body = await request.read()
        arrived = time.perf_counter()
        verb, path = request.method, request.match_info["path"]
        asked = json.loads(body) if body else {}
        answer: Any = []
        if path in ("order", "order/bulk") and verb in ("POST", "PUT", "DELETE"):
            answer = await self._order_request(verb, asked, arrived)
        elif path == "order":
            answer = [row for row in self.orders.values() if row["leavesQty"]]
        elif path.startswith("instrument"):
            answer = self._image("instrument")
        elif path == "user/wallet":
            answer = {"account": 1, "currency": "XBt", "amount": 10**10, "deposited": 10**10, "withdrawn": 0}
        elif path == "user/margin":
            answer = MARGIN
        return web.json_response(answer, headers=HEADERS)

    async def _order_request(self, verb: str, asked: dict[str, Any], arrived: float) -> Any:
        if verb == "DELETE":
            numbers = asked.get("orderID", [])
            numbers = numbers if isinstance(numbers, list) else [numbers]
            rows = [self.orders.pop(number) for number in numbers if number in self.orders]
            for row in rows:
                row.update(leavesQty=0, ordStatus="Canceled")
            await self._say_orders("update", rows)
            return rows
        wanted = asked.get("orders", [asked])
        if verb == "PUT":
            self.amends.put_nowait((arrived, len(wanted)))
            rows = [self._amend(order) for order in wanted]
        else:
            self.first_order = self.first_order or arrived
            rows = [self._create(order) for order in wanted]
        await self._say_orders("update" if verb == "PUT" else "insert", rows)
        return rows if "orders" in asked else rows[0]

    def _create(self, order: dict[str, Any]) -> dict[str, Any]:
        number = f"00000000-0000-4000-8000-{len(self.orders):012d}"
        side = order.get("side") or ("Buy" if order["orderQty"] > 0 else "Sell")
        quantity = abs(order["orderQty"])
        self.orders[number] = {
            "orderID": number, "clOrdID": order.get("clOrdID", ""), "account": 1, "symbol": SYMBOL, "side": side, "orderQty": quantity,
            "price": order["price"], "ordType": "Limit", "timeInForce": "GoodTillCancel", "execInst": "", "ordStatus": "New",
            "workingIndicator": True, "leavesQty": quantity, "cumQty": 0, "avgPx": None, "text": "Submitted via API.", "transactTime": STAMP,
            "timestamp": STAMP,
        }  # fmt: skip
        return self.orders[number]

    def _amend(self, order: dict[str, Any]) -> dict[str, Any]:
        row = self.orders[order["orderID"]]
        row.update(price=order.get("price", row["price"]), orderQty=order.get("orderQty", row["orderQty"]))
        row["leavesQty"] = row["orderQty"]
        return row
