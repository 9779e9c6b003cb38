"""What is so for one access point: the part of a site's plan that `access_point` and `entry` go by."""

from collections import namedtuple

#: What is so for one access point.
#: portal          str  the opening that it leads through
#: way             str  one of `verification.WAYS`
#: pin_timeout_ms  int
#: wrong_attempts, wrong_window_ms, block_ms  int  see `attempts`
#: direction       str  "in" or "out" of its area
#: area            str
#: anti_passback   str  one of `whereabouts.MODES`
#: anti_passback_ms  int  the time of "timed"
#: way_at          tuple of (schedule, way)  the first whose hours are now takes the place of `way`
#: two_person      str  one of `pairs.MODES`
#: second_person_ms  int
#: reader          str | None  device in whose housing it is
#: visitors        bool  whether a visitor's code is taken here
#: visitor_digits  bool  whether one may be typed, whatever the way
Rules = namedtuple(
    "Rules",
    (
        "portal",
        "way",
        "pin_timeout_ms",
        "wrong_attempts",
        "wrong_window_ms",
        "block_ms",
        "direction",
        "area",
        "anti_passback",
        "anti_passback_ms",
        "way_at",
        "two_person",
        "second_person_ms",
        "reader",
        "visitors",
        "visitor_digits",
    ),
)
