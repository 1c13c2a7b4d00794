"""One network run: ONNX Runtime, TensorRT, or a deterministic fake."""
