"""Whom to work with: institutions by country and by the law that touches; never persons.

Marks: S, the institution's part is stated in the sources of the packs; R, recalled, to be verified.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

import msgspec

__all__ = ["CONTACTS", "Contact", "Topic", "contacts_for"]

# What they help with; words in the catalogue under `impact.topic.<topic>`.
Topic: TypeAlias = Literal[
    "licence", "classification", "trade", "ai-law", "regional", "member", "cloud"
]


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """An institution to turn to; `where` is its public address on the web, without a scheme."""

    id: str
    country: str
    topic: Topic
    name: str
    name_ja: str
    where: str
    mark: Literal["S", "R", "O"]


def _row(
    id: str,  # noqa: A002 - the field's name
    country: str,
    topic: Topic,
    names: tuple[str, str],
    where: str,
    mark: Literal["S", "R", "O"] = "R",
) -> Contact:
    return Contact(
        id=id, country=country, topic=topic, name=names[0], name_ja=names[1], where=where, mark=mark
    )


CONTACTS: Final[tuple[Contact, ...]] = (
    _row(
        "jp-meti",
        "JP",
        "licence",
        (
            "Ministry of Economy, Trade and Industry, security export control",
            "経済産業省 安全保障貿易管理",
        ),
        "meti.go.jp/policy/anpo",
        "S",
    ),
    _row(
        "jp-bureau",
        "JP",
        "regional",
        ("Regional Bureau of Economy, Trade and Industry", "地方経済産業局"),
        "meti.go.jp",
        "S",
    ),
    _row(
        "jp-cistec",
        "JP",
        "classification",
        (
            "Center for Information on Security Trade Control (CISTEC)",
            "安全保障貿易情報センター（CISTEC）",
        ),
        "cistec.or.jp",
        "S",
    ),
    _row(
        "jp-cci",
        "JP",
        "member",
        ("Chamber of Commerce and Industry", "商工会議所"),
        "jcci.or.jp",
        "S",
    ),
    _row(
        "jp-jetro",
        "JP",
        "trade",
        ("Japan External Trade Organization (JETRO)", "日本貿易振興機構（ジェトロ）"),
        "jetro.go.jp",
        "S",
    ),
    _row(
        "us-bis",
        "US",
        "licence",
        ("Bureau of Industry and Security", "米国商務省 産業安全保障局（BIS）"),
        "bis.gov",
        "S",
    ),
    _row(
        "us-ca-oes",
        "US-CA",
        "ai-law",
        ("California Office of Emergency Services", "カリフォルニア州 緊急事態管理局"),
        "caloes.ca.gov",
    ),
    _row(
        "eu-ai-office",
        "EU",
        "ai-law",
        ("European AI Office", "欧州AIオフィス"),
        "digital-strategy.ec.europa.eu/en/policies/ai-office",
        "S",
    ),
    _row(
        "kr-msit",
        "KR",
        "ai-law",
        ("Ministry of Science and ICT", "韓国 科学技術情報通信部"),
        "msit.go.kr",
    ),
    _row(
        "kr-kosti",
        "KR",
        "classification",
        ("Korea Security Agency of Trade and Industry", "韓国 貿易安保管理院"),
        "kosti.or.kr",
    ),
    _row(
        "gb-ecju",
        "GB",
        "licence",
        ("Export Control Joint Unit", "英国 輸出管理合同ユニット"),
        "gov.uk/export-control",
    ),
    _row(
        "de-bafa",
        "DE",
        "licence",
        ("Federal Office for Economic Affairs and Export Control", "ドイツ 連邦経済・輸出管理庁"),
        "bafa.de",
    ),
    _row(
        "sg-customs",
        "SG",
        "licence",
        ("Singapore Customs", "シンガポール税関"),
        "customs.gov.sg",
    ),
    _row(
        "my-miti",
        "MY",
        "licence",
        ("Ministry of Investment, Trade and Industry", "マレーシア 投資貿易産業省"),
        "miti.gov.my",
    ),
    _row(
        "tw-tita",
        "TW",
        "licence",
        ("International Trade Administration", "台湾 国際貿易署"),
        "trade.gov.tw",
    ),
)
_OWN: Final = _row(
    "own-authority",
    "",
    "licence",
    ("The export control authority of your country", "自国の輸出管理当局"),
    "",
    "O",
)


def contacts_for(
    country: str | None, regimes: Iterable[str], cloud: str | None
) -> tuple[Contact, ...]:
    """The institutions of the company's own country, of each law that touches or may, and its cloud's desk.

    `regimes` are jurisdictions (US, EU, US-CA); `cloud` is the cloud's name, "" where it is not named, None where the
    company rents none.
    """
    wanted = dict.fromkeys((country or "", *regimes))
    found = [contact for place in wanted for contact in CONTACTS if contact.country == place]
    if not any(contact.country == country for contact in found):
        found.insert(0, _OWN)
    if cloud is not None:
        found.append(_cloud_desk(cloud))
    return tuple(found)


def _cloud_desk(cloud: str) -> Contact:
    named = (f"Compliance desk of {cloud}", f"{cloud} のコンプライアンス窓口")
    return _row(
        "cloud-desk",
        "",
        "cloud",
        named if cloud else ("Your cloud's compliance desk", "利用クラウドのコンプライアンス窓口"),
        "",
        "O",
    )
