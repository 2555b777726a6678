"""Attacks on a bundle's files: each is a failing check that names the file."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from sekisho.auditor import Report, Trust, audit_bundle, open_evidence
from sekisho.auditor.bundle import as_bundle
from sekisho.model.wire import canonical, parse_json
from tests.factory_bundle import (
    Sealed,
    audit,
    check_of,
    honest_story,
    pack_tar,
    reseal,
    seal,
    write_folder,
)

PATHS = (
    "disclosures.json",
    "hosts/host-1/acknowledgements.jsonl",
    "hosts/host-1/receipts.jsonl",
    "hosts/host-1/requests.jsonl",
    "log/checkpoint",
    "log/tile/0/000.p/41",
    "log/tile/entries/000.p/41",
    "packs/loop-2026-1.yaml",
)
MANIFEST = ("manifest.dsse", "manifest.json")


@pytest.fixture(scope="module")
def honest() -> Sealed:
    """An honest bundle, sealed once for this module."""
    return seal(honest_story())


def report_on(sealed: Sealed, path: Path) -> Report:
    """The report on what lies at a path."""
    return audit_bundle(open_evidence(path), Trust(policy=sealed.root))


def changed(sealed: Sealed, **files: bytes) -> Sealed:
    """The bundle with other bytes in some files, its manifest as it was."""
    return msgspec.structs.replace(sealed, files={**sealed.files, **files})


def flip(data: bytes, bit: int) -> bytes:
    """The bytes with one bit changed."""
    out = bytearray(data)
    out[bit // 8] ^= 1 << bit % 8
    return bytes(out)


def test_the_paths_of_these_tests_are_the_bundles(honest: Sealed) -> None:
    """No file of a bundle is left out below."""
    assert sorted((*PATHS, *MANIFEST)) == sorted(honest.files)


@pytest.mark.parametrize("path", [*PATHS, *MANIFEST])
def test_a_missing_file_is_named(honest: Sealed, tmp_path: Path, path: str) -> None:
    """Whatever file is taken away, the bundle does not hold, and the manifest's check names it."""
    files = {name: data for name, data in honest.files.items() if name != path}
    report = report_on(honest, write_folder(tmp_path, files))
    assert report.verdict == "fails"
    assert path in check_of(report, "manifest").detail


@pytest.mark.parametrize("path", [*PATHS, *MANIFEST])
@pytest.mark.parametrize("cut", [1, 40])
def test_a_truncated_file_is_named(honest: Sealed, tmp_path: Path, path: str, cut: int) -> None:
    """A file that lost its end fails by its size, or as no manifest."""
    files = {**honest.files, path: honest.files[path][:-cut]}
    report = report_on(honest, write_folder(tmp_path, files))
    assert report.verdict == "fails"
    assert path in check_of(report, "manifest").detail


def test_an_extra_file_is_named(honest: Sealed, tmp_path: Path) -> None:
    """An unlisted file fails, whatever its name."""
    for extra in ("hosts/host-2/receipts.jsonl", ".hidden", "log/tile/0/001.p/1"):
        folder = write_folder(tmp_path / extra.replace("/", "-"), {**honest.files, extra: b""})
        report = report_on(honest, folder)
        assert report.verdict == "fails"
        assert f"{extra}: is not listed" in check_of(report, "manifest").detail


def test_a_tar_whose_members_are_reordered_fails(honest: Sealed, tmp_path: Path) -> None:
    """The same files in another order are another byte sequence, which nobody needs."""
    tar = tmp_path / "b.tar"
    tar.write_bytes(pack_tar(honest.files, sorted(honest.files, reverse=True)))
    report = report_on(honest, tar)
    assert report.verdict == "fails"
    assert "ascending order" in check_of(report, "manifest").detail


def test_a_tar_with_a_file_twice_fails(honest: Sealed, tmp_path: Path) -> None:
    """A second member of one name could be read by another reader."""
    tar = tmp_path / "b.tar"
    tar.write_bytes(pack_tar(honest.files, [*sorted(honest.files), "packs/loop-2026-1.yaml"]))
    assert report_on(honest, tar).verdict == "fails"


