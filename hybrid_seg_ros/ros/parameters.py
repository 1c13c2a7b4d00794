"""Declares the schema's parameters in a node and keeps the settings that they make."""

from collections.abc import Callable, Sequence
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from hybrid_seg_ros.ros.parameter_spec import ParameterError, ParameterSpec, Value
from hybrid_seg_ros.ros.schema import SCHEMA, Settings, check_overrides, is_foreign, spec_of

ROS_TYPES = {
    bool: Parameter.Type.BOOL,
    int: Parameter.Type.INTEGER,
    float: Parameter.Type.DOUBLE,
    str: Parameter.Type.STRING,
    tuple: Parameter.Type.STRING_ARRAY,
}


def descriptor(spec: ParameterSpec) -> ParameterDescriptor:
    """What `ros2 param describe` shows."""
    message = ParameterDescriptor(
        name=spec.name,
        type=ROS_TYPES[spec.type].value,
        description=spec.description,
        additional_constraints=spec.allowed if spec.choices else "",
        read_only=spec.read_only,
        # `ros2 param set ... threshold 3` sends an integer; static typing would refuse it before the schema sees it
        dynamic_typing=spec.type is float,
    )
    if spec.minimum is not None and spec.maximum is not None:
        if spec.type is int:
            message.integer_range = [IntegerRange(from_value=int(spec.minimum), to_value=int(spec.maximum))]
        else:
            message.floating_point_range = [FloatingPointRange(from_value=spec.minimum, to_value=spec.maximum)]
    return message


def ros_value(value: Value) -> Any:  # noqa: ANN401  # rclpy's own union of parameter types
    """The value as rclpy takes it."""
    return list(value) if isinstance(value, tuple) else value


class NodeParameters:
    """The node's parameters: declared from the schema, checked on every change.

    What is wrong with the overrides of the start is kept in `problems` instead of raised: a lifecycle node
    says it when it is configured and stays alive.

    Args:
        node: the node to declare in; its overrides are read once.
        accept: called with the settings that a change would make; raises ParameterError to refuse it.
    """

    def __init__(self, node: Node, accept: Callable[[Settings], None]) -> None:
        self._accept = accept
        # rclpy gives no public access to overrides of undeclared names: declaring them automatically raises
        # for an empty list and a wrong type in the constructor, where the node cannot say what is wrong.
        overrides = {name: given.value for name, given in node._parameter_overrides.items()}
        self.settings, self.problems = check_overrides(overrides)
        for name, spec in SCHEMA.items():
            self._declare(node, spec, getattr(self.settings, name))
        for camera, own in self.settings.own.items():
            for name, value in own.items():
                self._declare(node, spec_of(f"{camera}.{name}"), value)
        node.add_on_set_parameters_callback(self._on_set)

    @staticmethod
    def _declare(node: Node, spec: ParameterSpec, value: Value) -> None:
        node.declare_parameter(spec.name, ros_value(value), descriptor(spec), ignore_override=True)

    def _on_set(self, parameters: Sequence[Parameter]) -> SetParametersResult:
        changes: dict[str, Value] = {}
        try:
            for parameter in parameters:
                if not is_foreign(parameter.name):
                    changes[parameter.name] = spec_of(parameter.name).check(parameter.value)
            if not changes:
                return SetParametersResult(successful=True)
            settings = self.settings.changed(changes)
            if wrong := settings.problems():
                raise ParameterError("; ".join(wrong))
            self._accept(settings)
        except ParameterError as error:
            return SetParametersResult(successful=False, reason=str(error))
        self.settings = settings
        for name in changes:
            self.problems.pop(name, None)
        return SetParametersResult(successful=True)
