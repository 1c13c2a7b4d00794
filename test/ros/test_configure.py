"""Bundles that cannot be trusted: configure fails with the reason, the node stays, a good one works afterwards."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy")

import rclpy
import yaml
from rclpy.context import Context
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter

from hybrid_seg_ros.bundle import Bundle, seal_bundle
from hybrid_seg_ros.ros.node import HybridSegNode

FAILURE, SUCCESS = TransitionCallbackReturn.FAILURE, TransitionCallbackReturn.SUCCESS


@contextmanager
def node(domain: int, **parameters: object) -> Iterator[HybridSegNode]:
    """A node in this process, not spinning: transitions are called as the services would."""
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    overrides = [Parameter(name, value=value) for name, value in parameters.items()]
    made = HybridSegNode(context=context, parameter_overrides=overrides)
    try:
        yield made
    finally:
        made.release()
        made.destroy_node()
        rclpy.shutdown(context=context)


def remove_model(bundle: Path) -> None:
    (bundle / "model.onnx").unlink()


def flip_a_byte(bundle: Path) -> None:
    content = bytearray((bundle / "model.onnx").read_bytes())
    content[-1] ^= 1
    (bundle / "model.onnx").write_bytes(content)


def raise_schema_version(bundle: Path) -> None:
    manifest = yaml.safe_load((bundle / "manifest.yaml").read_text(encoding="utf-8"))
    manifest["schema_version"] = 99
    (bundle / "manifest.yaml").write_text(yaml.safe_dump(manifest), encoding="utf-8")


def expect_other_logits(bundle: Path) -> None:
    with np.load(bundle / "golden.npz") as golden:
        arrays = dict(golden)
    arrays["logits"] = arrays["logits"] + 1.0
    np.savez(bundle / "golden.npz", **arrays)
    seal_bundle(bundle)


def remove_everything(bundle: Path) -> None:
    for file in bundle.iterdir():
        file.unlink()


@pytest.mark.parametrize(
    ("damage", "parts"),
    [
        (remove_model, ["model.onnx", "no such file"]),
        (flip_a_byte, ["model.onnx", "SHA-256"]),
        (raise_schema_version, ["schema_version", "99"]),
        (expect_other_logits, ["golden"]),
        (remove_everything, ["manifest.yaml"]),
    ],
)
def test_a_bad_bundle_fails_to_configure_and_says_why(
    damage: Callable[[Path], None],
    parts: list[str],
    domain: int,
    bundle_copy: Bundle,
    capfd: pytest.CaptureFixture[str],
) -> None:
    damage(bundle_copy.path)
    with node(domain, bundle=str(bundle_copy.path), backend="onnxruntime") as made:
        assert made.trigger_configure() == FAILURE
        said = capfd.readouterr().err
        assert "configure failed" in said
        for part in parts:
            assert part in said
        assert made.trigger_configure() == FAILURE, "and may be tried again"


def test_a_bundle_that_is_mended_configures(domain: int, bundle_copy: Bundle) -> None:
    content = (bundle_copy.path / "model.onnx").read_bytes()
    remove_model(bundle_copy.path)
    with node(domain, bundle=str(bundle_copy.path), backend="onnxruntime") as made:
        assert made.trigger_configure() == FAILURE
        (bundle_copy.path / "model.onnx").write_bytes(content)
        assert made.trigger_configure() == SUCCESS
        assert made.trigger_activate() == SUCCESS
        assert made.trigger_deactivate() == SUCCESS
        assert made.trigger_cleanup() == SUCCESS
        assert made.trigger_shutdown() == SUCCESS


@pytest.mark.parametrize(
    ("parameters", "parts"),
    [
        ({"bundle": "no_such_bundle"}, ["no_such_bundle", "To fix"]),
        ({"operating_point": "tpr59"}, ["operating point 'tpr59'", "tpr95"]),
        ({"input_width": 64}, ["input_width", "input_height"]),
        ({"input_width": 33, "input_height": 33}, ["33"]),
        ({"backend": "tensorrt"}, ["tensorrt", "To fix"]),
        # TensorRT's provider: absent from the CPU package everywhere, and never replaced by another one in silence.
        ({"backend": "onnxruntime", "provider": "tensorrt"}, ["TensorrtExecutionProvider", "To fix"]),
        ({"thresold": 1.0}, ["did you mean 'threshold'?"]),
    ],
)
def test_settings_the_bundle_or_the_machine_cannot_serve(
    parameters: dict[str, object],
    parts: list[str],
    domain: int,
    tiny_bundle: Bundle,
    capfd: pytest.CaptureFixture[str],
) -> None:
    given = {"bundle": str(tiny_bundle.path), "backend": "fake", **parameters}
    with node(domain, **given) as made:
        assert made.trigger_configure() == FAILURE
    said = capfd.readouterr().err
    for part in parts:
        assert part in said


def test_a_bad_value_of_the_start_may_be_corrected_before_the_next_configure(domain: int, tiny_bundle: Bundle) -> None:
    with node(domain, bundle=str(tiny_bundle.path), backend="fake", stale_after_s=-1.0) as made:
        assert made.trigger_configure() == FAILURE
        (result,) = made.set_parameters([Parameter("stale_after_s", value=2.0)])
        assert result.successful
        assert made.trigger_configure() == SUCCESS


def test_every_parameter_is_declared_as_the_schema_says(domain: int, tiny_bundle: Bundle) -> None:
    from hybrid_seg_ros.ros.schema import SCHEMA

    with node(domain) as made:
        for name, spec in SCHEMA.items():
            described = made.describe_parameter(name)
            assert described.description == spec.description
            assert described.read_only == spec.read_only
            ranges = [*described.integer_range, *described.floating_point_range]
            assert [(r.from_value, r.to_value) for r in ranges] == (
                [] if spec.minimum is None else [(spec.minimum, spec.maximum)]
            )
