"""From mask to metres: components, contact points, the ground plane, a filter over time, planner arrays; no ROS."""
