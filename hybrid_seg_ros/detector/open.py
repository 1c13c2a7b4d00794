"""From a bundle's name to a detector that is ready for its first frame."""

import logging
import time
from pathlib import Path

from hybrid_seg_ros.backends import Backend, BackendError, BackendOptions, create, on_cpu
from hybrid_seg_ros.backends.device import DeviceBackend
from hybrid_seg_ros.bundle import Bundle, find_bundle, load_bundle
from hybrid_seg_ros.detector.detector import Detector
from hybrid_seg_ros.detector.plans import OutputSize
from hybrid_seg_ros.detector.rescue import Rescue
from hybrid_seg_ros.detector.restarts import RestartPolicy, Restarts

_log = logging.getLogger(__name__)


def open_detector(
    bundle: Path | str | Bundle,
    backend: str = "auto",
    *,
    input_size: tuple[int, int] | None = None,
    output_size: OutputSize = "source",
    threshold: float | str | None = None,
    threads: int | None = None,
    options: BackendOptions | None = None,
    borrow: bool = False,
    restart: RestartPolicy | None = None,
    fall_back: bool = True,
) -> Detector:
    """Find, verify and load a bundle, make its backend and warm everything up.

    Args:
        bundle: path or name of a bundle, or a loaded one.
        backend: "auto", "onnxruntime", "tensorrt" or "fake".
        input_size: (width, height) of the network input; None = the manifest's.
        output_size: see `Detector`; so are threshold, threads and borrow.
        threshold: see `Detector`.
        threads: for the network, too, unless `options` says otherwise.
        options: everything else about the backend.
        borrow: see `Detector`.
        restart: how often a GPU that fails is started again.
        fall_back: go on with ONNX Runtime on the CPU when it was started again in vain.

    Raises:
        BundleError: the bundle is not there or not valid.
        BackendError: the backend does not work here, or fails the golden test.
        ValueError: see `Detector`.
    """
    loaded = bundle if isinstance(bundle, Bundle) else load_bundle(find_bundle(bundle))
    wanted = options or BackendOptions(threads=threads)

    def on_the_cpu(why: str) -> Backend:
        return on_cpu(loaded, input_size, wanted, why)

    def ready(made: Backend) -> Detector:
        rescue = Rescue(
            Restarts(restart or RestartPolicy(), time.monotonic),
            lambda: create(backend, loaded, input_size, wanted),
            on_the_cpu if fall_back else None,
        )
        detector = Detector(
            loaded, made, output_size=output_size, threshold=threshold, threads=threads, borrow=borrow, rescue=rescue
        )
        try:
            detector.warm_up()
        except BaseException:
            detector.close()
            raise
        return detector

    made = create(backend, loaded, input_size, wanted)
    try:
        return ready(made)
    except BackendError as error:
        made.close()
        if backend != "auto" or not isinstance(made, DeviceBackend):
            raise
        # The network runs on the GPU and what is around it does not: "auto" is what works as a whole.
        _log.warning("backend auto: %s works, the kernels around it do not: %s", made.describe().name, error)
        return ready(on_the_cpu(f"no kernels on the GPU: {error}"))
    except BaseException:
        made.close()
        raise
