"""The desktop simulator: a building around the real firmware, in virtual or real time."""
