"""`marketmaker report [RUN...]`: the last run, or those named, as a summary, a page and pictures.

Rules:

* Without --json: the summary on standard output, then where page and pictures are. With --json the figures and nothing else, and files
  only with --out.
* One run's report goes into its own folder, `report/`, and goes away with it; several runs' into `report-...` in the folder of runs. One
  that is there already is overwritten.
* What cannot be read or written is one line and exit code 2 or 1, as everywhere.
"""

import json
import os
import time

from market_maker import words
from market_maker.backtest.report import pictures
from market_maker.backtest.report.material import Material, differing_settings
from market_maker.backtest.report.page import page
from market_maker.backtest.report.remarks import remarks
from market_maker.backtest.report.summary import lines
from market_maker.backtest.report.thin import kept
from market_maker.journal_reading import LAST, open_run
from market_maker.runs import folder_of_runs
from market_maker.utils import errors, log

WHAT = "Show what a run did: profit and where it came from, fills, quotes, risk; as text, as a page for the browser and as pictures."
EXAMPLE = "marketmaker report              the last run\n  marketmaker report 20260921-1 20260922-1      two runs, side by side"
PAGE = "report.html"


def main(argv):
    """The exit code. Raises SettingsError for runs that are not there, MarketMakerError where files cannot be written."""
    asked = _parser().parse_args(argv)
    runs_dir = folder_of_runs(asked.runs_dir)
    names = asked.runs or [LAST]
    materials = [_read(name, runs_dir, len(names)) for name in names]
    if asked.json:
        print(log.redact(json.dumps(answer(materials), indent=2, sort_keys=True)))
    else:
        print("\n".join(lines(materials)))
    if asked.out or not asked.json:
        written = write(materials, asked.out or _folder(materials, runs_dir))
        if not asked.json:
            names = ", ".join(os.path.basename(path) for path in written[1:])
            print(f"\nPage:     {written[0]}\nPictures: {f'beside it: {names}' if names else 'none, there is nothing to draw'}")
    return errors.EXIT_OK


def answer(materials):
    """What --json tells: figures, remarks and settings of each run, and the settings that differ. The equity is as long as it is drawn."""
    return {
        "runs": [_told(material) for material in materials],
        "settings_that_differ": {name: values for name, values in differing_settings(materials)} if len(materials) > 1 else {},
    }


def write(materials, folder):
    """Write page and pictures into a folder, made where there is none; their paths, the page first. Raises MarketMakerError."""
    path = os.path.join(folder, PAGE)
    try:
        os.makedirs(folder, exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(page(materials, time.time()))
        return [path, *pictures.write(materials, folder)]
    except OSError as error:
        raise errors.MarketMakerError(f"The report could not be written to {folder}: {error.strerror}. --out names another folder.")


def _told(material):
    figures = dict(material.figures)
    at, balance = figures["equity"]["at"], figures["equity"]["balance"]
    chosen = kept(at, balance) if len(at) else []
    figures["equity"] = (
        {"at": at[chosen].tolist(), "balance": balance[chosen].astype(int).tolist()} if len(at) else {"at": [], "balance": []}
    )
    return {
        "name": material.name,
        "figures": figures,
        "settings": material.settings,
        "remarks": list(remarks(material)),
        "market": material.market,
        "market_effect": material.market_effect,
    }


def _read(name, runs_dir, beside):
    run = open_run(name, runs_dir)
    try:
        return Material(run, beside)
    finally:
        run.close()


def _folder(materials, runs_dir):
    if len(materials) == 1:
        return os.path.join(materials[0].path, "report")
    return os.path.join(runs_dir, f"report-of-{len(materials)}-{materials[0].name}-to-{materials[-1].name}")


def _parser():
    parser = words.Parser("report", WHAT, EXAMPLE)
    parser.add_argument(
        "runs", nargs="*", metavar="RUN", help="name of a run or the beginning of one, a folder or a journal (default: the last run)"
    )
    parser.add_argument("--runs-dir", metavar="FOLDER", help="where the runs are (default: RUNS_DIR of the settings)")
    parser.add_argument("--out", metavar="FOLDER", help="where page and pictures go (default: into the folder of the run)")
    parser.add_argument(
        "--json", action="store_true", help="print the figures as JSON, and nothing else; files are written only with --out"
    )
    return parser
