"""Frames of odd sizes and many encodings through the device path, for a memory checker to watch."""

import tempfile
from pathlib import Path

import numpy as np
from support.bundles import make_bundle
from support.real_gpu import open_tiny

from hybrid_seg_ros.detector import Detector
from hybrid_seg_ros.frames import Frame
from hybrid_seg_ros.frames.encodings import camera_format, raw_image

SIZES = ((127, 95), (250, 180), (97, 61))
ENCODINGS = ("nv12", "yuyv", "bayer_rggb8", "bgra8", "mono8", "rgb8")


def main() -> None:
    rng, frames = np.random.default_rng(0), 0
    with tempfile.TemporaryDirectory() as folder:
        bundle = make_bundle(Path(folder) / "tiny")
        with Detector(bundle, open_tiny(bundle)) as detector:
            for width, height in SIZES:
                for _ in range(2):
                    detector(Frame(rng.integers(0, 256, (height, width, 3), np.uint8)))
                    frames += 1
            for encoding in ENCODINGS:
                width, height = 158, 94
                fmt = camera_format(encoding)
                step = width * fmt.pixel_bytes
                data = rng.integers(0, 256, fmt.rows(height) * step, np.uint8).tobytes()
                detector(Frame(raw_image(data, width=width, height=height, encoding=encoding, step=step)))
                frames += 1
    print(f"frames: {frames}")


if __name__ == "__main__":
    main()
