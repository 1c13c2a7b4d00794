"""What was evaluated, on what, and where: enough to do it again."""

from hybrid_seg_ros.report.document import Evaluation, Machine, Network
from hybrid_seg_ros.report.table import Table
from hybrid_seg_ros.report.words import duration, megapixels, number, plural


def set_rows(evaluation: Evaluation) -> list[tuple[str, str]]:
    """The set or the recording."""
    what = plural(evaluation.images, "frame" if evaluation.kind == "recording" else "image")
    if evaluation.images_without_anomaly:
        what += f", {evaluation.images_without_anomaly:,} of them without any anomaly"
    rows = [("recording" if evaluation.kind == "recording" else "set", f"{evaluation.name}: {what}")]
    rows.append(("ground truth", evaluation.truth or "none"))
    if evaluation.known_pixels or evaluation.anomaly_pixels or evaluation.void_pixels:
        pixels = (
            f"{megapixels(evaluation.known_pixels)} known, {megapixels(evaluation.anomaly_pixels)} anomaly,"
            f" {megapixels(evaluation.void_pixels)} void"
        )
        rows.append(("pixels", pixels))
    return rows


def network_rows(network: Network) -> list[tuple[str, str]]:
    """The bundle as it was run, or the method whose scores were read."""
    rows = [("network", network.name)]
    if network.sha256:
        rows.append(("manifest", f"sha256 {network.sha256}"))
    ran = " ".join(part for part in (network.backend, network.precision) if part)
    if ran:
        rows.append(("run by", ran))
    if network.input_size:
        rows.append(("input", f"{network.input_size[0]}x{network.input_size[1]} px"))
    elif network.max_width:
        rows.append(("input", f"the images' own size, at most {network.max_width} px wide"))
    if network.threshold is not None:
        named = f" ({network.operating_point})" if network.operating_point else ""
        rows.append(("masks", f"{network.score or 'score'} > {number(network.threshold)}{named}"))
    return rows


def machine_rows(machine: Machine) -> list[tuple[str, str]]:
    """The computer and its software."""
    rows = []
    if machine.cpu:
        cores = f", {plural(machine.cores, 'core')}" if machine.cores else ""
        memory = f", {machine.memory_gib:.0f} GiB" if machine.memory_gib else ""
        rows.append(("machine", f"{machine.cpu}{cores}{memory}"))
    if machine.system:
        rows.append(("system", machine.system))
    if machine.versions:
        rows.append(("software", ", ".join(f"{name} {version}" for name, version in machine.versions.items())))
    return rows


def identity_table(evaluation: Evaluation) -> Table:
    """All of it, with when and how long."""
    rows = set_rows(evaluation) + network_rows(evaluation.network) + machine_rows(evaluation.machine)
    if evaluation.date:
        rows.append(("date", evaluation.date))
    if evaluation.seconds:
        rows.append(("took", duration(evaluation.seconds)))
    return Table("", ("what", "which"), tuple(rows), text_columns=2)
