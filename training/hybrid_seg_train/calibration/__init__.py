"""What calibration is made of: pools of pixels, confidence, reliability and logit statistics."""
