"""What was seen of a run, as columns: the journal's rows turned into numpy arrays once, for everything that is worked out of them.

Rules:

* The account counts from the first decision to the last account row: the first decision is taken when all images are in and before any
  order of ours. Where no decision was journalled the first account row takes its place.
* `worth` is the value of a position without the venue's rounding, with the sign of execCost (inverse: bought negative), so that a price's
  move makes worth(q, new) - worth(q, old), whatever the kind of contract. Source: bitmex-api.md 4.3, 4.4.
* A balance is often told, or read, at a newer mark than that of the account row beside it. Where nothing was filled or paid in between, the
  difference is what that mark made of the position, and the mark is reckoned from it.
* Of a touch with one side only there is no mid; the mid then is unknown until both are there again.
"""

import numpy as np

from market_maker import contracts

BUY = "Buy"
NEWER_MARK = 0.005  # of the position's value; more than this is no move of the mark within a second or two


class Observed:
    """The columns of one run (journal_reading.Run). Reads it once; nothing here changes afterwards.

    start, end -- seconds; start_balance, end_balance, deposits -- units of `currency`; start_position, end_position -- contracts, the
    latter what the fills made of the former; start_mark, end_mark -- the venue's mark prices, or the mids where it told none.
    """

    def __init__(self, run):
        about = run.about
        self.about = about
        self.instrument = about.get("instrument") or {}
        self.currency = about.get("currency") or contracts.settlement(self.instrument)
        self.multiplier = float(abs(self.instrument.get("multiplier") or 0))
        self.is_inverse = contracts.kind(self.instrument) == contracts.INVERSE
        self.start = about.get("started") or _first_moment(run)
        self.end = max(run.last_at() or self.start, self.start)
        self._read_touch(run)
        self._read_fills(run)
        self._read_account(run)

    def worth(self, quantity, price):
        """Signed units, unrounded, of `quantity` contracts at a price; both may be arrays."""
        if self.is_inverse:
            return -np.asarray(quantity) * self.multiplier / price
        return np.asarray(quantity) * self.multiplier * price

    def worth_units(self, quantity, price):
        """The same as the venue books it: whole units, rounded per lot."""
        units = contracts.cost(self.instrument, quantity, price)
        return units if (quantity < 0) == self.is_inverse else -units

    def mid_at(self, moments):
        """The mid that stood at each moment; NaN where none was known."""
        return at_moments(self.touch_at, self.mid, moments)

    #
    # Reading
    #
    def _read_touch(self, run):
        columns = _columns(run.touches(), 6)
        self.touch_at, self.bid, self.ask = _floats(columns[1]), _floats(columns[2]), _floats(columns[4])
        self.mid = (self.bid + self.ask) / 2

    def _read_fills(self, run):
        rows = list(run.fills(ours=False))
        ours = set(row.seq for row in run.fills())
        self.fill_seq = [row.seq for row in rows]
        self.fill_at = _floats([row.at for row in rows])
        self.fill_quantity = np.array([row.size if row.side == BUY else -row.size for row in rows], dtype=float)
        self.fill_price = _floats([row.price for row in rows])
        self.fill_is_ours = np.array([row.seq in ours for row in rows], dtype=bool)
        self.fill_is_maker = np.array([row.liquidity != "taker" for row in rows], dtype=bool)
        self.fill_orders = [row.order_id or row.cl_ord_id for row in rows]
        self.fill_mid = (_floats([row.bid for row in rows]) + _floats([row.ask for row in rows])) / 2
        unknown = np.isnan(self.fill_mid)
        if unknown.any():
            self.fill_mid[unknown] = self.mid_at(self.fill_at[unknown])
        self.fills_without_mid = int(np.isnan(self.fill_mid).sum())
        self.fill_mid = np.where(np.isnan(self.fill_mid), self.fill_price, self.fill_mid)
        self.fill_costs = [
            self.worth_units(quantity, row.price) if row.cost is None else row.cost
            for row, quantity in zip(rows, self.fill_quantity.astype(int).tolist(), strict=True)
        ]
        self.fill_fees = [
            contracts.fee(self.instrument, abs(cost), is_maker) if row.fee is None else row.fee
            for row, cost, is_maker in zip(rows, self.fill_costs, self.fill_is_maker.tolist(), strict=True)
        ]

    def _read_account(self, run):
        about = self.about
        decision = next(iter(run.decisions()), None)
        rows = [row for row in run.accounts()]
        fundings = list(run.fundings())
        self.funding_at, self.funding_fees = _floats([row.at for row in fundings]), [row.fee or 0 for row in fundings]
        told = [row for row in rows if row.margin_balance is not None]
        self.account_at, self.balances = _floats([row.at for row in told]), _floats([row.margin_balance for row in told])
        self.start_balance = _known(
            about.get("start_balance"), getattr(decision, "margin_balance", None), *[row.margin_balance for row in told[:1]]
        )
        self.end_balance = _known(about.get("end_balance"), *[row.margin_balance for row in told[-1:]], self.start_balance)
        self.deposits = about.get("deposits") or 0
        first = decision or next(iter(rows), None)
        self.start_position = getattr(first, "position", None) or 0
        self.end_position = self.start_position + int(self.fill_quantity.sum())
        self.told_position = _known(*[row.position for row in rows[::-1][:1]])
        marks = [row.mark_price for row in rows if row.mark_price is not None]
        mids = self.mid[~np.isnan(self.mid)]
        instrument = contracts.mark_price(self.instrument)
        self.start_mid = float(mids[0]) if len(mids) else _known(*self.fill_mid[:1].tolist(), *marks[:1], instrument)
        self.end_mid = float(mids[-1]) if len(mids) else _known(*self.fill_mid[-1:].tolist(), *marks[-1:], self.start_mid)
        self.start_mark = _known(*marks[:1], instrument, self.start_mid)
        self.end_mark = _known(*marks[-1:], self.end_mid)
        self.mark_is_told = bool(marks)
        self._value_positions(rows, fundings)

    def _value_positions(self, rows, fundings):
        """What the positions at both ends are worth at the marks of their balances, in units. See the rule about balances."""
        happened = sorted(self.fill_seq + [row.seq for row in fundings])
        first, last = (happened[0], happened[-1]) if happened else (None, None)
        before = [row for row in rows if row.position is not None and (first is None or row.seq < first)]
        after = [row for row in rows[-1:] if last is None or row.seq > last]
        self.start_value, self.start_mark = self._valued(self.start_position, self.start_mark, self.start_balance, before[:1])
        self.end_value, self.end_mark = self._valued(self.end_position, self.end_mark, self.end_balance, after)

    def _valued(self, position, mark, balance, rows):
        """(value in units, mark) of a position when the balance was read; `rows` holds the account row of about that time, or nothing."""
        value = self.worth_units(position, mark) if position else 0
        row = rows[0] if rows else None
        if not value or row is None or row.margin_balance is None or row.mark_price is None or row.position not in (None, position):
            return value, mark
        is_whole = row.wallet_balance is not None and row.unrealised_pnl is not None
        newer = balance - (row.wallet_balance + row.unrealised_pnl if is_whole else row.margin_balance)
        if not newer or abs(newer) > abs(value) * NEWER_MARK:
            return value, mark
        unit = position * self.multiplier
        return value + newer, (-unit / (value + newer) if self.is_inverse else (value + newer) / unit)

    def equity(self):
        """(moments, margin balance in units): the first and the last included; empty where no balance is known."""
        if self.start_balance is None:
            return np.empty(0), np.empty(0)
        at, balances = np.append(self.start, self.account_at), np.append(float(self.start_balance), self.balances)
        if balances[-1] != self.end_balance or at[-1] < self.end:
            at, balances = np.append(at, self.end), np.append(balances, float(self.end_balance))
        return np.maximum.accumulate(at), balances


def at_moments(at, values, moments):
    """The newest of `values`, known since `at` (ascending), at each moment; NaN before the first."""
    if not len(at):
        return np.full(len(moments), np.nan)
    place = np.searchsorted(at, moments, side="right") - 1
    return np.where(place < 0, np.nan, values[np.maximum(place, 0)])


def _columns(rows, count):
    return list(zip(*rows, strict=True)) or [()] * count


def _floats(values):
    return np.array(values, dtype=float)


def _known(*values):
    """The first that is not None; None where there is none."""
    return next((value for value in values if value is not None), None)


def _first_moment(run):
    moments = [row.at for rows in (run.decisions(), run.touches(), run.accounts()) for row in [next(iter(rows), None)] if row is not None]
    return min(moments) if moments else 0.0
