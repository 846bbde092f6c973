"""What the chapters need and nobody should have to read: figure style, diagrams, corpora."""
