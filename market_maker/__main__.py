"""`python -m market_maker` does what the script `marketmaker` does."""
from __future__ import absolute_import

import market_maker

if __name__ == '__main__':
    market_maker.run()
