"""Bad input to every codec of the log: refused by name, never by another error, and never read in full first."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.adapters.storage import FileTileStore
from sekisho.ledger import (
    BadProof,
    Checkpoint,
    DamagedTile,
    LogReader,
    Policy,
    Tile,
    TlogProof,
    check_log,
)
from sekisho.ledger.tiles import (
    MAX_BUNDLE_BYTES,
    TileTree,
    decode_bundle,
    decode_hashes,
    encode_bundle,
    encode_hashes,
    load_bundle,
    load_hashes,
)
from sekisho.ledger.witness import parse_request
from sekisho.model.errors import InvalidInput
from sekisho.signing.notes import Note, VerifierKey
from tests.ledger.logs import LOG, MemoryTiles, numbered, tiled
from tests.vectors.remake_log import FOLDER

MIB = 1024 * 1024
NOTE = (FOLDER / "folder/checkpoint").read_bytes()
PROOF = (FOLDER / "proof-4.tlog-proof").read_bytes()
POLICY = (FOLDER / "policy.txt").read_bytes()
TILE = (FOLDER / "folder/tile/0/001.p/44").read_bytes()
BUNDLE = (FOLDER / "folder/tile/entries/001.p/44").read_bytes()
REQUEST = b"old 0\n\n" + NOTE

Codec = Callable[[bytes], bytes]
"""Reads bytes and writes what it read."""


def text_of(data: bytes) -> str:
    """As the command line reads a file: strictly."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise InvalidInput("not UTF-8", path="file") from None


def again_request(data: bytes) -> bytes:
    """A request written back from what was read of it."""
    from sekisho.adapters.transport.witness_client import format_request

    request = parse_request(data)
    return format_request(request.old_size, request.proof, request.note.to_bytes())


CODECS: dict[str, tuple[Codec, bytes]] = {
    "note": (lambda data: Note.from_bytes(data).to_bytes(), NOTE),
    "checkpoint": (
        lambda data: Checkpoint.from_text(text_of(data)).to_text().encode(),
        NOTE.partition(b"\n\n")[0] + b"\n",
    ),
    "proof": (lambda data: TlogProof.from_text(text_of(data)).to_text().encode(), PROOF),
    "request": (again_request, REQUEST),
    "tile": (lambda data: encode_hashes(decode_hashes(data, 44, path="tile")), TILE),
    "bundle": (lambda data: encode_bundle(decode_bundle(data, 44, path="bundle")), BUNDLE),
    "vkey": (
        lambda data: VerifierKey.from_text(text_of(data)).to_text().encode(),
        LOG.verifier.to_text().encode(),
    ),
    "path": (
        lambda data: Tile.from_path(text_of(data)).to_path().encode(),
        b"tile/0/x001/234.p/56",
    ),
}
"""Each codec with one sound document of its own."""


@pytest.mark.parametrize("name", CODECS)
def test_sound_document_goes_there_and_back(name: str) -> None:
    """The bytes that the mutations below start from are themselves good."""
    codec, good = CODECS[name]
    assert codec(good) == good