def test_a_tar_with_an_extra_file_fails(honest: Sealed, tmp_path: Path) -> None:
    """A well-formed member that the manifest does not list is named."""
    tar = tmp_path / "b.tar"
    tar.write_bytes(pack_tar({**honest.files, "zz": b"x"}))
    assert "zz: is not listed" in check_of(report_on(honest, tar), "manifest").detail


@pytest.mark.parametrize("cut", [1, 512, 10_240, 40_000])
def test_a_truncated_tar_fails(honest: Sealed, tmp_path: Path, cut: int) -> None:
    """A tar that lost its end is a failing check, not a crash and not bad input."""
    tar = tmp_path / "b.tar"
    tar.write_bytes(pack_tar(honest.files)[:-cut])
    assert check_of(report_on(honest, tar), "manifest").verdict == "fails"


@pytest.mark.parametrize("path", PATHS)
def test_a_flipped_bit_in_each_kind_of_file_is_named(
    honest: Sealed, path: str, dice: random.Random
) -> None:
    """One bit of any file fails the manifest's check, which names the file."""
    data = honest.files[path]
    report = audit(changed(honest, **{path: flip(data, dice.randrange(8 * len(data)))}))
    assert report.verdict == "fails"
    assert path in check_of(report, "manifest").detail


@pytest.mark.parametrize("path", PATHS)
def test_a_flipped_bit_is_found_even_where_the_operator_signs_the_manifest_anew(
    honest: Sealed, path: str, dice: random.Random
) -> None:
    """Under a fresh, valid manifest the signatures, digests and folds still find the change."""
    data = honest.files[path]
    for _ in range(6):
        bit = dice.randrange(8 * len(data))
        sealed = reseal({**honest.files, path: flip(data, bit)})
        assert as_bundle(sealed.files).faults == (), bit
        assert audit(sealed).verdict == "fails", bit


def _spaced(line: bytes) -> bytes:
    return line.replace(b'{"payload":', b'{"payload": ')


def _loose_base64(line: bytes) -> bytes:
    """The last character before the padding of a signature carries bits that decode to nothing."""
    place = line.rindex(b'=="}')
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    letter = letters[letters.index(line[place - 1 : place]) ^ 1]
    return line[: place - 1] + bytes([letter]) + line[place:]


def _unpadded(line: bytes) -> bytes:
    return line.replace(b'=="}', b'"}')


@pytest.mark.parametrize("change", [_spaced, _loose_base64, _unpadded])
@pytest.mark.parametrize("path", ["hosts/host-1/receipts.jsonl", "manifest.dsse"])
def test_a_non_canonical_envelope_or_base64_fails_naming_the_file(
    honest: Sealed, path: str, change: Callable[[bytes], bytes]
) -> None:
    """The same content in other bytes is refused, also where the manifest lists those bytes."""
    first, newline, rest = honest.files[path].partition(b"\n")
    data = change(first) + newline + rest
    assert data != honest.files[path]
    sealed = changed(honest, **{path: data})
    report = audit(sealed if path in MANIFEST else reseal(sealed.files))
    name = "manifest" if path in MANIFEST else "receipts"
    assert check_of(report, name).verdict == "fails"
    assert path in check_of(report, name).detail


def test_loose_base64_decodes_to_the_same_bytes_elsewhere(honest: Sealed) -> None:
    """The attack above is real: a lenient decoder takes both texts for one signature."""
    line = honest.files["hosts/host-1/receipts.jsonl"].split(b"\n")[0]
    loose = _loose_base64(line)
    pair = [parse_json(text) for text in (line, loose)]
    signatures = [value["signatures"][0]["sig"] for value in pair]  # type: ignore[index,call-overload]  # an envelope's shape
    assert signatures[0] != signatures[1]
    assert base64.b64decode(str(signatures[0])) == base64.b64decode(str(signatures[1]))


