"""One thread each for PyTorch and OpenCV: networks this small lose more to the other threads than they gain."""

import cv2
import hypothesis
import torch

# How long an example takes is the machine's business, not the code's: others may be at work on it.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")
torch.set_num_threads(1)
cv2.setNumThreads(1)
