"""What the classes of browser tests have in common: one Chromium for a file of tests, a server for
each class, a fresh page for each test."""
import os
import unittest
from pathlib import Path

from fair import troubles
from harness import Browser

PICTURES = os.environ.get("TAPLINE_PICTURES")  # directory for screenshots
READY = "document.body.dataset.link === 'up' && document.body.dataset.loaded"

# Messages vanish while window.deaf is set; the socket stays open.
DEAF = """
const Real = window.WebSocket;
window.WebSocket = class extends Real {
  set onmessage(heard) { super.onmessage = (event) => window.deaf || heard?.(event); }
};
"""


class BrowserCase(unittest.TestCase):
    """`browser`, closed when the file is through."""

    _browser = None

    @classmethod
    def setUpClass(cls):
        if not BrowserCase._browser:
            BrowserCase._browser = Browser()
            unittest.addModuleCleanup(BrowserCase._close)
        cls.browser = BrowserCase._browser

    @staticmethod
    def _close():
        BrowserCase._browser.close()
        BrowserCase._browser = None


class PageCase(BrowserCase):
    """`server`, which `start` began, and the page of it that is open."""

    path = ""
    patience = 10

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.start()
        cls.addClassCleanup(cls.server.close)

    @classmethod
    def start(cls):
        """A server: `url`, `close`."""
        raise NotImplementedError

    def open(self, path=None, ready=READY, **view):
        self.page = self.browser.page(self.server.url + (self.path if path is None else path), **view)
        self.page.wait(ready, self.patience)
        return self.page

    def fair(self, page):
        """Nothing on the page is cut off, unreadable or without a name, at any size."""
        self.assertEqual(troubles(page), {})

    def in_a_row(self, page, *selectors):
        """These stand beside each other."""
        tops = page.js("arguments[0].map((one) => { const box = document.querySelector(one).getBoundingClientRect();"
                       " return (box.top + box.bottom) / 2; })", selectors)
        self.assertLess(max(tops) - min(tops), 4, selectors)

    def picture(self, page, name):
        if PICTURES:
            page.picture(Path(PICTURES) / name)
