"""The node's health as diagnostic_msgs, without diagnostic_updater."""

import math
from collections.abc import Collection, Mapping

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from hybrid_seg_ros.monitor.camera_health import CameraVerdict
from hybrid_seg_ros.monitor.input_state import InputReport, InputState
from hybrid_seg_ros.monitor.reaction import Reaction
from hybrid_seg_ros.monitor.states import HealthState, headline, names, worst_level
from hybrid_seg_ros.ros.perception import Perception, threshold_of
from hybrid_seg_ros.ros.pipeline import Camera
from hybrid_seg_ros.ros.schema import Settings

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR

RECENT_S = 10.0
ODD_AGE_S = 60.0


def node_status(
    name: str,
    state: str,
    failure: str,
    progress: str,
    namesakes: int,
    settings: Settings,
    perception: Perception | None,
    states: frozenset[HealthState],
) -> DiagnosticStatus:
    """State of the node and its network.

    Args:
        name: name of the status.
        state: lifecycle state.
        failure: why the last transition failed, "" when it did not.
        progress: what takes so long at the moment, "" when nothing does.
        namesakes: other nodes with the same full name.
        settings: the parameters now.
        perception: what is configured, None before.
        states: the node's own states of health.
    """
    values: dict[str, object] = {
        "state": state,
        "states": names(states),
        "bundle": settings.bundle,
        "backend parameter": settings.backend,
    }
    faults = [failure] if failure else []
    if namesakes:
        faults.append(
            f"{namesakes} other node(s) of the same name publish on the same topics; rename one (__node:=...)"
        )
    if perception is not None:
        about = perception.detector.info
        busy = perception.worker.busy_for()
        point = settings.operating_point or perception.bundle.manifest.score.default
        values |= {
            "bundle": perception.bundle.manifest.name,
            "bundle path": perception.bundle.path,
            "backend": about.name,
            "backend reason": about.reason,
            "degraded": about.degraded,
            "device": about.device,
            "precision": about.precision,
            **about.details,
            "threshold from": f"operating point {point}" if math.isnan(settings.threshold) else "parameter threshold",
            "threshold": threshold_of(perception.bundle, settings),
            "busy": f"{busy:.3f} s",
            **{f"failures {kind}": count for kind, count in perception.pipeline.failures().items()},
        }
        if perception.pipeline.failure:
            faults.append(perception.pipeline.failure)
        parity = perception.health.parity
        values |= {"parity runs": parity.runs, "parity failures": parity.bad}
        merged = perception.merged
        values |= {"merged clouds": merged.published, "merged without": ", ".join(merged.missing)}
        if parity.problem:
            values["parity problem"] = parity.problem
        if HealthState.NETWORK_HUNG in states:
            faults.append(f"the network has run for {busy:.1f} s on one image")
        if HealthState.PARITY_DRIFT in states:
            faults.append(parity.problem)
    if faults:
        return _status(name, ERROR, "; ".join(faults), values)
    if state != "active":
        return _status(name, WARN, f"{state}: {progress or 'no results are published'}", values)
    level = bytes([worst_level(states)])
    degraded = perception.detector.info.degraded if perception is not None else ""
    if degraded:
        return _status(name, max(WARN, level), f"active, degraded: {degraded}", values)
    return _status(name, level, "active" if level == OK else f"active, {headline(states)}", values)


def camera_status(
    name: str,
    camera: Camera,
    dropped: int,
    settings: Settings,
    rate_out: float,
    verdict: CameraVerdict,
    reaction: Reaction,
    because: Collection[HealthState] = (),
) -> DiagnosticStatus:
    """State of one camera's input and what became of its images.

    Args:
        name: of the status.
        camera: everything about it.
        dropped: images that a newer one replaced.
        settings: its parameters now.
        rate_out: of results, Hz.
        verdict: its states of health.
        reaction: what is done about them.
        because: which states call for that, its own or the node's; those of the past where they deactivated it.
    """
    report, statistics = camera.channel.report(), camera.statistics
    stages = statistics.stages.summary()
    age_s = stages["stamp_to_published"].p50 / 1e3 if "stamp_to_published" in stages else 0.0
    level, message = judge_input(report, camera.channel.topic, settings, age_s)
    if verdict.level > level[0]:
        level, message = bytes([verdict.level]), verdict.headline
    if reaction is Reaction.DEACTIVATE:
        level, message = ERROR, f"deactivated because of {names(because)}, until the node is activated anew"
    if level == OK:
        out = f"{rate_out:.1f} Hz out" if camera.heard else "nobody listens"
        message = f"{report.rate_hz:.1f} Hz in, {out}"
    values: dict[str, object] = {
        "input": report.state.value,
        "camera": verdict.phase.value,
        "states": names(verdict.states),
        "reaction": reaction.word,
        **({"reaction because of": names(because)} if because else {}),
        "topic": camera.channel.topic,
        "frames in": report.received,
        "frames out": statistics.published,
        "dropped": dropped,
        "bad": sum(report.rejected.values()),
        "failed": statistics.failed,
        "idle": statistics.idle,
        "discarded": statistics.discarded,
        "silenced": statistics.silenced,
        "rate in": f"{report.rate_hz:.2f} Hz",
        "rate out": f"{rate_out:.2f} Hz",
        "silent": f"{report.silent_s:.2f} s",
        "size": "x".join(map(str, report.size)) if report.size else "",
        "size changes": report.size_changes,
        "stamp restarts": report.restarts,
        **{f"bad {kind}": count for kind, count in report.rejected.items()},
        "last problem": report.problem,
        "pose": camera.obstacles.pose_from,
        "obstacles": f"{statistics.found[1]} of {statistics.found[0]} confirmed",
        **{f"removed {gate}": f"{pixels} px" for gate, pixels in statistics.removed.items()},
    }
    if camera.monitors.why:
        values["last result"] = camera.monitors.why
    for stage, times in stages.items():
        values[f"{stage} p50"] = f"{times.p50:.2f} ms"
        values[f"{stage} p99"] = f"{times.p99:.2f} ms"
    return _status(name, level, message, values, camera.channel.topic)


def judge_input(report: InputReport, topic: str, settings: Settings, age_s: float) -> tuple[bytes, str]:
    """Level and message of one input; the message is empty when all is well.

    Args:
        report: the input's state.
        topic: for the message.
        settings: the parameters now.
        age_s: typical time from stamp to publication, s.
    """
    if report.state is InputState.BAD:
        return ERROR, f"bad input: {report.problem}"
    if report.state is InputState.STALE:
        return ERROR, f"no image on {topic} for {report.silent_s:.1f} s"
    if report.state is InputState.WAITING:
        late = report.silent_s > settings.no_image_warning_s
        return (ERROR if late else WARN), f"waiting for the first image on {topic} for {report.silent_s:.1f} s"
    if report.problem_age_s < RECENT_S:
        return WARN, f"some input was bad: {report.problem}"
    if age_s > ODD_AGE_S:
        return WARN, f"stamps are {age_s:.0f} s behind this node's clock: a bag needs --clock and use_sim_time:=true"
    if age_s < -ODD_AGE_S:
        return WARN, f"stamps are {-age_s:.0f} s ahead of this node's clock: use_sim_time without a /clock?"
    return OK, ""


def _status(
    name: str, level: bytes, message: str, values: Mapping[str, object], hardware: str = ""
) -> DiagnosticStatus:
    pairs = [KeyValue(key=key, value=str(value)) for key, value in values.items()]
    return DiagnosticStatus(name=name, level=level, message=message, hardware_id=hardware, values=pairs)
