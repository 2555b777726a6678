"""The short way through JSON lines gives what the strict reader gives, request for request, error for error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.errors import InvalidInput
from sekisho.rules.requests import Request, iter_requests, parse_request, streaming

TRANSFER = '{"kind":"transfer","id":"t","item":{"chip":"H100"}'


def one_by_one(lines: list[bytes]) -> list[tuple[int, Request | str]]:
    """What the strict reader says of each line."""
    found: list[tuple[int, Request | str]] = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                found.append((number, parse_request(line, path=f"F:{number}")))
            except InvalidInput as error:
                found.append((number, str(error)))
    return found


def streamed(lines: list[bytes]) -> list[tuple[int, Request | str]]:
    """What the stream says, errors as their words."""
    return [
        (number, str(row) if isinstance(row, InvalidInput) else row)
        for number, row in iter_requests(lines, "F")
    ]


LINES = [
    TRANSFER + "}",
    TRANSFER + ',"destination":"SG","count":5}',
    TRANSFER + ',"count":5,"count":6}',
    TRANSFER + ',"kind":"transfer"}',
    TRANSFER + ',"kind":"access"}',
    TRANSFER + ',"count":5.0}',
    TRANSFER + ',"count":99999999999999999999999999}',
    TRANSFER + ',"count":-0}',
    TRANSFER + ',"facts":{"a":true,"a":false}}',
    TRANSFER + ',"facts":{"kind":"training-run"}}',
    TRANSFER + ',"facts":{"a":{"b":1}}}',
    TRANSFER + ',"facts":{"a":":"}}',
    TRANSFER + ',"consignee":{"name":"say \\"x\\": y"}}',
    TRANSFER + ',"consignee":{"name":"a\\u0041"}}',
    TRANSFER + ',"consignee":{"name":"\\ud800"}}',
    TRANSFER + ',"consignee":{"country":"XX"}}',
    TRANSFER + ',"consignee":{"name":"' + "\x01" + '"}}',
    TRANSFER + ',"on":null}',
    TRANSFER + ',"on":"2026-02-30"}',
    TRANSFER + '} {"id":"b"}',
    '{"kind":"transfer","id":"t","item":{"form":"ic","chip":"H100"}}',
    '{ "kind" : "transfer" , "id" : "t" , "item" : { "chip" : "H100" } }',
    '{"id":"t","item":{"chip":"H100"},"kind":"transfer"}',
    '{"id":"r"}',
    '{"id":"r","id":"s"}',
    '{"kind":"training-run","id":"r","origin":"scratch"}',
    '{"kind":"training-run","id":"r","kind":"training-run"}',
    '{"id":"r","facts":{"kind":"training-run"},"post_training":true,"post_training":false}',
    '{"id":"r","kind":"training-run","origin":"scratch","post_training":true}',
    '{"kind":"access","id":"a","user_class":"public","facts":{}}',
    '{"kind":"access","id":"a","user_class":"nobody"}',
    '{"kind":"cloud-use","id":"c","end_use":["training","training"]}',
    '{"kind":"cluster","id":"k","cluster":{"chips":[{"chip":"H100","count":8}]}}',
    '{"kind":"party","id":"p"}',
    '{"kind":5,"id":"p"}',
    '{"id":"r","facts":{"a":NaN}}',
    '{"id":"\u95a2"}',
    '["id"]',
    '"id"',
    "null",
    "{",
    "",
    "   ",
    "\ufeff" + TRANSFER + "}",
    TRANSFER + "}\r",
    "[" * 100 + "]" * 100,
]


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_read_as_the_strict_reader_reads_it(line: str) -> None:
    """Also what stands twice, other spacing, other order, other kinds, no JSON at all."""
    data = [line.encode("utf-8", "surrogatepass")]
    assert streamed(data) == one_by_one(data)


@pytest.mark.parametrize("line", [b"\xff", b'{"id":"\xff"}', b'{"id":"\xed\xa0\x80"}'])
def test_bytes_that_are_no_text_are_read_as_the_strict_reader_reads_them(line: bytes) -> None:
    """Not UTF-8, inside and outside of strings."""
    assert streamed([line]) == one_by_one([line])


NAMES = st.sampled_from(["id", "kind", "on", "count", "item", "facts", "origin", "destination"])
WORDS = st.sampled_from(
    ["t", "transfer", "access", "training-run", "JP", "XX", "2026-02-28", "", ":", '"', "\\", "関"]
)
SCALARS: st.SearchStrategy[Any] = st.one_of(
    WORDS, st.none(), st.booleans(), st.integers(-2, 9), st.floats(allow_nan=False)
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.lists(
            st.tuples(NAMES | st.sampled_from(["chip", "form", "a"]), inner), max_size=3
        ).map(tuple)
    ),
    max_leaves=6,
)


def written(value: Any, space: str) -> str:
    """JSON in which names may stand twice: an object is a tuple of pairs."""
    if isinstance(value, tuple):
        inner = ",".join(f"{json.dumps(n)}{space}:{written(v, space)}" for n, v in value)
        return f"{{{inner}}}"
    if isinstance(value, list):
        return f"[{','.join(written(one, space) for one in value)}]"
    return json.dumps(value, ensure_ascii=space == "")


@given(
    st.lists(st.tuples(NAMES, VALUES), max_size=6).map(tuple),
    st.sampled_from(["", " "]),
    st.sampled_from(["", TRANSFER[1:] + ",", '"id":"r",', '"kind":"training-run","id":"r",']),
)
def test_both_ways_agree_on_any_object(pairs: Any, space: str, start: str) -> None:
    """Whatever fields stand there, in whatever order, once or twice."""
    line = "{" + start + written(pairs, space)[1:]
    data = [line.replace(",}", "}").encode()]
    assert streamed(data) == one_by_one(data)


@given(st.data())
def test_a_sound_request_with_one_name_twice_is_refused(data: st.DataObject) -> None:
    """At any depth: the second value must not win, as it does in common decoders."""
    request = json.loads(TRANSFER + ',"consignee":{"name":"a"},"facts":{"x":true}}')
    text = json.dumps(request, separators=(",", ":"))
    names = ['"id":"t"', '"chip":"H100"', '"name":"a"', '"x":true']
    chosen = data.draw(st.sampled_from(names))
    line = text.replace(chosen, f"{chosen},{chosen}").encode()
    ((number, row),) = iter_requests([line], "F")
    assert number == 1
    assert isinstance(row, InvalidInput)
    assert "stands twice" in str(row)


def test_sound_lines_take_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the speed that is promised would be the strict reader's."""
    monkeypatch.setattr(streaming, "request_or_error", lambda *_: pytest.fail("the long way"))
    lines = [
        (TRANSFER + "}").encode(),
        (TRANSFER + ',"consignee":{"name":"関所"},"facts":{"a":"b: c"}}\n').encode(),
        b'{"kind":"training-run","id":"r","planned_flop":"5"}',
        b'{"id":"r"}',
        b'{"kind": "access", "id": "a"}',
        b'{"id":"t","kind":"transfer","item":{"form":"ic","chip":"H100"}}',
    ]
    assert len(list(iter_requests(lines, "F"))) == 6


def test_lines_are_read_one_at_a_time_and_blank_ones_keep_their_number() -> None:
    """A population that fits no memory can be streamed."""

    def endless() -> Any:
        while True:
            yield b"\n"
            yield b'{"id":"r"}\n'

    stream = iter_requests(endless(), "F")
    assert [next(stream)[0] for _ in range(3)] == [2, 4, 6]
