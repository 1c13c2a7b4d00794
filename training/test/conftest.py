"""One thread each for PyTorch and OpenCV: networks this small lose more to the other threads than they gain."""

import cv2
import torch

torch.set_num_threads(1)
cv2.setNumThreads(1)
