"""Files of a release repository, from a folder or over HTTPS: bounded in size by who asks, in time by us."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
from tuf.api.exceptions import DownloadError, DownloadHTTPError, SlowRetrievalError
from tuf.ngclient.fetcher import FetcherInterface

from sekisho.adapters.transport.http_tiles import check_url
from sekisho.model.errors import InvalidInput
from sekisho.ports.releases import Heard

__all__ = ["BoundedFetcher", "HeardFetcher", "base_url"]

CHUNK = 64 * 1024
SILENCE_S = 10.0
WHOLE_S = 600.0
SLOWEST_PER_S = 16 * 1024
FIRST_S = 15.0
_OK, _GONE = 200, 404


def base_url(place: str) -> str:
    """A repository's address: https, http to this machine, or a folder as file:. Raises InvalidInput."""
    if "://" in place:
        return check_url(place)
    folder = Path(place).expanduser()
    if not (folder / "metadata").is_dir():
        raise InvalidInput(
            "there is no repository here (no folder `metadata`)",
            path=place[:200],
            remedy="name the folder or the https address of a repository of releases",
        )
    return folder.absolute().as_uri()


class BoundedFetcher(FetcherInterface):
    """What the TUF client fetches with. It counts bytes itself; we end what comes too slowly, or never.

    A file must arrive within ten minutes, and after the first 15 s no slower than 16 KiB/s on the whole.
    """

    def __init__(
        self,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._transport = transport
        self._known: httpx.Client | None = None

    def close(self) -> None:
        if self._known is not None:
            self._known.close()

    @property
    def _client(self) -> httpx.Client:
        """Made when it is needed: a folder takes no certificates."""
        if self._known is None:
            self._known = httpx.Client(
                timeout=SILENCE_S,
                follow_redirects=False,
                transport=self._transport,
                # What is packed could be small on the way and endless here.
                headers={"accept-encoding": "identity"},
            )
        return self._known

    def _fetch(self, url: str) -> Iterator[bytes]:
        if url.startswith("file:"):
            return _read_file(Path(unquote(urlsplit(url).path)))
        return self._stream(url)

    def _stream(self, url: str) -> Iterator[bytes]:
        begun, got = self._clock(), 0
        try:
            with self._client.stream("GET", url) as response:
                if response.status_code != _OK:
                    status = response.status_code
                    raise DownloadHTTPError(f"{url} answered {status}", status)
                if response.headers.get("content-encoding", "identity") != "identity":
                    raise DownloadError(f"{url} came packed, which was not asked for")
                for (
                    chunk
                ) in response.iter_raw():  # as it comes: whoever drips must not wait for a block
                    got += len(chunk)
                    self._check_pace(url, self._clock() - begun, got)
                    yield chunk
        except httpx.HTTPError as error:
            raise DownloadError(f"{url} does not answer: {error!r}") from error

    def _check_pace(self, url: str, passed_s: float, got: int) -> None:
        is_slow = passed_s > FIRST_S and got < (passed_s - FIRST_S) * SLOWEST_PER_S
        if is_slow or passed_s > WHOLE_S:
            raise SlowRetrievalError(f"{url}: {got} bytes in {passed_s:.0f} s")


class HeardFetcher(FetcherInterface):
    """Another fetcher's bytes as they come; within `telling` somebody hears how many came of how many."""

    def __init__(self, fetcher: FetcherInterface) -> None:
        self._fetcher = fetcher
        self._heard: Heard | None = None
        self._total = 0

    @contextmanager
    def telling(self, heard: Heard, total: int) -> Iterator[None]:
        self._heard, self._total = heard, total
        try:
            yield
        finally:
            self._heard = None

    def _fetch(self, url: str) -> Iterator[bytes]:
        chunks = self._fetcher.fetch(url)  # at once, so that what is not there is said as before
        return chunks if self._heard is None else _told(chunks, self._heard, self._total)


def _told(chunks: Iterator[bytes], heard: Heard, total: int) -> Iterator[bytes]:
    got = 0
    heard(got, total)
    for chunk in chunks:
        got += len(chunk)
        heard(min(got, total), total)
        yield chunk


def _read_file(path: Path) -> Iterator[bytes]:
    """A file of a repository in a folder; a link or a pipe there is as if it were not."""
    if path.is_symlink() or not path.is_file():
        raise DownloadHTTPError(f"{path} is not there", _GONE)
    return _chunks(path)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
