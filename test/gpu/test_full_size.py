"""The post-kernel at the size it is measured at, against the formula as written."""

import numpy as np
import pytest
from support.kernel_runners import DeviceRunner
from support.post_kernel import Raw, postprocess

from hybrid_seg_ros.cuda.driver import Driver
from hybrid_seg_ros.detector import reference
from hybrid_seg_ros.detector.maps import Formula
from hybrid_seg_ros.detector.plans import Plan
from hybrid_seg_ros.detector.types import Outputs
from hybrid_seg_ros.frames.geometry import Placement

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("any_size", [False, True])
@pytest.mark.parametrize("source", [(2048, 1024), (1920, 1080), (2047, 1023)])
def test_labels_to_the_last_bit(gpu_driver: Driver, source: tuple[int, int], any_size: bool) -> None:
    plan = Plan.make(Placement.fit(source, (2048, 1024), "letterbox"), "source", 4)
    rng = np.random.default_rng(source[0])
    raw = Raw(*(rng.normal(0, 6, (channels, 256, 512)).astype(np.float16) for channels in (19, 2)))
    found, noticed = postprocess(
        raw, plan, Formula("hybrid"), Outputs.ALL, -12.0, any_size=any_size, on=DeviceRunner(gpu_driver)
    )
    wanted = reference.segment(
        raw.logits.astype(np.float32),
        raw.posterior.astype(np.float32),
        plan.rows,
        plan.columns,
        Formula("hybrid"),
        -12.0,
    )
    assert found.score is not None
    np.testing.assert_array_equal(found.labels, wanted.labels)
    np.testing.assert_allclose(found.score, wanted.score, rtol=1e-5, atol=2e-5)
    np.testing.assert_array_equal(found.mask, np.where(found.score > np.float32(-12), 255, 0))
    assert noticed.masked == np.count_nonzero(found.mask)
    assert (noticed.lowest, noticed.highest) == (found.score.min(), found.score.max())
