"""How a text on the drawing is shortened."""

from host_tools.wiring import text as texts


def test_a_text_that_fits_stays_as_it_is() -> None:
    assert texts.fit("Front door +", 2.5, 40) == "Front door +"


def test_a_text_that_does_not_fit_loses_its_middle_and_keeps_both_ends() -> None:
    shown = texts.fit("A door with a name that is long · GN green", 2.5, 40)
    assert shown.startswith("A door")
    assert shown.endswith("GN green")
    assert "..." in shown
    assert texts.width(shown, 2.5) <= 40


def test_chinese_loses_its_middle_too() -> None:
    shown = texts.fit("门" * 30 + "红", 2.5, 40)
    assert shown.endswith("门红")
    assert shown.startswith("门门")
    assert texts.width(shown, 2.5) <= 40


def test_where_there_is_no_room_at_all_the_dots_remain() -> None:
    assert texts.fit("Front door", 2.5, 0.1) == "..."
