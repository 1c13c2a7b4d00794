"""Running scenarios: each leaves one JSON file."""

import datetime
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hybrid_seg_ros.assessment.machine import machine, versions
from hybrid_seg_ros.bags.processes import ProcessError
from hybrid_seg_ros.benchmark.performance import SCENARIOS as GPU_SCENARIOS
from hybrid_seg_ros.benchmark.performance import write_performance
from hybrid_seg_ros.benchmark.report import write_report
from hybrid_seg_ros.benchmark.scenario import Context, NotMeasuredError, Scenario
from hybrid_seg_ros.bundle import Bundle


def run_scenarios(
    scenarios: Sequence[Scenario],
    bundle: Bundle,
    out: Path,
    *,
    data: Path | None = None,
    effort: float = 1.0,
    say: Callable[[str], None] = print,
    progress: bool = True,
) -> list[dict[str, Any]]:
    """Measure, write `out/<name>.json` and the table of everything measured so far, `out`.md beside the folder.

    Where GPUs were to be measured, performance.md is written beside it, too.

    A scenario that cannot be measured here, or whose node fails, is said and leaves an earlier result untouched.

    Args:
        scenarios: what to measure.
        bundle: the network.
        out: folder of the results; made.
        data: root of the research data sets, or None.
        effort: see `Context`.
        say: where lines for people go.
        progress: show progress bars on stderr.

    Returns:
        The results measured, as written.
    """
    out.mkdir(parents=True, exist_ok=True)
    results = []
    for number, scenario in enumerate(scenarios, 1):
        say(f"[{number}/{len(scenarios)}] {scenario.title}")
        work = Path(tempfile.mkdtemp(prefix=f"hybrid_seg_{scenario.name}_"))
        try:
            measured = scenario.measure(Context(bundle, work, data, effort, progress))
        except (NotMeasuredError, ProcessError) as error:
            say(f"      not measured: {error}")
            continue
        finally:
            shutil.rmtree(work, ignore_errors=True)
        say(f"      {measured.headline}  ({'target met' if measured.passed else 'TARGET MISSED'}: {scenario.target})")
        result = {
            "scenario": scenario.name,
            "title": scenario.title,
            "target": scenario.target,
            "passed": measured.passed,
            "measured": measured.headline,
            "values": without_paths(measured.values, (work, bundle.path)),
            "bundle": bundle.name,
            "effort": effort,
            "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
            "machine": machine(),
            "versions": versions(),
        }
        (out / f"{scenario.name}.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        results.append(result)
    write_report(out, out.with_suffix(".md"))
    if any(scenario.name in GPU_SCENARIOS for scenario in scenarios):
        write_performance(out, out.with_name("performance.md"))
    return results


def without_paths(value: Any, secrets: Sequence[Path]) -> Any:  # noqa: ANN401  # any JSON value
    """The value with this machine's folders cut to their last part: results are made to be published."""
    if isinstance(value, dict):
        return {key: without_paths(item, secrets) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_paths(item, secrets) for item in value]
    if isinstance(value, str) and value.startswith("/"):
        path = Path(value)
        if path.exists() or any(path.is_relative_to(secret) for secret in secrets):
            return path.name
    return value
