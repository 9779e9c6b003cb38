"""What runs on the controller."""

VERSION = "0.1.0"
