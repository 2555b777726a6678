"""The attack: stay below a yearly cap by writing one owner's name in many ways."""

from __future__ import annotations

import json

import pytest

from sekisho.rules import parse_request
from sekisho.rules.accounts import Accounts, account, with_so_far
from sekisho.rules.requests import CloudUseRequest, TransferRequest

SPELLINGS = [
    "Acme Ltd",
    "ACME LTD",
    "acme  ltd",
    " Acme Ltd ",
    "Ａｃｍｅ Ｌｔｄ",
    "Acme\u00a0Ltd",
    "Ac\u200bme Ltd",
    "Acme\u3000Ltd",
]


def sent(parent: str, count: int = 1) -> TransferRequest:
    party = {"name": parent, "parent": parent}
    row = {
        "kind": "transfer",
        "id": "t",
        "on": "2026-02-01",
        "activity": "export",
        "item": {"chip": "H100 SXM5"},
        "count": count,
        "destination": "IN",
        "consignee": party,
        "end_user_is_consignee": True,
    }
    request = parse_request(json.dumps(row))
    assert isinstance(request, TransferRequest)
    return request


def books() -> Accounts:
    return account([sent(name, 10) for name in SPELLINGS])


@pytest.mark.parametrize("name", SPELLINGS)
def test_one_owner_in_many_spellings_has_one_sum(name: str) -> None:
    """Capitals, spaces, full-width letters and letters that nobody sees make no other company."""
    told = with_so_far(sent(name), books()).so_far
    assert told is not None
    assert told.parent_year_tpp == told.end_user_tpp == str(10 * len(SPELLINGS) * 15832)


def test_another_owner_is_another_one() -> None:
    """What is left of a name still tells companies apart."""
    told = with_so_far(sent("Acme Holdings"), books()).so_far
    assert told is not None
    assert told.parent_year_tpp == "0"


def test_a_name_that_nobody_sees_may_be_anybodys() -> None:
    """It is no owner of its own whose sum begins at nothing."""
    ledger = account([sent("Acme Ltd"), sent("\u200b\u2060")])
    told = with_so_far(sent("Acme Ltd"), ledger).so_far
    assert told is not None
    assert told.parent_year_tpp is None


def test_a_sliding_window_has_one_owner_too() -> None:
    """Cloud contracts under two spellings add up."""
    rows = [
        parse_request(
            json.dumps(
                {
                    "kind": "cloud-use",
                    "id": "c",
                    "on": "2026-02-01",
                    "customer": {"parent": name},
                    "planned_flop": "10",
                }
            )
        )
        for name in ("Acme Ltd", "ＡＣＭＥ ltd")
    ]
    used = [row for row in rows if isinstance(row, CloudUseRequest)]
    told = with_so_far(used[0], account(used))
    assert told.owner_window_flop == "20"
