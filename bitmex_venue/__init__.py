"""A server that speaks the BitMEX REST and realtime protocol, with a real matching engine behind it."""

__version__ = "1.0.0"
