"""Values at the wildcards of templates, against what they were filled with and against regular expressions."""

from __future__ import annotations

import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logbench import PluginError, Sessions
from logbench.data import message_file
from logbench.data.event_messages import EventMessages
from logbench.data.message_file import MessageFile
from logbench.data.parameters import parameters_of, values_of

TEXTS = st.text("ab/: é", max_size=6)
FILLED = st.text("0189.-", max_size=4)


def values(messages: list[str], template: str) -> list[list[str] | None]:
    return values_of(pl.Series(messages, dtype=pl.String), template).to_list()


@given(st.data(), st.lists(TEXTS, min_size=2, max_size=5), st.integers(1, 5))
def test_values_are_what_the_template_was_filled_with(data: st.DataObject, texts: list[str], size: int) -> None:
    texts = [texts[0], *[text or "," for text in texts[1:-1]], texts[-1]]
    filled = [data.draw(st.lists(FILLED, min_size=len(texts) - 1, max_size=len(texts) - 1)) for _ in range(size)]
    messages = ["".join(map("".join, zip(texts, [*row, ""], strict=True))) for row in filled]
    assert values(messages, "<*>".join(texts)) == filled


@given(st.lists(st.text("ab 1", max_size=9), max_size=6), st.text("ab ", max_size=3), st.text("ab ", max_size=3))
def test_a_value_reaches_to_the_next_text_as_a_lazy_expression_does(
    messages: list[str], first: str, last: str
) -> None:
    pattern = re.compile(f"{first}(.*?),(.*?){last}", re.DOTALL)
    marked = [f"{first}{message},{message}" for message in messages]
    fits = [(message, hit) for message in marked if (hit := pattern.fullmatch(message))]
    found = values([message for message, _ in fits], f"{first}<*>,<*>{last}")
    assert found == [[group.strip() for group in hit.groups()] for _, hit in fits]


@pytest.mark.parametrize(
    ("template", "message", "expected"),
    [
        ("took <*> ms", "took 5 ms", ["5"]),
        ("took <*> ms", "took  5\tms ", ["5"]),
        ("took <*> ms", "gave 5 s", ["5"]),
        ("took <*> ms", "took 5 ms or so", None),
        ("src: /<*> to <*>", "from: 10.0.0.1:5 to x", ["10.0.0.1:5", "x"]),
        ("src: /<*> to <*>", "from: /10.0.0.1:5 to x", ["10.0.0.1:5", "x"]),
        ("<*>:<*> is <*>", "a is b", ["a", "", "b"]),
        ("<*><*> end", "5 6 end", ["5 6", ""]),
        ("got <*>", "got java.io: no such file\n at x", ["java.io: no such file\n at x"]),
        ("<*>", "", [""]),
        ("nothing", "whatever", []),
        ("a (<*>) b. c <*>", "a (1) b. c d", ["1", "d"]),
    ],
)
def test_messages_of_one_template(template: str, message: str, expected: list[str] | None) -> None:
    assert values([message], template) == [expected]
    assert values(["", message, ""], template)[1] == expected, "among others"
    assert values([], template) == []


def test_each_event_has_the_values_of_its_own_key_and_unseen_ones_have_none() -> None:
    messages = ["sent 5 to b", "end", "sent 7 to b", "other 3", "sent x to y"]
    found = parameters_of(pl.Series(messages), np.array([1, 0, 1, 9, 1], np.int32), ("end", "sent <*> to <*>"))
    assert found.to_list() == [["5", "b"], [], ["7", "b"], None, ["x", "y"]]
    assert found.dtype == pl.List(pl.String)


def test_messages_are_asked_by_position_whatever_was_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_file, "BLOCK", 2)
    messages = [f"sent {n} é" for n in range(6)]
    sessions = Sessions.of([[0, 1, 0], [0], [3, 0]], 2, templates=("sent <*> é", "<*> é"), messages=messages)
    assert sessions.messages().to_list() == messages
    taken = sessions.take(np.array([2, 0]))
    assert taken.messages().to_list() == [messages[n] for n in (4, 5, 0, 1, 2)]
    assert taken.messages(np.array([4, 0])).to_list() == [messages[2], messages[4]]
    assert taken.parameters(np.array([3, 0, 2])).to_list() == [["sent 1"], None, ["0"]]
    assert taken.parameters().to_list() == [None, ["5"], ["0"], ["sent 1"], ["2"]]
    assert taken.messages(np.array([], dtype=int)).to_list() == [] == taken.parameters(np.array([], int)).to_list()
    with pytest.raises(IndexError):
        taken.messages(np.array([5]))
    with pytest.raises(PluginError, match="6 messages, there are 2 keys"):
        Sessions.of([[0, 1]], 2, messages=messages)


def test_a_model_that_declares_nothing_is_told_what_to_declare() -> None:
    sessions = Sessions.of([[0]], 1)
    for ask, need in ((sessions.messages, "messages"), (sessions.parameters, "parameters")):
        with pytest.raises(PluginError, match=rf"Sessions\.{need}: .*needs={{'{need}'}}"):
            ask()
    one = Sessions.of([[0]], 1, messages=["a"], templates=("a",))
    only = EventMessages.showing(one.raw, {"parameters", "times"})  # type: ignore[arg-type]
    assert only.parameters(None, one.keys, one.templates).to_list() == [[]]
    with pytest.raises(PluginError, match="messages"):
        only.messages(None)


def test_messages_keep_numbers_of_their_own() -> None:
    some = MessageFile.of(pl.Series(["a", None, "c"]), np.array([3, 7, 9]))
    assert some.pick(np.array([9, 3, 7, 9])).to_list() == ["c", "a", "", "c"]


def test_numbers_of_lines_are_not_shown() -> None:
    """They may tell the label: a file may hold one class after the other."""
    raw = Sessions.of([[0, 1]], 2, messages=["a", "b"]).raw
    assert [name for name in vars(raw) if not name.startswith("_")] == ["shows"] and "1" not in repr(raw)
