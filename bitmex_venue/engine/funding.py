"""What perpetuals charge every eight hours, and the daily sweep of realised profit.

Rules (bitmex-api.md 4.3, 4.4, 4.5):

* funding is due at 04:00, 12:00 and 20:00 UTC; with a positive rate longs pay shorts;
* a position pays trunc(|markValue| x rate); what rounding leaves over goes to, or comes from, the funding pool;
* the payment is a Funding execution: execCost the notional, execComm the payment, lastQty the position's size;
* the rate of the next interval is the average premium of the last one plus a clamped interest term, capped at three
  quarters of the gap between initial and maintenance margin; it is told one interval ahead as the indicative rate;
* classic: realised profit moves to the wallet daily at 12:00 UTC, after funding.
"""

from __future__ import annotations

from . import contract_math, events
from .contract_math import E8
from .instruments import HOUR, Instrument

INTEREST_CLAMP_E8 = 50_000


def next_funding(now: int, interval: int) -> int:
    """The first funding time after `now`: multiples of the interval from 04:00 UTC."""
    offset = 4 * HOUR % interval
    return ((now - offset) // interval + 1) * interval + offset


def rate_from_premium(instrument: Instrument) -> int:
    """F = P + clamp(I - P, -0.05 %, 0.05 %), capped (e8), from the premiums gathered since the last funding."""
    spec = instrument.spec
    if not instrument.premium_count:
        return spec.interest_rate_e8
    premium = contract_math.div_half_away(instrument.premium_sum, instrument.premium_count)
    clamped = max(-INTEREST_CLAMP_E8, min(INTEREST_CLAMP_E8, spec.interest_rate_e8 - premium))
    cap = (spec.init_margin_e8 - spec.maint_margin_e8) * 3 // 4
    return max(-cap, min(cap, premium + clamped))


class Funding:
    """Charges funding for an exchange. `pool` is what rounding has left over, by currency."""

    def __init__(self, exchange, clearing) -> None:
        self.exchange = exchange
        self.clearing = clearing
        self.outbox = exchange.outbox
        self.pool: dict[str, int] = {}

    def charge(self, market) -> None:
        """Funding of one contract is due now."""
        instrument, now = market.instrument, self.exchange.now
        spec = instrument.spec
        rate = instrument.funding_rate_e8
        if instrument.state == "Open" and instrument.mark_e8 is not None:
            for position in list(instrument.holders):
                self._charge_one(position, rate)
            self.outbox.rest.append(events.FundingEvent(now, market.symbol, rate))
        instrument.funding_rate_e8 = instrument.indicative_funding_rate_e8
        instrument.indicative_funding_rate_e8 = rate_from_premium(instrument)
        instrument.premium_sum = instrument.premium_count = 0
        instrument.funding_timestamp = next_funding(now, spec.funding_interval)
        self.tell_rate(market)

    def tell_rate(self, market) -> None:
        instrument = market.instrument
        columns = {
            "funding_rate_e8": instrument.funding_rate_e8,
            "indicative_funding_rate_e8": instrument.indicative_funding_rate_e8,
            "funding_timestamp": instrument.funding_timestamp,
        }
        self.outbox.rest.append(events.InstrumentEvent(self.exchange.now, market.symbol, columns))

    def _charge_one(self, position, rate: int) -> None:
        instrument, account = position.instrument, position.account
        value = instrument.mark_value(position.current_qty)
        payment = contract_math.trunc_div(abs(value) * rate, E8)
        if position.current_qty < 0:
            payment = -payment
        position.pay(payment)
        currency = position.wallet.currency
        self.pool[currency] = self.pool.get(currency, 0) + payment
        if account.house:
            return
        self.outbox.positions[position] = None
        self.outbox.rest.append(
            events.ExecutionEvent(
                self.exchange.now, self.exchange.ids.next(), "Funding", position, {}, abs(position.current_qty),
                None, "", rate, value, payment,
            )
        )  # fmt: skip

    def sweep_all(self) -> None:
        """The daily move of realised profit to the wallets."""
        for account in self.exchange.accounts.values():
            for position in account.positions.values():
                if position.realised_pnl:
                    self.clearing.sweep(position)
