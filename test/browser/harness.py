"""Headless Chromium and the server it looks at.

Needs Debian's python3-selenium, chromium and chromium-driver; run with /usr/bin/python3.

The server comes from the environment, so that the same tests run against anything that speaks
the panel's protocol:

  TAPLINE_SERVER=FILE.py:CLASS   CLASS(buttons=N, media=DIRECTORY), a Server; one for each test class
  TAPLINE_URL=http://HOST:PORT   a gateway that runs already; presses go through /test/play, and
                                 what cannot be done to it from outside fails with a clear text
"""
import importlib.util
import json
import os
import shutil
import tempfile
import time
import urllib.request
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

ROOT = Path(__file__).resolve().parents[2]
MEDIA = ROOT / "media"
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--autoplay-policy=document-user-activation-required",
    "--force-prefers-reduced-motion", "--mute-audio",
)

# Runs before any script of the page: keeps what the page sends, and its errors.
RECORDER = """
window.sentTexts = [];
window.pageErrors = [];
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (text) { window.sentTexts.push(text); return send.call(this, text); };
addEventListener("error", (event) => window.pageErrors.push(String(event.message)));
addEventListener("unhandledrejection", (event) => window.pageErrors.push(String(event.reason)));
"""


class Server:
    """A panel gateway with its panel. `url` ends in a slash."""

    url = None

    def press(self, number):
        """The panel's button goes down."""
        raise NotImplementedError

    def led_commands(self):
        """All LED commands the panel has been sent, oldest first: ["LEDCLR", ...]."""
        raise NotImplementedError

    def restart_ws(self):
        """Every WebSocket is cut; new ones are taken soon after."""
        raise NotImplementedError

    def unplug(self):
        """The panel's device vanishes."""
        raise NotImplementedError

    def plug(self):
        """It is back."""
        raise NotImplementedError

    def kill_stage(self, name):
        """The process of a stage is killed, if it has one at the moment."""
        raise NotImplementedError

    def close(self):
        """Ends everything the constructor began."""


class RunningServer(Server):
    """A gateway somebody else started: what HTTP can do to it."""

    def __init__(self, url):
        self.url = url.rstrip("/") + "/"

    def press(self, number):
        with urllib.request.urlopen(f"{self.url}test/play/{number}", timeout=5):
            pass


def open_server(buttons=10, media=MEDIA):
    """The server the environment names."""
    place = os.environ.get("TAPLINE_SERVER")
    if place:
        return _load(place)(buttons=buttons, media=str(media))
    url = os.environ.get("TAPLINE_URL")
    if not url:
        raise RuntimeError("no server: set TAPLINE_SERVER=FILE.py:CLASS or TAPLINE_URL=http://HOST:PORT")
    return RunningServer(url)


