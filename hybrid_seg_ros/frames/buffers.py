"""Memory of image size that stays with the process from frame to frame."""

import ctypes
import os

# mallopt's parameter numbers (glibc, malloc.h).
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
# The largest threshold glibc takes: three channels of 8 bit up to 11 megapixels.
_LARGEST_KEPT = 32 << 20
_FREE_KEPT = 256 << 20
_USERS_OWN = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_ARENA_MAX", "GLIBC_TUNABLES")


def keep_buffers() -> bool:
    """Let freed buffers of image size be used again instead of going back to the kernel; call it first thing.

    A 1080p image takes 6 MB in the middleware, in the message and in every output. By default glibc maps such
    buffers afresh each time, and the kernel zeroes and maps 1500 pages on first touch: on a virtual machine that was
    half of what ROS added to a frame. Up to 256 MB may lie free at the end of the heap before they are given back.

    Returns:
        Whether it is in force: not without glibc, nor where the environment tunes malloc itself.
    """
    if any(name in os.environ for name in _USERS_OWN):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    # One arena: those of threads lie in heaps of 64 MB, which go back to the kernel early.
    options = ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, _LARGEST_KEPT), (_TRIM_THRESHOLD, _FREE_KEPT))
    return all(mallopt(option, value) == 1 for option, value in options)
