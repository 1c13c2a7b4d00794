"""The only place that knows rclpy."""
