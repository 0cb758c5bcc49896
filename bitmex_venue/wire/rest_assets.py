"""Routes about currencies: what they are called, how many decimals their smallest unit stands for, and their networks.

Rules: open to everybody; the scales are those of bitmex-api.md 4.2 (XBt 8, USDt 6). Present in both profiles, though the real
venue had them from 2022 on: clients of today cannot load markets without them.

Known difference: nothing can be deposited or withdrawn on any network; withdrawals end in the ledger.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .rest import Call, Route, Routes


class Asset(NamedTuple):
    asset: str
    name: str
    scale: int
    network: str
    network_name: str
    fee: int


ASSETS = {
    "XBt": Asset("XBT", "Bitcoin", 8, "btc", "Bitcoin", 20_000),
    "USDt": Asset("USDT", "Tether", 6, "eth", "Ethereum", 5_000_000),
}


def get_assets(call: Call) -> Any:
    """The currencies that contracts settle in."""
    out = []
    for currency in call.venue.currencies():
        about = ASSETS[currency]
        network = {
            "asset": about.network,
            "tokenAddress": "",
            "depositEnabled": True,
            "withdrawalEnabled": True,
            "withdrawalFee": about.fee,
            "minFee": about.fee,
            "maxFee": about.fee * 500,
        }
        out.append(
            {
                "asset": about.asset,
                "currency": currency,
                "majorCurrency": about.asset,
                "name": about.name,
                "currencyType": "Crypto",
                "scale": about.scale,
                "enabled": True,
                "isMarginCurrency": True,
                "memoRequired": False,
                "networks": [network],
            }
        )
    return out


def get_networks(call: Call) -> Any:
    """The networks of those currencies."""
    return [
        {
            "network": about.network,
            "name": about.network_name,
            "currency": currency,
            "networkSymbol": about.network,
            "transactionExplorer": "",
            "tokenExplorer": "",
            "depositConfirmations": 1,
            "enabled": True,
        }
        for currency, about in ASSETS.items()
        if currency in call.venue.currencies()
    ]


ROUTES: Routes = {
    ("GET", "wallet/assets"): Route(get_assets),
    ("GET", "wallet/networks"): Route(get_networks),
}
