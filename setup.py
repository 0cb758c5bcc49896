"""Packaging. The bot installs on Python 2.7 and 3.8+; the venue comes along where it can run, on Python 3.10+."""
import io
import re
import sys
from os.path import abspath, dirname, join

from setuptools import find_packages, setup

HERE = dirname(abspath(__file__))


def read(*path):
    with io.open(join(HERE, *path), encoding='utf-8') as file:
        return file.read()


VERSION = re.search(r"__version__ = 'v?([^']+)'", read('market_maker', '__init__.py')).group(1)
# Python 2 would try to compile the sources of venue and lab while installing them, and fail.
PACKAGES = ['market_maker', 'market_maker.*'] + (['bitmex_venue', 'bitmex_venue.*'] if sys.version_info >= (3, 10) else [])
NOT_HERE = [] if sys.version_info >= (3, 11) else ['market_maker.backtest', 'market_maker.backtest.*']

setup(
    name='marketmaker-desk',
    version=VERSION,
    description='A market maker for the BitMEX API, and a BitMEX to run it on',
    long_description=read('README.md'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    packages=find_packages(HERE, include=PACKAGES, exclude=NOT_HERE),
    python_requires='>=2.7, !=3.0.*, !=3.1.*, !=3.2.*, !=3.3.*, !=3.4.*, !=3.5.*, !=3.6.*, !=3.7.*',
    install_requires=[
        'requests>=2.20,<2.28; python_version < "3"',
        'requests>=2.20; python_version >= "3"',
        'websocket-client>=0.57,<0.60; python_version < "3"',
        'websocket-client>=0.57; python_version >= "3"',
        'future>=0.18.2',
    ],
    extras_require={
        'paper': [
            'aiohttp>=3.9; python_version >= "3.10"',
            'sortedcontainers>=2.4; python_version >= "3.10"',
        ],
        'lab': [
            name + '; python_version >= "3.11"' for name in (
                'aiohttp>=3.9', 'sortedcontainers>=2.4', 'numpy>=1.26', 'polars>=1.0', 'hftbacktest>=2.4.4', 'plotly>=5.20', 'matplotlib>=3.8',
                'optuna>=3.6', 'distributed>=2024.1', 'tqdm>=4.66')
        ],
        'dev': [
            'pytest>=4.6,<5; python_version < "3"',
            'pytest>=7; python_version >= "3"',
            'pytest-cov; python_version >= "3.10"',
            'pytest-xdist>=3.5; python_version >= "3.10"',
            'hypothesis>=6; python_version >= "3.10"',
            'jsonschema>=4; python_version >= "3.10"',
            'ruff>=0.4; python_version >= "3.10"',
        ],
        'audit': [
            'bandit>=1.7; python_version >= "3.10"',
            'pip-audit>=2.6; python_version >= "3.10"',
        ],
        'fuzz': ['schemathesis>=4; python_version >= "3.10"'],
    },
    entry_points={'console_scripts': ['marketmaker = market_maker:run']},
    classifiers=[
        'Development Status :: 4 - Beta',
        'Environment :: Console',
        'Programming Language :: Python :: 2.7',
        'Programming Language :: Python :: 3',
        'Topic :: Office/Business :: Financial :: Investment',
    ],
)
