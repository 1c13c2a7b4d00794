"""Pictures of generated drives that nothing is wrong with, rendered once for all tests of a process."""

import functools

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.scenes import WEATHERS, Drive

PERIOD_S = 1.0


@functools.lru_cache(maxsize=len(WEATHERS))
def clean_drive(weather: str) -> tuple[npt.NDArray[np.uint8], ...]:
    """20 s of a drive at 15 Hz, every 15th picture, PERIOD_S apart: uint8[180, 320, 3]."""
    seed = WEATHERS.index(weather)
    drive = Drive(seed=seed, weather=weather, size=(320, 180), n_frames=300, bonnet=seed % 2 == 1)
    return tuple(drive[i].frame.image for i in range(0, 300, round(PERIOD_S * 15)))
