"""Routes about the currencies themselves: which there are, their scale, the networks they travel on.

Rules (bitmex-api.md 4.2, section 6)
* A currency's amounts are whole; `scale` is how many decimals make one coin: 8 for XBt, 6 for USDt.
* Both lists are public, and name only what the venue keeps wallets in.

Known differences: paper money reaches no chain, so nothing can be deposited through a network; withdrawals cost nothing.
The routes came into being with the second currency, late in the era of the classic profile; clients written since begin
with them on every profile.
"""

from __future__ import annotations

from typing import Any

from .rest import Call, Route, Routes

# currency: (asset, name, scale, networks); the first network is the currency's own chain
CURRENCIES: dict[str, tuple[str, str, int, tuple[str, ...]]] = {
    "XBt": ("XBT", "Bitcoin", 8, ("btc",)),
    "USDt": ("USDT", "Tether USD", 6, ("eth", "tron")),
}
# network: (name, currency of its fees, symbol)
NETWORKS: dict[str, tuple[str, str, str]] = {
    "btc": ("Bitcoin", "XBt", "BTC"),
    "eth": ("Ethereum", "Gwei", "ETH"),
    "tron": ("Tron", "sun", "TRX"),
}


def get_assets(call: Call) -> Any:
    return [
        {
            "asset": asset,
            "currency": currency,
            "majorCurrency": asset,
            "name": name,
            "currencyType": "Crypto",
            "scale": scale,
            "enabled": True,
            "isMarginCurrency": True,
            "memoRequired": False,
            "networks": [_way(network) for network in networks],
        }
        for currency, (asset, name, scale, networks) in CURRENCIES.items()
    ]


def _way(network: str) -> dict[str, Any]:
    """How a currency travels on a network."""
    return {
        "asset": network,
        "tokenAddress": "",
        "depositEnabled": False,
        "withdrawalEnabled": True,
        "withdrawalFee": 0,
        "minFee": 0,
        "maxFee": 0,
    }


def get_networks(call: Call) -> Any:
    return [
        {
            "network": network,
            "name": name,
            "currency": currency,
            "networkSymbol": symbol,
            "transactionExplorer": "",
            "tokenExplorer": "",
            "depositConfirmations": 0,
            "enabled": True,
        }
        for network, (name, currency, symbol) in NETWORKS.items()
    ]


ROUTES: Routes = {
    ("GET", "wallet/assets"): Route(get_assets),
    ("GET", "wallet/networks"): Route(get_networks),
}
