"""What became of every frame of a run, and when: a CSV of one line a frame, in the order they went in."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

State = Literal["answered", "dropped", "rejected"]
_STATES: dict[str, State] = {"answered": "answered", "dropped": "dropped", "rejected": "rejected"}
_COLUMNS = ("stamp_ns", "state", "sent_s", "arrived_s")


@dataclass(frozen=True, slots=True)
class Answer:
    """One frame.

    Attributes:
        stamp_ns: its acquisition stamp.
        state: "answered"; "rejected" as no picture; or "dropped": no answer for whatever other reason.
        sent_s: when it went in, s since the first one.
        arrived_s: when its answer was there, on the same clock; None without an answer.
    """

    stamp_ns: int
    state: State
    sent_s: float
    arrived_s: float | None

    @property
    def latency_ms(self) -> float | None:
        """From going in to the answer."""
        return None if self.arrived_s is None else (self.arrived_s - self.sent_s) * 1e3


def write_answers(path: Path, answers: Iterable[Answer]) -> None:
    """As CSV; times to the microsecond."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(_COLUMNS)
        for answer in answers:
            arrived = "" if answer.arrived_s is None else f"{answer.arrived_s:.6f}"
            rows.writerow([answer.stamp_ns, answer.state, f"{answer.sent_s:.6f}", arrived])


def read_answers(path: Path) -> list[Answer]:
    """What `write_answers` wrote.

    Raises:
        ValueError: another file; the message names it.
        OSError: it cannot be read.
    """
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    try:
        if not rows or tuple(rows[0]) != _COLUMNS:
            raise ValueError("its columns are others")
        return [
            Answer(int(stamp), _STATES[state], float(sent), float(arrived) if arrived else None)
            for stamp, state, sent, arrived in rows[1:]
        ]
    except (ValueError, KeyError) as error:
        raise ValueError(f"{path}: expected lines of {', '.join(_COLUMNS)}: {error}") from error
