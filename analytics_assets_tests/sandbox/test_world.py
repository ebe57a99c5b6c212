"""The synthetic business itself, and that it keeps to itself."""

import ast
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import analytics_assets.sandbox as package
from analytics_assets.sandbox.timeline import Timeline
from analytics_assets.sandbox.world import SeededWorld, converted_cents

DAY = date(2026, 7, 1)


def test_two_worlds_of_one_seed_are_equal_and_of_two_seeds_are_not():
    """Days, people and spend come from the seed alone."""
    one, same, other = SeededWorld(1), SeededWorld(1), SeededWorld(2)
    assert list(one.people(DAY)) == list(same.people(DAY))
    assert list(one.people(DAY)) != list(other.people(DAY))
    assert one.spend_cents(DAY, "tiktok", "spark") == same.spend_cents(DAY, "tiktok", "spark") > 0


def test_ids_are_those_of_the_people_without_making_them():
    """Counting four years must not make everyone."""
    world = SeededWorld(3)
    for back in range(0, 1_200, 100):
        day = DAY - timedelta(days=back)
        assert list(world.person_ids(day)) == [person.id for person in world.people(day)]
        assert 30 <= len(world.people(day)) <= 80


def test_nobody_comes_before_the_first_day():
    """The world begins on 2023-01-01."""
    world = SeededWorld(1)
    assert (world.first_day, list(world.people(date(2022, 12, 31)))) == (date(2023, 1, 1), [])
    assert (list(world.person_ids(date(2022, 12, 31))), world.spend_cents(date(2022, 12, 31), "tiktok", "spark")) == (
        [],
        0,
    )


def test_all_a_person_does_lies_between_acquisition_and_horizon():
    """What the timeline's index relies on; and every purchase is a checkout of the same worth."""
    world = SeededWorld(1)
    people = [person for back in range(60) for person in world.people(DAY - timedelta(days=back))]
    assert any(purchase.currency == "EUR" for person in people for purchase in person.purchases)
    for person in people:
        moments = [deed.at - person.acquired_at for deed in (*person.purchases, *person.events)]
        assert timedelta(0) <= min(moments)
        assert max(moments) < timedelta(days=world.horizon_days)
        assert [event.at for event in person.events if event.name == "sign_up"] == [person.acquired_at]
        assert [event.value for event in person.events if event.name == "checkout"] == [
            converted_cents(bought.amount_cents, bought.currency, "USD") / 100 for bought in person.purchases
        ]
        assert [bought.is_first for bought in person.purchases] == [True, False, False, False][: len(person.purchases)]


def test_the_labels_include_what_breaks_careless_readers():
    """An organic user with empty labels, unattributed, and a campaign with quotes, slash, percent and accents."""
    people = [person for back in range(20) for person in SeededWorld(1).people(DAY - timedelta(days=back))]
    channels, campaigns = {person.channel for person in people}, {person.campaign for person in people}
    assert {"unattributed", "google.adwords", "facebook.business"} < channels
    assert {"", 'Été "Sommer" 20%/läuft & más'} < campaigns


def test_the_timeline_finds_every_deed_of_a_window_once():
    """The index by day gives what a search through everybody gives."""
    world = SeededWorld(1)
    start, end = datetime(2026, 6, 30, 15, tzinfo=UTC), datetime(2026, 7, 2, 3, tzinfo=UTC)
    everyone = [person for back in range(-3, 125) for person in world.people(DAY - timedelta(days=back))]
    purchases = [(person.id, str(one)) for person in everyone for one in person.purchases if start <= one.at < end]
    events = [(person.id, str(one)) for person in everyone for one in person.events if start <= one.at < end]
    timeline = Timeline(world)
    assert sorted((p.id, str(one)) for p, one in timeline.purchases(start, end)) == sorted(purchases)
    assert sorted((p.id, str(one)) for p, one in timeline.events(start, end)) == sorted(events)
    acquired = [person for person in everyone if start <= person.acquired_at < end]
    assert list(timeline.people(start, end)) == sorted(acquired, key=lambda person: person.acquired_at)


def test_amounts_are_converted_half_even_to_cents():
    """The fixed table: a euro is 1.08 dollars."""
    assert converted_cents(100, "EUR", "USD") == 108
    assert converted_cents(50, "EUR", "USD") == 54
    assert [converted_cents(cents, "EUR", "USD") for cents in (1_250, 12, 13)] == [1_350, 13, 14]
    assert converted_cents(108, "USD", "EUR") == 100
    assert converted_cents(7, "KRW", "KRW") == 7


def test_the_sandbox_imports_nothing_of_the_package_it_stands_beside():
    """A shared mistake must not cancel out."""
    folder = Path(package.__file__).parent
    foreign = []
    for module in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            foreign += [
                f"{module.name} imports {name}"
                for name in names
                if name.split(".")[0] in {"analytics_assets", "dagster"} and not name.startswith(package.__name__)
            ]
    assert foreign == []
