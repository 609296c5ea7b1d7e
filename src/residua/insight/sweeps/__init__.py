"""What came of a sweep: its trials side by side, what mattered, and what the best is worth."""
