# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A registry on a web server: read only, with copies that are used again while they are current, and when the server is away."""

from __future__ import annotations

import dataclasses
import hashlib
import http.client
import json
import pathlib
import time
import urllib.error
from typing import Any
from urllib.parse import urljoin, urlsplit

from ansible.module_utils.urls import ConnectionError as UrlError
from ansible.module_utils.urls import open_url

from .._core.errors import ExplainedError
from .._core.registry.index import Index
from .._core.registry.place import Place
from .cache import age_text, cache_folder
from .files import check_size, write_at_once
from .store import Access, Store

MOST_REDIRECTS = 5
# For one text: an index of 100,000 entries has 50 MB and takes a minute at 1 MB/s. A server that trickles is given up.
LONGEST_TRANSFER = 120
PORTION = 1 << 18
_MISSING = (404, 410)
# Addresses that move; the method stays GET in all of them.
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclasses.dataclass(frozen=True)
class Copy:
    """What is known of a text from the last time. fetched: when the server last said that it is current, seconds since 1970."""

    text: str
    etag: str | None
    fetched: float


class HttpsStore(Store):
    """place: from parse_place. access: its cache_dir, refresh and timeout."""

    def __init__(self, place: Place, access: Access):
        super().__init__(place.address)
        self._access = access
        self._folder = cache_folder(access.cache_dir, place.address)
        self._offline: str | None = None

    def _read(self, path: str, largest: int) -> str | None:
        copy = self._copy(path)
        if self._offline:
            return self._from_copy(path, copy, self._offline)
        etag = copy.etag if copy and not self._access.refresh else None
        try:
            answer = self._get(self.where(path), etag)
            if answer is None:
                self._file(path).unlink(missing_ok=True)
                return None
            with answer:
                text = copy.text if copy and answer.status == 304 else self._body(answer, path, largest)
                self._keep(path, Copy(text, answer.headers.get("ETag") or (etag if answer.status == 304 else None), time.time()), largest)
        except (OSError, UrlError, http.client.HTTPException) as error:
            # One answer that does not come is enough: waiting for each of thousands of entries helps nobody.
            self._offline = str(getattr(error, "reason", error))
            return self._from_copy(path, copy, self._offline)
        return text

    def read_index(self) -> Index:
        """Return the index; unlike a registry that somebody may still create, one without it is none."""
        index = super().read_index()
        if self._index_path is None:
            raise ExplainedError(f"There is no registry at {self.place}.", resource=self.place, next_step="Check the address.")
        return index

    def _get(self, address: str, etag: str | None) -> Any:
        """Return the server's answer, or None where it has nothing. Follows redirects as long as they stay with https."""
        headers = {"If-None-Match": etag} if etag else {}
        for _redirect in range(MOST_REDIRECTS + 1):
            try:
                return open_url(
                    address, headers=headers, timeout=self._access.timeout, follow_redirects="none", http_agent="petal.hpc", use_netrc=False
                )
            except urllib.error.HTTPError as error:
                if error.code == 304:
                    return error
                if error.code in _MISSING:
                    return None
                if error.code not in _REDIRECTS:
                    raise
                address = urljoin(address, error.headers.get("Location", ""))
                if urlsplit(address).scheme != "https":
                    raise ExplainedError(
                        f"The registry {self.place} sends us to {address}, which is not https.",
                        resource=self.place,
                        next_step="Tell whoever runs the server, or name the registry's real address.",
                    ) from None
        raise ExplainedError(f"The registry {self.place} sends us from one address to the next.", resource=self.place)

    def _body(self, answer: Any, path: str, largest: int) -> str:
        deadline, parts, size = time.monotonic() + LONGEST_TRANSFER, [], 0
        # Counted after decompression: a small answer may unpack to anything.
        while part := answer.read(PORTION):
            parts.append(part)
            size += len(part)
            check_size(self.where(path), size, largest)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.where(path)} was not complete after {LONGEST_TRANSFER} s")
        try:
            return b"".join(parts).decode()
        except UnicodeDecodeError as error:
            raise ExplainedError(f"{self.where(path)} is not text: {error.reason}.", resource=self.where(path)) from error

    def _from_copy(self, path: str, copy: Copy | None, reason: str) -> str | None:
        if copy is None:
            raise ExplainedError(
                f"The registry {self.place} cannot be read: {reason}. There is no copy of {path}.",
                resource=self.place,
                next_step="Check the address, the network and the proxy, then run the task again.",
            )
        self.notes.append(
            f"{self.where(path)} cannot be read: {reason}. A copy that is {age_text(time.time() - copy.fetched)} old is used."
        )
        return copy.text

    def _copy(self, path: str) -> Copy | None:
        try:
            return Copy(**json.loads(self._file(path).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def _keep(self, path: str, copy: Copy, largest: int) -> None:
        # As JSON it may take twice the room; it is the same text all the same.
        write_at_once(self._file(path), json.dumps(dataclasses.asdict(copy), ensure_ascii=False), 2 * largest)

    def _file(self, path: str) -> pathlib.Path:
        return self._folder / hashlib.sha256(path.encode()).hexdigest()[:32]
