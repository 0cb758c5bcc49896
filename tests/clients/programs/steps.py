"""Shared by the programs here, which run in the environment of the client they try: steps taken, one by one, and reported.

A step is a function; what it returns is its value, what it raises its error. The report is one line of JSON on stdout.
"""
import asyncio
import json
import os
import sys
import time
import traceback

WHERE = json.loads(sys.argv[-1])
PATIENCE = 60  # seconds that something may take to happen

taken = {}


def step(name, function, *arguments, **options):
    """Take a step and return its value, None when it failed. Reported is the value of this moment."""
    value = None
    try:
        value = function(*arguments, **options)
        taken[name] = {'value': as_json(value)}
    except Exception:
        taken[name] = {'error': traceback.format_exc()}
    return value


async def astep(name, awaitable, patience=PATIENCE):
    """The same for something to be awaited, within `patience` seconds."""
    value = None
    try:
        value = await asyncio.wait_for(awaitable, patience)
        taken[name] = {'value': as_json(value)}
    except (Exception, asyncio.TimeoutError):
        taken[name] = {'error': traceback.format_exc()}
    return value


def as_json(value):
    return json.loads(json.dumps(value, default=str))


def until(condition, patience=PATIENCE):
    """Ask until the answer is true, and return it."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError('it did not happen within %s s' % patience)


def report():
    """Print what was found, and end at once: a client's own threads have no say."""
    print('\n' + json.dumps({'report': taken}, default=str), flush=True)
    os._exit(0)


def _give_up(kind, error, trace):
    taken['the program itself'] = {'error': ''.join(traceback.format_exception(kind, error, trace))}
    report()


sys.excepthook = _give_up
