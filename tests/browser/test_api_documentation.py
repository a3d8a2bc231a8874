from playwright.sync_api import Page, expect


def test_the_api_documentation_is_served_whole_from_here(page: Page) -> None:
    page.goto("/docs")

    expect(page.locator(".swagger-ui .info .title")).to_be_visible()
    operation = page.locator(".opblock").first
    operation.click()
    expect(operation.locator(".opblock-body")).to_be_visible()
