import numpy as np
import pytest

from hybrid_seg_ros.bundle import NetworkInput, image_to_tensor


@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_one_pixel_by_hand(order: str) -> None:
    spec = NetworkInput(
        width=32,
        height=32,
        color_order=order,
        mean=(0.1, 0.2, 0.3),
        std=(0.5, 0.25, 0.125),  # type: ignore[arg-type]
    )
    image = np.zeros((32, 32, 3), np.uint8)
    image[5, 7] = (51, 102, 204)  # blue 0.2, green 0.4, red 0.8
    tensor = image_to_tensor(image, spec)
    red, green, blue = 0.8, 0.4, 0.2
    first, last = (red, blue) if order == "rgb" else (blue, red)
    assert tensor.shape == (1, 3, 32, 32)
    assert tensor.flags["C_CONTIGUOUS"]
    np.testing.assert_allclose(
        tensor[0, :, 5, 7], [(first - 0.1) / 0.5, (green - 0.2) / 0.25, (last - 0.3) / 0.125], atol=1e-6
    )
