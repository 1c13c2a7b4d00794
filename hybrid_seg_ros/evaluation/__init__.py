"""Exact metrics of closed-set and open-set segmentation."""
