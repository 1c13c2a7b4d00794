"""Starts the detector and brings it to active.

    ros2 launch hybrid_seg_ros detector.launch.py image_topic:=/camera/image_raw
    ros2 launch hybrid_seg_ros detector.launch.py --show-args

Include it in another launch file to start several detectors: namespace, parameters and environment stay inside.
"""

from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    GroupAction,
    RegisterEventHandler,
    SetEnvironmentVariable,
)
from launch.conditions import IfCondition
from launch.events import matches_action
from launch.substitutions import EnvironmentVariable, LaunchConfiguration, PathJoinSubstitution, PythonExpression
from launch_ros.actions import LifecycleNode, SetParameter, SetParametersFromFile
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events.lifecycle import ChangeState
from launch_ros.substitutions import FindPackageShare
from lifecycle_msgs.msg import Transition

from launch import LaunchDescription

PACKAGE = "hybrid_seg_ros"
PROFILE_VARIABLES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")

# Arguments that set the parameter of their name; left empty, params_file decides.
PARAMETERS = {
    "image_transport": "raw | compressed: Image on image_topic, or CompressedImage on <image_topic>/compressed",
    "bundle": "the trained network: a folder, or the name of a shipped one",
    "backend": "auto | onnxruntime | tensorrt | fake",
    "use_sim_time": "true | false: take time from /clock",
    "mask_output": "filtered | gated | threshold: what ~/obstacle_mask shows",
}


def given(name: str) -> IfCondition:
    """True when the launch argument is not empty."""
    return IfCondition(PythonExpression(["'", LaunchConfiguration(name), "' != ''"]))


def profile_wanted() -> IfCondition:
    """True when the Fast DDS profile is switched on and the user has none of their own."""
    own = [EnvironmentVariable(name, default_value="") for name in PROFILE_VARIABLES]
    switch = LaunchConfiguration("fastdds_profile")
    return IfCondition(PythonExpression(["'", switch, "'.lower() in ('true', '1') and '", *own, "' == ''"]))


def arguments() -> list[DeclareLaunchArgument]:
    """Everything `--show-args` shows."""
    beside_the_image = ["''.join('", LaunchConfiguration("image_topic"), "'.rpartition('/')[:2]) + 'camera_info'"]
    shipped = PathJoinSubstitution([FindPackageShare(PACKAGE), "config", "detector.yaml"])
    return [
        DeclareLaunchArgument("namespace", default_value="", description="namespace of the node"),
        DeclareLaunchArgument("params_file", default_value=shipped, description="parameters (docs/parameters.md)"),
        DeclareLaunchArgument(
            "image_topic", default_value="image", description="the camera's image topic, also for compressed transport"
        ),
        DeclareLaunchArgument(
            "camera_info_topic",
            default_value=PythonExpression(beside_the_image),
            description="the camera's CameraInfo; by default camera_info beside the image topic",
        ),
        *(
            DeclareLaunchArgument(name, default_value="", description=f"{text}; empty: as params_file says")
            for name, text in PARAMETERS.items()
        ),
        DeclareLaunchArgument(
            "autostart", default_value="true", description="configure and activate; else wait for lifecycle requests"
        ),
        DeclareLaunchArgument("log_level", default_value="info", description="debug | info | warn | error | fatal"),
        DeclareLaunchArgument(
            "fastdds_profile",
            default_value="true",
            description="set the shipped Fast DDS profile (large shared memory) unless the environment has one",
        ),
    ]


def detector() -> LifecycleNode:
    """The node; its parameters come from the group around it."""
    return LifecycleNode(
        package=PACKAGE,
        executable="hybrid_seg_node",
        name="hybrid_seg",
        namespace=LaunchConfiguration("namespace"),
        remappings=[
            ("image", LaunchConfiguration("image_topic")),
            ("camera_info", LaunchConfiguration("camera_info_topic")),
        ],
        ros_arguments=["--log-level", LaunchConfiguration("log_level")],
        output="screen",
        emulate_tty=True,
    )


def bring_up(node: LifecycleNode) -> list[RegisterEventHandler | EmitEvent]:
    """Configure once, and activate when that succeeded; a later deactivate stays one."""
    wanted = IfCondition(LaunchConfiguration("autostart"))

    def change(transition: int, condition: IfCondition | None = None) -> EmitEvent:
        event = ChangeState(lifecycle_node_matcher=matches_action(node), transition_id=transition)
        return EmitEvent(event=event, condition=condition)

    configured = OnStateTransition(
        target_lifecycle_node=node,
        start_state="configuring",
        goal_state="inactive",
        # no condition: when this runs, the launch file that included this one may have taken its arguments back
        entities=[change(Transition.TRANSITION_ACTIVATE)],
    )
    return [RegisterEventHandler(configured, condition=wanted), change(Transition.TRANSITION_CONFIGURE, wanted)]


def generate_launch_description() -> LaunchDescription:
    """What `ros2 launch` runs."""
    profile = PathJoinSubstitution([FindPackageShare(PACKAGE), "config", "fastdds.xml"])
    node = detector()
    handlers, configure = bring_up(node)
    return LaunchDescription(
        [
            *arguments(),
            GroupAction(
                [
                    # one group: its condition is looked at once, before the first variable is set
                    GroupAction(
                        [SetEnvironmentVariable(name, profile) for name in PROFILE_VARIABLES],
                        scoped=False,
                        condition=profile_wanted(),
                    ),
                    SetParametersFromFile(LaunchConfiguration("params_file")),
                    *(SetParameter(name, LaunchConfiguration(name), condition=given(name)) for name in PARAMETERS),
                    handlers,
                    node,
                    configure,
                ]
            ),
        ]
    )
