"""Makes docs/report.png: the top of the report of a real back-test, as headless Chromium shows it. Needs the lab and a Chromium.

    .venv/bin/python docs/make_report_picture.py

The run is the same every time (calm market, seed 7, quotes a few basis points from the mid, the fees of 2018); pixels depend on the fonts
of the machine, so no test compares them.
"""

import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from PIL import Image  # noqa: E402  (matplotlib brings it)

from market_maker.backtest.job import Job  # noqa: E402
from market_maker.backtest.report.material import Material  # noqa: E402
from market_maker.backtest.report.page import page  # noqa: E402
from market_maker.backtest.run import run  # noqa: E402

SETTINGS = {
    'ORDER_PAIRS': 3, 'INTERVAL': 0.0003, 'MIN_SPREAD': 0.0005, 'RELIST_INTERVAL': 0.0002, 'ORDER_START_SIZE': 300, 'ORDER_STEP_SIZE': 200,
    'CHECK_POSITION_LIMITS': True, 'MIN_POSITION': -3000, 'MAX_POSITION': 3000,
}
SIZE = (1280, 1484)
COLOURS = 128
OPTIONS = ('--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--virtual-time-budget=10000', '--blink-settings=preferredColorScheme=1')


def main():
    """Write the picture; the exit code."""
    browser = next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None)
    if browser is None:
        print('A Chromium is needed to take the picture, and none is installed.')
        return 2
    with tempfile.TemporaryDirectory() as folder:
        made = run(Job(market='calm', minutes=45, settings=SETTINGS, seed=7, profile='classic', runs_dir=folder))
        path, picture = os.path.join(folder, 'report.html'), os.path.join(folder, 'report.png')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(page([Material(made.run)], made.run.about['ended']))
        subprocess.run([browser, *OPTIONS, '--window-size=%d,%d' % SIZE, '--screenshot=' + picture, 'file://' + path], check=True,
                       stderr=subprocess.DEVNULL)
        Image.open(picture).convert('RGB').quantize(COLOURS, dither=Image.Dither.NONE).save(os.path.join(HERE, 'report.png'), optimize=True)
    print('Wrote docs/report.png, %d bytes.' % os.path.getsize(os.path.join(HERE, 'report.png')))
    return 0


if __name__ == '__main__':
    sys.exit(main())
