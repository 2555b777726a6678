"""Attacks on the statement that a company is not affected, and on the paper that tells it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from sekisho.model.errors import InvalidInput
from sekisho.model.statements import ImpactAssessed, make_payload
from sekisho.model.wire import canonical
from sekisho.rules.impact import Answers, assess, check_statement, state_impact
from sekisho.signing import Envelope, sign_payload
from tests.desks import TestDesk
from tests.factory import HOST, PARTY
from tests.rules.impact.companies import AT, SALT, exporter, maker, packs, signed_answers
from tests.rules.impact.papers import envelope_of, knowledge, verdicts


def said(**changes: object) -> ImpactAssessed:
    given = maker()
    honest = state_impact(assess(given, packs(), AT), signed_answers(given), packs(), PARTY.public)
    return msgspec.structs.replace(honest, **changes)


def sealed(fact: ImpactAssessed) -> Envelope:
    return sign_payload(make_payload(fact), [PARTY])


def test_a_statement_with_another_company_s_answers_fails() -> None:
    """The digest is of these answers and no others; nothing is decided with them."""
    checked = check_statement(envelope_of(exporter()), knowledge(maker()))
    assert checked.verdict == "fails"
    assert verdicts(checked)["answers"] == "fails"
    assert verdicts(checked)["decision"] == "unverifiable"


def test_the_same_answers_under_another_salt_fail() -> None:
    """Who guesses the answers does not thereby know them."""
    checked = check_statement(
        envelope_of(maker()), knowledge(answers=Answers(given=maker(), salt="11" * 16))
    )
    assert verdicts(checked)["answers"] == "fails"


def test_an_affected_company_that_states_not_affected_fails() -> None:
    """Decided again from the answers that it signed for itself."""
    given = exporter()
    honest = state_impact(assess(given, packs(), AT), signed_answers(given), packs(), PARTY.public)
    lie = msgspec.structs.replace(honest, verdict="not-affected", rules=(), open=())
    checked = check_statement(sealed(lie), knowledge(given))
    assert verdicts(checked)["answers"] == "holds"
    assert verdicts(checked)["decision"] == checked.verdict == "fails"


@pytest.mark.parametrize(
    "changes",
    [
        {"verdict": "unsure"},
        {"rules": ("us-ear/x",)},
        {"open": ("us-ear/x",)},
        {"result": "0" * 64},
    ],
)
def test_every_field_that_tells_the_result_is_decided_again(changes: dict[str, object]) -> None:
    """Verdict, rules, open rules, digest: none is taken on trust."""
    checked = check_statement(sealed(said(**changes)), knowledge(maker()))
    assert verdicts(checked)["decision"] == checked.verdict == "fails"


def test_a_changed_pack_is_not_taken_for_the_one_that_decided() -> None:
    """Other bytes have another digest: unverifiable, never holds."""
    fact = said()
    changed = msgspec.structs.replace(fact.packs[0], sha256="0" * 64)
    checked = check_statement(sealed(said(packs=(changed, *fact.packs[1:]))), knowledge(maker()))
    assert checked.verdict == "unverifiable"
    assert verdicts(checked)["packs"] == "unverifiable"


def test_a_company_that_chooses_its_judges_does_not_hold() -> None:
    """Asked of one pack only, an exporter to China is not affected; a pack of law was left out."""
    given = exporter()
    chosen = tuple(pack for pack in packs() if pack.name == "kr-ai-basic")
    envelope = envelope_of(given, chosen)
    checked = check_statement(envelope, knowledge(given))
    assert checked.said.verdict == "not-affected"
    assert checked.verdict == "unverifiable"
    (check,) = (one for one in checked.checks if one.name == "packs")
    assert "us-ear" in check.values["names"]


def test_another_pack_s_digest_under_a_law_s_name_is_not_that_law() -> None:
    """A harmless pack's bytes, called us-ear: not at hand, so nothing holds."""
    given = exporter()
    mild = next(pack for pack in packs() if pack.name == "kr-ai-basic")
    fact = said()
    posing = tuple(
        msgspec.structs.replace(one, sha256=mild.sha256) if one.name == "us-ear" else one
        for one in fact.packs
        if one.name != "kr-ai-basic"
    )
    lie = said(packs=posing)
    checked = check_statement(sealed(lie), knowledge(given))
    assert verdicts(checked)["packs"] == "unverifiable"
    assert checked.verdict != "holds"


