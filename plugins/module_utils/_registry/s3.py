# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A registry under a prefix of an S3 bucket: each write says which version it replaces, and S3 refuses it if that one is gone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

try:
    from botocore.exceptions import ClientError
except ImportError:  # AnsibleAWSModule reports the missing library before anything here is used.
    ClientError = Exception

from .._aws.errors import explained
from .._core.errors import ExplainedError
from .._core.registry.place import Place
from .files import check_size
from .store import INDEX_FILES, Access, Conflict, Store, digest_of, named_by

# What S3 answers when the object is not the one that the request names. Source: S3 API Reference, PutObject and DeleteObject.
_CONFLICTS = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "404", "409", "412"})


class S3Store(Store):
    """place: from parse_place. access: its s3 returns the client."""

    def __init__(self, place: Place, access: Access):
        super().__init__(place.address)
        if access.s3 is None:
            raise ExplainedError(f"{place.address} cannot be used here: this task knows no way to S3.", resource=place.address)
        self._s3, self._bucket, self._prefix = access.s3(), place.bucket, place.prefix
        # The version of each object that was read, None where there was none.
        self._versions: dict[str, str | None] = {}

    def list_names(self) -> set[str]:
        return {name for file in self._entry_files() if (name := named_by(file))}

    def version(self) -> str:
        with explained("look for", resource=self.where(INDEX_FILES[0])):
            index = [self._version_of(path) for path in INDEX_FILES]
        return digest_of(repr([index, sorted(self._entry_files().items())]))

    def _entry_files(self) -> dict[str, str]:
        """Return the versions of the objects in the folder of entries, by their names in it."""
        folder = f"{self._prefix}snapshots/"
        with explained("list", resource=self.where("snapshots/")):
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=folder, Delimiter="/")
            return {found["Key"].removeprefix(folder): found["ETag"] for page in pages for found in page.get("Contents", ())}

    def _read(self, path: str, largest: int) -> str | None:
        with explained("read", resource=self.where(path)):
            try:
                answer = self._s3.get_object(**self._object(path))
            except ClientError as error:
                if error.response["Error"]["Code"] != "NoSuchKey":
                    raise
                self._versions[path] = None
                return None
            check_size(self.where(path), answer["ContentLength"], largest)
            content = answer["Body"].read()
        self._versions[path] = answer["ETag"]
        return content.decode()

    def _write(self, path: str, text: str, largest: int) -> None:
        content = text.encode()
        check_size(self.where(path), len(content), largest)
        if path not in self._versions:
            self._read(path, largest)
        version = self._versions[path]
        condition = {"IfMatch": version} if version else {"IfNoneMatch": "*"}
        kind = "application/json" if path.endswith(".json") else "application/yaml"
        with self._changing("write", path):
            answer = self._s3.put_object(**self._object(path), Body=content, ContentType=kind, **condition)
            self._versions[path] = answer["ETag"]

    def _delete(self, path: str) -> None:
        if path not in self._versions:
            with explained("look for", resource=self.where(path)):
                self._versions[path] = self._version_of(path)
        version = self._versions[path]
        if version:
            with self._changing("delete", path):
                self._s3.delete_object(**self._object(path), IfMatch=version)

    @contextlib.contextmanager
    def locked(self, time_limit: float) -> Iterator[None]:
        self._versions.clear()
        yield

    @contextlib.contextmanager
    def _changing(self, verb: str, path: str) -> Iterator[None]:
        # Whatever comes of it, the version that is known now is not to be relied upon again.
        try:
            with explained(verb, resource=self.where(path)):
                try:
                    yield
                except ClientError as error:
                    if error.response["Error"]["Code"] in _CONFLICTS:
                        raise Conflict(path) from error
                    raise
        except BaseException:
            self._versions.pop(path, None)
            raise

    def _version_of(self, path: str) -> str | None:
        try:
            return self._s3.head_object(**self._object(path))["ETag"]
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("404", "NoSuchKey"):
                raise
            return None

    def _object(self, path: str) -> dict[str, Any]:
        return {"Bucket": self._bucket, "Key": f"{self._prefix}{path}"}
