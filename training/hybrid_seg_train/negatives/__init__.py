"""Negatives from data: objects of no known class, cut from other images and pasted into road scenes."""
