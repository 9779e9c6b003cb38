"""One key, and whether it opens one access point now: the first reason against it, in the contract's order.

Pure. What a key may is in `Level`s; what was used of it is kept apart (`Usage`), because the host owns
the key and the controller owns what happened.
"""

from collections import namedtuple

from firmware.access import pin, portal, schedule

ACTIVE = "active"
SUSPENDED = "suspended"
LOST = "lost"
CANCELLED = "cancelled"
STATES = (ACTIVE, SUSPENDED, LOST, CANCELLED)

#: A key.
#: id            int          its record number; the only thing that events tell of it
#: holder        int | None   record number of the person at the host
#: state         str          one of `STATES`
#: valid_from_s  int | None   first second of validity, UTC; None: always was
#: valid_to_s    int | None   first second after it, UTC; None: for ever
#: first_use_s   int | None   valid so long from the first grant; None: does not matter
#: uses          int | None   grants in all; None: no limit
#: levels        tuple of str names of the `Level`s that it has
#: extended      bool         gets the extended times
#: override      bool         opens in lockdown
#: pin_salt      bytes | None the PIN asked for after the card; see `firmware.access.pin`
#: pin_hash      bytes | None
#: version       int          never goes down
#: duress_hash   bytes | None the PIN that says "I am forced to", asked for after the card, with `pin_salt`
#: flat          str | None   the flat it was issued to
#: group         str | None   a word of the site's own (two-person rule, partitions)
#: acknowledges  bool         shown at an access point and let in, it acknowledges what is shown there
#: duress        bool         the look-up's: what was shown of it (card, PIN) is the one that tells of duress
#: visit         str | None   the look-up's: which visitor's code this is; such a key has no record number
Credential = namedtuple(
    "Credential",
    (
        "id",
        "holder",
        "state",
        "valid_from_s",
        "valid_to_s",
        "first_use_s",
        "uses",
        "levels",
        "extended",
        "override",
        "pin_salt",
        "pin_hash",
        "version",
        "duress_hash",
        "flat",
        "group",
        "acknowledges",
        "duress",
        "visit",
    ),
)

#: What was used of a key.
#: spent         int          grants so far
#: first_used_s  int | None   UTC second of the first one
Usage = namedtuple("Usage", ("spent", "first_used_s"))
UNUSED = Usage(0, None)

#: One right of a level.
#: access_point  str          its name, or ANYWHERE
#: schedule      str | None   name of the hours in which it holds; None: always
#: deny          bool         takes the access point away instead; a denial beats every grant
Right = namedtuple("Right", ("access_point", "schedule", "deny"))
ANYWHERE = "*"

#: What decisions need beside the key.
#: levels     dict   name -> list of Right
#: schedules  dict   name -> list of schedule.Hours
#: holidays   list   local days since 1970-01-01
#: lenient    bool   while the time is not to be trusted, time-limited keys work by the last time known
#: narrowed   bool   the host was silent for too long: only keys that are valid for long work
Rights = namedtuple("Rights", ("levels", "schedules", "holidays", "lenient", "narrowed"))

#: One instant, as every decision needs it.
#: ms       int   monotonic
#: utc_s    int   wall clock; never before a trusted time that was recorded
#: local_s  int   utc_s in the site's zone
#: trusted  bool  whether the wall clock may be believed
Moment = namedtuple("Moment", ("ms", "utc_s", "local_s", "trusted"))

