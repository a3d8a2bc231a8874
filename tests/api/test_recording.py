"""What is recorded, and that a key records once."""

from __future__ import annotations

import anyio
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient, Response

from tests.api.county import EVIDENCE, HERE, OTHER, UNIT, YEAR, County, observation


def test_an_observation_is_recorded_with_its_place_in_the_ledger(county: County) -> None:
    receipt = county.post(f"{YEAR}/observations", observation(note="监测时间点前2周内无更新")).json()

    assert receipt["position"] == county.size() == 3
    assert len(bytes.fromhex(receipt["leaf_hash"])) == 32
    found = county.get(f"{HERE}/observations/{receipt['observation']}")
    assert found["status"] == "counts"
    assert found["reading"]["unit"] == UNIT
    assert found["reading"]["label"] == "被通报"
    assert [entry["note"] for entry in found["entries"]] == ["监测时间点前2周内无更新"]
    assert found["entries"][0]["evidence"][0]["document"] == "宜府办字〔2021〕20号"


def test_the_same_key_and_content_gives_the_first_answer_again(county: County) -> None:
    first = county.post(f"{YEAR}/observations", observation(), key="k")
    county.clock.set("2022-01-05T09:00:00+08:00")
    again = county.post(f"{YEAR}/observations", observation(), key="k")

    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert county.size() == 3


def test_the_same_key_with_other_content_is_refused(county: County) -> None:
    county.post(f"{YEAR}/observations", observation(), key="k")
    other = county.post(f"{YEAR}/observations", observation(count=2), key="k")

    assert (other.status_code, other.json()["code"]) == (409, "idempotency-key-reused")
    assert county.size() == 3


def test_opening_a_year_again_under_its_key_gives_the_first_answer(new_county: County) -> None:
    first = new_county.post(f"{HERE}/years", {"scheme": "zhangshu-2021"}, key="k")
    again = new_county.post(f"{HERE}/years", {"scheme": "zhangshu-2021"}, key="k")

    assert (again.status_code, again.json()) == (201, first.json())


def test_amend_void_and_rectify_are_kept_beside_what_was_said_before(county: County) -> None:
    identifier = county.record()
    this = f"{HERE}/observations/{identifier}"
    county.post(f"{this}/rectify", {"on": "2021-04-08", "note": "账号已恢复更新"})
    county.post(f"{this}/amend", {"changes": {"count": 2, "unit": OTHER}, "reason": "复核"})
    county.post(f"{this}/void", {"reason": "通报撤销", "evidence": EVIDENCE})

    found = county.get(this)
    assert [entry["entry"] for entry in found["entries"]] == ["observe", "rectify", "amend", "void"]
    assert [entry["reason"] for entry in found["entries"]] == [None, None, "复核", "通报撤销"]
    assert (found["status"], found["version"], found["rectified_on"]) == ("void", 4, "2021-04-08")
    assert (found["reading"]["unit"], found["reading"]["count"]) == (OTHER, 2)
    assert found["entries"][0]["reading"]["unit"] == UNIT


def test_a_batch_is_recorded_together(county: County) -> None:
    wishes = [observation(), observation(unit=OTHER), observation(occurred_on="2021-06-29")]
    receipts = county.post(f"{YEAR}/observations/batch", {"observations": wishes}).json()

    assert [receipt["position"] for receipt in receipts] == [3, 4, 5]
    assert len({receipt["observation"] for receipt in receipts}) == 3


def test_a_batch_with_one_fault_records_nothing_and_names_every_fault(county: County) -> None:
    wishes = [
        observation(),
        observation(unit="福成街道"),
        observation(),
        observation(kind="circulars"),
        observation(occurred_on="2022-03-29"),
        observation(attributes={"level": "city", "subject": "new_media", "period": "quarterly"}),
    ]
    refused = county.post(f"{YEAR}/observations/batch", {"observations": wishes})

    assert (refused.status_code, refused.json()["code"]) == (422, "several-errors")
    assert {(one["where"], one["code"]) for one in refused.json()["errors"]} == {
        ("observations[1].unit", "unknown-unit"),
        ("observations[3].kind", "unknown-kind"),
        ("observations[4].occurred_on", "date-outside-year"),
        ("observations[5].attributes.level", "invalid-attribute"),
    }
    assert county.size() == 2


def test_a_batch_holds_something(county: County) -> None:
    refused = county.post(f"{YEAR}/observations/batch", {"observations": []})

    assert (refused.status_code, refused.json()["code"]) == (422, "batch-size")
    assert county.size() == 2


def test_sixty_four_clients_at_once_each_get_a_place_of_their_own(application: FastAPI, county: County) -> None:
    async def record(client: AsyncClient, number: int) -> Response:
        signed_in = {"Authorization": county.client.headers["Authorization"]}
        header = {"Idempotency-Key": f"client-{number // 2}", **signed_in}
        return await client.post(f"{YEAR}/observations", json=observation(), headers=header)

    async def all_at_once() -> list[Response]:
        found: list[Response] = []

        async def one(client: AsyncClient, number: int) -> None:
            found.append(await record(client, number))

        async with (
            AsyncClient(transport=ASGITransport(application), base_url="http://test") as client,
            anyio.create_task_group() as tasks,
        ):
            for number in range(128):
                tasks.start_soon(one, client, number)
        return found

    answers = anyio.run(all_at_once)

    assert {(answer.status_code, "" if answer.status_code == 201 else answer.text) for answer in answers} == {(201, "")}
    # Every key was sent twice and recorded once.
    assert sorted({answer.json()["position"] for answer in answers}) == list(range(3, 67))
    assert county.size() == 66
