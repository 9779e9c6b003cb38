"""What a board offers: ports, drivers, backends. Knows nothing of the firmware."""
