"""Feed many messages to our tables and say how much larger the process became.

{"path": file of texts, "messages": how many} -> {"messages", "grown_mb"}

The texts are fed over and over, images first, as after a reconnect. What counts is the growth after the first time round.
"""

import gc
import json
import logging
import os
import sys

import readers


def resident_mb():
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:  # not Linux: the highest so far, in kilobytes or, on a Mac, bytes
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def main():
    task = json.load(sys.stdin)
    logging.disable(logging.INFO)
    with open(task["path"], encoding="utf-8") as file:
        file.readline()
        texts = file.read().splitlines()
    feed, _ = readers.READERS["ours"](readers.INSTRUMENT)
    fed, before = 0, None
    while fed < task["messages"] or before is None:
        for text in texts:
            feed(text)
        fed += len(texts)
        if before is None:
            gc.collect()
            before, fed = resident_mb(), 0
    gc.collect()
    print(json.dumps({"messages": fed, "grown_mb": resident_mb() - before}))


if __name__ == "__main__":
    main()
