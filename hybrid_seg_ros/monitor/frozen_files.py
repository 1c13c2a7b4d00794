"""Compressed images that come again under new stamps, told by their bytes: decoding all that arrive would be much."""

import hashlib
from collections import OrderedDict

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.monitor.frozen import FROZEN, FrozenMonitor, FrozenOptions, content_of
from hybrid_seg_ros.monitor.picture import Image

_BYTES = 4096


def file_content(data: npt.NDArray[np.uint8]) -> bytes:
    """Eight bytes that tell files apart, by their length and some of their bytes uint8[N]: noise changes almost all."""
    some = np.ascontiguousarray(data[:: max(1, data.size // _BYTES)])
    return hashlib.blake2b(some.tobytes(), digest_size=8, salt=data.size.to_bytes(8, "little")).digest()


class FrozenFileMonitor:
    """Follows the files of one camera, and the pictures of those that are decoded anyway.

    Whether a content holds noise, and may be judged, only its picture tells: until one of a content was decoded, it
    is not called frozen. Files of one picture may differ (a counter in their header); then the pictures tell, of
    those images that are decoded.

    Args:
        options: see `FrozenOptions`.
    """

    def __init__(self, options: FrozenOptions) -> None:
        self._files, self._pictures = FrozenMonitor(options), FrozenMonitor(options)
        self._noisy: OrderedDict[bytes, bool] = OrderedDict()
        self._last = b""

    def reset(self) -> None:
        """Forget all images."""
        self._files.reset()
        self._pictures.reset()
        self._noisy.clear()
        self._last = b""

    def arrived(self, content: bytes, stamp_ns: int) -> frozenset[str]:
        """Take a file's content; the states as `FrozenMonitor.seen` gives them."""
        self._last = content
        states = self._files.seen(content if self._noisy.get(content, True) else None, stamp_ns)
        return states if self._noisy.get(content, False) else states - {FROZEN}

    def decoded(self, content: bytes, image: Image, stamp_ns: int) -> frozenset[str]:
        """Look at the picture of one that arrived; the states by pictures alone."""
        picture = content_of(image)
        self._noisy[content] = picture is not None
        self._noisy.move_to_end(content)
        if len(self._noisy) > self._files.options.max_loop:
            self._noisy.popitem(last=False)
        if picture is None and content == self._last:
            self._files.reset()
        return self._pictures.seen(picture, stamp_ns)
