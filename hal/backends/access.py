"""Who may open a device file: what to tell an installer whose program may not.

Distributions give these files to groups (gpio, dialout, i2c, spi, input) by udev rules; an image without
those rules leaves them to root alone, and then no group helps.
"""

import grp
import os
import stat

_OPENED_BY_GROUP = stat.S_IRGRP | stat.S_IWGRP


def expected(path: str, usual: str) -> str:
    """What would let this user open `path`, in words for after "expected".

    usual  str  the group that has such files where udev's rules are there
    """
    try:
        found = os.stat(path)
    except OSError:
        return f"this user in the group {usual}"
    if found.st_gid == 0 or found.st_mode & _OPENED_BY_GROUP != _OPENED_BY_GROUP:
        return (
            f"a udev rule that gives it to a group of this user's "
            f'(such as GROUP="{usual}", MODE="0660"): it is root\'s alone'
        )
    return f"this user in the group {_name(found.st_gid)}, then a new start"


def _name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
