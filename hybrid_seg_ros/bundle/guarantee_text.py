"""What a threshold is guaranteed to do, in words: what is bounded, by what, and what the bound rests on."""

from hybrid_seg_ros.bundle.manifest import Guarantee

_RISKS = {"fpr": "false-positive rate", "miss": "missed share of the anomaly"}
_METHODS = {"conformal_risk_control": "conformal risk control", "hoeffding_bentkus": "Hoeffding-Bentkus bound"}


def guarantee_text(guarantee: Guarantee) -> str:
    """One line, as "mean false-positive rate of an image <= 1 % with 95 % confidence (...)"."""
    how_sure = (
        "on average over calibration sets"
        if guarantee.confidence is None
        else f"with {100 * guarantee.confidence:g} % confidence"
    )
    return (
        f"mean {_RISKS[guarantee.risk]} of an image <= {100 * guarantee.level:g} % {how_sure}"
        f" ({_METHODS[guarantee.method]}, {guarantee.images} images of {guarantee.set})"
    )
