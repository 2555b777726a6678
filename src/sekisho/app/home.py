"""A home: the folder that holds one regime, what lies where in it, and what of the regime does not.

regime.json   origin, names of the witnesses, the site's own host   trust.json    the regime's trust root
keys/         log.pem, operator.pem                                 signers/      keys of the other constituencies
log.sqlite    the log's database      private.sqlite  what the log never sees      packs/   rule packs as published
projections.sqlite   tables made from these two
register.sqlite   chips in custody     register.json   what the register is told     subscriptions.sqlite, custody/
                 register.terms  the digest of what it was told when it was made
inventories.sqlite   what firms declare and fleet agents report     keys/fleet.pem   signs agents' assertions
                     digests of the tokens that push telemetry      telemetry/   what they pushed
telemetry/    readings and allocations of fleets, where no other store is named
public/log/   checkpoint and tiles, for any web server              witnesses/ hosts/ observer/   other processes
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from sekisho.adapters.durable_files import replace_file
from sekisho.adapters.keys import load_key, load_or_create_key
from sekisho.adapters.keys.note_keys import next_of
from sekisho.adapters.keys.tag_keys import create_tag_key, load_tag_key
from sekisho.adapters.storage.log_reading import LogEntries
from sekisho.adapters.storage.places import is_server, open_log_store
from sekisho.adapters.storage.private_sqlite import PrivateSqlite
from sekisho.adapters.storage.projections_sql import (
    ProjectionsSql,
    open_projections,
    scratch_projections,
)
from sekisho.adapters.storage.register_sql import RegisterSql, open_register
from sekisho.adapters.storage.sql_log import SqlLogStore
from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.model.statements import PackReference
from sekisho.model.wire import canonical, from_json, parse_json, sha256_hex
from sekisho.registry.terms import RegisterTerms, parse_terms
from sekisho.rules import Pack, pack_bytes, pack_names, parse_pack
from sekisho.signing import Ed25519Signer, TrustRoot, parse_policy
from sekisho.signing.notes import NoteSigner
from sekisho.signing.tag import TagKey

if TYPE_CHECKING:
    from sekisho.adapters.storage.private_shared import SharedPrivate

__all__ = ["Elsewhere", "Home", "RegimeFile"]

_PACK_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")


class Elsewhere(msgspec.Struct, frozen=True, kw_only=True):
    """What of a regime lies outside its home: the log's database (postgresql://...), its published copy (s3://...).

    `shared`: the private store is kept in the database too, for a standby with another home.
    """

    database: str = ""
    copy: str = ""
    shared: bool = False


class RegimeFile(msgspec.Struct, frozen=True, kw_only=True):
    """What `up` must know of a home before it has read anything else."""

    origin: str
    witnesses: tuple[str, ...]
    port: int = 0


class Home(msgspec.Struct, frozen=True, kw_only=True):
    """A home folder, what lies where in it, and what of the regime does not."""

    path: Path
    elsewhere: Elsewhere = Elsewhere()

    @classmethod
    def open(cls, path: Path, elsewhere: Elsewhere | None = None) -> Home:
        """The home at `path`, made with mode 0700 where it is new. Raises InvalidInput where it cannot be used."""
        home = cls(path=path.expanduser().absolute(), elsewhere=elsewhere or Elsewhere())
        try:
            for folder in (home.path, home.keys, home.signers, home.packs, home.logs):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            home.public.mkdir(parents=True, exist_ok=True)
            probe = home.path / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise InvalidInput(
                f"the home cannot be written: {error.strerror}",
                path=str(home.path),
                remedy="name another with --home or SEKISHO_HOME",
            ) from None
        return home

    @property
    def keys(self) -> Path:
        return self.path / "keys"

    @property
    def signers(self) -> Path:
        return self.path / "signers"

    @property
    def packs(self) -> Path:
        return self.path / "packs"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def projections(self) -> Path:
        return self.path / "projections.sqlite"

    @property
    def telemetry(self) -> Path:
        """What devices reported, where no other store is named."""
        return self.path / "telemetry"

    @property
    def register_file(self) -> Path:
        """The register of chips, where no server keeps it."""
        return self.path / "register.sqlite"

    @property
    def register_terms(self) -> Path:
        return self.path / "register.json"

    @property
    def public(self) -> Path:
        return self.path / "public" / "log"

    @property
    def is_founded(self) -> bool:
        return (self.path / "trust.json").exists()

    def load_regime(self) -> RegimeFile:
        return from_json(RegimeFile, parse_json(self._read("regime.json")), path="regime.json")

    def save_regime(self, regime: RegimeFile) -> None:
        (self.path / "regime.json").write_bytes(canonical(regime) + b"\n")

    def load_root(self) -> TrustRoot:
        """The regime's trust root. Raises InvalidInput where no regime is founded here."""
        if not self.is_founded:
            raise InvalidInput(
                "no regime is founded here", path=str(self.path), remedy="sekisho up"
            )
        return parse_policy(self._read("trust.json"), path=str(self.path / "trust.json"))

    def save_root(self, root: TrustRoot) -> None:
        """Written last when a regime is founded: a home without it is not founded yet and is begun again."""
        replace_file(self.path / "trust.json", canonical(root) + b"\n", mode=0o644)

    def save_address(self, address: str) -> None:
        """Note where this home is being served, for commands of the same user; a hint that may be stale."""
        (self.path / "address").write_text(f"{address}\n", encoding="ascii")

    def forget_address(self) -> None:
        """It is served no more."""
        (self.path / "address").unlink(missing_ok=True)

    def find_address(self) -> str:
        """Where this home is served, as far as it is noted; "" where it is not."""
        try:
            return (self.path / "address").read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return ""

    def log_signer(self, origin: str) -> tuple[NoteSigner, Ed25519Signer]:
        """The log's key in its two uses: notes and time marks."""
        key = load_or_create_key(self.keys / "log.pem")
        return NoteSigner(origin, key.private), key

    def next_log_signers(self, origin: str) -> tuple[NoteSigner, ...]:
        """The key that will follow the log's own, while both sign; none where no rotation is under way."""
        return tuple(NoteSigner(origin, key.private) for key in self.next_log_keys())

    def next_log_keys(self) -> tuple[Ed25519Signer, ...]:
        """The same keys, for statements and manifests."""
        file = next_of(self.keys / "log.pem")
        return (load_key(file),) if file.exists() else ()

    def open_log(self, origin: str) -> SqlLogStore:
        """The log's database: the home's own file, or where `elsewhere` says."""
        place = self.elsewhere.database or str(self.path / "log.sqlite")
        return open_log_store(place, origin=origin)

    def open_entries(self, origin: str) -> LogEntries:
        """The same to be read beside whoever writes it."""
        if is_server(self.elsewhere.database):
            return LogEntries.of_server(self.elsewhere.database, origin=origin)
        return LogEntries.of_file(self.path / "log.sqlite", origin=origin)

    def open_private(self, origin: str) -> PrivateSqlite | SharedPrivate:
        """The private store: the home's own file, and the database where it is shared. Raises Unavailable."""
        own = PrivateSqlite(self.path / "private.sqlite")
        if not self.elsewhere.shared:
            return own
        # Here, so that a home of one machine does without the driver.
        from sekisho.adapters.storage.private_postgres import PrivatePostgres
        from sekisho.adapters.storage.private_shared import SharedPrivate

        try:
            shared = PrivatePostgres(self.elsewhere.database, origin=origin)
        except BaseException:
            own.close()
            raise
        return SharedPrivate(own, shared)

    def open_projections(self, *, mend: bool = True) -> ProjectionsSql:
        """The tables made from log and private store: beside the log's database, whichever it is.

        A SQLite file that cannot be read is made anew unless it is not to be mended; where it then is not there, or
        cannot be read, the store is an empty one, or Corrupt is raised.
        """
        if is_server(self.elsewhere.database):
            return ProjectionsSql.connect(self.elsewhere.database)
        if not mend and not self.projections.exists():
            return scratch_projections()
        return open_projections(self.projections, mend=mend)

    def open_register(self, *, writes: bool = True) -> RegisterSql:
        """The register of chips: beside the log's database, whichever it is. Raises what `open_register` raises."""
        is_elsewhere = is_server(self.elsewhere.database)
        place = self.elsewhere.database if is_elsewhere else self.register_file
        return open_register(place, writes=writes)

    @property
    def register_terms_in_use(self) -> Path:
        """The digest of the terms by which the register was made."""
        return self.path / "register.terms"

    def load_terms(self) -> RegisterTerms:
        """What the register is told; the defaults where nobody wrote a file. Raises InvalidInput with the field."""
        if not self.register_terms.exists():
            return RegisterTerms()
        return parse_terms(self._read("register.json"), path=str(self.register_terms))

    def tag_key(self) -> TagKey:
        """The key under which the registry tags serials in the log, drawn at its first use."""
        file = self.keys / "register-tag.key"
        return load_tag_key(file) if file.exists() else create_tag_key(file)

    def save_pack(self, name: str, version: str, data: bytes) -> None:
        """Keep a published pack's bytes, where bundles and the console find them."""
        path = self.packs / f"{name}-{version}.yaml"
        if path.exists() and path.read_bytes() != data:
            raise StateConflict(f"pack {name} {version} is published with other bytes")
        path.write_bytes(data)

    def find_pack_bytes(self, reference: PackReference) -> bytes | None:
        """A pack's bytes by their digest: from this home, or as it ships; None where no bytes here have it."""
        # A reference is a stranger's word: a name that no pack can bear is looked for nowhere.
        if not (_PACK_NAME.fullmatch(reference.name) and _PACK_NAME.fullmatch(reference.version)):
            return None
        kept = self.packs / f"{reference.name}-{reference.version}.yaml"
        candidates = [kept.read_bytes()] if kept.exists() else []
        if reference.name in pack_names():
            candidates.append(pack_bytes(reference.name))
        return next((d for d in candidates if sha256_hex(d) == reference.sha256), None)

    def find_pack(self, reference: PackReference) -> Pack | None:
        """A pack by its digest, laid over its bases; None where no bytes here have it.

        Raises InvalidInput where the bytes are no pack, or a base is not at hand with the digest that they name.
        """
        data = self.find_pack_bytes(reference)
        return _parse_kept(self, data, f"{reference.name}.yaml") if data is not None else None

    def parse_pack(self, data: bytes, file: str) -> Pack:
        """A pack from its bytes, its bases found here. Raises InvalidInput with file, line and remedy."""
        return _parse_kept(self, data, file)

    def _read(self, name: str) -> bytes:
        path = self.path / name
        try:
            return path.read_bytes()
        except OSError as error:
            raise InvalidInput(f"cannot be read: {error.strerror}", path=str(path)) from None


@lru_cache(maxsize=32)
def _parse_kept(home: Home, data: bytes, file: str) -> Pack:
    """Read once: a pack is its bytes, and its bases are named by their digests, so nothing kept here goes stale."""
    return parse_pack(data, file, find_over=home.find_pack_bytes)
