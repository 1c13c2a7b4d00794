"""From a recording to results in a recording: offline, through the real node, or results that are there already."""

import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hybrid_seg_ros.assessment.collect import network_part
from hybrid_seg_ros.assessment.playing_rates import find_peak, prober, rate_of
from hybrid_seg_ros.assessment.pooling import pooled_times
from hybrid_seg_ros.assessment.recorded_results import Frames, RecordedResults
from hybrid_seg_ros.assessment.recording_options import RecordingOptions
from hybrid_seg_ros.backends import BackendOptions
from hybrid_seg_ros.bags import BagError, run_offline
from hybrid_seg_ros.bags.answers import Answer, read_answers
from hybrid_seg_ros.bags.online import OnlineRun, ParameterValue, run_online
from hybrid_seg_ros.bags.results import MASK, NODE, OVERLAY, SCORE, SEMANTIC
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.detector import Outputs, open_detector
from hybrid_seg_ros.report.document import Network, Node, Rate


@dataclass(frozen=True, slots=True)
class Run:
    """Results and how they came about.

    Attributes:
        results: recording of the outputs.
        name: full name of the node that the outputs' topics belong to.
        network: what ran.
        node: how the images went through.
        answers: of every frame, in the order of the recording.
        late: whether results arrived at times of their own, so that delays mean something.
        problems: what is missing.
    """

    results: Path
    name: str
    network: Network
    node: Node
    answers: list[Answer]
    late: bool
    problems: list[str]


def run_recording(
    bag: Path, frames: Frames, bundle: Bundle, options: RecordingOptions, out: Path, *, progress: bool
) -> Run:
    """Results of a recording, as the options say; everything is made below `out`."""
    how = {"offline": _offline, "online": _online, "recorded": _recorded}[options.mode]
    return how(bag, frames, bundle, options, out, progress)


def _offline(bag: Path, frames: Frames, bundle: Bundle, options: RecordingOptions, out: Path, progress: bool) -> Run:
    precision = None if options.precision == "auto" else options.precision
    detector = open_detector(
        bundle.path,
        backend=options.backend,
        input_size=options.input_size,
        threshold=options.threshold,
        options=BackendOptions(precision=precision),
    )
    answers = out / "answers.csv"
    with contextlib.closing(detector):
        summary = run_offline(
            bag,
            out / "results",
            detector,
            bundle.manifest,
            image_topic=frames.topic,
            outputs=Outputs.ALL,
            distro=options.distro,
            storage=options.storage,
            overlay=options.overlay,
            answers=answers,
            progress=progress,
        ).to_dict()
        network = network_part(bundle, detector.info, detector.input_size, options.threshold)
    found = _complete(read_answers(answers), frames)
    node = _node("offline", found, summary)
    problems = [p for p in summary["extra"].get("problems", []) if p not in frames.problems]
    if summary["rejected"]:
        problems.append(f"{summary['rejected']} images were rejected; the first: {summary['first_rejection']}")
    return Run(out / "results", NODE, network, node, found, False, problems)


def _online(bag: Path, frames: Frames, bundle: Bundle, options: RecordingOptions, out: Path, progress: bool) -> Run:
    answers = out / "answers.csv"
    run = OnlineRun(
        bag=bag,
        work_dir=out / "logs",
        target=out / "results",
        parameters=_parameters(bundle, options),
        image_topic=frames.topic,
        outputs=(SEMANTIC, SCORE, MASK, *((OVERLAY,) if options.overlay else ())),
        rate=options.speed,
        running_node=options.running_node,
        answers=answers,
        distro=options.distro,
        storage=options.storage,
        progress=progress,
    )
    summary = run_online(run)
    found = read_answers(answers)
    rates = [rate_of(summary, found, "recorded")]
    peak = None
    if frames.rate_hz > 0:
        for hz in options.rates_hz:
            rates.append(prober(run, frames.rate_hz, len(frames.stamps), out / "logs", "fixed")(hz))
        if options.peak:
            latency = summary["latency_ms"]
            guess = 1000 / latency["p50"] if latency else frames.rate_hz
            peak, tried = find_peak(prober(run, frames.rate_hz, len(frames.stamps), out / "logs", "peak"), guess)
            rates += tried
    values = _node_values(summary)
    network = network_part(bundle, None, options.input_size, options.threshold).model_copy(
        update={"backend": _backend(values), "precision": values.get("precision", "")}
    )
    node = _node("online", found, summary, rates=rates, peak_hz=peak)
    problems = [p for p in summary["extra"]["problems"] if p not in frames.problems]
    if summary["rejected"]:
        problems.append(f"the node rejected {summary['rejected']} images; the last: {summary['first_rejection']}")
    return Run(out / "results", options.running_node or NODE, network, node, found, True, problems)


