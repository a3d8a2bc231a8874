"""Sealed files in a bucket of an S3-compatible service. Imported only where one is set: boto3 is an optional extra.

Rules kept here: an object is written to a nameless temporary file first (encrypted, gone with the process) and then
sent in one request that names it, with its SHA-256 for the service to check: the name exists with all of its bytes or
not at all. An object is fetched whole before it is read. Credentials and region come from where boto3 looks for them.
"""

from __future__ import annotations

import base64
import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, BinaryIO, Final, cast

import boto3  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

from ledger.evidence.stores import NewObject, ObjectMissing, store_errors, store_unavailable

_ABSENT: Final = "NoSuchKey"
_SIGNING_REGION: Final = "us-east-1"
"""For services of one's own, which have no regions, where none is set."""


class S3Store:
    """Objects in one bucket. `endpoint` is the address of a service that is not Amazon's, for example one's own."""

    def __init__(self, bucket: str, endpoint: str | None) -> None:
        self._bucket = bucket
        session = boto3.Session()
        self._client = session.client(
            "s3",
            endpoint_url=endpoint,
            region_name=session.region_name or _SIGNING_REGION,
            config=Config(
                s3={"addressing_style": "path" if endpoint else "auto"},
                retries={"mode": "standard"},
                # What other services than Amazon's may not know is only sent where it is asked for.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def begin(self) -> NewObject:
        """Return a new object without a name, kept on this machine until it gets one."""
        with store_errors(storing=True):
            return _NewBucketObject(self._client, self._bucket, cast(BinaryIO, tempfile.TemporaryFile()))

    def open(self, name: str) -> BinaryIO:
        """Return an object, to read from anywhere. Raises ObjectMissing."""
        with store_errors():
            file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115  # who asked for it closes it
            try:
                with _service_errors(name):
                    shutil.copyfileobj(self._client.get_object(Bucket=self._bucket, Key=name)["Body"], file)
                file.seek(0)
            except BaseException:
                file.close()
                raise
        return file

    def delete(self, name: str) -> None:
        """Remove an object; once this returns it stays removed, unless the bucket itself keeps old versions."""
        with _service_errors(name):
            self._client.delete_object(Bucket=self._bucket, Key=name)

    def sweep(self, before: datetime) -> int:
        """Find nothing: what never got a name is gone with the process that began it."""
        return 0


class _NewBucketObject:
    def __init__(self, client: Any, bucket: str, file: BinaryIO) -> None:
        self._client = client
        self._bucket = bucket
        self.file = file

    def keep(self, name: str) -> None:
        with store_errors(storing=True):
            size = self.file.seek(0, io.SEEK_END)
            self.file.seek(0)
        checksum = base64.b64encode(bytes.fromhex(name)).decode("ascii")
        with _service_errors(name, storing=True):
            self._client.put_object(
                Bucket=self._bucket, Key=name, Body=self.file, ContentLength=size, ChecksumSHA256=checksum
            )
        self.file.close()

    def discard(self) -> None:
        with store_errors(storing=True):
            self.file.close()


@contextmanager
def _service_errors(name: str, *, storing: bool = False) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
        if code == _ABSENT:
            raise ObjectMissing(name) from None
        raise store_unavailable(code, storing=storing) from error
