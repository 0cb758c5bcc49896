"""What has to be known to read a report: where prices came from, what our orders did to them, what is missing, what a figure leaves out."""

from market_maker.backtest.report.texts import money, number, plural, price

STATES = {"over": "over", "under way": "still going", "cut off": "cut off"}
TOUCH_ONLY = (
    "The market does not know of our orders. Where its data know the touch alone, an order away from it fills only when a trade goes "
    "through its price, and nobody knows who stood before us in the queue: fills are an estimate."
)
CUT_OFF = "The run was cut off (killed, or the machine went down): its journal ends without a last word, and up to a second may be missing."
FEW_FILLS = 30


def remarks(material):
    """Sentences, the most important first."""
    found = material.figures
    return [*_market(material, found), *_state(material, found), *_money(material, found), *_gaps(found), *_means(found)]


def _market(material, found):
    yield f"Prices: {material.market or 'the journal does not say where they came from'}."
    yield f"Effect of our own orders on the market: {material.market_effect or 'the journal does not say'}."
    if found["kind"] == "backtest" and str(material.market_effect).startswith("none"):
        yield TOUCH_ONLY


def _state(material, found):
    if found["kind"] == "dry-run":
        yield "A dry run sends nothing: there are no orders, fills or profits to report."
    if found["state"] == "under way":
        yield "The run is still going: everything here is as of now."
    if found["state"] == "cut off":
        yield CUT_OFF
    if material.about.get("exit_code"):
        yield f"The bot ended with exit code {material.about['exit_code']}."


def _money(material, found):
    held, end = found["position"]["end"], found["end_price"]
    if found["profit"] is None:
        yield "No balance is known, so there is no profit to split."
    elif held:
        source = "the mark price" if end["is_told"] else "the mid, as the venue told no mark price,"
        side = "long" if held > 0 else "short"
        yield (
            f"The {plural(abs(held), 'contract')} held at the end ({side}) count at {source} of {price(end['mark'], material.tick)}; "
            "closing them would cost the spread and a fee."
        )


def _gaps(found):
    code = found["currency"]
    if found["inventory_parts"] and found["inventory_parts"]["unexplained"]:
        yield (
            f"{money(found['inventory_parts']['unexplained'], code)} of the inventory is not accounted for by what the journal holds "
            "(missed fills, transfers, or positions in other contracts of the same currency)."
        )
    told = found["position"]["told"]
    if told is not None and told != found["position"]["end"]:
        yield f"The venue told of {number(told)} contracts at the end, the fills add up to {number(found['position']['end'])}."
    if found["foreign_fills"]:
        yield (
            f"{plural(found['foreign_fills'], 'trade')} of this account in the same contract came from no order of ours (by hand, or a "
            "liquidation): money and position include them, the figures of fills do not."
        )
    if found["fills_without_mid"]:
        yield f"Of {plural(found['fills_without_mid'], 'fill')} no mid is known: they count as having captured nothing."
    if found["deposits"]:
        yield f"{money(found['deposits'], code)} were paid in or out during the run: not in the profit, but in the curve of the balance."


def _means(found):
    if 0 < found["fills"] < FEW_FILLS:
        yield f"With {plural(found['fills'], 'fill')} every mean here is a rough guess; look at the standard errors."
    if found["sharpe"]["value"] is not None:
        yield (
            f"The Sharpe ratio comes from {number(found['sharpe']['samples'])} changes within one run and takes them for independent: "
            "it says how smooth this run was, hardly what others would bring."
        )
