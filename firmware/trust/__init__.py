"""What makes records and commands worth believing: canonical JSON, the hash chain.

Stands beside `firmware.wire`; services, the simulator and the host's tools use it. No I/O, no clock.
"""
