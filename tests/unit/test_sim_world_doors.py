# portable
"""`sim.door` in its world: locks, leaves, closers, contacts, and the ways out."""

from sim_house import House, times

LOCKED_CLOSED = ("locked", "closed")
UNLOCKED_CLOSED = ("unlocked", "closed")
UNLOCKED_OPEN = ("unlocked", "open")


def moments(house: House, portal: str) -> "list[tuple[int, str, str]]":
    """When lock or door of a portal changed, and to what."""
    mine = [change for change in house.changes if change[2] == portal]
    return [(at_ms, seen["lock"], seen["door"]) for at_ms, _, _, seen in mine]


def released(portal: str = "front") -> House:
    """A house whose front door, or yard gate, is released, at 1000 ms."""
    house = House()
    if portal == "front":
        house.output("strike", True)
    house.run(1000)
    house.changes = []
    return house


def test_a_strike_moves_40_ms_after_its_current() -> None:
    house = House()
    strike = house.output("strike")
    strike.write(True)
    house.run(39)
    assert house.door("front") == LOCKED_CLOSED
    house.run(1)
    assert house.door("front") == UNLOCKED_CLOSED
    strike.write(False)
    house.run(40)
    assert moments(house, "front") == [(40, "unlocked", "closed"), (80, "locked", "closed")]


def test_a_current_that_is_too_short_moves_no_strike() -> None:
    house = House()
    strike = house.output("strike")
    strike.write(True)
    house.run(30)
    strike.write(False)
    house.run(100)
    assert moments(house, "front") == []


def test_a_magnet_is_open_without_current_and_follows_in_10_ms() -> None:
    house = House()
    assert house.door("yard") == UNLOCKED_CLOSED
    magnet = house.output("magnet", True, True)
    house.run(10)
    magnet.write(False)
    house.run(10)
    assert moments(house, "yard") == [(10, "locked", "closed"), (20, "unlocked", "closed")]


def test_loss_of_power_locks_the_strike_and_frees_the_magnet() -> None:
    house = House()
    house.output("strike", True)
    house.output("magnet", True, True)
    house.run(100)
    house.act("cut_power")
    house.run(100)
    assert house.door("front") == LOCKED_CLOSED
    assert house.door("yard") == UNLOCKED_CLOSED


def test_nobody_gets_through_a_locked_door() -> None:
    for verb in ("push_door", "walk_through", "prop_door", "close_door"):
        house = House()
        house.act(verb, portal="front")
        house.run(10000)
        assert moments(house, "front") == [], verb


def test_a_pushed_door_opens_in_the_same_millisecond_and_stays() -> None:
    house = released()
    inputs = house.inputs("front-contact")
    house.act("push_door", portal="front")
    assert inputs.take()[0] == (0, False, 1000)
    house.run(60000)
    assert house.door("front") == UNLOCKED_OPEN
    inputs.take()
    house.act("close_door", portal="front")
    assert inputs.take() == [(0, True, 61000)]
    assert house.door("front") == UNLOCKED_CLOSED


def test_a_contact_chatters_and_is_quiet_after_10_ms() -> None:
    several = 0
    for seed in range(20):
        house = House(seed)
        inputs = house.inputs("front-contact")
        house.act("force_door", portal="front")
        house.run(100)
        edges = inputs.take()
        assert (edges[0].at_ms, edges[0].level, edges[-1].level) == (0, False, False)
        assert edges[-1].at_ms <= 10
        stamps = [edge.at_ms for edge in edges]
        assert stamps == sorted(set(stamps))
        several += len(edges) > 1
    assert several > 5


def test_the_same_seed_chatters_the_same() -> None:
    edges = []
    for seed in (7, 7, 8):
        house = House(seed)
        inputs = house.inputs("front-contact")
        for _ in range(8):
            house.act("force_door", portal="front")
            house.run(50)
            house.act("close_door", portal="front")
            house.run(50)
        edges.append(inputs.take())
    assert edges[0] == edges[1]
    assert edges[0] != edges[2]


