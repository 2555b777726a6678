"""What firms call their columns, in English and Japanese, and what a value looks like."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

__all__ = ["FIELDS", "Field", "TableKind", "field_of", "plain_heading"]

TableKind: TypeAlias = Literal["packing-list", "asset-register"]
Field: TypeAlias = Literal[
    "serial",
    "model",
    "maker",
    "device-uuid",
    "device-key",
    "epc",
    "container",
    "site",
    "quantity",
    "holder",
    "owner",
    "shipper",
    "consignee",
    "reference",
    "date",
    "state",
]

# Written without spaces and punctuation, folded; the first name of a field is the plain one.
_NAMES: Final[Mapping[Field, tuple[str, ...]]] = {
    "serial": (
        "serial",
        *("serialnumber", "serialno", "serialnr", "sn", "gpuserial", "gpusn", "gpuserialnumber"),
        *("assetserial", "assetserialnumber", "serialnumbers", "boardserial", "cardserial"),
        *(
            "シリアル",
            "シリアル番号",
            "シリアルno",
            "シリアルナンバー",
            "製造番号",
            "製造no",
            "製番",
        ),
        *("機番", "個体番号", "s/n"),
    ),
    "model": (
        "model",
        *("modelname", "modelnumber", "modelno", "product", "productname", "gpu", "gpumodel"),
        *("gputype", "gpuname", "chip", "chipmodel", "accelerator", "type", "description", "item"),
        *("itemdescription", "partdescription"),
        *(
            "型番",
            "型式",
            "型名",
            "モデル",
            "モデル名",
            "機種",
            "機種名",
            "品名",
            "製品名",
            "製品型番",
        ),
        *("貨物名", "形式", "品目"),
    ),
    "maker": (
        "maker",
        *("manufacturer", "vendor", "brand", "make", "oem"),
        *("メーカー", "メーカ", "メーカー名", "製造元", "製造者", "製造会社"),
    ),
    "device-uuid": (
        "uuid",
        *("deviceuuid", "gpuuuid", "gpuid", "deviceid", "デバイスuuid", "gpuのuuid", "デバイスid"),
    ),
    "device-key": (
        "devicekey",
        *("devicekeysha256", "devicekeyfingerprint", "keyfingerprint", "デバイス鍵", "機器鍵"),
    ),
    "epc": ("epc", "epcuri", "sgtin", "digitallink", "epc番号"),
    "container": (
        "container",
        *("containerno", "crate", "carton", "cartonno", "caseno", "box", "boxno", "pallet"),
        *("palletno", "sscc", "chassis", "chassisserial", "chassissn", "server", "serverserial"),
        *(
            "parent",
            "rack",
            "コンテナ",
            "梱包番号",
            "箱番号",
            "ケース番号",
            "カートン番号",
            "パレット",
        ),
        *(
            "パレット番号",
            "筐体",
            "筐体番号",
            "筐体シリアル",
            "サーバー",
            "サーバ",
            "ラック",
            "梱包no",
        ),
    ),
    "site": (
        "site",
        *("location", "sitename", "place", "datacenter", "datacentre", "facility", "room", "hall"),
        *(
            "設置場所",
            "設置拠点",
            "拠点",
            "拠点名",
            "保管場所",
            "所在地",
            "場所",
            "設置先",
            "データセンター",
        ),
    ),
    "quantity": (
        "quantity",
        *("qty", "count", "pcs", "pieces", "units", "number", "qtyshipped"),
        *("数量", "個数", "台数", "員数", "出荷数", "出荷数量"),
    ),
    "holder": (
        "holder",
        *("custodian", "keeper", "assignedto", "user", "heldby"),
        *("保管者", "管理者", "使用者", "保有者", "管理部署", "利用者", "管理会社"),
    ),
    "owner": ("owner", "assetowner", "ownedby", "所有者", "所有会社", "資産所有者", "保有会社"),
    "shipper": (
        "shipper",
        *("shipfrom", "seller", "consignor", "sender", "exporter", "出荷元", "荷送人", "送り主"),
        *("発送元", "輸出者", "荷主"),
    ),
    "consignee": (
        "consignee",
        *("shipto", "soldto", "customer", "buyer", "receiver", "endcustomer", "ultimateconsignee"),
        *("出荷先", "納入先", "納品先", "荷受人", "届け先", "お届け先", "送付先", "顧客", "需要者"),
    ),
    "reference": (
        "reference",
        *("packinglistno", "packinglistnumber", "plno", "deliveryno", "deliverynote", "shipmentno"),
        *("shipmentid", "shipment", "invoiceno", "orderno", "purchaseorder", "pono", "awb"),
        *("trackingno", "出荷番号", "納品書番号", "伝票番号", "送り状番号", "注文番号", "管理番号"),
    ),
    "date": (
        "date",
        *("shipdate", "shippingdate", "dateshipped", "shipped", "deliverydate", "installdate"),
        *("出荷日", "発送日", "納品日", "納入日", "設置日", "取得日", "日付"),
    ),
    "state": (
        "state",
        *(
            "status",
            "lifecycle",
            "condition",
            "assetstatus",
            "状態",
            "ステータス",
            "区分",
            "稼働状況",
        ),
        *("使用状況", "資産区分"),
    ),
}
FIELDS: Final[tuple[Field, ...]] = tuple(_NAMES)
_BY_NAME: Final[Mapping[str, Field]] = {
    name: field for field, names in _NAMES.items() for name in names
}
_UNPRINTED: Final = re.compile(r"[\s_.:#*\-\u2010-\u2015・/()\[\]【】]+")


def plain_heading(heading: str) -> str:
    """A heading without width, case, spaces and punctuation: `ｼﾘｱﾙ番号` and `シリアル 番号` are one."""
    return _UNPRINTED.sub("", unicodedata.normalize("NFKC", heading).casefold())


def field_of(heading: str) -> tuple[Field, bool] | None:
    """The field that a heading names, and whether it is the field's plain name; None for one that we do not know."""
    plain = plain_heading(heading)
    field = _BY_NAME.get(plain) or _BY_NAME.get(_without_brackets(heading))
    if field is None:
        return None
    return field, plain == _NAMES[field][0]


def _without_brackets(heading: str) -> str:
    """`Quantity (pcs)` is a quantity."""
    return plain_heading(re.sub(r"[(（\[【].*?[)）\]】]", "", heading))
