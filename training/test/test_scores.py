import numpy as np
import pytest
import torch

from hybrid_seg_ros.detector import reference
from hybrid_seg_ros.frames.geometry import Placement, axis_table
from hybrid_seg_train.infer import Predictor
from hybrid_seg_train.models import HybridOutput
from hybrid_seg_train.scores import anomaly_scores


@pytest.mark.parametrize("kind", ["hybrid", "energy", "posterior", "msp", "max_logit", "entropy"])
def test_scores_equal_the_deployed_reference(kind: str) -> None:
    rng = np.random.default_rng(0)
    logits, posterior = rng.normal(0, 5, (11, 6, 7)), rng.normal(0, 5, (2, 6, 7))
    found = anomaly_scores(torch.from_numpy(logits), torch.from_numpy(posterior))[kind].numpy()
    np.testing.assert_allclose(found, reference.score(logits, posterior, kind), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("source", [(96, 64), (100, 60), (61, 83), (300, 200)])
def test_predictor_upsamples_as_the_deployed_detector(source: tuple[int, int]) -> None:
    size = (96, 64)
    generator = torch.Generator().manual_seed(1)
    output = HybridOutput(
        torch.randn(1, 3, 16, 24, generator=generator), torch.randn(1, 2, 16, 24, generator=generator)
    )
    image = np.zeros((source[1], source[0], 3), np.uint8)
    found = Predictor(lambda tensor: output, size)(image)
    place = Placement.fit(source, size, "letterbox")
    rows = axis_table(outputs=source[1], content=place.content[1], pad=place.pad_top, stride=4, cells=16)
    columns = axis_table(outputs=source[0], content=place.content[0], pad=place.pad_left, stride=4, cells=24)
    expected = reference.upsample(output.logits[0].numpy(), rows, columns)
    np.testing.assert_allclose(found.logits.numpy(), expected, atol=1e-5)
    assert found.posterior.shape == (2, source[1], source[0])
