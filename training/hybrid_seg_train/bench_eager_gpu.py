"""PyTorch FP16 as the other side of `hybrid-seg bench gpu_eager`: one request a line on stdin, one answer on stdout.

The first line written describes the side; then each request is a JSON object:

    {"image": "picture.npy", "save": null}  -> {"total_ms": ...}
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from hybrid_seg_ros.bundle import Bundle, NetworkInput, find_bundle, load_bundle
from hybrid_seg_train.from_bundle import network_from_bundle
from hybrid_seg_train.torch_device import half_copy

MODES = {"eager": None, "compile": "default", "compile max-autotune": "max-autotune"}
Maps = tuple[Tensor, Tensor, Tensor]


class WholeFrame(nn.Module):
    """Image to maps as one would write it from the paper (METHOD section 1), every step on the device.

    Logits are upsampled in FP16; softmax, log-sum-exp and logarithms are FP32, as PyTorch's autocast does them.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, spec: NetworkInput, threshold: float) -> None:
        super().__init__()
        self.network, self.rgb, self.threshold = network, spec.color_order == "rgb", threshold
        self.size = spec.height, spec.width
        for name, values in (("mean", spec.mean), ("std", spec.std)):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1))

    def forward(self, image: Tensor) -> Maps:
        """uint8[H, W, 3] BGR -> labels uint8[H, W], score float32[H, W], mask uint8[H, W]."""
        height, width = int(image.shape[0]), int(image.shape[1])
        ordered = image.flip(2) if self.rgb else image
        tensor = ordered.permute(2, 0, 1)[None].float()
        if (height, width) != self.size:
            tensor = functional.interpolate(tensor, size=self.size, mode="bilinear", align_corners=False)
        tensor = ((tensor / 255 - self.mean) / self.std).half().contiguous(memory_format=torch.channels_last)
        raw = self.network(tensor)
        logits, posterior = (
            functional.interpolate(each, size=(height, width), mode="bilinear", align_corners=False) for each in raw
        )
        labels = logits.argmax(dim=1).to(torch.uint8)
        score = torch.log_softmax(posterior.float(), dim=1)[:, 1] - torch.logsumexp(logits.float(), dim=1)
        mask = (score > self.threshold).to(torch.uint8) * 255
        return labels[0], score[0], mask[0]


class EagerFrames:
    """Frames of one way to run PyTorch.

    Args:
        bundle: the network.
        size: (width, height) of the network input, px.
        mode: one of `MODES`.
        device: "cuda"; "cpu" only to try the formula.
    """

    def __init__(self, bundle: Bundle, size: tuple[int, int], mode: str, device: str) -> None:
        torch.backends.cudnn.benchmark = True
        manifest = bundle.manifest
        threshold = manifest.score.operating_points[manifest.score.default].threshold
        spec = manifest.input.model_copy(update={"width": size[0], "height": size[1]})
        network = half_copy(network_from_bundle(bundle), device)
        self._device = device
        self._frame: Callable[[Tensor], Maps] = WholeFrame(network, spec, threshold).to(device)
        if MODES[mode] is not None:
            self._frame = torch.compile(self._frame, mode=MODES[mode])
        self._images: dict[str, np.ndarray[Any, Any]] = {}

    def frame(self, image_path: str, save: str | None) -> dict[str, float]:
        """One uint8[H, W, 3] BGR image from a .npy file, from host memory to host memory; labels go to `save`."""
        if image_path not in self._images:
            self._images[image_path] = np.load(image_path)
        start = time.perf_counter()
        labels, _, _ = (each.cpu() for each in self._frame(torch.from_numpy(self._images[image_path]).to(self._device)))
        done = time.perf_counter()
        if save is not None:
            np.save(save, labels.numpy())
        return {"total_ms": (done - start) * 1e3}


def main() -> int:
    """Answer requests until stdin ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", required=True)
    parser.add_argument("--mode", choices=sorted(MODES), required=True)
    args = parser.parse_args()
    if not torch.cuda.is_available():
        print(f"PyTorch {torch.__version__} sees no GPU", file=sys.stderr)
        return 1
    with torch.inference_mode():
        frames: EagerFrames | None = None
        about = {"torch": torch.__version__, "cuda": torch.version.cuda, "gpu": torch.cuda.get_device_name()}
        print(json.dumps(about), flush=True)
        for line in sys.stdin:
            request = json.loads(line)
            if frames is None:
                height, width = np.load(request["image"], mmap_mode="r").shape[:2]
                frames = EagerFrames(load_bundle(find_bundle(args.bundle)), (width, height), args.mode, "cuda")
            print(json.dumps(frames.frame(str(request["image"]), request["save"])), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
