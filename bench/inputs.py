"""What every program of the bench is fed: texts of a realtime stream, generated or recorded.

Rules

* The same arguments make the same texts, on every Python: only `Random.random()` is asked.
* Rows of the image are ordered as the real one's: sells from the highest price down, then buys from the best down, which is by
  ascending id. The touch is in the middle.
* The book stays about as large as it began, and never crossed. Most changes happen near the touch: half of them within ten levels.
* The mix is that of XBTUSD on 2021-07-22 (ten symbols, 16 s): of a hundred messages about 50 update book rows, 22 insert, 22 delete, 4 are quotes, 1 trades;
  we add one of the instrument. Four out of five book messages have one row.

Known difference: the time stamps are not those of a real day, and sizes are uniform.
"""

from __future__ import annotations

import json
import math
import os
from bisect import bisect_left, insort
from random import Random
from typing import Any, NamedTuple

SYMBOL = "XBTUSD"
TICK = 0.5
MIDDLE = 64_360  # ticks: 32,180 USD
FIRST_ID = 8_800_000_000
RECORDED = os.path.join("data", "cryptofeed", "bitmex_ws_2021-07-22_first16s.jsonl")

UPDATE, INSERT, DELETE, QUOTE, TRADE = 0.50, 0.72, 0.94, 0.98, 0.99  # sums of shares; the rest is the instrument's
MORE_ROWS = 0.2
NEAR_LEVELS = 14.4  # mean distance from the touch: half of it within ten levels

BOOK_TYPES = {"symbol": "symbol", "id": "long", "side": "symbol", "size": "long", "price": "float"}
INSTRUMENT = {
    "symbol": SYMBOL, "rootSymbol": "XBT", "state": "Open", "typ": "FFWCSX", "listing": "2016-05-13T12:00:00.000Z",
    "front": "2016-05-13T12:00:00.000Z", "expiry": None, "settle": None, "positionCurrency": "USD", "underlying": "XBT",
    "quoteCurrency": "USD", "underlyingSymbol": "XBT=", "reference": "BMEX", "referenceSymbol": ".BXBT", "maxOrderQty": 10000000,
    "maxPrice": 1000000, "lotSize": 100, "tickSize": TICK, "multiplier": -100000000, "settlCurrency": "XBt",
    "underlyingToPositionMultiplier": None, "underlyingToSettleMultiplier": -100000000, "quoteToSettleMultiplier": None,
    "isQuanto": False, "isInverse": True, "initMargin": 0.01, "maintMargin": 0.004, "riskLimit": 20000000000, "riskStep": 15000000000,
    "makerFee": -0.0001, "takerFee": 0.0005, "fundingRate": 0.0001, "indicativeFundingRate": 0.0001, "prevClosePrice": 32001.5,
    "volume": 1000000, "volume24h": 400000000, "turnover24h": 1250000000000, "prevPrice24h": 31800, "lastPrice": 32180,
    "lastTickDirection": "PlusTick", "lastChangePcnt": 0.0119, "bidPrice": 32180, "midPrice": 32180.25, "askPrice": 32180.5,
    "openInterest": 500000000, "openValue": 1553000000000, "markPrice": 32179.8, "indicativeSettlePrice": 32177.4,
    "highPrice": 32500, "lowPrice": 31500, "vwap": 32000.1, "homeNotional24h": 12500.0, "foreignNotional24h": 400000000,
    "timestamp": "2021-07-22T22:36:00.000Z",
}  # fmt: skip


class Stream(NamedTuple):
    """`images` are the partials, `changes` what follows; both are texts."""

    name: str
    images: list[str]
    changes: list[str]


def generated(levels: int, changes: int, seed: int = 1, with_book: bool = True) -> Stream:
    """A stream of a book of so many levels a side; without a book, what a client that only wants quotes and trades is sent."""
    market = _Market(levels, seed)
    texts = [market.change() for _ in range(changes)] if with_book else [market.news() for _ in range(changes)]
    name = f"{levels:,} levels a side" if with_book else "quotes and trades"
    start = _Market(levels, seed)  # the images are of the moment before the first change
    return Stream(name, start.images() if with_book else start.images()[1:], texts)


