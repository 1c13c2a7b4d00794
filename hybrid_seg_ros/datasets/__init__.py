"""Benchmark sets as they lie on disk: images, anomaly labels, class labels, saved score maps."""
