"""`python -m market_maker` does what the script `marketmaker` does."""
from __future__ import absolute_import

import sys

from market_maker.cli import main

if __name__ == '__main__':
    sys.exit(main())
