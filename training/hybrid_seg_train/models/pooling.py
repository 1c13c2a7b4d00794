"""Pyramid pooling that exports to ONNX for any input size."""

import torch
from torch import Tensor, nn


class ConvBNReLU(nn.Sequential):
    """Convolution without bias, batch norm, ReLU; keeps H x W."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


class SeparableConvBNReLU(nn.Sequential):
    """3x3 depthwise convolution, batch norm, then ConvBNReLU of 1x1; keeps H x W, a ninth of the work of a full 3x3."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False),
            nn.BatchNorm2d(inputs),
            *ConvBNReLU(inputs, outputs),
        )


class PyramidPooling(nn.Module):
    """Context of several sizes beside every pixel (SwiftNet's spatial pyramid pooling, changed in form).

    SwiftNet averages over grids of fixed cell count, whose ONNX form depends on the input size. Here each level is an
    average over a window of fixed size at stride 1, which holds for every input size and needs no upsampling back, and
    one level is the mean of the whole image.
    """

    def __init__(
        self, inputs: int, outputs: int, *, windows: tuple[int, ...] = (5, 9, 17), level_width: int = 32
    ) -> None:
        super().__init__()
        self.reduce = ConvBNReLU(inputs, outputs)
        self.pools = nn.ModuleList(
            nn.AvgPool2d(window, stride=1, padding=window // 2, count_include_pad=False) for window in windows
        )
        self.levels = nn.ModuleList(ConvBNReLU(outputs, level_width) for _ in windows)
        # No batch norm on the image mean: with one value per image its statistics are too noisy.
        self.image_level = nn.Sequential(nn.Conv2d(outputs, level_width, 1), nn.ReLU(inplace=True))
        self.fuse = ConvBNReLU(outputs + level_width * (len(windows) + 1), outputs)

    def forward(self, features: Tensor) -> Tensor:
        """float32[B, inputs, h, w] -> float32[B, outputs, h, w]."""
        x = self.reduce(features)
        levels = [level(pool(x)) for pool, level in zip(self.pools, self.levels, strict=True)]
        image = self.image_level(x.mean(dim=(2, 3), keepdim=True)).expand(-1, -1, x.shape[2], x.shape[3])
        pooled: Tensor = self.fuse(torch.cat([x, *levels, image], dim=1))
        return pooled
