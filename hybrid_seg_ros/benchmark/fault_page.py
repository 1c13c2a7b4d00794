"""docs/faults.md, written from what `hybrid-seg bench faults soak_cameras` measured.

    python -m hybrid_seg_ros.benchmark.fault_page docs/benchmarks docs/faults.md

A test holds the page against the results.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_HEAD = """\
# What happens when something goes wrong

Written by `python -m hybrid_seg_ros.benchmark.fault_page docs/benchmarks docs/faults.md` from what
`hybrid-seg bench faults soak_cameras --out docs/benchmarks` measured: the real node in a process of its own, cameras
and listeners in another one, DDS between them, simulated time, a network that costs nothing. What each state means is
in [health.md](health.md), which hazard it stands for in [safety.md](safety.md).
"""
_TRIALS = """
## One fault after the other

One camera at 15 Hz, all limits at their defaults (but `flood_hz` = 60). *Stated* is the time of health.md, *measured*
the time from the fault to the first `~/heartbeat` with that state, as a listener sees it, the longest of {rounds}
rounds; {way_s:g} s on top of the stated time are allowed for the way there. *Before* counts faulty images that were
answered before the fault could be known; afterwards none may be, on any topic: *wrong* counts these, results of images
that were never sent, results that come twice, out of order or more than a second late. *Recovered* is the time from the
end of the fault to the first result of a sound image. The node is never restarted.

| fault | state | reaction | stated, s | measured, s | before | wrong | recovered, s |
|---|---|---|---|---|---|---|---|
"""
_SOAK = """
## All of them at random

{minutes:g} minutes, {cameras} cameras at {rate_hz:g} Hz, seed {seed}; and again and again the network returns NaN,
raises, and hangs. {due} of the camera faults lasted longer than their state may take while the network did not hang;
{told} of them were told.

| camera | sent | frames in | out | dropped | bad | failed | idle | discarded | silenced | not accounted for |
|---|---|---|---|---|---|---|---|---|---|---|
"""


def page(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Markdown of the results that are there, by scenario."""
    text = _HEAD
    if "faults" in results:
        text += _trials(results["faults"])
    if "soak_cameras" in results:
        text += _soak(results["soak_cameras"])
    return text


def _trials(result: Mapping[str, Any]) -> str:
    values = result["values"]
    rows = [
        f"| {fault['fault']} | {_code(fault['state'])} | {fault['reaction']} | "
        f"{_time(fault['stated_s'], fault['state'])} | {_time(fault['measured_s'], fault['state'])} | "
        f"{fault['before']} | {len(fault['wrong'])} | {fault['recovered_s']:.2f} |"
        for fault in values["faults"]
    ]
    return _TRIALS.format(**values) + "\n".join(rows) + "\n" + _measured(result)


def _soak(result: Mapping[str, Any]) -> str:
    values = result["values"]
    head = _SOAK.format(**{**values, "minutes": values["seconds"] / 60, "cameras": len(values["cameras"])})
    keys = ("sent", "frames in", "frames out", "dropped", "bad", "failed", "idle", "discarded", "silenced", "missing")
    rows = [f"| {name} | " + " | ".join(str(row[key]) for key in keys) + " |" for name, row in values["frames"].items()]
    faults = ", ".join(f"{name} {count}" for name, count in sorted(values["faults"].items()))
    memory, answered, sent = values["memory"], values["others_answered"], values["others_sent"]
    share = f"{answered / sent:.1%}" if sent else "none"
    said = (
        f"\n*Sent* and *frames in* differ by what best-effort DDS lost. Faults: {faults}. Resident memory "
        f"{memory['warm_mib']:.1f} MiB after the warm-up, {memory['end_mib']:.1f} MiB at the end. While one camera had "
        f"a fault, {share} of the other cameras' images were answered. The longest time between two beats was "
        f"{values['longest_beat_s']:.2f} s, the oldest result {values['oldest_s']:.2f} s old; "
        f"{values['wrong']} of {values['results']} results were wrong, age aside.\n"
    )
    return head + "\n".join(rows) + "\n" + said + _measured(result)


def _measured(result: Mapping[str, Any]) -> str:
    machine = result["machine"]
    return (
        f"\nMeasured {result['date']} on {machine['cpu']}, {machine['cores']} cores. Met: "
        f"{'yes' if result['passed'] else '**no**'} ({result['target']}).\n"
    )


def _code(state: str) -> str:
    return f"`{state}`" if state else "none, rightly"


def _time(seconds: float, state: str) -> str:
    return f"{seconds:.2f}" if state else "–"


def read(folder: Path) -> dict[str, Mapping[str, Any]]:
    """The results in a folder by scenario."""
    paths = {name: folder / f"{name}.json" for name in ("faults", "soak_cameras")}
    return {name: json.loads(path.read_text(encoding="utf-8")) for name, path in paths.items() if path.is_file()}


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(page(read(Path(sys.argv[1]))), encoding="utf-8")
