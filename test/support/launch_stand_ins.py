"""Just enough of launch and launch_ros to run a launch file where they are not installed (they are on no index).

The classes take the arguments of the real ones and do what the real ones do with them, except that nothing is
started: `run` gives the processes and events that would have been.
"""

import importlib.util
import sys
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

Text = "str | Substitution | Iterable[str | Substitution]"


@dataclass
class Started:
    """One process that would have been started."""

    package: str
    executable: str
    arguments: list[str]
    environment: dict[str, str]


@dataclass
class Context:
    """What launch knows while it runs."""

    configurations: dict[str, str]
    environment: dict[str, str]
    shares: dict[str, str]
    parameters: list[str] = field(default_factory=list)
    remaps: list[str] = field(default_factory=list)
    arguments: dict[str, str] = field(default_factory=dict)
    started: list[Started] = field(default_factory=list)
    emitted: list[Any] = field(default_factory=list)
    handlers: list[Any] = field(default_factory=list)

    def transition(self, node: Any, start: str, goal: str) -> None:
        """A lifecycle node changed its state."""
        for handler in self.handlers:
            if (handler.node, handler.start, handler.goal) == (node, start, goal):
                for entity in handler.entities:
                    entity.visit(self)


class Substitution:
    def perform(self, context: Context) -> str:
        raise NotImplementedError


def text(value: Any, context: Context) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Substitution):
        return value.perform(context)
    return "".join(text(part, context) for part in value)


@dataclass
class LaunchConfiguration(Substitution):
    name: str

    def perform(self, context: Context) -> str:
        return context.configurations[self.name]


@dataclass
class EnvironmentVariable(Substitution):
    name: str
    default_value: str | None = None

    def perform(self, context: Context) -> str:
        if self.default_value is None:
            return context.environment[self.name]
        return context.environment.get(self.name, self.default_value)


@dataclass
class PathJoinSubstitution(Substitution):
    parts: list[Any]

    def perform(self, context: Context) -> str:
        return "/".join(text(part, context) for part in self.parts)


@dataclass
class PythonExpression(Substitution):
    expression: Any

    def perform(self, context: Context) -> str:
        return str(eval(text(self.expression, context), {}))  # noqa: S307  # what launch does


@dataclass
class FindPackageShare(Substitution):
    package: str

    def perform(self, context: Context) -> str:
        return context.shares[self.package]


@dataclass
class IfCondition:
    predicate: Any

    def holds(self, context: Context) -> bool:
        found = text(self.predicate, context).strip().lower()
        assert found in ("true", "1", "false", "0"), f"launch refuses the condition {found!r}"
        return found in ("true", "1")


@dataclass
class UnlessCondition(IfCondition):
    def holds(self, context: Context) -> bool:
        return not super().holds(context)


@dataclass
class ExecutableInPackage(Substitution):
    executable: str
    package: str

    def perform(self, context: Context) -> str:
        assert self.package in context.shares
        return f"/opt/lib/{self.package}/{self.executable}"


class Action:
    def __init__(self, *, condition: IfCondition | None = None) -> None:
        self.condition = condition

    def visit(self, context: Context) -> None:
        if self.condition is None or self.condition.holds(context):
            self.execute(context)

    def execute(self, context: Context) -> None:
        raise NotImplementedError


class DeclareLaunchArgument(Action):
    def __init__(self, name: str, *, default_value: Any = None, description: str = "", **rest: Any) -> None:
        super().__init__(**rest)
        self.name, self.default_value, self.description = name, default_value, description

    def execute(self, context: Context) -> None:
        context.arguments[self.name] = self.description
        if self.name not in context.configurations:
            assert self.default_value is not None, f"launch refuses to start without {self.name}:="
            context.configurations[self.name] = text(self.default_value, context)


class SetEnvironmentVariable(Action):
    def __init__(self, name: Any, value: Any, **rest: Any) -> None:
        super().__init__(**rest)
        self.name, self.value = name, value

    def execute(self, context: Context) -> None:
        context.environment[text(self.name, context)] = text(self.value, context)


class SetParameter(Action):
    def __init__(self, name: Any, value: Any, **rest: Any) -> None:
        super().__init__(**rest)
        self.name, self.value = name, value

    def execute(self, context: Context) -> None:
        context.parameters += ["-p", f"{text(self.name, context)}:={text(self.value, context)}"]


class SetParametersFromFile(Action):
    def __init__(self, filename: Any, **rest: Any) -> None:
        super().__init__(**rest)
        self.filename = filename

    def execute(self, context: Context) -> None:
        context.parameters += ["--params-file", text(self.filename, context)]


class SetRemap(Action):
    def __init__(self, src: Any, dst: Any, **rest: Any) -> None:
        super().__init__(**rest)
        self.src, self.dst = src, dst

    def execute(self, context: Context) -> None:
        context.remaps += ["-r", f"{text(self.src, context)}:={text(self.dst, context)}"]


class GroupAction(Action):
    def __init__(self, actions: Iterable[Action], *, scoped: bool = True, **rest: Any) -> None:
        super().__init__(**rest)
        self.actions, self.scoped = list(actions), scoped

    def execute(self, context: Context) -> None:
        before = dict(context.configurations), dict(context.environment), list(context.parameters), list(context.remaps)
        for action in self.actions:
            action.visit(context)
        if self.scoped:
            context.configurations, context.environment, context.parameters, context.remaps = before


