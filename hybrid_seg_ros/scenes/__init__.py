"""Procedural road drives with exact ground truth, for the demo, the tests and training."""
