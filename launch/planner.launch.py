"""Starts the detector with the parameters and topic names of a planner, and brings it to active.

    ros2 launch hybrid_seg_ros planner.launch.py planner:=nav2 image_topic:=/camera/image_raw
    ros2 launch hybrid_seg_ros planner.launch.py planner:=autoware image_topic:=/sensing/camera/camera0/image_raw
    ros2 launch hybrid_seg_ros planner.launch.py --show-args

The planner's own side: docs/integration/nav2.md, docs/integration/autoware.md.
"""

from launch.actions import DeclareLaunchArgument, GroupAction, IncludeLaunchDescription
from launch.conditions import IfCondition
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution, PythonExpression
from launch_ros.actions import SetRemap
from launch_ros.substitutions import FindPackageShare

from launch import LaunchDescription

PACKAGE = "hybrid_seg_ros"
# Where a planner looks for obstacles; empty: at the node's own topic, which its configuration names.
OBSTACLES_TOPIC = {"nav2": "", "autoware": "/perception/obstacle_segmentation/pointcloud"}
# Handed on to detector.launch.py as they are.
OF_THE_DETECTOR = {
    "namespace": ("", "namespace of the node"),
    "image_topic": ("image", "the camera's image topic, also for compressed transport"),
    "image_transport": ("", "raw | compressed; empty: as params_file says"),
    "bundle": ("", "the trained network: a folder, or the name of a shipped one; empty: as params_file says"),
    "backend": ("", "auto | onnxruntime | tensorrt | fake; empty: as params_file says"),
    "use_sim_time": ("", "true | false: take time from /clock; empty: as params_file says"),
    "autostart": ("true", "configure and activate; else wait for lifecycle requests"),
    "log_level": ("info", "debug | info | warn | error | fatal"),
}


def arguments() -> list[DeclareLaunchArgument]:
    """Everything `--show-args` shows."""
    planner = LaunchConfiguration("planner")
    shipped = PathJoinSubstitution(
        [FindPackageShare(PACKAGE), "config", PythonExpression(["'", planner, "' + '.yaml'"])]
    )
    return [
        DeclareLaunchArgument("planner", description="nav2 | autoware"),
        DeclareLaunchArgument("params_file", default_value=shipped, description="parameters (docs/parameters.md)"),
        DeclareLaunchArgument(
            "obstacles",
            default_value="~/obstacles",
            description="the node's own name; of many cameras ~/obstacles_merged",
        ),
        DeclareLaunchArgument(
            "obstacles_topic",
            default_value=PythonExpression([str(OBSTACLES_TOPIC), "['", planner, "']"]),
            description="topic of the cloud for the planner; empty: the node's own",
        ),
        *(
            DeclareLaunchArgument(name, default_value=value, description=text)
            for name, (value, text) in OF_THE_DETECTOR.items()
        ),
    ]


def detector() -> IncludeLaunchDescription:
    """The node, brought to active."""
    source = PathJoinSubstitution([FindPackageShare(PACKAGE), "launch", "detector.launch.py"])
    given = [(name, LaunchConfiguration(name)) for name in ("params_file", *OF_THE_DETECTOR)]
    return IncludeLaunchDescription(PythonLaunchDescriptionSource([source]), launch_arguments=given)


def generate_launch_description() -> LaunchDescription:
    """What `ros2 launch` runs."""
    topic = LaunchConfiguration("obstacles_topic")
    named = IfCondition(PythonExpression(["'", topic, "' != ''"]))
    return LaunchDescription(
        [*arguments(), GroupAction([SetRemap(LaunchConfiguration("obstacles"), topic, condition=named), detector()])]
    )
