"""Recordings in and out, without a ROS installation."""