def _rewritten(sealed: Sealed, **fields: object) -> Sealed:
    manifest = parse_json(sealed.files["manifest.json"])
    assert isinstance(manifest, dict)
    return changed(sealed, **{"manifest.json": canonical({**manifest, **fields})})


@pytest.mark.parametrize(
    "fields",
    [
        {"format": "sekisho-bundle/v2"},
        {"created": "2026-11-22T10:00:00Z"},
        {"files": []},
        {"note": "more"},
        {"files": [{"path": "../../etc/passwd", "size": 0, "sha256": "0" * 64}]},
        {"files": [{"path": "b", "size": 0, "sha256": "0" * 64}] * 2},
    ],
)
def test_a_rewritten_manifest_fails(honest: Sealed, fields: dict[str, object]) -> None:
    """The list is signed byte for byte; paths that lead out and repetitions are refused even before that."""
    assert check_of(audit(_rewritten(honest, **fields)), "manifest").verdict == "fails"


def test_a_manifest_with_spaces_fails(honest: Sealed) -> None:
    """Only the canonical form is a manifest."""
    data = honest.files["manifest.json"].replace(b'":', b'": ')
    report = audit(changed(honest, **{"manifest.json": data}))
    assert "canonical" in check_of(report, "manifest").detail


@pytest.mark.parametrize("who", ["host-1", "party-1", "verifier-1", "log"])
def test_a_manifest_signed_by_another_key_fails_unless_it_is_the_logs(
    honest: Sealed, who: str
) -> None:
    """The power publish-bundle, or the log's own key, and nobody else's."""
    from sekisho.signing import sign_payload
    from tests import factory
    from tests.factory_bundle import MANIFEST_TYPE

    envelope = sign_payload(
        honest.files["manifest.json"], [factory.signer(who)], payload_type=MANIFEST_TYPE
    )
    report = audit(changed(honest, **{"manifest.dsse": envelope.raw}))
    assert check_of(report, "manifest").verdict == ("holds" if who == "log" else "fails")


def test_a_manifest_of_the_wrong_payload_type_fails(honest: Sealed) -> None:
    """A signature over the same bytes as something else does not count."""
    from sekisho.signing import sign_payload
    from tests import factory

    envelope = sign_payload(honest.files["manifest.json"], [factory.OPERATOR])
    report = audit(changed(honest, **{"manifest.dsse": envelope.raw}))
    assert "payload type" in check_of(report, "manifest").detail


def test_an_extra_tile_under_a_fresh_manifest_fails(honest: Sealed) -> None:
    """The log's files are exactly those of a tree of the checkpoint's size."""
    report = audit(reseal({**honest.files, "log/tile/0/000.p/3": bytes(96)}))
    assert check_of(report, "log-tree").verdict == "fails"


def test_a_checkpoint_of_an_older_size_fails(honest: Sealed) -> None:
    """A checkpoint that does not commit to the entries at hand is found by the tree."""
    lines = honest.files["log/checkpoint"].split(b"\n")
    lines[1] = b"40"
    report = audit(reseal({**honest.files, "log/checkpoint": b"\n".join(lines)}))
    assert check_of(report, "log-tree").verdict == "fails"
    assert check_of(report, "checkpoint-signature").verdict == "fails"


def test_a_checkpoint_without_its_cosignatures_fails(honest: Sealed) -> None:
    """A stripped cosignature is no missing organisation that could be accepted: it fails."""
    lines = honest.files["log/checkpoint"].split(b"\n")
    files = {**honest.files, "log/checkpoint": b"\n".join([*lines[:-2], b""])}
    report = audit(reseal(files), accepted=("witnessed",))
    assert check_of(report, "witnessed").verdict == "fails"
    assert report.verdict == "fails"


def test_opening_the_same_files_again_gives_the_same_report(honest: Sealed) -> None:
    """An audit is a function of the bytes and the trust root."""
    trust = Trust(policy=honest.root)
    assert audit_bundle(as_bundle(honest.files), trust) == audit_bundle(
        as_bundle(honest.files), trust
    )
