"""Messages of the store of telemetry on the command line: what came in, what lies there, what went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MESSAGES"]

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    "meter.ingest.bar": ("taking telemetry in", "計測値を取り込んでいます"),
    "meter.ingest.done": (
        "{taken} samples taken, {duplicates} known already, {passed_over} not of use here, {refused} refused",
        "取り込み {taken} 件、既知 {duplicates} 件、対象外 {passed_over} 件、拒否 {refused} 件",
    ),
    "meter.ingest.refused": (
        "  refused, {reason}: {count} (first: {first})",
        "  拒否 ({reason}): {count} 件 (最初の例: {first})",
    ),
    "meter.reason.blank": ("blank", "計測値なし"),
    "meter.reason.not a number": ("not a number", "数値ではない"),
    "meter.reason.negative": ("negative", "負の値"),
    "meter.reason.out of range": ("out of range", "範囲外"),
    "meter.reason.no time": ("no time", "時刻なし"),
    "meter.reason.too old": ("too old", "古すぎる"),
    "meter.reason.in the future": ("in the future", "未来の時刻"),
    "meter.reason.no device": ("no device", "装置名なし"),
    "meter.reason.unknown unit": ("unknown unit", "単位不明"),
    "meter.reason.too many series": ("too many series", "系列数の超過"),
    "meter.reason.malformed": ("malformed", "書式の誤り"),
    "meter.reason.unknown chip": ("unknown chip", "不明なチップ"),
    "meter.reason.no start": ("no start", "開始時刻なし"),
    "meter.reason.ends before it starts": ("ends before it starts", "開始より前に終了"),
    "meter.reason.no devices": ("no devices", "装置の記載なし"),
    "meter.ingest.remedy": ("    remedy: {remedy}", "    対処: {remedy}"),
    "meter.ingest.nothing": (
        "nothing in it is metered: compare its names with the columns and metrics in docs/guide/telemetry.md",
        "計測に使う項目がありません。列名・メトリクス名を docs/guide/telemetry.md と照合してください",
    ),
    "meter.ingest.gaps": (
        "gaps between {start} and {end}: {count}; not measured there, which is not zero",
        "{start} から {end} までに欠測 {count} 区間。計測なしであり、ゼロではありません",
    ),
    "meter.jobs.done": (
        "{taken} allocations new or changed, {duplicates} known already, {passed_over} passed over, {refused} refused",
        "割り当て: 新規・変更 {taken} 件、既知 {duplicates} 件、対象外 {passed_over} 件、拒否 {refused} 件",
    ),
    "meter.compact.bar": ("settling", "整理しています"),
    "meter.compact.day": (
        "{site} {day}: {rows} rows, {rows_in} came in, {late} of them late",
        "{site} {day}: {rows} 行、新着 {rows_in} 行、うち遅延 {late} 行",
    ),
    "meter.compact.too-late": (
        "  {count} rows came after the day's raw rows had been dropped, and are lost",
        "  その日の生データの削除後に届いた {count} 行は失われました",
    ),
    "meter.compact.none": ("Nothing to settle.", "整理するものはありません。"),
    "meter.devices.row": (
        "{device}  {site}  {chip}  {host}  {first} to {last}",
        "{device}  {site}  {chip}  {host}  {first} から {last} まで",
    ),
    "meter.devices.none": ("No device is known here.", "装置はまだありません。"),
    "meter.gaps.row": (
        "{device}  {site}  {start} to {end}  ({seconds} s)",
        "{device}  {site}  {start} から {end} まで  ({seconds} 秒)",
    ),
    "meter.gaps.none": ("No gaps.", "欠測はありません。"),
    "meter.gaps.more": ("... and {count} more", "ほか {count} 区間"),
    "meter.whole.bar": ("accounting every device", "全装置の時間を照合しています"),
    "meter.whole.head": (
        "{start} to {end}: {count} devices, {hours} chip-hours",
        "{start} から {end} まで: 装置 {count} 台、{hours} チップ時間",
    ),
    "meter.whole.legend": (
        "# leased  = exempt  ? undecided  - unattributed  . not seen, which is not idle",
        "# 貸出  = 適用除外  ? 未確定  - 帰属不明  . 観測なし (遊休とは限りません)",
    ),
    "meter.whole.leased": ("leased {hours} h ({share})", "貸出 {hours} 時間 ({share})"),
    "meter.whole.exempt": ("exempt {hours} h ({share})", "適用除外 {hours} 時間 ({share})"),
    "meter.whole.undecided": ("undecided {hours} h ({share})", "未確定 {hours} 時間 ({share})"),
    "meter.whole.unattributed": (
        "unattributed {hours} h ({share})",
        "帰属不明 {hours} 時間 ({share})",
    ),
    "meter.whole.not_seen": ("not seen {hours} h ({share})", "観測なし {hours} 時間 ({share})"),
    "meter.whole.dark": (
        "of the leased and exempt time {hours} h not measured",
        "貸出・適用除外のうち計測なし {hours} 時間",
    ),
    "meter.whole.overlapped": (
        "{hours} h claimed by several jobs",
        "複数ジョブの重複 {hours} 時間",
    ),
    "meter.whole.total": ("all", "合計"),
    "meter.whole.more": ("... and {count} more devices", "ほか {count} 台"),
    "meter.whole.finding": (
        "{verdict}: {kind}, {device}{jobs}{start} to {end}: {why}",
        "{verdict}: {kind}, {device}{jobs}{start} から {end} まで: {why}",
    ),
    "meter.whole.more-findings": ("... and {count} more findings", "ほか指摘 {count} 件"),
    "meter.whole.none": (
        "No device is known here: nothing was measured.",
        "装置が一台もなく、何も計測されていません。",
    ),
    "meter.retain.would": (
        "would go: {site} {day}, {rows} raw rows in {files} files, {size} bytes; the minute sums stay",
        "削除予定: {site} {day}、生データ {rows} 行 ({files} ファイル、{size} バイト)。分単位の集計は残ります",
    ),
    "meter.retain.gone": (
        "dropped: {site} {day}, {rows} raw rows; the minute sums stay",
        "削除: {site} {day}、生データ {rows} 行。分単位の集計は残ります",
    ),
    "meter.retain.held": (
        "kept: {site} {day}: {count} sums in the log rest on it; --even-held drops it all the same",
        "保持: {site} {day}: ログの集計 {count} 件の根拠です。--even-held で強制的に削除できます",
    ),
    "meter.retain.trash": (
        "in the trash as {trash}: --undo {trash} brings it back, --empty {trash} takes it for good",
        "ごみ箱: {trash}。--undo {trash} で元に戻し、--empty {trash} で完全に削除します",
    ),
    "meter.retain.trash-empty": ("The trash is empty.", "ごみ箱は空です。"),
    "meter.retain.none": ("Nothing to drop.", "削除するものはありません。"),
    "meter.retain.back": ("back: {site} {day}", "復元: {site} {day}"),
    "meter.retain.emptied": (
        "{count} files taken for good",
        "{count} ファイルを完全に削除しました",
    ),
    "meter.check.bar": ("checking files", "ファイルを検査しています"),
    "meter.check.done": (
        "{verdict}: {files} files, {size} bytes, {faults} faults, {left} left over",
        "{verdict}: {files} ファイル、{size} バイト、不整合 {faults} 件、残置 {left} 件",
    ),
    "meter.check.fault": ("  {kind}: {path}: {why}", "  {kind}: {path}: {why}"),
}
