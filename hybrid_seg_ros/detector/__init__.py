"""Frame in, Segmentation out: the whole path, free of ROS."""
