"""Offline training of hybrid open-set segmentation networks: train, calibrate, evaluate, export to a bundle."""
