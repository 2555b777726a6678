"""Flags of a suspension of access: which models, whose access, what of users unknown; and its page in words."""

from __future__ import annotations

import pytest

from sekisho.catalogue import Language
from sekisho.cli.documents import parse_document
from sekisho.cli.order_access import AccessFlags, access_terms
from sekisho.cli.words import View, describe
from sekisho.model.errors import InvalidInput
from sekisho.model.statements import AccessTerms, make_payload
from tests.factory import NOW, order_issued


def test_flags_become_terms() -> None:
    """As typed; unknown is refused where nothing is said."""
    flags = AccessFlags(models=("model-1",), nationalities=("XA",), jurisdictions=("XB-01",))
    assert access_terms("suspend-access", flags) == AccessTerms(
        models=("model-1",), nationalities=("XA",), jurisdictions=("XB-01",), unknown="refuse"
    )
    everybody = AccessFlags(everybody=True, unknown="serve")
    assert access_terms("suspend-access", everybody) == AccessTerms(unknown="serve")
    assert access_terms("pause", AccessFlags()) is None


@pytest.mark.parametrize(
    ("kind", "flags", "path"),
    [
        ("pause", AccessFlags(models=("model-1",)), "--model"),
        ("suspend-access", AccessFlags(), "--everybody"),
        ("suspend-access", AccessFlags(models=("model-1",)), "--everybody"),
        ("suspend-access", AccessFlags(everybody=True, nationalities=("XA",)), "--everybody"),
        ("suspend-access", AccessFlags(everybody=True, unknown="perhaps"), "--unknown"),
        ("suspend-access", AccessFlags(nationalities=("xa",)), "access.nationalities"),
    ],
)
def test_flags_that_do_not_fit_are_named(kind: str, flags: AccessFlags, path: str) -> None:
    """A model without a class closes nothing by accident: everybody is said."""
    with pytest.raises(InvalidInput, match=path):
        access_terms(kind, flags)


@pytest.mark.parametrize(
    ("language", "terms", "words"),
    [
        ("en", AccessTerms(), "access ends to EVERY model, for EVERYBODY"),
        ("en", AccessTerms(nationalities=("XA",)), "for users of nationality XA"),
        (
            "en",
            AccessTerms(models=("m",), nationalities=("XA",), jurisdictions=("XB",)),
            "to m, for users of nationality XA; or users served in XB",
        ),
        ("ja", AccessTerms(models=("m",)), "m の利用を停止、対象は すべての利用者"),
        ("ja", AccessTerms(jurisdictions=("XB",)), "提供先 XB の利用者"),
    ],
)
def test_a_signer_reads_whose_access_ends(
    language: Language, terms: AccessTerms, words: str
) -> None:
    """An empty list names nobody beside one that is given; both empty are everybody, in capitals."""
    order = order_issued(kind="suspend-access", effect="suspend-access", access=terms)
    page = describe(
        parse_document(make_payload(order), path="order"), View(language=language, now=NOW)
    )
    told = [row.text for row in page.rows if row.code == "access"]
    assert words in told[0]
    assert len(told) == 2