@pytest.mark.parametrize("name", CODECS)
def test_document_cut_off_anywhere_is_refused_or_whole(name: str) -> None:
    """Cut after any byte it is refused, or is a shorter document that writes back as what is left of it."""
    codec, good = CODECS[name]
    step = max(1, len(good) // 400)
    refused = 0
    for cut in range(0, len(good), step):
        try:
            assert codec(good[:cut]) == good[:cut]
        except (InvalidInput, DamagedTile):
            refused += 1
    assert refused >= len(range(0, len(good), step)) - 5


@pytest.mark.parametrize("name", CODECS)
@settings(max_examples=150)
@given(data=st.data())
def test_changed_document_is_refused_or_reads_as_itself(name: str, data: st.DataObject) -> None:
    """A byte replaced, put in or taken out: refused as bad input, or one of a single spelling; no other error."""
    codec, good = CODECS[name]
    at = data.draw(st.integers(min_value=0, max_value=len(good)))
    put = data.draw(st.binary(max_size=2))
    gone = data.draw(st.integers(min_value=0, max_value=2))
    changed = good[:at] + put + good[at + gone :]
    try:
        written = codec(changed)
    except (InvalidInput, DamagedTile):
        return
    # A vkey may stand between blanks, as people copy it from a file.
    assert written == (changed.strip() if name == "vkey" else changed)


@pytest.mark.parametrize("name", CODECS)
@settings(max_examples=60)
@given(data=st.binary(max_size=300))
def test_any_bytes_at_all_are_refused_or_read_as_themselves(name: str, data: bytes) -> None:
    """Noise meets bad input and nothing else."""
    try:
        assert CODECS[name][0](data) == data
    except (InvalidInput, DamagedTile):
        return


@pytest.mark.parametrize("name", ["note", "checkpoint", "proof", "request"])
def test_carriage_returns_are_refused(name: str) -> None:
    """A file that an editor saved with CRLF is not the same text, and is told so."""
    codec, good = CODECS[name]
    with pytest.raises(InvalidInput):
        codec(good.replace(b"\n", b"\r\n"))
    with pytest.raises(InvalidInput):
        codec(good.replace(b"\n", b"\r\n", 1))


@pytest.mark.parametrize("name", ["note", "checkpoint", "proof", "request"])
def test_missing_and_doubled_final_newline_are_refused(name: str) -> None:
    """The last line ends as every line does, once."""
    codec, good = CODECS[name]
    for other in (good[:-1], good + b"\n", good + b" "):
        with pytest.raises(InvalidInput):
            codec(other)


@pytest.mark.parametrize("name", ["note", "checkpoint", "proof", "request"])
@pytest.mark.parametrize("size", [b"0300", b"+300", b"3e2", b"300 ", b"-300", b"2\xc2\xb2", b"",
                                  b"9223372036854775808", b"18446744073709551616", b"9" * 5000])  # fmt: skip
def test_size_in_another_spelling_or_beyond_the_largest_tree_is_refused(
    name: str, size: bytes
) -> None:
    """Decimals without leading zero, up to 2^63 - 1: everywhere a size stands."""
    good = CODECS[name][1]
    assert b"\n300\n" in good
    if name == "note":  # a note may hold any text; the checkpoint in it may not
        with pytest.raises(InvalidInput):
            Checkpoint.from_text(text_of(good.replace(b"\n300\n", b"\n" + size + b"\n")))
        return
    read = {
        "checkpoint": lambda data: Checkpoint.from_text(text_of(data)),
        "proof": lambda data: TlogProof.from_text(text_of(data)).checkpoint,
        "request": parse_request,
    }[name]
    with pytest.raises(InvalidInput):
        read(good.replace(b"\n300\n", b"\n" + size + b"\n"))


@pytest.mark.parametrize("index", ["04", "+4", "", " 4", "9223372036854775808", "1" * 5000])
def test_index_of_a_proof_in_another_spelling_is_refused(index: str) -> None:
    """The index line of a proof file and the old size of a request follow the same rule."""
    with pytest.raises(InvalidInput):
        TlogProof.from_text(PROOF.decode().replace("\nindex 4\n", f"\nindex {index}\n"))
    with pytest.raises(InvalidInput):
        parse_request(REQUEST.replace(b"old 0\n", f"old {index}\n".encode()))


@pytest.mark.parametrize("name", ["note", "checkpoint", "proof", "request"])
def test_base64_with_free_bits_or_without_padding_is_refused(name: str) -> None:
    """Two texts for one value would be two documents for one checkpoint."""
    codec, good = CODECS[name]
    root = good[good.index(b"\n300\n") + 5 :].partition(b"\n")[0]
    assert root.endswith(b"=")
    for other in (
        root[:-2] + bytes([root[-2] + 1]) + b"=",
        root.rstrip(b"="),
        root + b"=",
        root.replace(b"+", b"-").replace(b"/", b"_") if set(root) & set(b"+/") else b"_" + root[1:],
        root[:10] + b"\t" + root[10:],
        root[:-4] + b"====",
    ):
        changed = good.replace(root, other)
        with pytest.raises(InvalidInput):
            Checkpoint.from_text(text_of(codec(changed)).partition("\n\n")[0] + "\n")


@pytest.mark.parametrize("name", CODECS)
def test_document_of_64_mib_is_refused_by_its_length(name: str) -> None:
    """Nothing so long is any of these, and refusing it makes no second copy of it."""
    codec, good = CODECS[name]
    line = good if name in ("tile", "bundle", "vkey", "path") else good.partition(b"\n")[0] + b"\n"
    huge = line * (64 * MIB // len(line))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises((InvalidInput, DamagedTile)):
        codec(huge)
    grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    # Text is decoded once by the test itself; a parser that split 64 MiB into lines would take gigabytes.
    assert grown_mib < 200


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda text: text.replace("\n", "\r\n"), "policy line 1"),
        (lambda text: text.replace("quorum both\n", ""), "policy"),
        (lambda text: text[: text.index("group far")], "policy"),
        (lambda text: text.replace("group near 2 ", "group near 02 "), "policy line 6"),
        (lambda text: text.replace("group near 2 ", "group near 18446744073709551616 "), "policy line 6"),
        (lambda text: text.replace("group near 2 ", "group near 0 "), "policy line 6"),
        (lambda text: text.replace("w4\ngroup both", "w4 w5\ngroup both"), "policy line 7"),
        (lambda text: text.replace("=", "", 1), "policy line 3"),
        (lambda text: text + "#" * MIB, "policy"),
        (lambda text: "\ufeff" + text, "policy line 1"),
    ],
)  # fmt: skip
def test_policy_that_is_none_names_its_line(change: Callable[[str], str], path: str) -> None:
    """Cut, with carriage returns, leading zeros, counts beyond its members, other base64, too long: by line."""
    text = POLICY.decode()
    assert Policy.from_text(text).quorum == "both"
    with pytest.raises(InvalidInput) as caught:
        Policy.from_text(change(text))
    assert caught.value.path == path


