"""What a reader's frame means: the records that `firmware.wire.decode` hands to the runtime.

A frame that makes no sense is a `BadRead`, never an exception. `CardRead.number`, `KeyRead.key` and
`CodeRead.text` are held by a `Secret`: they go to the decision and into no log line, error or file name.
"""

from collections import namedtuple

#: A card was read.
#: number  Secret  canonical written form (`firmware.wire.card_number`)
#: at_ms   int  the frame's last edge or byte
CardRead = namedtuple("CardRead", ("number", "at_ms"))

#: One key was pressed.
#: key    Secret  "0" to "9", "*" or "#"
#: at_ms  int  the frame's last edge
KeyRead = namedtuple("KeyRead", ("key", "at_ms"))

#: A QR code was read.
#: text   Secret  what the code says, at most 512 bytes of UTF-8
#: at_ms  int  the frame's last byte
CodeRead = namedtuple("CodeRead", ("text", "at_ms"))

#: A frame arrived and meant nothing.
#: why    str  one of the reasons below
#: at_ms  int  the frame's last edge or byte
BadRead = namedtuple("BadRead", ("why", "at_ms"))

LENGTH = "length"  #: too short, too long, or torn
PARITY = "parity"  #: a parity bit or a checksum does not fit
NOISE = "noise"  #: something that no reader sends
STUCK = "stuck"  #: a data line is held
