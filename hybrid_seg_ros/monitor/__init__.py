"""Pure state machines that watch inputs and stage times; no ROS, no clock of their own."""
