"""The words of the venue that changed with the years: one `Texts` for `classic` (2018 to 2021), one for `modern`.

Sources: bitmex-api.md 3.4 (amends), 3.5 (cancels), 3.7 (text grammar), 1.6 and 3.8 (refusals). `moves_transact_time`
says whether fills and cancels move transactTime (late 2025) or leave it (2018 to 2020), as amends never did (recorded in 2018, 2019);
`shows_pending` whether a margin row tells of money on its way out (until January 2023).
"""

from __future__ import annotations

from collections.abc import Sequence


class Texts:
    """The classic words; `Modern` overrides what changed."""

    name = "classic"
    margin_error_name = "ValidationError"
    moves_transact_time = False
    shows_market_price = True
    shares_unrealised = False
    sweeps_per_fill = False
    shows_pending = True
    not_found = "Unable to cancel order: Not found or not owned by user"

    def canceled(self, why: str, origin: str) -> str:
        """Text of an order cancelled on request."""
        return f"Canceled: {why}\n{origin}"

    def canceled_by_rule(self, rule: str, origin: str) -> str:
        """Text of an order that the engine cancelled, e.g. `Order had timeInForce of ImmediateOrCancel`."""
        return f"Canceled: {rule}\n{origin}"

    def amended(self, columns: Sequence[str], why: str, origin: str) -> str:
        return f"Amended {' '.join(columns)}: {why}\n{origin}"

    def wrong_state(self, status: str) -> str:
        """Refusal of an amend of an order that has ended."""
        return "Invalid ordStatus"

    def cannot_cancel(self, status: str) -> str:
        return f"Unable to cancel order due to existing state: {status}"


class Modern(Texts):
    name = "modern"
    margin_error_name = "HTTPError"
    moves_transact_time = True
    shows_market_price = False
    shares_unrealised = True
    sweeps_per_fill = True
    shows_pending = False
    not_found = "Unable to cancel order"

    def canceled(self, why: str, origin: str) -> str:
        return f"Canceled\n{why}"

    def amended(self, columns: Sequence[str], why: str, origin: str) -> str:
        return f"Amended {' '.join(columns)}\n{origin}"

    def wrong_state(self, status: str) -> str:
        return f"Invalid ordStatus: {status}"

    def cannot_cancel(self, status: str) -> str:
        return "Unable to cancel order"


CLASSIC = Texts()
MODERN = Modern()


def get(name: str) -> Texts:
    """`classic` or `modern`; ValueError for another name."""
    try:
        return {"classic": CLASSIC, "modern": MODERN}[name]
    except KeyError:
        raise ValueError(f"unknown texts {name!r}: classic or modern") from None