#: Reasons of a denial, in the order in which the first that holds is told (the contract's).
BAD_READ = "bad_read"
READER_BLOCKED = "reader_blocked"
UNKNOWN_CREDENTIAL = "unknown_credential"
CREDENTIAL_LOST = "credential_lost"
CREDENTIAL_CANCELLED = "credential_cancelled"
CREDENTIAL_SUSPENDED = "credential_suspended"
USES_EXHAUSTED = "uses_exhausted"
CLOCK_UNTRUSTED = "clock_untrusted"
NOT_YET_VALID = "not_yet_valid"
CREDENTIAL_EXPIRED = "credential_expired"
NO_RIGHT = "no_right"
PORTAL_BLOCKED = "portal_blocked"
LOCKED_DOWN = "locked_down"
OUTSIDE_SCHEDULE = "outside_schedule"
CREDENTIAL_BLOCKED = "credential_blocked"
WRONG_PIN = "wrong_pin"
PIN_TIMEOUT = "pin_timeout"
SECOND_PERSON_MISSING = "second_person_missing"
ANTI_PASSBACK = "anti_passback"
OCCUPANCY_FULL = "occupancy_full"
INTERLOCK = "interlock"
REASONS = (
    BAD_READ,
    READER_BLOCKED,
    UNKNOWN_CREDENTIAL,
    CREDENTIAL_LOST,
    CREDENTIAL_CANCELLED,
    CREDENTIAL_SUSPENDED,
    USES_EXHAUSTED,
    CLOCK_UNTRUSTED,
    NOT_YET_VALID,
    CREDENTIAL_EXPIRED,
    NO_RIGHT,
    PORTAL_BLOCKED,
    LOCKED_DOWN,
    OUTSIDE_SCHEDULE,
    CREDENTIAL_BLOCKED,
    WRONG_PIN,
    PIN_TIMEOUT,
    SECOND_PERSON_MISSING,
    ANTI_PASSBACK,
    OCCUPANCY_FULL,
    INTERLOCK,
)

#: Alarms that a decision causes (classes of `firmware.access.alarm`).
CREDENTIAL_MISUSE = "credential_misuse"
WRONG_ATTEMPTS = "wrong_attempts"
DURESS = "duress"

OF_VISIT = "v"  #: "v7" is whoever came with visitor's code 7
OF_ACCESS_POINT = "@"  #: a level "@front-in" is the right to it, "@*" to every one, always
LONG_S = (
    30 * 86400
)  #: a key that is valid for so long (from now, where it has no begin) is there to stay

_BY_STATE = {
    SUSPENDED: CREDENTIAL_SUSPENDED,
    LOST: CREDENTIAL_LOST,
    CANCELLED: CREDENTIAL_CANCELLED,
}


def refusal(
    key: "Credential | None",
    usage: "Usage",
    access_point: str,
    mode: str,
    rights: "Rights",
    now: "Moment",
    taken: bool = True,
) -> "str | None":
    """The first reason why `key` does not open `access_point` of a portal in `mode`; None: it does.

    Covers the reasons from ``unknown_credential`` to ``outside_schedule``; those before are the
    reader's, those after the PIN's and the house's. `taken` is whether the access point takes what was
    shown at all (a PIN alone, a visitor's code); if not, there is no right to it.
    """
    if key is None:
        return UNKNOWN_CREDENTIAL
    if key.state != ACTIVE:
        return _BY_STATE[key.state]
    if key.uses is not None and usage.spent >= key.uses:
        return USES_EXHAUSTED
    permission = _permission(key, access_point, rights, now)
    if permission == CLOCK_UNTRUSTED:
        return CLOCK_UNTRUSTED
    reason = _validity(key, usage, rights, now)
    if reason is not None:
        return reason
    if permission == NO_RIGHT or not taken or (rights.narrowed and not _is_long(key, now)):
        return NO_RIGHT
    if mode == portal.BLOCKED:
        return PORTAL_BLOCKED
    if mode == portal.LOCKED_DOWN and not key.override:
        return LOCKED_DOWN
    return permission


def spend(key: "Credential", usage: "Usage", now: "Moment") -> "Usage | None":
    """What is used of `key` after one more grant; None where nothing is counted."""
    if key.uses is None and key.first_use_s is None:
        return None
    first_s = now.utc_s if usage.first_used_s is None else usage.first_used_s
    return Usage(usage.spent + 1, first_s)


def usage_key(key: "Credential") -> str:
    """Under which key it is kept what was used of `key`: a visitor's code has no record number."""
    return "use/%d" % key.id if key.visit is None else "visit/%s" % key.visit


def usage_kept(key: "Credential", usage: "Usage") -> "list[int | None]":
    """What is kept there: [spent, first use], or of a visitor's code [spent, its end]."""
    return [usage.spent, usage.first_used_s if key.visit is None else key.valid_to_s]


