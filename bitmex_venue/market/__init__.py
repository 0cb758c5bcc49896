"""Who else trades on the venue: synthetic crowds around a moving index, or a recording.

    create("lively" | "calm" | "empty" | path of a file | paths, seed, profile_name) -> Market

A Market is told to `begin(exchange, now)` once, says by `next_time()` when it wants to act, and does so in
`act(now)`.
`market.matcher` is the matcher factory the Exchange has to be made with (None: its own), `market.describe()` a line
for people.
"""

from .base import BadMarketFile, Market
from .factory import create

__all__ = ["BadMarketFile", "Market", "create"]