def test_a_backdated_statement_is_past_its_end() -> None:
    """The law of a friendlier day has lapsed since."""
    given = exporter()
    early = AT.plus(-5 * 365 * 86_400)
    impact = assess(given, packs(), early)
    fact = state_impact(impact, signed_answers(given), packs(), PARTY.public)
    assert verdicts(check_statement(sealed(fact), knowledge(given)))["validity"] == "unverifiable"


def test_a_statement_signed_by_another_key_than_it_carries_fails() -> None:
    """A stranger's signature under the company's key."""
    envelope = sign_payload(make_payload(said()), [HOST])
    checked = check_statement(envelope, knowledge(maker()))
    assert verdicts(checked)["signature"] == checked.verdict == "fails"


def test_a_statement_under_a_stranger_s_own_key_fails_for_who_knows_the_company() -> None:
    """The name in it is only text."""
    fact = said(public=HOST.public.to_text())
    checked = check_statement(sign_payload(make_payload(fact), [HOST]), knowledge(maker()))
    assert verdicts(checked)["signature"] == "holds"
    assert verdicts(checked)["signer"] == checked.verdict == "fails"


def test_a_changed_byte_of_the_statement_fails_or_is_refused() -> None:
    """Another verdict in the same envelope."""
    honest = envelope_of(exporter())
    payload = honest.payload.replace(b'"affected"', b'"unsure"')
    assert payload != honest.payload
    forged = msgspec.structs.replace(honest, payload=payload)
    with pytest.raises(InvalidInput):
        check_statement(forged, knowledge(exporter()))


def test_nobody_puts_it_into_a_log(tmp_path: Path) -> None:
    """Under an enrolled party's key too: it is a paper by itself."""
    with TestDesk(tmp_path) as made:
        size = made.desk.state.size
        with pytest.raises(InvalidInput, match="not a log entry"):
            made.desk.admit(sealed(said()).raw)
        assert made.desk.state.size == size


def test_an_answers_file_that_names_a_question_twice_is_refused() -> None:
    """Two readers could read two answers."""
    from sekisho.rules.impact import parse_answers

    data = b'{"answers":{"exports":true,"exports":false},"format":"sekisho-impact-answers/v1"}'
    with pytest.raises(InvalidInput, match="twice"):
        parse_answers(data, "f.json")


def test_a_name_full_of_markup_is_text_on_paper(tmp_path: Path) -> None:
    """Neither HTML nor Markdown nor a PDF string's end does anything; what shows nothing becomes its number."""
    from sekisho.adapters.paper import print_sheet
    from sekisho.rules.impact import letter
    from tests.adapters.paper.reading_back import box_font, text_of

    name = "<script>x()</script> **b** [l](http://e.example) (\\) Tj ET /OpenAction \u202ex"
    given = {**maker(), "name": name}
    sheet = letter(assess(given, packs(), AT), given, "en")
    data = print_sheet(sheet, box_font(tmp_path, sheet))
    text = text_of(data)
    assert "<script>x()</script>**b**[l](http://e.example)(\\)TjET/OpenAction\\u{202e}x" in text
    for word in (b"/JavaScript", b"/URI", b"/Annots", b"/Launch", b"/AA"):
        assert word not in data
    # Where a reader opens the file, and nothing else.
    assert data.count(b"/OpenAction") == data.count(b"/OpenAction [3 0 R /FitH null]") == 1


def test_answers_hold_no_key_of_the_canonical_form() -> None:
    """The digest is over exactly the file's bytes."""
    answers = Answers(given=maker(), salt=SALT)
    from sekisho.rules.impact import format_answers

    assert canonical(msgspec.json.decode(format_answers(answers))) == format_answers(answers)