def test_policy_without_a_final_newline_is_read() -> None:
    """People write these by hand: the last line may end the file."""
    assert Policy.from_text(POLICY.decode().rstrip("\n")).to_text() == POLICY.decode()


def test_entry_of_no_bytes_in_a_bundle_is_told_apart_from_none() -> None:
    """A bundle of one empty entry is two zero bytes; nothing at all is a bundle of nothing."""
    assert decode_bundle(b"\0\0", 1, path="p") == [b""]
    for data, count in ((b"", 1), (b"\0\0", 0), (b"\0\0\0", 1), (b"\0", 1)):
        with pytest.raises(DamagedTile, match=r"^p: "):
            decode_bundle(data, count, path="p")


def test_entry_longer_than_a_bundle_can_say_is_never_written() -> None:
    """65,535 bytes fit, one more does not: refused by name before any byte of a bundle is made."""
    longest = bytes(65_535)
    assert decode_bundle(encode_bundle([longest]), 1, path="p") == [longest]
    for length in (65_536, 64 * MIB):
        with pytest.raises(InvalidInput, match="entry 1 has"):
            encode_bundle([b"a", bytes(length)])


@pytest.mark.parametrize("path", ["tile/0/000", "tile/entries/000", "checkpoint"])
def test_file_of_64_gib_is_refused_and_not_read(tmp_path: Path, path: str) -> None:
    """A file that claims to be as long as a disk costs a reader its limit at most."""
    store = FileTileStore(tmp_path)
    for name, data in tiled(numbered(256)).files.items():
        store.write(name, data)
    os.truncate(tmp_path / path, 64 * 1024 * MIB)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = check_log(store, LOG.verifier)
    grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert path in {fault.path for fault in result.faults}
    assert grown_mib < 3 * MAX_BUNDLE_BYTES / MIB


@pytest.mark.parametrize("change", [-1, 1, -32, 32, 64 * MIB])
def test_tile_of_another_length_is_damaged_by_name(change: int) -> None:
    """One byte or one hash more or less, or 64 MiB: the file is named, and the tree does not use it."""
    store = tiled(numbered(300))
    data = store.files["tile/0/000"]
    store.files["tile/0/000"] = data[:change] if change < 0 else data + bytes(change)
    tile = Tile(level=0, index=0)
    with pytest.raises((DamagedTile, InvalidInput), match=r"tile/0/000|too long"):
        load_hashes(tile, store.read)
    with pytest.raises((DamagedTile, InvalidInput)):
        TileTree(300, store.read).node(3, 0)
    assert "tile/0/000" in {fault.path for fault in check_log(store, LOG.verifier).faults}


@pytest.mark.parametrize("cut", [1, 2, 5, 100])
def test_cut_bundle_is_damaged_by_name(cut: int) -> None:
    """A bundle that lost its end names itself and the entry."""
    store = tiled(numbered(300))
    path = "tile/entries/001.p/44"
    store.files[path] = store.files[path][:-cut]
    tile = Tile(level=None, index=1, width=44)
    with pytest.raises(DamagedTile, match=path):
        load_bundle(tile, store.read)
    assert path in {fault.path for fault in check_log(store, LOG.verifier).faults}


def test_proof_from_damaged_tiles_is_never_silently_wrong() -> None:
    """A reader that does not authenticate may build a wrong proof; whoever checks it finds that."""
    store = MemoryTiles(dict(tiled(numbered(300)).files))
    store.files["tile/0/000"] = bytes(len(store.files["tile/0/000"]))
    reader = LogReader(store)
    cosigned = reader.load_checkpoint(LOG.verifier)
    with pytest.raises(DamagedTile):
        reader.tree(cosigned.checkpoint).inclusion_proof(7)
    proof = reader.prove(7, cosigned)
    with pytest.raises(BadProof, match="another root"):
        proof.verify(b"entry 7", Policy.of_log(LOG.verifier))
