from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.api.county import HERE, UNIT, YEAR, County


@pytest.fixture
def bundle(county: County) -> bytes:
    county.record()
    answer = county.client.get(f"{YEAR}/bundles/{UNIT}")
    assert answer.status_code == 200
    return bytes(answer.content)


@pytest.fixture
def key(county: County) -> str:
    return county.client.get(f"{HERE}/verifier-key").text.strip()


def sent(client: TestClient, bundle: bytes, key: str) -> tuple[int, str]:
    answer = client.post("/verify", data={"verifier_key": key}, files={"bundle": ("包.json", bundle)})
    return answer.status_code, answer.text


def test_a_bundle_is_shown_with_its_ten_steps_and_what_no_proof_can_tell(
    client: TestClient, bundle: bytes, key: str
) -> None:
    status, text = sent(client, bundle, key)

    assert status == 200
    assert "各步都成立" in text
    assert text.count('<li class="held">') == 10
    assert "任何核对都不能说明的" in text
    assert "不能代替独立核对" in text


def test_an_altered_bundle_is_told_with_the_step_that_failed(client: TestClient, bundle: bytes, key: str) -> None:
    status, text = sent(client, bundle.replace("福城街道".encode(), "大桥街道".encode()), key)

    assert status == 200
    assert "核对到此为止" in text
    assert '<li class="failed" value="1">' in text


@pytest.mark.parametrize("file", [b"", b"\x00\xff", b"[" * 10_000, b'{"bundle":{},"seal":"x"}'])
def test_a_file_that_is_no_bundle_is_told_to_be_none(client: TestClient, key: str, file: bytes) -> None:
    status, text = sent(client, file, key)

    assert status == 200
    assert '<li class="failed" value="1">' in text


def test_a_key_that_is_none_is_refused_and_kept(client: TestClient, bundle: bytes) -> None:
    status, text = sent(client, bundle, "<抄错的公钥>")

    assert status == 422
    assert "公钥格式不对" in text
    assert 'value="&lt;抄错的公钥&gt;"' in text


def test_nothing_chosen_is_refused(client: TestClient, key: str) -> None:
    answer = client.post("/verify", data={"verifier_key": key}, files={"unused": ("", b"")})

    assert answer.status_code == 422
