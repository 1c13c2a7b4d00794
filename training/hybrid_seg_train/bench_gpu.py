"""`hybrid-seg bench gpu_*` with PyTorch FP16 as the network, where neither TensorRT nor ONNX Runtime's CUDA is there.

Run by the benchmark in a process of its own: what is measured is the node's code, the network's library is PyTorch.
"""

import argparse
import json
import sys
from pathlib import Path

import torch
from torch import nn

from hybrid_seg_ros.backends.base import BackendInfo
from hybrid_seg_ros.backends.device import DeviceBackend
from hybrid_seg_ros.benchmark.city_bundle import city_bundle
from hybrid_seg_ros.benchmark.gpu_eager import measure_eager
from hybrid_seg_ros.benchmark.gpu_frame import measure_frames
from hybrid_seg_ros.benchmark.gpu_library import Library, Work
from hybrid_seg_ros.benchmark.gpu_soak import measure_soak
from hybrid_seg_ros.benchmark.scenario import Context
from hybrid_seg_ros.bundle import Bundle, find_bundle, load_bundle
from hybrid_seg_ros.cuda.thread import DeviceThread
from hybrid_seg_train.from_bundle import network_from_bundle
from hybrid_seg_train.torch_device import TorchNetwork, closed_set

NAME = "torch fp16"
WORKS: dict[str, Work] = {"gpu_frame": measure_frames, "gpu_eager": measure_eager, "gpu_soak": measure_soak}


class TorchLibrary:
    """Opens bundles in PyTorch; a bundle's network is rebuilt once.

    Args:
        folder: for closed-set bundles.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._networks: dict[tuple[Path, bool], nn.Module] = {}

    def open(self, bundle: Bundle, size: tuple[int, int] | None) -> DeviceBackend:
        """See `Library`."""
        key = bundle.path, False
        if key not in self._networks:
            self._networks[key] = network_from_bundle(bundle)
        return open_torch(bundle, self._networks[key], size)

    def open_closed(self, bundle: Bundle, size: tuple[int, int] | None) -> DeviceBackend:
        """See `Library`; passes its golden test with a slice as the posterior, and does without from then on."""
        key = bundle.path, True
        if key not in self._networks:
            self._networks[key] = closed_set(network_from_bundle(bundle))
        backend = open_torch(city_bundle(bundle, self._folder, closed=True), self._networks[key], size)
        if isinstance(backend.network, TorchNetwork):
            backend.network.with_posterior = False
        return backend


def open_torch(bundle: Bundle, network: nn.Module, size: tuple[int, int] | None) -> DeviceBackend:
    """The network, which has the bundle's weights, as a backend on the GPU.

    Raises:
        BackendError: it fails the golden test.
        DeviceError: no GPU or no pycuda.
    """
    spec, outputs = bundle.manifest.input, bundle.manifest.outputs
    wanted, channels = size or (spec.width, spec.height), (len(bundle.manifest.classes), 2)
    info = BackendInfo(NAME, f"cuda:0 ({torch.cuda.get_device_name()})", "fp16", details={"torch": torch.__version__})
    return DeviceBackend(
        bundle, DeviceThread(), lambda *_: TorchNetwork(network, wanted, channels, outputs.stride), info, "fp16"
    )


def main(arguments: list[str] | None = None) -> int:
    """Measure one scenario; the result goes into a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=sorted(WORKS))
    parser.add_argument("--bundle", required=True)
    parser.add_argument("--work-dir", type=Path, required=True)
    parser.add_argument("--result", type=Path, required=True)
    parser.add_argument("--effort", type=float, default=1.0)
    parser.add_argument("--quiet", action="store_true")
    args = parser.parse_args(arguments)
    if not torch.cuda.is_available():
        print(f"PyTorch {torch.__version__} sees no GPU", file=sys.stderr)
        return 1
    opener = TorchLibrary(args.work_dir)
    bundle = load_bundle(find_bundle(args.bundle))
    context = Context(bundle, args.work_dir, effort=args.effort, progress=not args.quiet)
    found = WORKS[args.work](Library(NAME, opener.open, opener.open_closed), context)
    args.result.write_text(json.dumps(found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