def _load(place):
    path, _, name = place.rpartition(":")
    spec = importlib.util.spec_from_file_location("tapline_test_server", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


class MediaCopy:
    """A media directory of its own, with more ids or with files missing."""

    def __init__(self, buttons=10, without=()):
        self.path = Path(tempfile.mkdtemp(prefix="tapline-media-"))
        for number in range(1, buttons + 1):
            for end in ("jpg", "mp3"):
                source = MEDIA / f"{(number - 1) % 10 + 1:03d}.{end}"
                if f"{number:03d}.{end}" not in without:
                    shutil.copy(source, self.path / f"{number:03d}.{end}")

    def close(self):
        shutil.rmtree(self.path)


class Browser:
    """One Chromium with a profile of its own; every page is a fresh tab without any user gesture."""

    def __init__(self, language="de-DE,de"):
        self.home = tempfile.mkdtemp(prefix="tapline-chromium-")
        self.driver = None
        self.extra = ""
        self.blocked = []
        try:
            self.driver = self._start(language)
        except BaseException:
            self.close()
            raise

    def _start(self, language):
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        for flag in FLAGS + (f"--user-data-dir={self.home}/profile", "--window-size=1280,800"):
            options.add_argument(flag)
        options.add_experimental_option("prefs", {"intl.accept_languages": language})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        environment = dict(os.environ, HOME=self.home, XDG_CONFIG_HOME=self.home, TMPDIR=self.home)
        service = Service("/usr/bin/chromedriver", env=environment)
        driver = webdriver.Chrome(service=service, options=options)
        driver.set_page_load_timeout(20)
        driver.set_script_timeout(20)
        return driver

    def close(self):
        try:
            if self.driver:
                self.driver.quit()
        finally:
            shutil.rmtree(self.home, ignore_errors=True)

    def page(self, url, width=1280, height=800, scale=1, scheme="dark"):
        """Opens url in a new tab; the old one is closed."""
        old = self.driver.current_window_handle
        self.driver.switch_to.new_window("tab")
        new = self.driver.current_window_handle
        self.driver.switch_to.window(old)
        self.driver.close()
        self.driver.switch_to.window(new)
        self.driver.get_log("browser")
        self._command("Page.addScriptToEvaluateOnNewDocument", source=RECORDER + self.extra)
        self.extra = ""
        if self.blocked:
            self._command("Network.enable")
            self._command("Network.setBlockedURLs", urls=self.blocked)
        self.blocked = []
        self.resize(width, height, scale)
        self.colours(scheme)
        self.driver.get(url)
        return Page(self)

    def resize(self, width, height, scale=1):
        self._command("Emulation.setDeviceMetricsOverride", width=width, height=height,
                      deviceScaleFactor=scale, mobile=width < 600)

    def before_load(self, script):
        """JavaScript for the next page only, before its own."""
        self.extra = script

    def colours(self, scheme):
        self._command("Emulation.setEmulatedMedia",
                      features=[{"name": "prefers-color-scheme", "value": scheme},
                                {"name": "prefers-reduced-motion", "value": "reduce"}])

    def offline(self, on):
        self._command("Network.enable")
        self._command("Network.emulateNetworkConditions", offline=on, latency=0,
                      downloadThroughput=-1, uploadThroughput=-1)

    def block(self, *patterns):
        """Addresses that the next page cannot reach."""
        self.blocked = list(patterns)

    def _command(self, name, **arguments):
        return self.driver.execute_cdp_cmd(name, arguments)


class Page:
    """What a test does with an open page. Everything waits for a condition, nothing for a time."""

    def __init__(self, browser):
        self.browser = browser
        self.driver = browser.driver

    def js(self, expression, *arguments):
        return self.driver.execute_script(f"return {expression};", *arguments)

    def wait(self, expression, timeout=10):
        """Until the JavaScript expression is true; answers its value."""
        return self.until(lambda: self.js(expression), expression, timeout)

    def until(self, condition, what, timeout=10):
        limit = time.monotonic() + timeout
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > limit:
                raise AssertionError(f"not within {timeout} s: {what}\n{self.describe()}")
            time.sleep(0.03)

    def holds(self, expression, seconds):
        """The expression stays true that long: for what must not happen."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            if not self.js(expression):
                raise AssertionError(f"did not stay true for {seconds} s: {expression}\n{self.describe()}")
            time.sleep(0.05)

    def describe(self):
        return "page: " + json.dumps(self.js("{...document.body.dataset, sent: window.sentTexts}"))

    def text(self, selector):
        return self.js("document.querySelector(arguments[0]).innerText.trim()", selector)

    def visible(self, selector):
        return self.js("Boolean(document.querySelector(arguments[0])?.checkVisibility())", selector)

    def click(self, selector):
        self.driver.find_element("css selector", selector).click()

    def key(self, keys):
        """To whatever has the focus, as a keyboard does."""
        webdriver.ActionChains(self.driver, duration=0).send_keys(keys).perform()

    def chord(self, modifier, key):
        actions = webdriver.ActionChains(self.driver, duration=0)
        actions.key_down(modifier).send_keys(key).key_up(modifier).perform()

    def sent(self, kind):
        """The messages of that type the page has sent."""
        messages = map(json.loads, self.js("window.sentTexts"))
        return [message for message in messages if message.get("type") == kind]

    def errors(self):
        """Errors of the page's scripts and of the console since it was opened."""
        return self.js("window.pageErrors") + [
            entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def picture(self, path):
        self.driver.save_screenshot(str(path))
