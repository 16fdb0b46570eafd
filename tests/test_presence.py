"""chat/rules/presence.py: who is here, with its grace periods."""

from chat.rules.presence import AWAY, GONE, Presence
from chat.wire.codes import PEOPLE_ALL, PEOPLE_LIMIT
from chat.wire.protocol import Person

ANA, BOB = Person("a", "Ana", 1), Person("b", "Bob", 2)


def settled(presence: Presence) -> Presence:
    presence.dirty = False
    return presence


def present(*people: Person) -> Presence:
    presence = Presence()
    for person in people:
        presence.arrive(person, 0.0)
    return settled(presence)


def test_somebody_who_comes_is_here() -> None:
    presence = Presence()
    presence.arrive(ANA, 0.0)
    assert presence.dirty
    people = presence.people()
    assert (people.total, people.here, people.people) == (1, 1, [ANA])


def test_people_are_told_with_what_they_are() -> None:
    owner = Person("a", "Ana", 1, role="owner")
    presence = present(owner)
    presence.appear("a", False, 0.0)
    presence.expire(AWAY)
    assert presence.people().people == [Person("a", "Ana", 1, here=False, role="owner")]


def test_a_reload_is_silent() -> None:
    presence = present(ANA)
    presence.depart("a", True, 1.0)
    presence.expire(1.0 + GONE - 0.1)
    presence.arrive(ANA, GONE)
    presence.expire(1000.0)
    assert not presence.dirty
    assert presence.people().here == 1


def test_somebody_without_a_socket_is_gone_after_the_grace() -> None:
    presence = present(ANA, BOB)
    presence.depart("a", True, 1.0)
    presence.expire(1.0 + GONE)
    assert presence.dirty
    assert [person.name for person in presence.people().people] == ["Bob"]


def test_somebody_whose_tabs_are_all_hidden_is_away_after_a_moment() -> None:
    presence = present(ANA)
    presence.arrive(ANA, 1.0)  # a second tab
    presence.appear("a", False, 2.0)
    presence.expire(100.0)
    assert presence.people().here == 1
    presence.appear("a", False, 100.0)
    presence.expire(100.0 + AWAY)
    assert (presence.people().total, presence.people().here) == (1, 0)
    presence.appear("a", True, 200.0)
    assert presence.people().here == 1


def test_closing_a_hidden_tab_leaves_the_visible_one_here() -> None:
    presence = present(ANA)
    presence.arrive(ANA, 0.0)
    presence.appear("a", False, 1.0)
    presence.depart("a", False, 2.0)
    presence.expire(100.0)
    assert presence.people().here == 1


def test_a_new_name_is_told() -> None:
    presence = present(ANA)
    presence.rename(Person("a", "Ana Ruiz", 1))
    assert presence.dirty
    assert presence.people().people[0].name == "Ana Ruiz"


def test_somebody_who_signs_out_is_gone_at_once() -> None:
    presence = present(ANA)
    presence.forget("a")
    presence.depart("a", True, 1.0)
    assert presence.dirty
    assert presence.people().total == 0


def test_above_two_hundred_people_there_is_a_count_and_the_most_recent() -> None:
    presence = present(*[Person(str(n), f"P{n}", 0) for n in range(PEOPLE_ALL)])
    assert len(presence.people().people) == PEOPLE_ALL
    presence.arrive(ANA, 1.0)
    people = presence.people()
    assert (people.total, people.here) == (PEOPLE_ALL + 1, PEOPLE_ALL + 1)
    assert len(people.people) == PEOPLE_LIMIT
    assert people.people[0] == ANA


def test_who_comes_for_the_first_time_ever_is_told_once() -> None:
    presence = Presence()
    presence.arrive(ANA, 0.0)
    presence.arrive(BOB, 0.0, first=True)
    assert presence.people().joined == []
    assert presence.news().joined == ["Bob"]
    assert not presence.dirty
    assert presence.news().joined == []
