"""Small images of scores and anomaly labels for properties of pixel metrics."""

import math

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

Image = tuple[npt.NDArray[np.floating], npt.NDArray[np.uint8]]


@st.composite
def images(draw: st.DrawFn, dtype: npt.DTypeLike) -> list[Image]:
    """One to four images: scores with ties, near ties and a wide range; labels with void and both kinds."""
    values = st.integers(-3, 3).map(float)
    if np.dtype(dtype) == np.float16:
        values |= st.integers(0, 0xFFFF).map(lambda bits: float(np.uint16(bits).view(np.float16))).filter(_number)
    else:
        values |= st.integers(0, 300).map(lambda step: 1.0 + step * 2.0**-20)  # many to a bin
        values |= st.integers(0, 0xFFFFFFFF).map(lambda bits: float(np.uint32(bits).view(np.float32))).filter(_number)
    found: list[Image] = []
    for _ in range(draw(st.integers(1, 4))):
        size = draw(st.integers(2, 40))
        score = np.array(draw(st.lists(values, min_size=size, max_size=size))).astype(dtype)
        anomaly = np.array(draw(st.lists(st.sampled_from([0, 1, 255]), min_size=size, max_size=size)), np.uint8)
        anomaly[:2] = 0, 1
        found.append((score.reshape(1, -1), anomaly.reshape(1, -1)))
    return found


def _number(value: float) -> bool:
    return not math.isnan(value)


def pooled(sample: list[Image]) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.bool_]]:
    """All labelled scores and whether they are anomalies."""
    score = np.concatenate([score.ravel() for score, _ in sample])
    anomaly = np.concatenate([anomaly.ravel() for _, anomaly in sample])
    return score[anomaly <= 1], anomaly[anomaly <= 1] == 1
