"""Plain PyTorch eager as the other side of `hybrid-seg bench eager`: one request a line on stdin, one answer on stdout.

The first line written describes the side; then each request is a JSON object:

    {"do": "end_to_end", "image": "picture.npy", "save": null}  -> {"total_ms": ..., "network_ms": ..., "post_ms": ...}
    {"do": "post", "classes": 19, "height": 256, "width": 512, "stride": 4}             -> {"post_ms": ...}
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from hybrid_seg_ros.bundle import find_bundle, load_bundle
from hybrid_seg_train.from_bundle import network_from_bundle


class EagerDetector:
    """The whole path as one would write it from the paper, with no regard to speed beyond inference mode."""

    def __init__(self, bundle: str, threads: int) -> None:
        torch.set_num_threads(threads)
        loaded = load_bundle(find_bundle(bundle))
        self._network = network_from_bundle(loaded)
        self._spec = loaded.manifest.input
        score = loaded.manifest.score
        self._threshold = score.operating_points[score.default].threshold
        self._cache: dict[str, np.ndarray[Any, Any]] = {}

    def end_to_end(self, image_path: str, save: str | None) -> dict[str, float]:
        """One uint8[H, W, 3] BGR image of network size from a .npy file; labels go to `save` where given."""
        if image_path not in self._cache:
            self._cache[image_path] = np.load(image_path)
        image = self._cache[image_path]
        start = time.perf_counter()
        tensor = self._normalised(torch.from_numpy(image))
        prepared = time.perf_counter()
        logits, posterior = self._network(tensor)
        inferred = time.perf_counter()
        labels = post_process(logits, posterior, image.shape[:2], self._threshold)[0]
        done = time.perf_counter()
        if save is not None:
            np.save(save, labels.numpy().astype(np.uint8))
        return {
            "total_ms": (done - start) * 1e3,
            "preprocess_ms": (prepared - start) * 1e3,
            "network_ms": (inferred - prepared) * 1e3,
            "post_ms": (done - inferred) * 1e3,
        }

    def _normalised(self, image: Tensor) -> Tensor:
        ordered = image.flip(2) if self._spec.color_order == "rgb" else image
        mean, std = (torch.tensor(values).view(3, 1, 1) for values in (self._spec.mean, self._spec.std))
        return ((ordered.permute(2, 0, 1).float() / 255 - mean) / std)[None].contiguous()


def post_process(
    logits: Tensor, posterior: Tensor, size: tuple[int, int], threshold: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """METHOD section 1 as written: upsample all logits, softmax, argmax, log-sum-exp, log-posterior, threshold.

    Args:
        logits: float32[1, K, h, w].
        posterior: float32[1, 2, h, w].
        size: (H, W) of the outputs.
        threshold: of the mask.

    Returns:
        labels int64[H, W], score float32[H, W], mask bool[H, W], confidence float32[H, W].
    """
    logits = functional.interpolate(logits, size=size, mode="bilinear", align_corners=False)
    posterior = functional.interpolate(posterior, size=size, mode="bilinear", align_corners=False)
    confidence, labels = torch.softmax(logits, dim=1).max(dim=1)
    score = torch.log_softmax(posterior, dim=1)[:, 1] - torch.logsumexp(logits, dim=1)
    return labels[0], score[0], (score > threshold)[0], confidence[0]


def time_post(classes: int, height: int, width: int, stride: int) -> dict[str, float]:
    """Post-processing alone, of random logits."""
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(1, classes, height, width, generator=generator)
    posterior = 3 * torch.randn(1, 2, height, width, generator=generator)
    start = time.perf_counter()
    post_process(logits, posterior, (height * stride, width * stride), 0.0)
    return {"post_ms": (time.perf_counter() - start) * 1e3}


def main() -> int:
    """Answer requests until stdin ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", required=True)
    parser.add_argument("--threads", type=int, required=True)
    args = parser.parse_args()
    with torch.inference_mode():
        detector = EagerDetector(args.bundle, args.threads)
        print(json.dumps({"torch": str(torch.__version__), "threads": torch.get_num_threads()}), flush=True)
        for line in sys.stdin:
            request = json.loads(line)
            if request["do"] == "post":
                sizes = {k: int(request[k]) for k in ("classes", "height", "width", "stride")}
                answer = time_post(**sizes)
            else:
                answer = detector.end_to_end(str(Path(request["image"])), request["save"])
            print(json.dumps(answer), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
