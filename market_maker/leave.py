"""`marketmaker cancel` and `marketmaker flatten`: take off the book what the bot has left there, by REST alone.

- Only orders of the symbol that carry our prefix are cancelled; the book is read again afterwards to see that they are gone.
- Flattening sends market orders that can only reduce the position, as often as it takes, up to a limit.
- A dry run says what it would do.
"""
from __future__ import absolute_import, division, print_function

import uuid

from market_maker import _settings_base as base
from market_maker.direct import Direct
from market_maker.utils import errors, log

TRIES = 5
NO_PAPER = ('There is no paper venue to %s on: one lives only as long as its bot, and takes its orders along. For a venue that was '
            'started by hand, give its address with --base-url and its key in BITMEX_API_KEY and BITMEX_API_SECRET.')

logger = log.get_logger()


def cancel(settings, venue=None):
    """Cancel our resting orders. Returns how many there were; raises an error when some are still there."""
    venue = venue or _venue(settings, 'cancel')
    found = rows = venue.own_orders()
    for _ in range(TRIES):
        if not rows or settings.DRY_RUN:
            break
        venue.cancel(rows)
        rows = venue.own_orders()
    if rows and not settings.DRY_RUN:
        raise errors.MarketMakerError('%d of our orders of %s are still on the book: run it again.' % (len(rows), settings.SYMBOL))
    logger.info('%s %d orders of %s.', 'Would cancel' if settings.DRY_RUN else 'Canceled', len(found), settings.SYMBOL)
    return len(found)


def flatten(settings, venue=None):
    """Cancel, then close the position. Raises an error when some of it is still held."""
    venue = venue or _venue(settings, 'flatten')
    cancel(settings, venue)
    held = venue.position()
    if settings.DRY_RUN or not held:
        logger.info('%s a position of %d contracts of %s.', 'Would close' if held else 'Nothing to close:', held, settings.SYMBOL)
        return
    for _ in range(TRIES):
        logger.info('Closing a position of %d contracts of %s.', held, settings.SYMBOL)
        try:
            venue.close_position(held, settings.ORDERID_PREFIX + uuid.uuid4().hex[:22])
        except errors.UnknownOutcome:  # it can only have reduced the position, which is read again
            pass
        held = venue.position()
        if not held:
            logger.info('The position in %s is closed.', settings.SYMBOL)
            return
    raise errors.MarketMakerError('%d contracts of %s are still held: the book was too thin to close them.' % (held, settings.SYMBOL))


def _venue(settings, word):
    if settings.BASE_URL == base.PAPER:
        raise errors.SettingsError(NO_PAPER % word)
    venue = Direct(settings)
    venue.log_in()
    return venue