def _recorded(bag: Path, frames: Frames, bundle: Bundle, options: RecordingOptions, out: Path, progress: bool) -> Run:
    if options.results is None:
        raise ValueError(f"{bag}: mode 'recorded' needs the recording of the node's outputs (option results)")
    name = options.running_node or NODE
    answered = RecordedResults(options.results, name).answered
    if not answered & set(frames.stamps):
        raise BagError(f"{options.results}: no result of {name} belongs to an image of {bag} ({frames.topic})")
    start = frames.stamps[0]
    found = [
        Answer(stamp, "answered" if stamp in answered else "dropped", (stamp - start) / 1e9, None)
        for stamp in frames.stamps
    ]
    network = network_part(bundle, None, options.input_size, options.threshold)
    return Run(options.results, name, network, _node("recorded", found, None), found, False, [])


def _parameters(bundle: Bundle, options: RecordingOptions) -> dict[str, ParameterValue]:
    """The options as parameters of the node."""
    parameters: dict[str, ParameterValue] = {
        "bundle": str(bundle.path.resolve()),
        "backend": options.backend,
        "precision": options.precision,
    }
    if options.input_size is not None:
        parameters |= {"input_width": options.input_size[0], "input_height": options.input_size[1]}
    if options.threshold is not None:
        name = "operating_point" if isinstance(options.threshold, str) else "threshold"
        parameters[name] = options.threshold
    return parameters


def _complete(answers: list[Answer], frames: Frames) -> list[Answer]:
    """Frames that a run did not come to were not answered either."""
    last = answers[-1].sent_s if answers else 0.0
    return answers + [Answer(stamp, "dropped", last, None) for stamp in frames.stamps[len(answers) :]]


def _node(
    mode: Literal["offline", "online", "recorded"],
    answers: list[Answer],
    summary: Mapping[str, Any] | None,
    *,
    rates: Sequence[Rate] = (),
    peak_hz: float | None = None,
) -> Node:
    states = Counter(answer.state for answer in answers)
    # The node says how many images it refused, not which: they are among those without an answer.
    rejected = max(states["rejected"], 0 if summary is None else int(summary["rejected"]))
    stages = {} if summary is None else summary["stages_ms"]
    return Node(
        mode=mode,
        frames_in=len(answers),
        answered=states["answered"],
        dropped=len(answers) - states["answered"] - rejected,
        rejected=rejected,
        latency_ms=pooled_times([a.latency_ms for a in answers if a.latency_ms is not None]),
        reported_ms={name: (stage["p50"], stage["p99"]) for name, stage in stages.items()},
        rates=list(rates),
        peak_hz=peak_hz,
    )


def _node_values(summary: Mapping[str, Any]) -> Mapping[str, str]:
    """What the node says of its backend on /diagnostics; empty where it does not."""
    for status in summary["extra"]["diagnostics"].values():
        if "backend" in status["values"] and "precision" in status["values"]:
            values: Mapping[str, str] = status["values"]
            return values
    return {}


def _backend(values: Mapping[str, str]) -> str:
    return f"{values['backend']} on {values['device']}" if "backend" in values and "device" in values else ""
