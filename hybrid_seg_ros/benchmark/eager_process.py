"""PyTorch in a process of its own that runs one turn at a time: torch never comes into this package."""

import json
import select
import subprocess
import sys
import tempfile
from typing import IO, Any

from hybrid_seg_ros.benchmark.scenario import NotMeasuredError


class EagerProcess:
    """A module of the training package that answers requests: one JSON object a line.

    Args:
        module: run by this Python.
        arguments: of its command line.
        timeout_s: for the first line, which describes the side; None = any time.

    Raises:
        NotMeasuredError: the training package is not installed, does not take the bundle, or is too slow.
    """

    def __init__(self, module: str, *arguments: str, timeout_s: float | None = None) -> None:
        self._module = module
        # A file, because a pipe that nobody empties would stop a compiler that has much to say.
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # closed in __exit__
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
        )
        try:
            self.about: dict[str, Any] = self._answer(timeout_s)
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> "EagerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._said.close()

    def turn(self, *, timeout_s: float | None = None, **request: object) -> dict[str, Any]:
        """One request and its answer.

        Raises:
            NotMeasuredError: the process ended, or took longer than `timeout_s`.
        """
        stdin = self._pipe(self._process.stdin)
        stdin.write(json.dumps(request).encode() + b"\n")
        stdin.flush()
        return self._answer(timeout_s)

    def _answer(self, timeout_s: float | None) -> dict[str, Any]:
        stdout = self._pipe(self._process.stdout)
        # Nothing of an answer lies in the pipe's buffer: there is one line a request, and it was read to its end.
        if timeout_s is not None and not select.select([stdout], [], [], timeout_s)[0]:
            raise NotMeasuredError(f"{self._module}: no answer within {timeout_s:g} s")
        line = stdout.readline()
        if not line:
            self._process.wait()
            self._said.seek(0)
            said = self._said.read().decode(errors="replace").strip().splitlines()
            raise NotMeasuredError(
                f"{self._module} ended: {said[-1] if said else 'without a word'}; install it with: make setup-training"
            )
        answer: dict[str, Any] = json.loads(line)
        return answer

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        if pipe is None:
            raise RuntimeError("the process has no pipe")
        return pipe
