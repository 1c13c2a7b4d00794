"""All states of health as a table for people: what docs/health.md shows.

python -m hybrid_seg_ros.monitor.state_table     # prints it, with the defaults
"""

from hybrid_seg_ros.monitor.reaction import DEFAULTS
from hybrid_seg_ros.monitor.states import STATES, Timing


def states_table(timing: Timing) -> str:
    """A Markdown table in the order of HealthState, with the detection times that `timing` gives."""
    rows = [
        "| state | level | whose | meaning | detected within | default reaction |",
        "|---|---|---|---|---|---|",
    ]
    for state, info in STATES.items():
        within = f"{timing.seconds(info.detected_after):.3g} s = {info.detected_after}" if info.detected_after else "–"
        cells = (f"`{state.value}`", info.level.name, info.scope.value, info.sentence, within, DEFAULTS[state].word)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    print(states_table(Timing()), end="")
