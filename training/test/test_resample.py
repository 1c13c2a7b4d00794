import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from hybrid_seg_train.resample import at_every


@settings(max_examples=40, deadline=None)
@given(
    cells=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    stride=st.sampled_from([1, 2, 4, 8]),
    step=st.integers(1, 4),
    data=st.data(),
)
def test_equals_upsampling_the_whole_image_and_taking_those_pixels(
    cells: tuple[int, int], stride: int, step: int, data: st.DataObject
) -> None:
    phase = data.draw(st.tuples(*(st.integers(0, min(step, side * stride) - 1) for side in cells)))
    maps = torch.randn(2, 3, *cells, generator=torch.Generator().manual_seed(0))
    size = (cells[0] * stride, cells[1] * stride)
    whole = functional.interpolate(maps, size=size, mode="bilinear", align_corners=False)
    found = at_every(maps, size, step, phase)
    torch.testing.assert_close(found, whole[:, :, phase[0] :: step, phase[1] :: step], atol=1e-5, rtol=1e-5)


def test_gradients_are_those_of_upsampling() -> None:
    maps = torch.randn(1, 2, 4, 5, dtype=torch.float32, requires_grad=True)
    whole = functional.interpolate(maps, scale_factor=4, mode="bilinear", align_corners=False)[..., 1::2, 0::2]
    weights = torch.randn_like(whole)
    (expected,) = torch.autograd.grad((whole * weights).sum(), maps)
    (found,) = torch.autograd.grad((at_every(maps, (16, 20), 2, (1, 0)) * weights).sum(), maps)
    assert found.numpy() == pytest.approx(expected.numpy(), abs=1e-5)
