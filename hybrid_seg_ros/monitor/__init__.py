"""Input states and stage timings as pure state machines."""
