"""Soak: the real firmware in virtual time under people, noise and faults, with its laws checked throughout.

`plan` draws a story from a seed, `laws` watches it from outside, `run` tries many, `shrink` finds the
shortest story that still breaks a law.
"""
