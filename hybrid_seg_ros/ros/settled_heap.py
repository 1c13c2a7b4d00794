"""No pauses of a tenth of a second and more for Python's garbage collector, which stop the heartbeat, too."""

import gc


def settle_heap() -> None:
    """Take all that lives now out of the collector's sight; to be called when everything is loaded.

    A full collection looks through every object of every library loaded, and while it does no thread runs: 0.1 s, and
    0.4 s on a busy machine, every few minutes. What is loaded stays for as long as the node is configured. What a
    call before has hidden, and is garbage by now, is collected first.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
