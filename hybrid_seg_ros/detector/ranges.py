"""The smallest and largest value of raw outputs, and whether they are numbers at all."""

from hybrid_seg_ros.backends.base import BackendError, FloatArray, NetworkOutput

# Far beyond any trained network; up to here every formula stays inside float32.
LIMIT = 1e30


class InvalidOutputError(BackendError):
    """The network returned NaN, Inf or absurd values: nothing of this frame may be published."""


class ConstantOutputError(InvalidOutputError):
    """The network answered the same everywhere: nothing of this frame may be published."""


def checked_range(output: NetworkOutput) -> tuple[float, float]:
    """(min, max) of the logits.

    Raises:
        InvalidOutputError: a value of logits or posterior is NaN, Inf or beyond 1e30.
    """
    low, high = _range(output.logits, "logits")
    _range(output.posterior, "posterior")
    return low, high


def refuse_constant(output: NetworkOutput) -> None:
    """Raise InvalidOutputError where all logits are the same."""
    logits = output.logits
    # Two corners tell a sound network in no time.
    if logits[0, 0, 0] == logits[-1, -1, -1] and (logits == logits[0, 0, 0]).all():
        raise ConstantOutputError(constant_output(float(logits[0, 0, 0])))


def constant_output(value: float) -> str:
    """What to say of a network that answers the same everywhere: no image does that to a sound one."""
    return (
        f"network output: expected values that depend on the image, found {value:g} everywhere. To fix: check the"
        " model with `hybrid-seg inspect`; build the engine again with `hybrid-seg build-engine BUNDLE --force`"
    )


def _range(values: FloatArray, name: str) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())  # both propagate NaN
    if not (low > -LIMIT and high < LIMIT):
        raise InvalidOutputError(
            f"network output {name}: expected finite values, found a range of {low:g} to {high:g}. To fix: check the"
            " model with `hybrid-seg inspect`; with a reduced-precision engine, use FP32"
        )
    return low, high