def test_who_walks_through_lets_go_and_the_closer_shuts_it_4_s_later() -> None:
    house = released()
    house.act("walk_through", portal="front")
    house.run(20000)
    opened, closed = [at_ms for at_ms, _, _ in moments(house, "front")]
    assert 1000 <= opened <= 1100
    assert 5000 <= closed <= opened + 1500 + 4000
    assert house.door("front") == UNLOCKED_CLOSED


def test_the_next_one_through_keeps_it_open_for_longer() -> None:
    house = released()
    house.act("walk_through", portal="front")
    house.run(5000)
    house.act("walk_through", portal="front")
    house.run(20000)
    assert [at_ms for at_ms, _, _ in moments(house, "front")] == [1000, 11200]


def test_a_door_that_was_opened_can_be_locked_and_still_closes() -> None:
    house = House()
    strike = house.output("strike", True)
    house.run(50)
    house.act("walk_through", portal="front")
    strike.write(False)
    house.run(10000)
    assert moments(house, "front") == [
        (40, "unlocked", "closed"),
        (50, "unlocked", "open"),
        (90, "locked", "open"),
        (5250, "locked", "closed"),
    ]


def test_a_propped_door_stays_until_somebody_closes_it() -> None:
    house = released()
    house.act("walk_through", portal="front")
    house.run(100)
    house.act("prop_door", portal="front")
    house.run(60000)
    seen = house.world.snapshot()["portals"]["front"]
    assert seen == {
        "lock": "unlocked",
        "door": "open",
        "propped": True,
        "broken": False,
        "jammed": False,
    }
    house.act("walk_through", portal="front")
    house.run(60000)
    assert house.door("front") == UNLOCKED_OPEN
    house.act("close_door", portal="front")
    seen = house.world.snapshot()["portals"]["front"]
    assert seen == {
        "lock": "unlocked",
        "door": "closed",
        "propped": False,
        "broken": False,
        "jammed": False,
    }


def test_pushing_or_propping_a_door_on_its_way_back_holds_it() -> None:
    for verb in ("push_door", "prop_door"):
        house = released()
        house.act("walk_through", portal="front")
        house.run(4000)
        house.act(verb, portal="front")
        house.run(60000)
        assert house.door("front") == UNLOCKED_OPEN, verb


def test_a_broken_door_opens_at_once_and_no_closer_shuts_it() -> None:
    house = House()
    inputs = house.inputs("front-contact")
    house.run(500)
    house.act("force_door", portal="front")
    assert inputs.take() == [(0, False, 500)]
    house.act("walk_through", portal="front")
    house.act("force_door", portal="front")
    house.run(60000)
    seen = house.world.snapshot()["portals"]["front"]
    assert seen == {
        "lock": "locked",
        "door": "open",
        "propped": False,
        "broken": True,
        "jammed": False,
    }
    house.act("close_door", portal="front")
    house.run(100)
    assert house.door("front") == LOCKED_CLOSED
    assert inputs.levels() == [True]
    house.act("push_door", portal="front")
    assert house.door("front") == LOCKED_CLOSED


def test_closing_it_under_somebodys_hand_ends_the_passage() -> None:
    house = released()
    house.act("walk_through", portal="front")
    house.run(100)
    house.act("close_door", portal="front")
    house.act("push_door", portal="front")
    house.run(60000)
    assert house.door("front") == UNLOCKED_OPEN


def test_the_handle_opens_a_locked_door_without_power() -> None:
    house = House()
    house.act("cut_power")
    house.run(1000)
    house.act("leave", portal="front")
    house.run(20000)
    (opened, lock, door), (closed, _, _) = moments(house, "front")
    assert (lock, door) == ("locked", "open")
    assert 1050 <= opened <= 1100
    assert closed <= opened + 5500


def test_leaving_by_the_handle_closes_its_contact_for_300_ms_at_once() -> None:
    house = House()
    inputs = house.inputs("handle")
    house.run(1000)
    house.act("leave", portal="front")
    house.run(1000)
    edges = inputs.take()
    assert edges[0] == (0, True, 1000)
    assert times(edges, False)[-1] >= 1300
    assert edges[-1].at_ms <= 1310
    assert not edges[-1].level


