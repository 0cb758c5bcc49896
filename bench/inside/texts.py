"""Feed a file of texts to one program and say how much processor time it took. Its task comes as JSON on standard input, the answer goes to standard output.

{"reader": name, "path": file of texts, "limit": most changes to feed, or null, "least": fewest messages to time} -> {"seconds", "messages", "levels"}

A stream that is shorter than `least` is fed again and again, each time to a new reader: a few milliseconds would say more about a cold start.
"""

import json
import logging
import sys
import time

import readers


def main():
    task = json.load(sys.stdin)
    logging.disable(logging.INFO)
    with open(task["path"], encoding="utf-8") as file:
        head = json.loads(file.readline())
        texts = file.read().splitlines()
    images, changes = texts[: head["images"]], texts[head["images"] :][: task["limit"]]
    instrument = next(message["data"][0] for message in map(json.loads, images) if message["table"] == "instrument")
    readers.write_settings()
    seconds, messages = 0.0, 0
    while messages < max(1, min(task["least"], task["limit"] or task["least"])):
        feed, look = readers.READERS[task["reader"]](instrument)
        for text in images:
            feed(text)
        began = time.process_time()
        for text in changes:
            feed(text)
        seconds += time.process_time() - began
        messages += len(changes)
    print(json.dumps({"seconds": seconds, "messages": messages, "levels": look()}))


if __name__ == "__main__":
    main()
