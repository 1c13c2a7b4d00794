"""Every parameter of the node, once: the node, config/detector.yaml and docs/parameters.md are made of this.

    python -m hybrid_seg_ros.ros.schema_files --write     # after a change: write both files
    python -m hybrid_seg_ros.ros.schema_files --check     # what the tests run

No ROS here: the same checks serve the node, the launch file and the command line.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from hybrid_seg_ros.backends.golden import Precision
from hybrid_seg_ros.backends.options import BackendOptions, ProviderKind
from hybrid_seg_ros.ros.parameter_spec import ParameterError, ParameterSpec, Value, closest
from hybrid_seg_ros.ros.settings_fake import FakeSettings
from hybrid_seg_ros.ros.settings_health import HealthSettings
from hybrid_seg_ros.ros.settings_network import NetworkSettings
from hybrid_seg_ros.ros.settings_obstacles import ObstacleSettings
from hybrid_seg_ros.ros.settings_planner import PlannerSettings
from hybrid_seg_ros.ros.settings_pose import PoseSettings


@dataclass(frozen=True)
class Settings(FakeSettings, HealthSettings, PlannerSettings, ObstacleSettings, PoseSettings, NetworkSettings):
    """All parameters with their values; what the node works with.

    Attributes:
        own: camera -> parameter -> value, where a camera has one of its own (`<camera>.<parameter>`).
    """

    own: Mapping[str, Mapping[str, Value]] = dataclasses.field(default_factory=dict)

    def of(self, camera: str) -> "Settings":
        """What holds for one camera."""
        own = self.own.get(camera)
        return dataclasses.replace(self, own={}, **own) if own else self  # type: ignore[arg-type]  # checked by the schema

    def changed(self, changes: Mapping[str, Value]) -> "Settings":
        """With other values, `<parameter>` or `<camera>.<parameter>`, that their specs have checked."""
        values: dict[str, Any] = {}
        own = {camera: dict(theirs) for camera, theirs in self.own.items()}
        for name, value in changes.items():
            camera, dot, plain = name.rpartition(".")
            if dot:
                own.setdefault(camera, {})[plain] = value
            else:
                values[name] = value
        return dataclasses.replace(self, **values, own=own)

    @property
    def backend_options(self) -> BackendOptions:
        """What `backends.create` takes."""
        return BackendOptions(
            precision=None if self.precision == "auto" else cast(Precision, self.precision),
            threads=self.threads or None,
            provider=None if self.provider == "auto" else cast(ProviderKind, self.provider),
            engine_cache=Path(self.engine_cache).expanduser() if self.engine_cache else None,
            fake=self.fake_options,
        )

    def problems(self) -> list[str]:
        """What is wrong between parameters that are each fine alone, of all cameras."""
        found = [*self.network_problems(), *self.obstacle_problems(), *self.planner_problems(), *self.health_problems()]
        if 0.0 < self.planner_lease_s <= self.heartbeat_period_s:
            found.append(
                f"planner_lease_s is {self.planner_lease_s:g} and heartbeat_period_s is {self.heartbeat_period_s:g}, "
                "expected a lease that outlasts the beats that renew it"
            )
        # What all cameras share may be wanting where each of them has it of its own.
        by_camera = {camera: self.of(camera)._problems_of_one() for camera in self.cameras}
        first, *others = by_camera.values()
        found += [text for text in first if text not in found and all(text in texts for texts in others)]
        for camera, texts in by_camera.items():
            found += [f"camera {camera}: {text}" for text in texts if text not in found]
        return found

    def _problems_of_one(self) -> list[str]:
        """What is wrong between the parameters that a camera may have of its own, and what they need."""
        return [*self.network_problems(), *self.pose_problems(), *self.obstacle_problems()]


def _specs() -> dict[str, ParameterSpec]:
    specs = {}
    for entry in dataclasses.fields(Settings):
        default: Any = entry.default
        if entry.metadata:
            specs[entry.name] = ParameterSpec(name=entry.name, type=type(default), default=default, **entry.metadata)
    return specs


SCHEMA: dict[str, ParameterSpec] = _specs()
"""Every parameter by name, in the order of the file."""

FOREIGN = ("use_sim_time", "start_type_description_service")
FOREIGN_PREFIXES = ("qos_overrides.",)


def is_foreign(name: str) -> bool:
    """Whether a parameter belongs to rclpy and not to this node."""
    return name in FOREIGN or name.startswith(FOREIGN_PREFIXES)


def spec_of(name: str) -> ParameterSpec:
    """What `<parameter>` or `<camera>.<parameter>` may be.

    Raises:
        ParameterError: no such parameter, or none that a camera can have of its own.
    """
    plain = name.rpartition(".")[2]
    if name in SCHEMA:
        return SCHEMA[name]
    if plain in SCHEMA and SCHEMA[plain].per_camera:
        return dataclasses.replace(SCHEMA[plain], name=name)
    if plain in SCHEMA:
        of_cameras = ", ".join(spec.name for spec in SCHEMA.values() if spec.per_camera)
        raise ParameterError(f"parameter {name!r}: all cameras share {plain!r}; of its own a camera has {of_cameras}")
    raise ParameterError(f"parameter {name!r} is unknown{closest(name, list(SCHEMA)) or f'; known are {_known()}'}")


def _known() -> str:
    return ", ".join(SCHEMA)


def check_overrides(overrides: Mapping[str, object]) -> tuple[Settings, dict[str, str]]:
    """The settings under `overrides`, and what is wrong with them.

    Returns:
        settings: every parameter of the schema; the default where the override is not allowed.
        problems: parameter name -> what was given and what is allowed.
    """
    values: dict[str, Value] = {}
    own: dict[str, dict[str, Value]] = {}
    problems: dict[str, str] = {}
    for name, value in overrides.items():
        if is_foreign(name) or (value is None and name in SCHEMA and SCHEMA[name].type is tuple):
            continue  # rcl gives an empty list as None: nothing said
        try:
            checked = spec_of(name).check(value)
        except ParameterError as error:
            problems[name] = str(error)
            continue
        camera, dot, plain = name.rpartition(".")
        if dot:
            own.setdefault(camera, {})[plain] = checked
        else:
            values[name] = checked
    settings = Settings(**values, own=own)  # type: ignore[arg-type]  # checked by the schema
    for camera in sorted(set(own) - set(settings.cameras)):
        for plain in own.pop(camera):
            cameras = ", ".join(name for name in settings.cameras if name) or "none with a name"
            problems[f"{camera}.{plain}"] = f"parameter '{camera}.{plain}': cameras has {cameras}, not {camera!r}"
    return settings, problems
