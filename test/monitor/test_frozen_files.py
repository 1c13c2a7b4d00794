"""Compressed images that come again, told by their bytes, of which only some are decoded."""

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.monitor.frozen import FROZEN, LOOPING, FrozenOptions
from hybrid_seg_ros.monitor.frozen_files import FrozenFileMonitor, file_content

Image = npt.NDArray[np.uint8]
NOTHING: frozenset[str] = frozenset()


def noisy(seed: int) -> Image:
    noise = np.random.default_rng(seed).normal(0, 1.5, (90, 160, 3))
    return np.clip(np.rint(120 + noise), 0, 255).astype(np.uint8)


def jpeg(image: Image, note: bytes = b"") -> Image:
    """A JPEG file, a comment in its header."""
    file = cv2.imencode(".jpg", image)[1].tobytes()
    comment = b"\xff\xfe" + (2 + len(note)).to_bytes(2, "big") + note if note else b""
    return np.frombuffer(file[:2] + comment + file[2:], np.uint8)


class Camera:
    """Sends files to a monitor; every `decode_every`th is decoded, as by a slow network."""

    def __init__(self, decode_every: int, **options: int) -> None:
        self.monitor, self.decode_every, self.sent = FrozenFileMonitor(FrozenOptions(**options)), decode_every, 0

    def send(self, image: Image, note: bytes = b"") -> frozenset[str]:
        self.sent += 1
        content = file_content(jpeg(image, note))
        states = self.monitor.arrived(content, self.sent)
        if self.decode_every and self.sent % self.decode_every == 0:
            states |= self.monitor.decoded(content, image, self.sent)
        return states


def test_a_frozen_camera_is_told_by_what_arrives_however_few_are_decoded() -> None:
    camera = Camera(decode_every=3, repeats=8)
    assert {camera.send(noisy(k)) for k in range(20)} == {NOTHING}
    told = [camera.send(noisy(99)) for _ in range(12)]
    assert told == [NOTHING] * 8 + [frozenset({FROZEN})] * 4
    assert camera.send(noisy(100)) == NOTHING


def test_a_loop_is_told_by_what_arrives() -> None:
    camera = Camera(decode_every=4, loop_frames=5, max_loop=10)
    told = [camera.send(noisy(k % 7)) for k in range(20)]
    assert told == [NOTHING] * 11 + [frozenset({LOOPING})] * 9


def test_a_dark_camera_is_not_frozen_though_its_files_are_the_same() -> None:
    black = np.zeros((90, 160, 3), np.uint8)
    camera = Camera(decode_every=7, repeats=4, loop_frames=4)
    assert {camera.send(black) for _ in range(60)} == {NOTHING}
    flickering = Camera(decode_every=2, repeats=4, loop_frames=4)
    assert {flickering.send(black + np.uint8(k // 2 % 2)) for k in range(60)} == {NOTHING}


def test_what_was_never_decoded_is_not_judged() -> None:
    camera = Camera(decode_every=0, repeats=4)
    assert {camera.send(noisy(1)) for _ in range(20)} == {NOTHING}


def test_files_that_count_in_their_header_are_told_by_those_that_are_decoded() -> None:
    camera = Camera(decode_every=2, repeats=3)
    told = [camera.send(noisy(1), b"%04d" % k) for k in range(12)]
    assert told[-1] == {FROZEN}
    assert told[:6] == [NOTHING] * 6


def test_it_begins_anew() -> None:
    camera = Camera(decode_every=1, repeats=2)
    for _ in range(5):
        camera.send(noisy(1))
    camera.monitor.reset()
    assert [camera.send(noisy(1)) for _ in range(2)] == [NOTHING] * 2


def test_contents_differ_by_length_and_by_noise() -> None:
    files = [jpeg(noisy(k)) for k in range(30)] + [np.zeros(n, np.uint8) for n in (0, 1, 5000, 5001)]
    assert len({file_content(file) for file in files}) == len(files)
    assert file_content(files[0]) == file_content(files[0].copy())
