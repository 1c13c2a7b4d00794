"""Memory of the bare detector over many frames: `python -m hybrid_seg_ros.benchmark.soak_detector`; prints JSON."""

import json
import sys

import numpy as np
from tqdm import tqdm

from hybrid_seg_ros.bags.memory import MemoryGrowth
from hybrid_seg_ros.detector import open_detector
from hybrid_seg_ros.frames import Frame
from hybrid_seg_ros.frames.buffers import keep_buffers


def main(bundle: str, frames: int, settled: int, size: tuple[int, int], network: tuple[int, int]) -> None:
    """Run `frames` frames; memory is read after `settled` of them and after the last."""
    keep_buffers()
    images = [np.random.default_rng(i).integers(0, 256, (size[1], size[0], 3), np.uint8) for i in range(8)]
    memory = MemoryGrowth("self")
    with open_detector(bundle, "onnxruntime", input_size=network) as detector:
        for index in tqdm(range(frames), unit="frame", desc="detector"):
            if index == settled:
                memory.start()
            detector(Frame(images[index % len(images)], stamp_ns=index))
        print(json.dumps(memory.report()))


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[2:]]
    main(sys.argv[1], numbers[0], numbers[1], (numbers[2], numbers[3]), (numbers[4], numbers[5]))
