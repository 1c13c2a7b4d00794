import numpy as np
import pytest

from hybrid_seg_ros.assessment.agreement import RunAgreement
from hybrid_seg_ros.bags import Result


def results(seed: int) -> Result:
    rng = np.random.default_rng(seed)
    mask = np.where(rng.random((20, 30)) < 0.3, 255, 0).astype(np.uint8)
    return Result(seed, rng.integers(0, 4, (20, 30), np.uint8), rng.normal(5, 2, (20, 30)).astype(np.float32), mask)


def test_against_numpy_over_all_frames_at_once() -> None:
    agreement = RunAgreement()
    pairs = [(results(i), results(i + 100)) for i in range(5)]
    for one, other in pairs:
        agreement.add(one, other)
    part = agreement.part("other")
    ones, others = zip(*pairs, strict=True)
    stacks = [
        (np.stack([getattr(r, name) for r in ones]), np.stack([getattr(r, name) for r in others]))
        for name in ("labels", "mask", "score")
    ]
    assert part.frames == 5
    assert part.labels == pytest.approx((stacks[0][0] == stacks[0][1]).mean())
    a, b = stacks[1][0] > 0, stacks[1][1] > 0
    assert part.mask_iou == pytest.approx((a & b).sum() / (a | b).sum())
    expected = np.corrcoef(stacks[2][0].ravel(), stacks[2][1].ravel())[0, 1]
    assert part.score_correlation == pytest.approx(expected, abs=1e-6)


def test_what_is_not_there_is_none() -> None:
    agreement = RunAgreement()
    agreement.add(Result(0, mask=np.zeros((2, 2), np.uint8)), Result(0, mask=np.zeros((2, 2), np.uint8)))
    part = agreement.part("other")
    assert (part.labels, part.mask_iou, part.score_correlation) == (None, None, None)
    with pytest.raises(ValueError, match=r"\(2, 2\) and \(3, 3\)"):
        agreement.add(Result(0, mask=np.zeros((2, 2), np.uint8)), Result(0, mask=np.zeros((3, 3), np.uint8)))
