"""Cameras that send the same again under new stamps: one image for ever, or a few in a loop."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from hybrid_seg_ros.monitor.picture import Image

FROZEN, LOOPING = "camera.frozen", "camera.looping"

GRID = (64, 128)
"""Rows and columns of the pixels that are looked at; more do not help."""
_DARK, _BRIGHT = 4, 251
_JUDGED_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class FrozenOptions:
    """When sameness is no chance.

    Attributes:
        repeats: images in a row that are each the same as the one before: frozen.
        loop_frames: images in a row whose content was there before, not all the same: looping.
        max_loop: how many different contents are remembered: the longest loop that is found.
    """

    repeats: int = 5
    loop_frames: int = 8
    max_loop: int = 300

    def __post_init__(self) -> None:
        """Raises ValueError for counts that tell nothing."""
        for name in ("repeats", "loop_frames", "max_loop"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be >= 1, found {getattr(self, name)}")

    def detection_s(self, state: str, period_s: float) -> float:
        """Longest time from the first image that is not new to the state, s, at one image every `period_s`."""
        frames = self.repeats if state == FROZEN else max(self.repeats, self.loop_frames)
        return (frames - 1) * period_s


class FrozenMonitor:
    """Follows the contents of one camera's images.

    Sensor noise makes every image of a working camera another one, even where nothing moves; so the same bytes under
    a new stamp are an old image. A camera that sends each image twice is none of the two: every second one is new.
    Images that are black, white or of one value hold no noise and are not judged: `image_quality` tells of those.
    What lies between the pixels looked at (128 x 64 of them) is not seen: a source without noise, such as a
    simulator, may need the monitor off.

    Args:
        options: see `FrozenOptions`.
    """

    def __init__(self, options: FrozenOptions | None = None) -> None:
        self.options = options or FrozenOptions()
        self.reset()

    def reset(self) -> None:
        """Forget all images."""
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._last: bytes | None = None
        self._stamp_ns: int | None = None
        self._same = 0
        self._old = 0

    @property
    def states(self) -> frozenset[str]:
        """The state that holds, if any."""
        if self._same >= self.options.repeats:
            return frozenset({FROZEN})
        if self._old >= self.options.loop_frames and self._old > self._same:
            return frozenset({LOOPING})
        return frozenset()

    def update(self, image: Image, stamp_ns: int) -> frozenset[str]:
        """Look at an image, uint8[H, W, 3] BGR or uint8[H, W], strided and read-only or not; see `seen`."""
        return self.seen(content_of(image), stamp_ns)

    def seen(self, content: bytes | None, stamp_ns: int) -> frozenset[str]:
        """Take an image's content; {"camera.frozen"}, {"camera.looping"} or nothing, left with the first new content.

        An image of the stamp before is the same message once more and ignored; an earlier stamp is a new timeline,
        such as a recording played again, and begins anew.

        Args:
            content: as `content_of` gives it.
            stamp_ns: acquisition time, ns.
        """
        if self._stamp_ns is not None:
            if stamp_ns == self._stamp_ns:
                return self.states
            if stamp_ns < self._stamp_ns:
                self.reset()
        self._stamp_ns = stamp_ns
        if content is None:
            self._same = self._old = 0
        else:
            self._same = self._same + 1 if content == self._last else 0
            self._old = self._old + 1 if content in self._seen else 0
            self._seen[content] = None
            self._seen.move_to_end(content)
            if len(self._seen) > self.options.max_loop:
                self._seen.popitem(last=False)
        self._last = content
        return self.states


def content_of(image: Image) -> bytes | None:
    """Eight bytes that tell contents apart, None where there is no noise to tell them apart by.

    Args:
        image: uint8[H, W, 3] BGR or uint8[H, W]; may be strided and read-only.
    """
    height, width = image.shape[:2]
    rows, columns = GRID
    sample = np.ascontiguousarray(image[:: max(1, height // rows), :: max(1, width // columns)])
    noisy = np.count_nonzero((sample >= _DARK) & (sample <= _BRIGHT)) >= _JUDGED_SHARE * sample.size
    if not noisy or sample.min() == sample.max():
        return None
    return hashlib.blake2b(sample.tobytes(), digest_size=8).digest()
