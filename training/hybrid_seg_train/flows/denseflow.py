"""DenseFlow (Grcić et al., "Densely connected normalizing flows", NeurIPS 2021; sizes as METHOD gives them)."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from hybrid_seg_train.flows.bijections import ActNorm, InvertibleConv1x1, Squeeze, dequantize, to_pixels
from hybrid_seg_train.flows.bijections.dequantize import LEVELS
from hybrid_seg_train.flows.config import FlowConfig
from hybrid_seg_train.flows.dense_block import InvertibleDenseBlock
from hybrid_seg_train.flows.gaussian import standard_normal_log_density

CHANNELS = 3


class Encoded(NamedTuple):
    """An image's latents.

    Attributes:
        latents: what each block factored out, then the rest, each float32[B, *, *, *]; standard normal under the model.
        appended: for each block its noise channels.
        log_det: ln |det| of the map (values, appended) -> latents, float32[B].
        log_noise: ln q(appended | values), float32[B].
    """

    latents: list[Tensor]
    appended: list[list[Tensor]]
    log_det: Tensor
    log_noise: Tensor


class DenseFlow(nn.Module):
    """A normalising flow over 8-bit RGB images of any size whose sides are multiples of `config.multiple`.

    Everything is computed in float32, also under autocast: a coarser inverse would not be the inverse any more.
    """

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.config = config
        self.squeeze = Squeeze()
        self.blocks = nn.ModuleList()
        channels = CHANNELS
        for i, (units, steps) in enumerate(zip(config.units, config.steps, strict=True)):
            # The squeeze before the first block keeps all channels, those between blocks keep half.
            channels *= 4 if i == 0 else 2
            block = InvertibleDenseBlock(channels, units, steps, config)
            self.blocks.append(block)
            channels = block.outputs

    def _blocks(self) -> Iterator[InvertibleDenseBlock]:
        return (block for block in self.blocks if isinstance(block, InvertibleDenseBlock))

    def initialize(self, images: Tensor, *, generator: torch.Generator | None = None) -> None:
        """Set every ActNorm from these images, uint8 or float32[B, 3, h, w] in 0..255; once, before training.

        With `config.whiten` the 1x1 convolutions too.
        """
        kinds = (ActNorm, InvertibleConv1x1) if self.config.whiten else (ActNorm,)
        for module in self.modules():
            if isinstance(module, kinds):
                module.prepare()
        with torch.no_grad():
            self.log_likelihood(images, generator=generator)

    def log_likelihood(self, images: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
        """A one-sample lower bound of ln P(image), nats.

        Args:
            images: uint8 or float32[B, 3, h, w] of 8-bit values 0..255; not scaled, not normalised.
            generator: source of the dequantisation and of the noise channels, on the images' device.

        Returns:
            float32[B].

        Raises:
            ValueError: another shape, sides that are no multiples of `config.multiple`, or values outside 0..255.
        """
        self._check_images(images)
        with torch.autocast(images.device.type, enabled=False):
            encoded = self.encode(dequantize(images, generator), generator=generator)
            prior = sum((standard_normal_log_density(z) for z in encoded.latents), encoded.log_det)
            return prior - encoded.log_noise - images[0].numel() * math.log(LEVELS)

    def bits_per_dim(self, images: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
        """The bound in bits for each of an image's 3 h w values; arguments and errors as `log_likelihood`."""
        return -self.log_likelihood(images, generator=generator) / (images[0].numel() * math.log(2.0))

    def sample(
        self,
        count: int,
        size: tuple[int, int],
        *,
        generator: torch.Generator | None = None,
        temperature: float = 1.0,
    ) -> Tensor:
        """Draw images, differentiably in the flow's parameters.

        Args:
            count: how many.
            size: (height, width), px.
            generator: source of the latents, on the flow's device.
            temperature: standard deviation of the latents.

        Returns:
            float32[count, 3, height, width] in [0, 255], not rounded.

        Raises:
            ValueError: sides that are no multiples of `config.multiple`.
        """
        self._check_size(size)
        device = next(self.parameters()).device
        latents = [
            temperature * torch.randn((count, *shape), generator=generator, device=device)
            for shape in self.latent_shapes(size)
        ]
        with torch.autocast(device.type, enabled=False):
            return to_pixels(self.decode(latents)[0])

    def encode(
        self,
        values: Tensor,
        appended: Sequence[Sequence[Tensor]] | None = None,
        *,
        generator: torch.Generator | None = None,
    ) -> Encoded:
        """Dequantised values float32[B, 3, h, w] -> latents; noise channels are drawn unless given."""
        latents: list[Tensor] = []
        used: list[list[Tensor]] = []
        log_det, log_noise = values.new_zeros(len(values)), values.new_zeros(len(values))
        x = values
        for i, block in enumerate(self._blocks()):
            x, _ = self.squeeze(x)
            if i:
                x, out = x.chunk(2, dim=1)
                latents.append(out)
            output = block(x, None if appended is None else appended[i], generator)
            x = output.z
            log_det, log_noise = log_det + output.log_det, log_noise + output.log_noise
            used.append(output.appended)
        return Encoded([*latents, x], used, log_det, log_noise)

    def decode(self, latents: Sequence[Tensor]) -> tuple[Tensor, list[list[Tensor]]]:
        """Latents, as `encode` gives them -> dequantised values float32[B, 3, h, w] and each block's noise channels."""
        *factored, x = latents
        appended: list[list[Tensor]] = []
        for block in reversed(list(self._blocks())):
            x, noise = block.inverse(x)
            appended.insert(0, noise)
            if factored:
                x = torch.cat([x, factored.pop()], dim=1)
            x = self.squeeze.inverse(x)
        return x, appended

    def latent_shapes(self, size: tuple[int, int]) -> list[tuple[int, int, int]]:
        """(channels, height, width) of each latent of an image of `size` (height, width)."""
        height, width = size
        shapes = []
        blocks = list(self._blocks())
        for i, block in enumerate(blocks, start=1):
            height, width = height // 2, width // 2
            if i < len(blocks):
                # The next squeeze makes 4 times the channels, half of which are factored out.
                shapes.append((2 * block.outputs, height // 2, width // 2))
            else:
                shapes.append((block.outputs, height, width))
        return shapes

    def _check_size(self, size: tuple[int, int]) -> None:
        multiple = self.config.multiple
        if min(size) < multiple or any(side % multiple for side in size):
            raise ValueError(f"image size {size[0]}x{size[1]} (height x width), expected multiples of {multiple}")

    def _check_images(self, images: Tensor) -> None:
        if images.ndim != 4 or images.shape[1] != CHANNELS:
            raise ValueError(f"images of shape {tuple(images.shape)}, expected [B, {CHANNELS}, height, width]")
        self._check_size((images.shape[2], images.shape[3]))
        low, high = (float(v) for v in images.detach().aminmax())
        if not (low >= 0.0 and high <= LEVELS - 1.0):
            raise ValueError(
                f"pixel values from {low:.6g} to {high:.6g}, expected 8-bit values 0..255: "
                "undo the normalisation, and scale by 255 once only"
            )
