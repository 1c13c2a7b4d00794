"""Processes that Ctrl-C reaches, however the tests were started."""

from collections.abc import Sequence


def interruptible(*command: str) -> Sequence[str]:
    """The command with SIGINT as it is in a terminal; the process is its own, not one of a shell around it.

    Under nohup, after `&` in a script and in some CI systems SIGINT is ignored. Children inherit that, and Python
    then raises no KeyboardInterrupt.
    """
    return ("env", "--default-signal=INT", *command)
