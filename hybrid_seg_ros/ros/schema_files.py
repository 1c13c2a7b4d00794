"""Writes config/detector.yaml and docs/parameters.md from the schema, and checks that they are current."""

import argparse
import math
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from hybrid_seg_ros.ros.parameter_spec import TYPE_NAMES, ParameterSpec, Value
from hybrid_seg_ros.ros.schema import SCHEMA

COMMAND = "python -m hybrid_seg_ros.ros.schema_files --write"
ROOT = Path(__file__).resolve().parents[2]


def yaml_value(value: Value) -> str:
    """A value as rcl's YAML parser reads it in the right type."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return ".nan" if math.isnan(value) else repr(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{item}"' for item in value) + "]"
    return f'"{value}"'


def render_yaml() -> str:
    """The text of config/detector.yaml: every parameter at its default, commented."""
    lines = [
        "# Every parameter of the hybrid_seg node at its default.",
        f"# Generated from hybrid_seg_ros/ros/schema.py by `{COMMAND}`: change it there, or copy this file.",
        "/**:",
        "  ros__parameters:",
    ]
    group = ""
    for spec in SCHEMA.values():
        if spec.group != group:
            group = spec.group
            lines += ["", f"    # --- {group.lower()} ---"]
        lines.append("")
        when = "fixed at start" if spec.read_only else "may change at run time"
        whose = "; a camera may have its own" if spec.per_camera else ""
        comment = f"{spec.description} ({spec.allowed}; {when}{whose})"
        lines += textwrap.wrap(comment, 112, initial_indent="    # ", subsequent_indent="    # ")
        lines.append(f"    {spec.name}: {yaml_value(spec.default)}")
    return "\n".join(lines) + "\n"


def _row(spec: ParameterSpec) -> str:
    allowed = ", ".join(f"`{choice}`" for choice in spec.choices) if spec.choices else ""
    if spec.minimum is not None:
        allowed = f"{spec.minimum:g} … {spec.maximum:g}"
    cells = [
        f"`{spec.name}`",
        TYPE_NAMES[spec.type],
        f"`{yaml_value(spec.default)}`",
        allowed,
        "" if spec.read_only else "yes",
        "yes" if spec.per_camera else "",
        spec.description.replace("|", "\\|"),
    ]
    return "| " + " | ".join(cells) + " |"


def render_markdown() -> str:
    """The text of docs/parameters.md: one table for each group."""
    lines = [
        "# Parameters",
        "",
        f"Generated from `hybrid_seg_ros/ros/schema.py` by `{COMMAND}`.",
        "",
        "An unknown name or a value that is not allowed fails the *configure* transition with a message that says "
        "what was given, what is allowed and which name is closest; the node stays alive and /diagnostics says ERROR.",
        "Parameters marked *run time* take effect on the next frame "
        "(`ros2 param set /hybrid_seg threshold 3.5`); the others need a restart.",
        "",
        "With `cameras: [front, left]`, parameters marked *per camera* may be another one for each: "
        "`<camera>.<parameter>`, as `left.camera_z`, which is written in YAML as `left: {camera_z: 1.1}`. A camera "
        "without one of its own has the common one; one that shall change at run time must have been given at the "
        "start.",
    ]
    group = ""
    for spec in SCHEMA.values():
        if spec.group != group:
            group = spec.group
            lines += ["", f"## {group}", ""]
            lines += ["| name | type | default | allowed | run time | per camera | meaning |", "|" + "---|" * 7]
        lines.append(_row(spec))
    return "\n".join(lines) + "\n"


def generated_files(root: Path = ROOT) -> dict[Path, str]:
    """What each generated file must contain."""
    return {root / "config" / "detector.yaml": render_yaml(), root / "docs" / "parameters.md": render_markdown()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns 1 when a file is not current."""
    parser = argparse.ArgumentParser(prog="python -m hybrid_seg_ros.ros.schema_files", description=__doc__)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--write", action="store_true", help="write both files")
    mode.add_argument("--check", action="store_true", help="fail when a file is not what the schema makes")
    parser.add_argument("--root", type=Path, default=ROOT, help="root of the repository")
    options = parser.parse_args(arguments)
    stale = [
        path
        for path, text in generated_files(options.root).items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        if options.write:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(generated_files(options.root)[path], encoding="utf-8")
            print(f"wrote {path}")
        else:
            print(f"{path} is not what the schema makes: run `{COMMAND}`")
    return 1 if stale and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
