"""Which machine a board's name in a config means, by what the machine calls itself.

A Raspberry Pi's firmware writes its model into the device tree. All models have the same header, so
a config for another of them moves the right pins where its chip has the right label; what else is fixed
about a board (serial line, clock, converters) may still differ, so it is told.
"""

#: board: how its models begin, as in /proc/device-tree/model
MODELS = {
    "rpi-zero2w": ("Raspberry Pi Zero 2",),
    "rpi3b": ("Raspberry Pi 3 Model B",),
    "rpi3b-plus": ("Raspberry Pi 3 Model B Plus",),
    "rpi4": ("Raspberry Pi 4 Model B", "Raspberry Pi 400"),
    "rpi5": ("Raspberry Pi 5 Model B", "Raspberry Pi 500"),
    "cm4": ("Raspberry Pi Compute Module 4",),
    "cm5": ("Raspberry Pi Compute Module 5",),
}


def named(model: str) -> str | None:
    """The board that a machine of this model is; None: none that is known."""
    found = [
        (len(start), board)
        for board, starts in MODELS.items()
        for start in starts
        if model.startswith(start)
    ]
    return max(found)[1] if found else None


def problem(board: str, model: str | None) -> str | None:
    """What to tell of a config for `board` on a machine that calls itself `model`; None: nothing.

    model  None: it does not say; no Raspberry Pi, or a kernel without a device tree
    """
    if model is None or board not in MODELS:
        return None
    own = named(model)
    if own == board:
        return None
    expected = f'board = "{own}"' if own is not None else "one of " + ", ".join(sorted(MODELS))
    return f'board: the config is for "{board}" and this machine is a {model}; expected {expected}'
