"""8-bit copies of an exported network: calibration images, the Q/DQ graph, and what it costs in accuracy."""
