"""A ROS domain that nobody else on this machine is in, so that a replay never talks to a live robot."""

import contextlib
import fcntl
import random
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Domain ids above 101 reach into Linux's ephemeral ports; low ones are where robots live.
_DOMAINS = range(40, 100)


@contextlib.contextmanager
def private_domain() -> Iterator[int]:
    """A free ROS_DOMAIN_ID, held by a lock file until the block ends.

    Raises:
        RuntimeError: every domain of the range is in use.
    """
    folder = Path(tempfile.gettempdir())
    for domain in random.sample(_DOMAINS, len(_DOMAINS)):
        with contextlib.ExitStack() as stack:
            try:
                lock = stack.enter_context((folder / f"hybrid_seg_domain_{domain}.lock").open("w"))
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            if _in_use(domain):
                continue
            yield domain
            return
    raise RuntimeError(f"no free ROS domain in {_DOMAINS.start}..{_DOMAINS.stop - 1}: end other ROS processes first")


def _in_use(domain: int) -> bool:
    """Whether a DDS participant of this machine holds one of the domain's unicast discovery ports (RTPS 9.6.1.1).

    The first participant may be gone while a later one is still there, so the ports of the first ten are tried.
    """
    for participant in range(10):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("", 7400 + 250 * domain + 10 + 2 * participant))
            except OSError:
                return True
    return False
