"""Measurements, side by side in one run: `make bench` prints a table. Never asserted."""
