"""Values that are finished when they are read: what flows between layers on this engine."""
