"""From a recipe to the stream of samples that a training sees."""
