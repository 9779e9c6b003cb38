"""What the machine calls itself, from the device tree that its firmware handed to the kernel."""

#: What /proc/device-tree leads to: a service that sees no more of /proc than processes sees this.
MODEL = "/sys/firmware/devicetree/base/model"
_LONGEST = 100  #: characters; a model is some 30


def model(path: str = MODEL) -> str | None:
    """Such as ``Raspberry Pi 4 Model B Rev 1.4``; None on a machine that has no device tree."""
    try:
        with open(path, "rb") as file:
            raw = file.read(_LONGEST)
    except OSError:
        return None
    text = raw.split(b"\0")[0].decode("ascii", "replace")
    return "".join(char if char.isprintable() else "?" for char in text) or None
