"""What no page of this project may do, whatever a test looks at."""

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext


def watch(context: BrowserContext, server: str) -> list[str]:
    """A list that grows with each request to another host, console error and uncaught exception."""
    complaints: list[str] = []
    own = urlsplit(server)[:2]

    def look_at_request(url: str) -> None:
        if urlsplit(url).scheme not in {"about", "blob", "data"} and urlsplit(url)[:2] != own:
            complaints.append(f"request to another host: {url}")

    def look_at_console(kind: str, text: str) -> None:
        if kind == "error":
            complaints.append(f"console error: {text}")

    context.on("request", lambda request: look_at_request(request.url))
    context.on("console", lambda message: look_at_console(message.type, message.text))
    context.on("weberror", lambda error: complaints.append(f"uncaught exception: {error.error}"))
    return complaints