def test_press_rex_moves_no_door_of_its_own() -> None:
    house = House()
    house.act("press_rex", portal="front")
    house.run(5000)
    assert moments(house, "front") == []


def test_the_exit_button_takes_the_magnets_current_for_30_s() -> None:
    house = House()
    house.output("magnet", True, True)
    house.run(1000)
    house.act("press_rex", portal="yard")
    house.run(40000)
    assert moments(house, "yard") == [
        (10, "locked", "closed"),
        (1010, "unlocked", "closed"),
        (31010, "locked", "closed"),
    ]


def test_the_exit_button_pressed_again_starts_its_30_s_again() -> None:
    house = House()
    house.output("magnet", True, True)
    house.run(1000)
    house.act("press_rex", portal="yard")
    house.run(20000)
    house.act("press_rex", portal="yard")
    house.run(40000)
    assert moments(house, "yard")[1:] == [
        (1010, "unlocked", "closed"),
        (51010, "locked", "closed"),
    ]


def test_the_button_works_though_the_controller_drives_the_magnet_anew() -> None:
    house = House()
    magnet = house.output("magnet", True, True)
    house.run(1000)
    house.act("press_rex", portal="yard")
    for _ in range(5):
        magnet.write(False)
        house.run(100)
        magnet.write(True)
        house.run(100)
    assert house.door("yard") == UNLOCKED_CLOSED


def test_leaving_by_the_button_opens_the_gate() -> None:
    house = House()
    house.output("magnet", True, True)
    inputs = house.inputs("exit")
    house.run(1000)
    house.act("leave", portal="yard")
    house.run(100)
    assert inputs.take()[0] == (0, True, 1000)
    assert house.door("yard") == UNLOCKED_OPEN
    house.run(6000)
    assert house.door("yard") == UNLOCKED_CLOSED


def test_where_nobody_may_leave_a_locked_door_keeps_people_in() -> None:
    house = House()
    house.act("press_rex", portal="shed")
    house.act("leave", portal="shed")
    house.run(1000)
    assert house.door("shed") == LOCKED_CLOSED
    house.output("shed-lock", True)
    house.run(100)
    house.act("leave", portal="shed")
    house.run(100)
    assert house.door("shed") == UNLOCKED_OPEN


def test_an_unplugged_lock_gets_no_current() -> None:
    house = released()
    house.act("unplug", device="strike", on=True)
    house.run(100)
    assert house.door("front") == LOCKED_CLOSED
    house.act("unplug", device="strike", on=False)
    house.run(100)
    assert house.door("front") == UNLOCKED_CLOSED


def test_an_unplugged_or_cut_contact_reads_open_whatever_the_door_does() -> None:
    for verb in ("unplug", "tamper"):
        house = House()
        inputs = house.inputs("front-contact")
        house.run(100)
        house.act(verb, device="front-contact", on=True)
        assert inputs.take() == [(0, False, 100)]
        house.act("force_door", portal="front")
        house.run(100)
        house.act("close_door", portal="front")
        house.run(100)
        assert inputs.take() == []
        house.act(verb, device="front-contact", on=False)
        assert inputs.take() == [(0, True, 300)]


def test_a_contact_that_turns_back_at_once_settles_where_the_leaf_is() -> None:
    for seed in range(20):
        house = House(seed)
        inputs = house.inputs("front-contact")
        house.act("force_door", portal="front")
        house.run(1)
        house.act("close_door", portal="front")
        turned_ms = house.clock.now_ms()
        house.run(100)
        edges = inputs.take()
        assert inputs.levels() == [True], seed
        assert edges[-1].at_ms <= turned_ms + 10, seed


def test_a_button_that_is_held_down_is_one_press() -> None:
    house = House()
    house.output("magnet", True, True)
    inputs = house.inputs("exit")
    house.run(1000)
    house.act("press_rex", portal="yard")
    house.run(200)
    house.act("press_rex", portal="yard")
    house.run(40000)
    assert moments(house, "yard")[-1] == (31010, "locked", "closed")
    edges = [edge for edge in inputs.take() if edge.at_ms >= 1100]
    assert edges[0] == (0, False, 1500)
