"""Plays a recording through the detector, records what it publishes, evaluates it, and ends.

    ros2 launch hybrid_seg_ros replay.launch.py bag:=/data/drive
    ros2 launch hybrid_seg_ros replay.launch.py bag:=/data/drive truth:=/data/labels rate:=0.5 out:=seen
    ros2 launch hybrid_seg_ros replay.launch.py --show-args

The same without launch, with a node and a ROS domain of its own: hybrid-seg evaluate BAG --online
"""

from launch.actions import DeclareLaunchArgument, ExecuteProcess, IncludeLaunchDescription, Shutdown
from launch.conditions import IfCondition, UnlessCondition
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution, PythonExpression
from launch_ros.substitutions import ExecutableInPackage, FindPackageShare

from launch import LaunchDescription

PACKAGE = "hybrid_seg_ros"
# Handed on to detector.launch.py as they are.
OF_THE_DETECTOR = {
    "namespace": ("", "namespace of the node"),
    "image_topic": ("/camera/image_raw", "image topic of the camera to play, without /compressed"),
    "image_transport": ("raw", "raw | compressed: how the recording holds the images"),
    "bundle": ("camvid_hybrid_lite0", "the trained network: a folder, or the name of a shipped one"),
    "backend": ("auto", "auto | onnxruntime | tensorrt | fake"),
    "log_level": ("info", "debug | info | warn | error | fatal"),
}


def arguments() -> list[DeclareLaunchArgument]:
    """Everything `--show-args` shows."""
    return [
        DeclareLaunchArgument("bag", description="the recording: a rosbag2 folder, a .mcap or a .db3 file"),
        DeclareLaunchArgument("out", default_value="evaluation", description="folder to make for results and report"),
        DeclareLaunchArgument(
            "truth",
            default_value="",
            description="recording or folder of masks that holds the ground truth; empty: topics of the recording",
        ),
        DeclareLaunchArgument("rate", default_value="1.0", description="speed relative to the recording"),
        *(
            DeclareLaunchArgument(name, default_value=value, description=text)
            for name, (value, text) in OF_THE_DETECTOR.items()
        ),
    ]


def detector() -> IncludeLaunchDescription:
    """The node, brought to active, its time that of the recording."""
    source = PathJoinSubstitution([FindPackageShare(PACKAGE), "launch", "detector.launch.py"])
    given = [(name, LaunchConfiguration(name)) for name in OF_THE_DETECTOR]
    return IncludeLaunchDescription(
        PythonLaunchDescriptionSource([source]),
        # the network's own mask is what is judged, as by hybrid-seg evaluate --online
        launch_arguments=[*given, ("use_sim_time", "true"), ("mask_output", "threshold")],
    )


def evaluation() -> list[ExecuteProcess]:
    """The player, recorder and judge; one of two command lines, as an empty argument is no argument."""
    truth = LaunchConfiguration("truth")
    named = PythonExpression(["'", truth, "' != ''"])
    node = PythonExpression(["'/'.join(['', *filter(None, '", LaunchConfiguration("namespace"), "'.split('/'))])"])
    command = [
        *(ExecutableInPackage(executable="hybrid-seg", package=PACKAGE), "evaluate", LaunchConfiguration("bag")),
        *("--through", [node, "/hybrid_seg"], "--image-topic", LaunchConfiguration("image_topic")),
        *("--bundle", LaunchConfiguration("bundle"), "--rate", LaunchConfiguration("rate")),
        *("--out", LaunchConfiguration("out")),
    ]
    return [
        ExecuteProcess(cmd=cmd, condition=condition, output="screen", on_exit=[Shutdown(reason="the recording ended")])
        for cmd, condition in (
            ([*command, "--truth", truth], IfCondition(named)),
            (command, UnlessCondition(named)),
        )
    ]


def generate_launch_description() -> LaunchDescription:
    """What `ros2 launch` runs."""
    return LaunchDescription([*arguments(), detector(), *evaluation()])
