"""The back-test: the bot as it is, on recorded or synthetic markets, in simulated time. The one room that may import both packages.

Python 3.11+, with the packages of the extra `[lab]`; nothing else imports it before it is asked for.
"""
