"""The page about GPUs, docs/performance.md: what is calculated, what was measured, how to repeat it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hybrid_seg_ros.benchmark.gpu_floors import Speed, Work, post_floor, pre_floor
from hybrid_seg_ros.benchmark.performance_text import CARRY, FLOORS, HEAD, NOT_MEASURED, REPEAT
from hybrid_seg_ros.detector import Outputs

SCENARIOS = ("gpu_kernels", "gpu_frame", "gpu_eager", "gpu_soak")
DATA_SHEETS: Mapping[str, Speed] = {
    "H200 SXM": Speed(4.8e12, 132, 1.98e9),
    "H100 SXM": Speed(3.35e12, 132, 1.98e9),
    "GeForce RTX 4090": Speed(1.008e12, 128, 2.52e9),
    "Jetson AGX Orin 64 GB": Speed(204.8e9, 16, 1.3e9),
}
"""Bandwidth of device memory, SMs and boost clock as NVIDIA states them."""

_MASK = Outputs.LABELS | Outputs.MASK
_SCORE = _MASK | Outputs.SCORE


def write_performance(results: Path, target: Path) -> None:
    """Write the page from the gpu_*.json files of a folder; without any it says so."""
    files = [results / f"{name}.json" for name in SCENARIOS]
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in files if path.is_file()}
    target.write_text(page(found), encoding="utf-8")


def page(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Markdown, of results by scenario."""
    measured = "\n\n".join(render(found[name]) for name, render in _RENDERERS.items() if name in found)
    missing = [name for name in SCENARIOS if name not in found]
    notes = []
    if not found:
        notes.append(NOT_MEASURED)
    elif missing:
        notes.append(f"Not measured yet: {', '.join(missing)}.")
    parts = [HEAD, FLOORS, calculated(), "## Measured", *notes, *([measured] if measured else []), REPEAT, CARRY]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def calculated(work: Work | None = None) -> str:
    """The floors of the usual GPUs by their data sheets."""
    work = work or Work()
    rows = []
    for name, speed in DATA_SHEETS.items():
        pre = pre_floor(work, speed)
        posts = [post_floor(work, speed, outputs) for outputs in (_MASK, _SCORE)]
        rows.append(
            [name, f"{speed.bandwidth / 1e12:g}", _number(pre.us), *(f"{_number(p.us)} ({p.bound})" for p in posts),
             _number(pre.us + posts[0].us)]
        )  # fmt: skip
    head = ["GPU", "TB/s", "pre-kernel, µs", "post-kernel, label + mask, µs", "with the score, µs", "pre + post, µs"]
    return _table(head, rows)


def _number(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def _heading(result: Mapping[str, Any], gpu: Mapping[str, Any] | None) -> str:
    values = result["values"]
    where = (
        f"{gpu['name']} (compute capability {gpu['compute_capability']}, {gpu['sms']} SMs)" if gpu else "the same GPU"
    )
    by = f", network by **{values['network_library']}**" if "network_library" in values else ""
    tried = f", at {result['effort']:g} of the full effort: for trying out only" if result["effort"] < 1 else ""
    met = "yes" if result["passed"] else "**no**"
    return (
        f"### {result['scenario']}: {result['title']}\n\n"
        f"On {where}, {result['date']}{by}{tried}.\n\n"
        f"Target: {result['target']}. Measured: {result['measured']}. Met: {met}."
    )


def _kernels(result: Mapping[str, Any]) -> str:
    values = result["values"]
    kernels = {"pre-kernel": values["pre"], **{f"post-kernel, {k}": v for k, v in values["post"].items()}}
    rows = [
        [name, k["us"]["p50"], k["us"]["p99"], k["back_to_back_us"]["p50"], f"{k['bytes'] / 1e6:.1f}",
         k["byte_floor_us"], k["exp_floor_us"], f"{100 * k['share_of_floor']:.0f} %"]
        for name, k in kernels.items()
    ]  # fmt: skip
    head = [
        "kernel",
        "p50, µs",
        "p99, µs",
        "back to back, µs",
        "MB",
        "byte floor, µs",
        "exp floor, µs",
        "share of floor",
    ]
    frames = [
        [name.replace("_", "-"), v["frame_us"]["p50"], v["frame_us"]["p99"], v["copies_us"]["p50"],
         f"{v['over_copies']:.2f}", f"{v['device_over_copies']:.2f}"]
        for name, v in values["without_network"].items()
        if isinstance(v, dict) and "frame_us" in v
    ]  # fmt: skip
    frame_head = [
        "image in memory that is",
        "frame p50, µs",
        "p99, µs",
        "copies alone, µs",
        "ratio",
        "device time ratio",
    ]
    return "\n\n".join(
        [
            _heading(result, values["gpu"]),
            _table(head, rows),
            f"Two events with nothing between them are {values['events_alone_us']['p50']} µs apart, which is part of"
            f" every time above. A copy within device memory moved {values['gpu']['copy_tb_per_s']} TB/s: the floors'.",
            "Host image to host label and mask without the network, against page-locked copies of the same bytes:",
            _table(frame_head, frames),
        ]
    )


def _frame(result: Mapping[str, Any]) -> str:
    values = result["values"]
    rows = []
    for name, key in (("kernel by kernel", "kernel_by_kernel"), ("CUDA graph", "graph")):
        side = values[key]
        if "latency_ms" in side:
            latency, rate = side["latency_ms"], side["per_second"]
            rows.append([name, latency["p50"], latency["p99"], rate["1"], rate["2"]])
        else:
            rows.append([name, side["not measured"], "", "", ""])
    cost, cameras = values["hybrid_over_closed"], values["cameras"]
    shares = ", ".join(f"{name} {count}" for name, count in cameras["frames"].items())
    return "\n\n".join(
        [
            _heading(result, values["gpu"]),
            _table(["frame", "p50, ms", "p99, ms", "frames/s, one under way", "two under way"], rows),
            f"Hybrid over closed set: {100 * cost['cost']:+.2f} % of the frame, {100 * cost['device_cost']:+.2f} % of"
            " the device's time.",
            f"Cameras that all want more than there is, {cameras['seconds']:g} s: {shares} frames,"
            f" {cameras['per_second']} a second in all.",
        ]
    )


def _eager(result: Mapping[str, Any]) -> str:
    values = result["values"]
    rows = [
        [mode, side["torch_ms"]["p50"], side["torch_ms"]["p99"], side["ours_ms"]["p50"], f"{side['ratio']:.2f}"]
        if "ratio" in side
        else [mode, side["not measured"], "", "", ""]
        for mode, side in values["torch"].items()
    ]
    return "\n\n".join(
        [
            _heading(result, None),
            _table(["PyTorch", "p50, ms", "p99, ms", "the node's path, p50, ms", "ratio"], rows),
            f"{values['formula']}. Labels agree on {100 * values['labels_agree']:.2f} % of the pixels.",
        ]
    )


def _soak(result: Mapping[str, Any]) -> str:
    values = result["values"]
    rows = [
        [name, part["count"], part["settled_after"], f"{part['growth_bytes']:+d}"]
        for name, part in (("frames", values["frames"]), ("opened and closed", values["cycles"]))
    ]
    return "\n\n".join(
        [_heading(result, None), _table(["what", "how many", "counted after", "device memory, bytes"], rows)]
    )


_RENDERERS = {"gpu_kernels": _kernels, "gpu_frame": _frame, "gpu_eager": _eager, "gpu_soak": _soak}
