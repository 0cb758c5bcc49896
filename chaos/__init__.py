"""Everything that networks, gateways and venues do to a market maker, on purpose, and a score of what came of it.

Part (a) runs the real bot on an in-process venue in simulated time, part (b) as a process over sockets, part (c) a released
`bitmex-market-maker` through the same sockets. `python -m chaos` runs all three and writes `chaos/SCORECARD.md`.
"""
