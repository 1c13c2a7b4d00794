"""What a trained model is on disk: manifest, hashes, class table, operating points."""
