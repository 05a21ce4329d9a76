"""Work done in parts: what it tells on the way, what it comes to, and how it ends early."""

from collections.abc import Generator

import pytest

from alerts.engine.parts import drained, retold


def counting(upto: int) -> Generator[int, None, str]:
    """Tells each number, and comes to a word."""
    yield from range(upto)
    return f"counted to {upto}"


def test_each_part_is_told_in_other_words_and_the_work_comes_to_the_same() -> None:
    told: list[str] = []

    def whole() -> Generator[str, None, str]:
        found = yield from retold(counting(3), lambda part: f"part {part}")
        return found.upper()

    parts = whole()
    with pytest.raises(StopIteration) as done:
        while True:
            told.append(next(parts))
    assert (told, done.value.value) == (["part 0", "part 1", "part 2"], "COUNTED TO 3")
    assert drained(whole()) == "COUNTED TO 3"


def test_work_without_parts_comes_to_something_too() -> None:
    assert drained(retold(counting(0), lambda part: pytest.fail("told"))) == "counted to 0"


def test_what_is_to_be_done_before_the_next_part_is() -> None:
    seen: list[str] = []
    parts = retold(counting(2), lambda part: seen.append(f"told {part}"), going_on=lambda: seen.append("on"))
    next(parts)
    assert seen == ["told 0"]
    drained(parts)
    assert seen == ["told 0", "on", "told 1", "on"]


def test_who_tells_may_end_the_work() -> None:
    seen: list[int] = []

    def tell(part: int) -> int:
        if part == 2:
            raise TimeoutError
        seen.append(part)
        return part

    with pytest.raises(TimeoutError):
        drained(retold(counting(5), tell))
    assert seen == [0, 1]