def usage_of(key: "Credential", kept: object) -> "Usage":
    """What was used of `key`, from what was `kept`."""
    if not isinstance(kept, list) or len(kept) != 2 or not isinstance(kept[0], int):
        return UNUSED
    return Usage(kept[0], kept[1] if key.visit is None else None)


def person(key: "Credential") -> "str | None":
    """The word for whose key it is: the holder, else the key itself; None: a visitor's code."""
    if key.visit is not None:
        return None
    return "c%d" % key.id if key.holder is None else "h%d" % key.holder


def counted(key: "Credential") -> "str | None":
    """`person`'s word, or of a visitor's code that ends one of its own: for counting who is inside."""
    if key.visit is None or key.valid_to_s is None:
        return person(key)
    return "%s%s" % (OF_VISIT, key.visit)


def alarms_of(key: "Credential") -> "list[str]":
    """The classes of the alarms that showing `key` raises, whatever else is decided."""
    kinds = []
    if key.state in (LOST, CANCELLED):
        kinds.append(CREDENTIAL_MISUSE)
    if key.duress:
        kinds.append(DURESS)
    return kinds


def compare_pin(key: "Credential", digits: str) -> "tuple[bool, bool]":
    """Whether `digits` open after `key`, and whether they say that somebody is forced to."""
    if key.pin_salt is None:
        return False, False
    typed = pin.salted(key.pin_salt, digits)
    right = key.pin_hash is not None and pin.same(typed, key.pin_hash)
    forced = key.duress_hash is not None and pin.same(typed, key.duress_hash)
    return right or forced, forced


def _validity(key: "Credential", usage: "Usage", rights: "Rights", now: "Moment") -> "str | None":
    ends_s = key.valid_to_s
    if key.first_use_s is not None and usage.first_used_s is not None:
        used_up_s = usage.first_used_s + key.first_use_s
        ends_s = used_up_s if ends_s is None else min(ends_s, used_up_s)
    if key.valid_from_s is None and ends_s is None and key.first_use_s is None:
        return None
    if not now.trusted and not rights.lenient:
        return CLOCK_UNTRUSTED
    if key.valid_from_s is not None and now.utc_s < key.valid_from_s:
        return NOT_YET_VALID
    if ends_s is not None and now.utc_s >= ends_s:
        return CREDENTIAL_EXPIRED
    return None


def _is_long(key: "Credential", now: "Moment") -> bool:
    """Whether it was issued to stay: what a controller that nobody tells anything still trusts."""
    if key.uses is not None or key.first_use_s is not None:
        return False
    if key.valid_to_s is None:
        return True
    begins_s = now.utc_s if key.valid_from_s is None else key.valid_from_s
    long: bool = key.valid_to_s - begins_s >= LONG_S
    return long


def _permission(
    key: "Credential", access_point: str, rights: "Rights", now: "Moment"
) -> "str | None":
    """What the levels say: None, NO_RIGHT, OUTSIDE_SCHEDULE; CLOCK_UNTRUSTED where the hour decides."""
    always = False
    hours = []
    denied = []
    for name in key.levels:
        if name[:1] == OF_ACCESS_POINT:
            always = always or name[1:] in (access_point, ANYWHERE)
            continue
        for right in rights.levels.get(name, ()):
            if right.access_point != access_point and right.access_point != ANYWHERE:
                continue
            if right.deny:
                if right.schedule is None:
                    return NO_RIGHT
                denied.append(right.schedule)
            elif right.schedule is None:
                always = True
            else:
                hours.append(right.schedule)
    if not always and not hours:
        return NO_RIGHT
    if not now.trusted and not rights.lenient:  # by a clock that nobody believes no hour is told
        return None if always and not denied else CLOCK_UNTRUSTED
    for name in denied:  # hours that are not known deny always
        if name not in rights.schedules or _holds(name, rights, now):
            return OUTSIDE_SCHEDULE
    if always:
        return None
    for name in hours:
        if _holds(name, rights, now):
            return None
    return OUTSIDE_SCHEDULE


def _holds(name: str, rights: "Rights", now: "Moment") -> bool:
    return schedule.covers(rights.schedules.get(name, ()), rights.holidays, now.local_s)
