"""The split adds up exactly for any run of any contract, and what it rounds is small."""

from hypothesis import given, settings
from hypothesis import strategies as st

from journals import ETHUSD, XBTUSD, XBTUSD_2018, XBTUSDT, Writer
from market_maker import contracts
from market_maker.backtest.figures import figures

PRICES = {"XBTUSD": (5_000, 120_000), "ETHUSD": (100, 5_000), "XBTUSDT": (5_000, 120_000)}


@st.composite
def histories(draw):
    """An instrument, (start position, start mark, fills, funding payments, end mark); prices on the tick."""
    instrument = draw(st.sampled_from([XBTUSD, XBTUSD_2018, ETHUSD, XBTUSDT]))
    low, high = PRICES[instrument["symbol"]]
    tick, lot = instrument["tickSize"], instrument["lotSize"]
    prices = st.integers(int(low / tick), int(high / tick)).map(lambda ticks: round(ticks * tick, 2))
    lots = st.integers(1, 500).map(lambda count: count * lot)
    fill = st.tuples(st.sampled_from(["Buy", "Sell"]), lots, prices, prices, st.booleans())
    return (
        instrument,
        draw(st.integers(-300, 300)) * lot,
        draw(prices),
        draw(prices),
        draw(st.lists(fill, max_size=30)),
        draw(st.lists(st.integers(-(10**6), 10**6), max_size=3)),
        draw(prices),
    )


def booked(instrument, quantity, price):
    """execCost, as the venue books it: of inverse contracts bought is negative, of others sold."""
    units = contracts.cost(instrument, quantity, price)
    return -units if (contracts.kind(instrument) == contracts.INVERSE) == (quantity > 0) else units


@given(histories())
@settings(max_examples=100, deadline=None)
def test_the_split_adds_up_exactly_and_rounds_little(history):
    instrument, start, start_mark, start_mid, fills, fundings, end_mark = history
    made, balance, held = Writer(instrument), 10**10, start
    made.add("decision", 0, cause="start", outcome="nothing to do", position=start, margin_balance=balance)
    made.account(0, balance, start, start_mark)
    made.touch(0, start_mid - 1, start_mid + 1)
    balance -= booked(instrument, start, start_mark)
    for number, (side, size, price, mid, is_maker) in enumerate(fills, 1):
        quantity = size if side == "Buy" else -size
        cost = booked(instrument, quantity, price)
        fee = contracts.fee(instrument, abs(cost), is_maker)
        made.touch(number, mid - 1, mid + 1)
        made.fill(number, side, size, price, bid=mid - 1, ask=mid + 1, cost=cost, fee=fee, liquidity="maker" if is_maker else "taker")
        balance -= cost + fee
        held += quantity
    for number, payment in enumerate(fundings):
        made.add("funding", 40, exec_id=f"f{number}", rate=0.0, position=held, cost=0, fee=payment)
        balance -= payment
    balance += booked(instrument, held, end_mark)
    made.account(50, balance, held, end_mark)
    found = figures(made.end(60, end_balance=balance))

    assert found["profit"] == balance - 10**10 == sum(found["split"].values())
    assert found["split"]["inventory"] == sum(found["inventory_parts"].values())
    assert found["inventory_parts"]["unexplained"] == 0
    lots = (sum(size for _, size, _, _, _ in fills) + abs(start) + abs(held)) / instrument["lotSize"]
    assert abs(found["inventory_parts"]["rounding"]) <= lots / 2 + len(fills) + 3
    assert found["position"]["end"] == held
