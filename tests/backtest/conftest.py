"""A run of the real bot for all tests of the report: four simulated minutes close to the touch, so that there is something to see."""

import pytest

CLOSE = {
    "ORDER_PAIRS": 3, "INTERVAL": 0.001, "MIN_SPREAD": 0.002, "RELIST_INTERVAL": 0.0005, "ORDER_START_SIZE": 300, "ORDER_STEP_SIZE": 200,
    "CHECK_POSITION_LIMITS": True, "MIN_POSITION": -3000, "MAX_POSITION": 3000,
}  # fmt: skip


@pytest.fixture(scope="session")
def runs_dir(tmp_path_factory):
    """A folder of runs with one in it."""
    from market_maker.backtest.job import Job
    from market_maker.backtest.run import run

    folder = tmp_path_factory.mktemp("runs")
    run(Job(minutes=4, settings=CLOSE, seed=7, runs_dir=str(folder)))
    return folder


@pytest.fixture
def traded(runs_dir):
    """That run, open for reading."""
    from market_maker.journal_reading import open_run

    run = open_run("last", str(runs_dir))
    yield run
    run.close()
