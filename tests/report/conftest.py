"""A real headless browser for the tests of pages: one process a session, an empty tab for every test.

    def test_something(page: Page, tmp_path: Path) -> None:
        page.open(file, "#key=7")
        page.press("j", "Enter")
        assert page.texts("h1") == ["..."]

Whatever the page logs as an error (a script's exception, something that its content policy blocked, a file that is not
there) fails the test, unless the test has taken it by `page.errors()`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SIZE = (1440, 900)
PATIENCE_S = 60.0
"""How long a condition may take on a loaded machine; nothing waits for it when all is well."""


class Page:
    """A tab. Scripts are bodies of functions: they `return` what the test wants to know."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, file: Path, fragment: str = "") -> None:
        """Load a file; `fragment` begins with #."""
        self.driver.get(file.resolve().as_uri() + fragment)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def wait(self, script: str, *arguments: Any) -> Any:
        """Run a script until it returns something true; gives that. Fails when patience ends."""
        from selenium.webdriver.support.wait import WebDriverWait

        message = f"never became true: {script}"
        return WebDriverWait(self.driver, PATIENCE_S, 0.05).until(lambda _: self.run(script, *arguments), message)

    def texts(self, selector: str) -> list[str]:
        """What a person reads in every element that matches."""
        script = "return [...document.querySelectorAll(arguments[0])].map((element) => element.innerText.trim())"
        texts: list[str] = self.run(script, selector)
        return texts

    def click(self, selector: str) -> None:
        self._find(selector).click()

    def type(self, selector: str, text: str) -> None:
        """Type into a field, after what it holds."""
        self._find(selector).send_keys(text)

    def press(self, *keys: str) -> None:
        """Press keys one after the other: characters, or names such as Enter, Escape, ArrowDown."""
        from selenium.webdriver import ActionChains

        for key in keys:
            ActionChains(self.driver, duration=0).send_keys(_key(key)).perform()

    def scheme(self, name: Literal["light", "dark"]) -> None:
        """The colour scheme that the reader's system asks for."""
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def resize(self, width: int, height: int) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def screenshot(self, file: Path) -> None:
        """A PNG of what is in view."""
        self.driver.save_screenshot(str(file))

    def errors(self) -> list[str]:
        """What the page has logged as errors since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def requests(self) -> list[str]:
        """Addresses of all that the page has asked for beside itself since the last call, also in vain."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        sent = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
        return [request["request"]["url"] for request in sent if request["type"] != "Document"]

    def _find(self, selector: str) -> Any:
        """The first element that matches, waited for."""
        self.wait("return document.querySelector(arguments[0]) !== null", selector)
        return self.driver.find_element("css selector", selector)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The driver of a headless Chromium; a test without one is skipped, or fails if R1CI_REQUIRE_BROWSER is 1."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    remote = shutil.which("chromedriver")
    if program is None or remote is None or importlib.util.find_spec("selenium") is None:
        reason = "no browser to test pages in: install chromium, chromium-driver and the extra `dev` of the package"
        if os.environ.get("R1CI_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = program
    # Chromium's own sandbox needs what containers rarely allow; the pages are ours.
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(argument)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('browser')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(remote))
    driver.set_page_load_timeout(PATIENCE_S)
    yield driver
    driver.quit()


@pytest.fixture
def page(browser: Any) -> Iterator[Page]:
    """An empty tab that remembers nothing of the test before."""
    page = Page(browser)
    browser.get("about:blank")
    browser.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": "file://", "storageTypes": "all"})
    page.resize(*SIZE)
    page.scheme("light")
    page.errors(), page.requests()
    yield page
    errors = page.errors()
    assert not errors, f"the page logged errors: {errors}"


def _key(name: str) -> str:
    from selenium.webdriver.common.keys import Keys

    names = {"Enter": "ENTER", "Escape": "ESCAPE", "Tab": "TAB", "Home": "HOME", "End": "END", " ": "SPACE"}
    names |= {f"Arrow{way}": f"ARROW_{way.upper()}" for way in ("Up", "Down", "Left", "Right")}
    return str(getattr(Keys, names[name])) if name in names else name
