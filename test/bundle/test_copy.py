from pathlib import Path

import pytest
from support.bundles import make_bundle

from hybrid_seg_ros.bundle import (
    Bundle,
    BundleError,
    Guarantee,
    OperatingPoint,
    copy_bundle,
    describe,
    find_bundle,
    guarantee_text,
    load_bundle,
)

BOUND = Guarantee(risk="fpr", level=0.01, confidence=0.95, method="hoeffding_bentkus", images=512, set="my drive")
POINT = OperatingPoint(threshold=-1.25, source="my drive, 512 images", fpr=0.004, guarantee=BOUND)


def test_all_files_are_the_same_and_the_point_is_there(tiny_bundle: Bundle, tmp_path: Path) -> None:
    copied = copy_bundle(tiny_bundle, tmp_path / "deep" / "mine", points={"quiet": POINT}, default="quiet")
    assert copied.manifest.files == tiny_bundle.manifest.files
    for name in copied.manifest.files:
        assert copied.file(name).read_bytes() == tiny_bundle.file(name).read_bytes()
    points = copied.manifest.score.operating_points
    assert points == tiny_bundle.manifest.score.operating_points | {"quiet": POINT}
    assert (copied.name, copied.manifest.score.default) == ("mine", "quiet")
    assert load_bundle(tmp_path / "deep" / "mine").manifest == copied.manifest
    assert "mean false-positive rate of an image <= 1 % with 95 % confidence" in describe(copied)
    assert sorted(entry.name for entry in (tmp_path / "deep").iterdir()) == ["mine"]


def test_a_folder_that_is_no_name_keeps_the_name_and_the_default(tiny_bundle: Bundle, tmp_path: Path) -> None:
    copied = copy_bundle(tiny_bundle, tmp_path / "My Bundle", points={"quiet": POINT})
    assert (copied.name, copied.manifest.score.default) == ("tiny", "tpr95")


def test_what_is_there_is_replaced_only_when_asked(tiny_bundle: Bundle, tmp_path: Path) -> None:
    copy_bundle(tiny_bundle, tmp_path / "mine", points={"quiet": POINT})
    with pytest.raises(BundleError, match="no such directory yet"):
        copy_bundle(tiny_bundle, tmp_path / "mine", points={})
    copied = copy_bundle(tiny_bundle, tmp_path / "mine", points={}, overwrite=True)
    assert "quiet" not in copied.manifest.score.operating_points


def test_a_bundle_is_not_copied_onto_itself(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "tiny")
    with pytest.raises(BundleError, match="another directory"):
        copy_bundle(bundle, tmp_path / "x" / ".." / "tiny", points={}, overwrite=True)
    assert load_bundle(bundle.path).manifest == bundle.manifest


def test_nothing_is_left_where_the_copy_is_not_valid(tiny_bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"score\.default is 'loud'"):
        copy_bundle(tiny_bundle, tmp_path / "mine", points={"quiet": POINT}, default="loud")
    assert list(tmp_path.iterdir()) == []


def test_a_point_that_moves_loses_what_was_measured_on_the_8_bit_files(tmp_path: Path) -> None:
    shipped = load_bundle(find_bundle("camvid_hybrid_lite0"))
    assert shipped.manifest.quantization is not None
    copied = copy_bundle(shipped, tmp_path / "mine", points={"fpr_1": POINT, "quiet": POINT})
    made = copied.manifest.quantization
    assert made is not None
    for accuracy in (made.before, *made.after.values()):
        assert set(accuracy.operating_points) == {"tpr95", "best_f1", "fpr_5"}
    assert "at the threshold of fpr_1: not measured" in describe(copied)


def test_the_bound_is_said_in_full() -> None:
    assert guarantee_text(BOUND) == (
        "mean false-positive rate of an image <= 1 % with 95 % confidence (Hoeffding-Bentkus bound,"
        " 512 images of my drive)"
    )
    on_average = Guarantee(risk="miss", level=0.05, method="conformal_risk_control", images=60, set="road")
    assert guarantee_text(on_average) == (
        "mean missed share of the anomaly of an image <= 5 % on average over calibration sets (conformal risk control,"
        " 60 images of road)"
    )


@pytest.mark.parametrize(
    "change",
    [{"confidence": None}, {"method": "conformal_risk_control"}, {"level": 0.0}, {"images": 0}, {"risk": "auc"}],
)
def test_a_bound_that_says_too_little_is_no_bound(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"guarantee|{next(iter(change))}"):
        Guarantee.model_validate(BOUND.model_dump() | change)
