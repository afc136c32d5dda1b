"""What an actuator has that it was not told is put right when it says so, whether a sensor speaks or not."""

HELD = {"freshness": 100_000}


def heated(world):
    world.sensor("t")
    world.actuator("h")
    world.measure("t", 18.0)
    service = world.keep(**HELD)
    (told,) = world.commands()
    world.answer(told)
    return service


def test_what_somebody_switched_by_hand_is_switched_back(world):
    heated(world)
    world.later(20)
    world.report("h", on=False)
    world.later(0.1)
    assert world.told() == [("h", True)]


def test_not_more_often_than_every_ten_seconds(world):
    heated(world)
    world.later(1)
    world.report("h", on=False)
    world.later(5)
    assert world.told() == []
    world.later(5)
    assert world.told() == [("h", True)]


def test_what_it_was_told_is_no_reason(world):
    heated(world)
    world.later(20)
    world.report("h", on=True)
    world.later(20)
    assert world.told() == []


def test_who_does_as_told_and_yet_has_another_is_told_again(world):
    world.sensor("t")
    world.actuator("h")
    world.measure("t", 18.0)
    world.keep(**HELD)
    (told,) = world.commands()
    world.later(1)
    world.report("h", on=False)
    world.answer(told, report=False)
    world.later(10)
    assert world.told() == [("h", True)]
