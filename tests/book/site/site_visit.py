"""A tab of the browser that notes everything that must not happen on the site."""

from __future__ import annotations

from dataclasses import dataclass, field

from playwright.sync_api import Page, Request, Route


@dataclass
class Visit:
    """A tab that records its own faults."""

    page: Page
    address: str
    faults: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Start recording."""
        self.page.route("**/*", self.on_request)
        self.page.on("console", lambda message: self.on_console(message.type, message.text))
        self.page.on("pageerror", lambda error: self.faults.append(f"script error: {error}"))
        self.page.on("requestfailed", lambda request: self.on_failure(request))
        self.page.on(
            "response",
            lambda response: (
                self.faults.append(f"{response.status}: {response.url}")
                if response.status >= 400
                else None
            ),
        )

    def on_request(self, route: Route) -> None:
        """Let local requests pass, note and stop all others."""
        url = route.request.url
        self.requests.append(url)
        if url.startswith((f"{self.address}/", "data:", "blob:")):
            route.continue_()
        else:
            self.faults.append(f"request leaves the site: {url}")
            route.abort()

    def on_failure(self, request: Request) -> None:
        """Note what did not arrive; not what the browser gave up when it left the page."""
        if request.failure != "net::ERR_ABORTED":
            self.faults.append(f"failed: {request.url} ({request.failure})")

    def on_console(self, kind: str, text: str) -> None:
        """Note warnings and errors."""
        if kind in {"warning", "error"}:
            self.faults.append(f"console {kind}: {text}")

    def open(self, name: str) -> Page:
        """Go to a page of the site and wait until it is quiet."""
        self.page.goto(f"{self.address}/{name}")
        self.page.wait_for_load_state("networkidle")
        self.page.evaluate("document.fonts.ready.then(() => null)")
        return self.page
