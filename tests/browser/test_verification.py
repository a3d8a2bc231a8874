import json

from playwright.sync_api import Page, expect

from tests.browser.accessibility import serious_findings
from tests.browser.conftest import SignIn

ENTRY = "/jurisdictions/360982/years/2021/ledger/57"


def checked(page: Page, receipt: dict[str, object], key: str) -> list[str]:
    """The steps that the page shows for the receipt and the key."""
    page.get_by_label("会议纪要上的公钥").first.fill(key)
    page.get_by_label("或粘贴回执内容").fill(json.dumps(receipt, ensure_ascii=False))
    page.get_by_role("button", name="核对回执").click()
    expect(page.locator("#receipt-result h3")).not_to_be_empty()
    return page.locator("#receipt-result li").all_inner_texts()


def test_a_receipt_is_checked_in_the_page_and_a_falsified_one_is_found_out(sign_in: SignIn) -> None:
    page = sign_in("审计员")
    receipt = page.request.get(f"{ENTRY}/receipt.json").json()
    key = page.request.get("/api/v1/jurisdictions/360982/verifier-key").text().strip()
    page.goto("/verify")
    verdict = page.locator("#receipt-result h3")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if "favicon" not in request.url else None)

    assert len(checked(page, receipt, key)) == 5
    expect(verdict).to_have_text("各步都成立")

    # The key in the file counts for nothing: without one from paper the signature is left open.
    checked(page, receipt, "")
    expect(verdict).to_have_text("签名未核对，尚不能证明")

    digits = receipt["hashes"][3]
    other: dict[str, dict[str, object]] = {
        "记录原文": {"actor": "别人"},
        "收录证明": {"hashes": [*receipt["hashes"][:3], digits[::-1], *receipt["hashes"][4:]]},
        "检查点": {"checkpoint": receipt["checkpoint"].replace(f"\n{receipt['size']}\n", f"\n{receipt['size'] + 1}\n")},
        "签名": {"checkpoint": receipt["checkpoint"][:-12] + "AAAAAAAAAA=\n"},
    }
    for step, changed in other.items():
        steps = checked(page, {**receipt, **changed}, key)
        expect(verdict).to_have_text("不成立")
        assert steps[-1].startswith(f"{step}：不成立")
    assert sent == []
    assert serious_findings(page) == []


def test_without_the_entrys_bytes_moment_and_actor_are_said_to_be_unchecked(sign_in: SignIn) -> None:
    page = sign_in("登记员")
    receipt = page.request.get(f"{ENTRY}/receipt.json").json()
    page.goto("/verify")

    steps = checked(page, receipt, receipt["verifier_key"])
    assert "未经核对" in steps[1]
    expect(page.locator("#receipt-result h3")).to_have_text("各步都成立")

    page.get_by_label("或粘贴回执内容").fill("{")
    page.get_by_role("button", name="核对回执").click()
    expect(page.locator("#receipt-result")).to_contain_text("不是有效的 JSON 文件")


def test_a_bundle_is_checked_by_its_ten_steps(sign_in: SignIn) -> None:
    page = sign_in("审计员")
    bundle = page.request.get("/api/v1/jurisdictions/360982/years/2021/bundles/福城街道").body()
    key = page.request.get("/api/v1/jurisdictions/360982/verifier-key").text().strip()
    page.goto("/verify")

    page.locator("#verifier_key").fill(key)
    page.get_by_label("证明包文件").set_input_files(
        {"name": "包.json", "mimeType": "application/json", "buffer": bundle}
    )
    page.get_by_role("button", name="核对证明包").click()

    expect(page.get_by_role("heading", name="各步都成立")).to_be_visible()
    expect(page.locator(".steps li")).to_have_count(10)
    assert serious_findings(page) == []