class LifecycleNode(Action):
    def __init__(
        self,
        *,
        package: str,
        executable: str,
        name: Any,
        namespace: Any,
        remappings: Iterable[tuple[Any, Any]] = (),
        ros_arguments: Iterable[Any] = (),
        output: str = "log",
        emulate_tty: bool = False,
        **rest: Any,
    ) -> None:
        super().__init__(**rest)
        self.package, self.executable, self.name, self.namespace = package, executable, name, namespace
        self.remappings, self.ros_arguments = list(remappings), list(ros_arguments)

    def execute(self, context: Context) -> None:
        arguments = ["--ros-args", *(text(part, context) for part in self.ros_arguments)]
        arguments += ["-r", f"__node:={text(self.name, context)}", "-r", f"__ns:={text(self.namespace, context)}"]
        arguments += [*context.parameters, *context.remaps]
        for source, target in self.remappings:
            arguments += ["-r", f"{text(source, context)}:={text(target, context)}"]
        context.started.append(Started(self.package, self.executable, arguments, dict(context.environment)))


@dataclass
class ChangeState:
    lifecycle_node_matcher: Any
    transition_id: int


def matches_action(action: Action) -> Any:
    return lambda other: other is action


class OnStateTransition:
    def __init__(
        self, *, target_lifecycle_node: Any, start_state: str, goal_state: str, entities: Iterable[Action]
    ) -> None:
        self.node, self.start, self.goal, self.entities = target_lifecycle_node, start_state, goal_state, entities


class RegisterEventHandler(Action):
    def __init__(self, event_handler: OnStateTransition, **rest: Any) -> None:
        super().__init__(**rest)
        self.event_handler = event_handler

    def execute(self, context: Context) -> None:
        context.handlers.append(self.event_handler)


class EmitEvent(Action):
    def __init__(self, *, event: Any, **rest: Any) -> None:
        super().__init__(**rest)
        self.event = event

    def execute(self, context: Context) -> None:
        context.emitted.append(self.event)


@dataclass
class LaunchDescription:
    entities: list[Action]


@dataclass
class PythonLaunchDescriptionSource:
    location: Any


class IncludeLaunchDescription(Action):
    """Runs the other file in the same scope, as launch does; its arguments are declared for the outer file, too."""

    def __init__(self, source: PythonLaunchDescriptionSource, *, launch_arguments: Iterable[Any] = ()) -> None:
        super().__init__()
        self.source, self.launch_arguments = source, list(launch_arguments)

    def execute(self, context: Context) -> None:
        for name, value in self.launch_arguments:
            context.configurations[name] = text(value, context)
        outer, context.arguments = context.arguments, {}
        for entity in load(Path(text(self.source.location, context))).entities:
            entity.visit(context)
        unknown = {name for name, _ in self.launch_arguments} - set(context.arguments)
        assert not unknown, f"arguments that the included file does not declare: {unknown}"
        context.arguments = outer


class Shutdown(Action):
    def __init__(self, *, reason: str = "", **rest: Any) -> None:
        super().__init__(**rest)
        self.reason = reason

    def execute(self, context: Context) -> None:
        context.emitted.append(self)


class ExecuteProcess(Action):
    def __init__(self, *, cmd: Iterable[Any], output: str = "log", on_exit: Iterable[Action] = (), **rest: Any) -> None:
        super().__init__(**rest)
        self.cmd, self.output, self.on_exit = list(cmd), output, list(on_exit)

    def execute(self, context: Context) -> None:
        program, *arguments = (text(part, context) for part in self.cmd)
        started = Started("", program, arguments, dict(context.environment))
        context.started.append(started)
        context.handlers.append(self)


MODULES: dict[str, tuple[Any, ...]] = {
    "launch": (LaunchDescription,),
    "launch.actions": (
        DeclareLaunchArgument,
        EmitEvent,
        ExecuteProcess,
        GroupAction,
        IncludeLaunchDescription,
        RegisterEventHandler,
        SetEnvironmentVariable,
        Shutdown,
    ),
    "launch.conditions": (IfCondition, UnlessCondition),
    "launch.launch_description_sources": (PythonLaunchDescriptionSource,),
    "launch.events": (matches_action,),
    "launch.substitutions": (EnvironmentVariable, LaunchConfiguration, PathJoinSubstitution, PythonExpression),
    "launch_ros": (),
    "launch_ros.actions": (LifecycleNode, SetParameter, SetParametersFromFile, SetRemap),
    "launch_ros.event_handlers": (OnStateTransition,),
    "launch_ros.events": (),
    "launch_ros.events.lifecycle": (ChangeState,),
    "launch_ros.substitutions": (ExecutableInPackage, FindPackageShare),
}


@contextmanager
def installed() -> Any:
    """Puts the stand-ins where `import launch` finds them, in place of real ones, for a while."""
    before = {
        name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] in ("launch", "launch_ros")
    }
    for name, members in MODULES.items():
        module = ModuleType(name)
        for member in members:
            setattr(module, member.__name__, member)
        sys.modules[name] = module
    try:
        yield
    finally:
        for name in MODULES:
            del sys.modules[name]
        sys.modules.update(before)


def load(file: Path) -> LaunchDescription:
    """What a launch file describes; the stand-ins must be installed."""
    spec = importlib.util.spec_from_file_location("launch_file_under_test", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    description: LaunchDescription = module.generate_launch_description()
    return description


def run(file: Path, arguments: Mapping[str, str], environment: Mapping[str, str], shares: Mapping[str, str]) -> Context:
    """Run a launch file to the point where its processes are started."""
    with installed():
        context = Context(dict(arguments), dict(environment), dict(shares))
        for entity in load(file).entities:
            entity.visit(context)
    unknown = set(arguments) - set(context.arguments)
    assert not unknown, f"arguments that the file does not declare: {unknown}"
    return context
