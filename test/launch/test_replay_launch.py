"""replay.launch.py: the detector under the recording's time, and a command that `hybrid-seg` understands."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("lifecycle_msgs")

from support.launch_stand_ins import Context, Started, run

from hybrid_seg_ros.cli.commands import build_parser

REPOSITORY = Path(__file__).resolve().parents[2]


def launched(**arguments: str) -> Context:
    return run(REPOSITORY / "launch" / "replay.launch.py", arguments, {}, {"hybrid_seg_ros": str(REPOSITORY)})


def processes(context: Context) -> tuple[Started, Started]:
    (node,) = [s for s in context.started if s.executable == "hybrid_seg_node"]
    (command,) = [s for s in context.started if s is not node]
    return node, command


def parsed(command: Started) -> Any:
    assert command.executable == "/opt/lib/hybrid_seg_ros/hybrid-seg"
    return build_parser().parse_args(command.arguments)


def test_the_command_is_one_that_hybrid_seg_understands() -> None:
    node, command = processes(launched(bag="/data/drive"))
    args = parsed(command)
    assert (args.command, args.recordings, args.through) == ("evaluate", ["/data/drive"], "/hybrid_seg")
    assert (args.image_topic, args.rate, args.out, args.truth) == (
        "/camera/image_raw",
        1.0,
        Path("evaluation"),
        None,
    )
    line = " ".join(node.arguments)
    assert "-r image:=/camera/image_raw -r camera_info:=/camera/camera_info" in line
    assert "-p use_sim_time:=true -p mask_output:=threshold" in line


def test_everything_given_reaches_node_and_command() -> None:
    context = launched(
        bag="b.mcap",
        truth="labels",
        rate="0.5",
        out="seen",
        namespace="car",
        image_topic="/front/image",
        image_transport="compressed",
        bundle="mine",
        backend="fake",
    )
    node, command = processes(context)
    args = parsed(command)
    assert (args.truth, args.rate, args.out) == (Path("labels"), 0.5, Path("seen"))
    assert (args.through, args.image_topic, args.bundle) == ("/car/hybrid_seg", "/front/image", "mine")
    line = " ".join(node.arguments)
    for given in ("__ns:=car", "image:=/front/image", "image_transport:=compressed", "bundle:=mine", "backend:=fake"):
        assert given in line


@pytest.mark.parametrize("namespace", ["/car", "car/", "/car/"])
def test_slashes_of_a_namespace_do_not_matter(namespace: str) -> None:
    assert parsed(processes(launched(bag="b", namespace=namespace))[1]).through == "/car/hybrid_seg"


def test_ends_with_the_recording() -> None:
    context = launched(bag="b")
    (process,) = [h for h in context.handlers if hasattr(h, "on_exit")]
    for action in process.on_exit:
        action.visit(context)
    assert context.emitted[-1].reason == "the recording ended"


def test_nothing_starts_without_a_recording() -> None:
    with pytest.raises(AssertionError, match="without bag:="):
        launched()


def test_every_argument_is_described() -> None:
    context = launched(bag="b")
    assert set(context.arguments) == {
        *("bag", "out", "truth", "rate", "namespace", "image_topic", "image_transport", "bundle", "backend"),
        "log_level",
    }
    assert all(context.arguments.values())