def recorded(shared: str) -> Stream | None:
    """The stream recorded on 2021-07-22, or None where the folder `shared` has none.

    Partials of all symbols are its images; only the messages of XBTUSD follow, as no program of the bench is asked to know the other contracts.
    """
    try:
        with open(os.path.join(shared, RECORDED), encoding="utf-8") as lines:
            frames = [json.loads(line) for line in lines]
    except OSError:
        return None
    images, changes = _Market(1, 1).images()[3:], []
    for frame in frames:
        message = frame.get("msg")
        if frame["dir"] != "in" or "table" not in message or not message["data"] or message["data"][0]["symbol"] != SYMBOL:
            continue
        (images if message["action"] == "partial" else changes).append(_text(message))
    return Stream("recorded 2021-07-22", images, changes)


def save(stream: Stream, path: str) -> None:
    """One text a line, after a line that says how many of them are images."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(json.dumps({"name": stream.name, "images": len(stream.images)}) + "\n")
        file.writelines(text + "\n" for text in stream.images + stream.changes)


def load(path: str) -> Stream:
    with open(path, encoding="utf-8") as file:
        head = json.loads(file.readline())
        texts = file.read().splitlines()
    return Stream(head["name"], texts[: head["images"]], texts[head["images"] :])


class _Market:
    """A book of two sorted lists of ticks, and the chance that changes it."""

    def __init__(self, levels: int, seed: int) -> None:
        self._random = Random(seed).random
        self._levels = levels
        self._millis = 0
        # A side is a sorted list of distances from the middle, the best first: a price in ticks is MIDDLE + sign * distance.
        self._sides = {"Sell": self._ladder(), "Buy": self._ladder()}
        self._last = MIDDLE

    def _ladder(self) -> list[int]:
        out, place = [], 1
        for level in range(self._levels):
            out.append(place)
            place += 1 if self._random() < 0.9 or level < 10 else 2 + int(self._random() * 4)
        return out

    # ---- images

    def images(self) -> list[str]:
        """Partials: the book, quote, trade, instrument."""
        sells = [self._row("Sell", place, price=True) for place in reversed(self._sides["Sell"])]
        buys = [self._row("Buy", place, price=True) for place in self._sides["Buy"]]
        return [
            self._partial("orderBookL2", ["symbol", "id", "side"], BOOK_TYPES, sells + buys),
            self._partial("quote", [], {"symbol": "symbol", "bidPrice": "float"}, [self._quote()]),
            self._partial("trade", [], {"symbol": "symbol", "price": "float"}, [self._trade()]),
            self._partial("instrument", ["symbol"], {"symbol": "symbol"}, [INSTRUMENT]),
        ]

    @staticmethod
    def _partial(table: str, keys: list[str], types: dict[str, str], rows: list[Any]) -> str:
        return _text(
            {
                "table": table, "action": "partial", "keys": keys, "types": types, "foreignKeys": {"symbol": "instrument"},
                "attributes": {"symbol": "grouped"}, "filter": {"symbol": SYMBOL}, "data": rows,
            }  # fmt: skip
        )

    # ---- changes

    def change(self) -> str:
        """The next message."""
        chance = self._random()
        if chance < UPDATE:
            return self._book("update", self._update)
        if chance >= DELETE:
            return self._news(chance)
        surplus = sum(map(len, self._sides.values())) - 2 * self._levels
        grows = chance < INSERT if abs(surplus) <= self._levels // 20 else surplus < 0
        return self._book("insert", self._insert) if grows else self._book("delete", self._delete)

    def news(self) -> str:
        """The next message of a stream without a book: the same shares, and the touch moves between them."""
        for _ in range(3):
            (self._insert, self._delete)[self._random() < 0.5]()
        return self._news(DELETE + self._random() * (1 - DELETE))

    def _news(self, chance: float) -> str:
        if chance < QUOTE:
            return _message("quote", "insert", [self._quote() for _ in range(self._count())])
        if chance < TRADE:
            return _message("trade", "insert", [self._trade() for _ in range(self._count())])
        mark = (MIDDLE + self._random() * 10) * TICK
        row = {"symbol": SYMBOL, "markPrice": round(mark, 2), "fairPrice": round(mark, 2), "timestamp": self._time()}
        return _message("instrument", "update", [row])

    def _book(self, action: str, make: Any) -> str:
        rows = {}
        for _ in range(self._count()):
            row = make()
            rows.setdefault(row["id"], row)
        return _message("orderBookL2", action, list(rows.values()))

    def _count(self) -> int:
        count = 1
        while self._random() < MORE_ROWS and count < 12:
            count += 1
        return count

    def _side(self) -> str:
        return "Sell" if self._random() < 0.5 else "Buy"

    def _depth(self) -> int:
        """Levels from the touch."""
        return int(-math.log(1.0 - self._random()) * NEAR_LEVELS)

    def _update(self) -> dict[str, Any]:
        side = self._side()
        places = self._sides[side]
        return self._row(side, places[min(self._depth(), len(places) - 1)])

    def _delete(self) -> dict[str, Any]:
        side = self._side()
        if len(self._sides[side]) < self._levels:  # keep the book's size: take from the fuller side
            side = "Buy" if side == "Sell" else "Sell"
        places = self._sides[side]
        place = places.pop(min(self._depth(), len(places) - 1)) if len(places) > 1 else places[0]
        row = self._row(side, place)
        del row["size"]
        return row

    def _insert(self) -> dict[str, Any]:
        side = self._side()
        if len(self._sides[side]) > self._levels:
            side = "Buy" if side == "Sell" else "Sell"
        places = self._sides[side]
        place = places[0] + self._depth() - 2
        place = max(place, 1 - self._sides["Buy" if side == "Sell" else "Sell"][0])
        while True:  # the next free price outwards
            index = bisect_left(places, place)
            if index == len(places) or places[index] != place:
                break
            place += 1
        insort(places, place)
        return self._row(side, place, price=True)

    # ---- rows

    def _row(self, side: str, place: int, price: bool = False) -> dict[str, Any]:
        ticks = MIDDLE + place if side == "Sell" else MIDDLE - place
        row = {"symbol": SYMBOL, "id": FIRST_ID - ticks * 50, "side": side, "size": 100 * (1 + int(self._random() * 5000))}
        if price:
            row["price"] = _price(ticks)
        return row

    def _quote(self) -> dict[str, Any]:
        bid, ask = MIDDLE - self._sides["Buy"][0], MIDDLE + self._sides["Sell"][0]
        sizes = [100 * (1 + int(self._random() * 5000)) for _ in range(2)]
        return {
            "timestamp": self._time(), "symbol": SYMBOL, "bidSize": sizes[0], "bidPrice": _price(bid), "askPrice": _price(ask), "askSize": sizes[1],
        }  # fmt: skip

    def _trade(self) -> dict[str, Any]:
        side = self._side()
        ticks = MIDDLE + self._sides["Sell"][0] if side == "Buy" else MIDDLE - self._sides["Buy"][0]
        direction = "PlusTick" if ticks > self._last else "MinusTick" if ticks < self._last else "ZeroPlusTick"
        self._last, size = ticks, 100 * (1 + int(self._random() * 50))
        number = "".join(f"{int(self._random() * 65536):04x}" for _ in range(8))
        value = round(size / (ticks * TICK) * 1e8)
        return {
            "timestamp": self._time(), "symbol": SYMBOL, "side": side, "size": size, "price": _price(ticks), "tickDirection": direction,
            "trdMatchID": f"{number[:8]}-{number[8:12]}-{number[12:16]}-{number[16:20]}-{number[20:]}", "grossValue": value,
            "homeNotional": value / 1e8, "foreignNotional": size,
        }  # fmt: skip

    def _time(self) -> str:
        self._millis += int(self._random() * 20)
        seconds, millis = divmod(self._millis, 1000)
        return f"2021-07-22T{seconds // 3600 % 24:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{millis:03d}Z"


def _price(ticks: int) -> float:
    """As JavaScript writes it: whole numbers without a point."""
    return ticks // 2 if ticks % 2 == 0 else ticks * TICK


def _message(table: str, action: str, rows: list[Any]) -> str:
    return _text({"table": table, "action": action, "data": rows})


def _text(message: Any) -> str:
    return json.dumps(message, separators=(",", ":"))
