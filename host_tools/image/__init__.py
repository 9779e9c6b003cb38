"""Debian systems as files: kernels, roots and disk images, made without mounting and kept in a cache.

For any architecture that Debian has a kernel for. Versions are asked of apt when a system is made, never
written down here: the security archive replaces them.
"""
