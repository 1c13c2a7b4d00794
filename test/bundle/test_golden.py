from pathlib import Path

import numpy as np
import pytest
from support.bundles import TinyNetwork

from hybrid_seg_ros.bundle import Bundle, BundleError, Golden, seal_bundle
from hybrid_seg_ros.bundle.golden import read_golden, write_golden


def test_round_trip(tiny_bundle: Bundle, tmp_path: Path) -> None:
    golden = tiny_bundle.golden()
    write_golden(tmp_path / "golden.npz", golden)
    again = read_golden(tmp_path / "golden.npz", tiny_bundle.manifest)
    for name in ("image", "logits", "posterior"):
        np.testing.assert_array_equal(getattr(again, name), getattr(golden, name))
    assert golden.image.shape == (96, 128, 3)
    assert golden.logits.shape == (11, 24, 32)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"logits": np.zeros((3, 24, 32), np.float32)}, r"logits: float32\[11, 24, 32\], found float32\[3, 24, 32\]"),
        ({"posterior": np.zeros((2, 24, 32))}, r"found float64\[2, 24, 32\]"),
        ({"logits": np.full((11, 24, 32), np.nan, np.float32)}, "NaN or Inf"),
        ({"image": np.zeros((96, 128), np.uint8)}, r"image: uint8\[H, W, 3\]"),
        ({"image": np.zeros((90, 128, 3), np.uint8)}, "128x90"),
    ],
)
def test_arrays_that_do_not_fit_the_manifest(
    tiny_bundle: Bundle, tmp_path: Path, change: dict[str, np.ndarray], part: str
) -> None:
    golden = tiny_bundle.golden()
    arrays = {"image": golden.image, "logits": golden.logits, "posterior": golden.posterior, **change}
    write_golden(tmp_path / "golden.npz", Golden(**arrays))
    with pytest.raises(BundleError, match=part):
        read_golden(tmp_path / "golden.npz", tiny_bundle.manifest)


def test_missing_array_and_pickles_and_garbage(bundle_copy: Bundle) -> None:
    file = bundle_copy.path / "golden.npz"
    np.savez(file, image=bundle_copy.golden().image)
    with pytest.raises(BundleError, match="an array 'logits'"):
        seal_bundle(bundle_copy.path).golden()
    np.savez(file, image=np.array([{"a": 1}], dtype=object))
    with pytest.raises(BundleError, match="plain arrays"):
        seal_bundle(bundle_copy.path).golden()
    file.write_bytes(b"PK not a zip")
    with pytest.raises(BundleError, match="plain arrays"):
        seal_bundle(bundle_copy.path).golden()


def test_golden_of_the_tiny_network_is_its_formula(tiny_bundle: Bundle) -> None:
    from hybrid_seg_ros.bundle import image_to_tensor

    golden = tiny_bundle.golden()
    logits, posterior = TinyNetwork().run(image_to_tensor(golden.image, tiny_bundle.manifest.input))
    np.testing.assert_array_equal(golden.logits, logits)
    np.testing.assert_array_equal(golden.posterior, posterior)
