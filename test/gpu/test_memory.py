"""Memory of a real GPU: all of it comes back, none of it grows, and too little of it is survived."""

import contextlib
from collections.abc import Iterator

import numpy as np
import pytest
from support.real_gpu import open_tiny

from hybrid_seg_ros.backends import BackendError
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.cuda import graph
from hybrid_seg_ros.cuda.driver import Driver, load_pycuda
from hybrid_seg_ros.cuda.errors import DeviceError
from hybrid_seg_ros.cuda.memory import Buffer
from hybrid_seg_ros.cuda.thread import DeviceThread
from hybrid_seg_ros.detector import Detector
from hybrid_seg_ros.frames import Frame

pytestmark = pytest.mark.gpu
MIB = 1 << 20


@pytest.fixture(params=["kernel by kernel", "graphs"], autouse=True)
def _graphs(request: pytest.FixtureRequest, gpu_driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "graphs" and not graph.available():
        pytest.skip("no cuda-python here: pip install cuda-python")
    monkeypatch.setattr(graph, "available", lambda: request.param == "graphs")


def picture(width: int, height: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def run(detector: Detector, frames: int) -> None:
    """Three cameras in turn, two frames under way."""
    images = [picture(640, 480, 0), picture(333, 251, 1), picture(128, 96, 2)]
    waiting = detector.begin(Frame(images[0]))
    for number in range(1, frames):
        following = detector.begin(Frame(images[number % 3]))
        waiting.result()
        waiting = following
    waiting.result()


def test_buffers_copy_there_and_back(gpu_driver: Driver) -> None:
    free, stream = gpu_driver.free_bytes(), gpu_driver.stream()
    buffer = Buffer(gpu_driver, "a test")
    buffer.reserve(64 * MIB)
    assert gpu_driver.free_bytes() < free
    values = np.random.default_rng(0).integers(0, 256, 64 * MIB, np.uint8)
    host = buffer.host(values.shape, np.uint8)
    assert gpu_driver.is_pinned(host)
    host[...] = values
    gpu_driver.copy_to_device(buffer.address, host, stream)
    gpu_driver.synchronize(stream)
    host[...] = 0
    buffer.fetch(values.shape, np.uint8, stream)
    gpu_driver.synchronize(stream)
    np.testing.assert_array_equal(host, values)
    buffer.release()
    assert gpu_driver.free_bytes() == free


def test_a_closed_thread_leaves_nothing(gpu_driver: Driver) -> None:
    free = gpu_driver.free_bytes()
    for _ in range(20):
        thread = DeviceThread()
        thread.run(
            lambda driver: (driver.allocate(32 * MIB, "a test"), driver.pin(MIB), driver.stream(), driver.event())
        )
        thread.close()
    assert gpu_driver.free_bytes() == free


def test_opened_and_closed_a_hundred_times(gpu_driver: Driver, tiny_bundle: Bundle) -> None:
    free = []
    for _ in range(100):
        with Detector(tiny_bundle, open_tiny(tiny_bundle)) as detector:
            run(detector, 9)
        free.append(gpu_driver.free_bytes())
    # What the driver sets up for itself it does in the first ones, and keeps.
    assert set(free[5:]) == {free[5]}


@pytest.mark.slow
def test_ten_thousand_frames(tiny_bundle: Bundle) -> None:
    backend = open_tiny(tiny_bundle)
    with Detector(tiny_bundle, backend) as detector:
        used = []
        for _ in range(20):
            run(detector, 500)
            used.append(
                backend.thread.run(lambda driver: (driver.free_bytes(), driver.device_bytes, driver.pinned_bytes))
            )
        assert set(used[1:]) == {used[1]}


@contextlib.contextmanager
def everything_taken(driver: Driver, smallest: int) -> Iterator[None]:
    """All device memory, in halves of what was refused, down to pieces of `smallest` bytes."""
    cuda = load_pycuda()
    if cuda.Device(0).get_attribute(cuda.device_attribute.INTEGRATED):
        pytest.skip("this GPU's memory is the whole machine's: taking it all would end other programs")
    taken: list[int] = []
    try:
        size = driver.free_bytes()
        while size >= smallest:
            try:
                taken.append(driver.allocate(size, "a test"))
            except DeviceError as error:
                if not error.out_of_memory:
                    raise
                size //= 2
        yield
    finally:
        for address in taken:
            driver.free(address)


def test_too_little_memory_is_said_and_survived(gpu_driver: Driver, tiny_bundle: Bundle) -> None:
    with everything_taken(gpu_driver, 64), pytest.raises(BackendError, match="out of memory"):
        open_tiny(tiny_bundle, (2048, 1024)).close()
    with Detector(tiny_bundle, open_tiny(tiny_bundle)) as detector:
        assert detector(Frame(picture(128, 96, 0))).labels is not None


def test_a_detector_that_found_no_memory_for_a_large_image_takes_the_next(
    gpu_driver: Driver, tiny_bundle: Bundle
) -> None:
    with Detector(tiny_bundle, open_tiny(tiny_bundle)) as detector:
        before = detector(Frame(picture(128, 96, 0)))
        large = Frame(picture(8192, 4096, 0))
        message = r"allocating \d+ bytes on the GPU for an image.*out of memory"
        with everything_taken(gpu_driver, MIB), pytest.raises(BackendError, match=message):
            detector(large)
        for seed in range(3):
            np.testing.assert_array_equal(detector(Frame(picture(128, 96, 0))).labels, before.labels)
            assert detector(Frame(picture(1024, 512, seed))).labels is not None
