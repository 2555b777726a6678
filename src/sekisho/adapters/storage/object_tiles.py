"""An object store, or a folder, as tile store: the published copy that others serve. Needs the extra `analytics`.

Credentials come from where the store's own library looks for them (environment, profile, instance), never from an
address: addresses are written down, logged and seen in process lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

import pyarrow.fs as arrow  # type: ignore[import-untyped]  # it comes without types

from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.ports.tile_store import NotStored

__all__ = ["ObjectTileStore", "locate_objects", "open_object_tiles", "reason_of"]

AT_ONCE = 8
CONNECT_S, ANSWER_S, TRIES = 5, 30, 3
_FORBIDDEN = {"", ".", ".."}
_OPTIONS = {"endpoint_override", "region", "scheme"}
_ERROR_NAME = re.compile(r"AWS Error ([A-Z_]{1,60})")
_REMEDY = "check bucket, endpoint and credentials (AWS_* variables or profile); it is tried again"


class ObjectTileStore:
    """A `TileWriter` below `prefix` (as `bucket/log`) of one of PyArrow's file systems.

    An object appears whole or not at all: a store takes it in one request, or in parts that count only when the last
    is confirmed; in a local file system it is written aside and renamed, without a sync: a copy is made anew.
    """

    def __init__(self, files: Any, prefix: str) -> None:
        self._files = files
        self._prefix = prefix.rstrip("/")
        self._is_local = files.type_name == "local"
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="copy")

    def close(self) -> None:
        self._pool.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, path: str, limit: int) -> bytes:
        with _translated(path), self._files.open_input_file(self._resolve(path)) as source:
            if source.size() > limit:
                raise InvalidInput(f"longer than {limit} bytes", path=path)
            data: bytes = source.read(limit + 1)
        return data

    def write(self, path: str, data: bytes) -> None:
        target = self._resolve(path)
        with _translated(path):
            if self._is_local:
                self._write_local(target, data)
            else:
                # Crash here: the store drops what was not confirmed; the object stays as it was.
                with self._files.open_output_stream(target) as sink:
                    sink.write(data)

    def write_all(self, files: Sequence[tuple[str, bytes]]) -> None:
        # Crash here: some of them are there, in no order; nothing names them yet, and they are written again.
        writes = [self._pool.submit(self.write, path, data) for path, data in files]
        wait(writes)  # whatever fails: when this returns or raises, nothing is still on its way
        for done in writes:
            done.result()

    def drop_folder(self, path: str) -> None:
        target = self._resolve(path)
        try:
            self._files.delete_dir(target)
        except OSError:
            return  # not there, or: what is left costs space and nothing else; a reader never needs it

    def exists(self, path: str) -> bool:
        target = self._resolve(path)
        with _translated(path):
            return bool(self._files.get_file_info(target).type == arrow.FileType.File)

    def _write_local(self, target: str, data: bytes) -> None:
        folder, _, name = target.rpartition("/")
        self._files.create_dir(folder, recursive=True)
        aside = f"{folder}/.{name}.tmp"
        with self._files.open_output_stream(aside) as sink:
            sink.write(data)
        self._files.move(aside, target)

    def _resolve(self, path: str) -> str:
        if _FORBIDDEN.intersection(path.split("/")) or any(c in path for c in "\\\0"):
            raise InvalidInput("this path would leave the store", path=path[:120])
        return f"{self._prefix}/{path}"


def open_object_tiles(address: str) -> ObjectTileStore:
    """The store at `s3://BUCKET/PREFIX?endpoint_override=HOST:PORT&region=R&scheme=http`, or `file:///FOLDER`.

    Nothing is asked of it yet. Raises InvalidInput; also where the address carries a name or password.
    """
    files, prefix = locate_objects(address, asked="SEKISHO_COPY")
    return ObjectTileStore(files, prefix)


def locate_objects(address: str, *, asked: str) -> tuple[Any, str]:
    """PyArrow's file system for an address and the place in it; `asked` is where a person wrote the address."""
    parts = urlsplit(address)
    if parts.scheme not in ("s3", "file") or "@" in parts.netloc or parts.fragment:
        raise InvalidInput(
            "not the address of a copy"
            if asked == "SEKISHO_COPY"
            else "not the address of a store",
            path=asked,
            remedy="write s3://BUCKET/PREFIX or file:///FOLDER, and leave credentials to the environment",
        )
    folder = unquote(parts.path).strip("/")
    if parts.scheme == "file":
        if parts.netloc or parts.query or not folder:
            raise InvalidInput("not file:///FOLDER", path=asked)
        return arrow.LocalFileSystem(), f"/{folder}"
    if not parts.netloc:
        raise InvalidInput("names no bucket", path=asked, remedy="write s3://BUCKET/PREFIX")
    return _open_s3(_parse_options(parts.query, asked)), f"{parts.netloc}/{folder}"


def _parse_options(query: str, asked: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    unknown = sorted(set(options) - _OPTIONS)
    if unknown:
        raise InvalidInput(
            f"unknown option {unknown[0]!r}",
            path=asked,
            remedy=f"use {', '.join(sorted(_OPTIONS))}; credentials never stand here",
        )
    return options


def _open_s3(options: Mapping[str, str]) -> Any:
    endpoint = options.get("endpoint_override", "")
    scheme, divider, host = endpoint.rpartition("://")
    return arrow.S3FileSystem(
        endpoint_override=host or None,
        scheme=options.get("scheme") or (scheme if divider else "https"),
        # Elsewhere than at Amazon's the region means nothing, and looking it up would ask Amazon.
        region=options.get("region") or ("us-east-1" if endpoint else None),
        connect_timeout=CONNECT_S,
        request_timeout=ANSWER_S,
        retry_strategy=arrow.AwsStandardS3RetryStrategy(max_attempts=TRIES),
        background_writes=False,
        allow_delayed_open=True,  # small objects go in one request
    )


@contextmanager
def _translated(path: str) -> Iterator[None]:
    """The library's errors as ours. Of its messages only the error's name is kept: they quote addresses and key ids."""
    try:
        yield
    except FileNotFoundError:
        raise NotStored(f"{path} is not there", remedy="fetch or restore it") from None
    except OSError as error:
        raise Unavailable(
            f"{path}: the copy's store says {reason_of(error)}", remedy=_REMEDY
        ) from None


def reason_of(error: OSError) -> str:
    """What of a store's error may be repeated."""
    named = _ERROR_NAME.search(str(error))
    return named.group(1) if named else (error.strerror or type(error).__name__)[:60]
