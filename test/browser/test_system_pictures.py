#!/usr/bin/python3
"""Pictures in the tap console of the system page."""
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from test_system import SystemCase, row  # noqa: E402

# Three by two, grey.
PNG = ("iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAAAAAC4HznGAAAA"
       "DklEQVR4nGNoaGhgAGIADAgDAcWhuYYAAAAASUVORK5CYII=")


class Pictures(SystemCase):
    def test_bytes_of_a_picture_are_shown_as_one(self):
        page = self.open()
        self.fill("#tap-topic", "test.")
        self.tap()
        self.choose("#put-endpoint", "decode")
        self.fill("#put-topic", "test.picture")
        self.fill("#put-body", '{"data": {"$bin": "%s"}, "bytes": {"$bin": "%s"}}' % (PNG, PNG[12:]))
        limit = time.monotonic() + 15
        while not page.js(f"Boolean({row('test.picture')})"):
            self.assertLess(time.monotonic(), limit, page.describe())
            page.click("#put-go")
            time.sleep(0.2)
        page.js(f"{row('test.picture')}.click()")
        page.wait("document.querySelector('#inspect img')?.naturalWidth === 3")
        self.assertEqual(page.js("document.querySelectorAll('#inspect img').length"), 1)
        self.assertEqual(page.errors(), [])


if __name__ == "__main__":
    import unittest
    unittest.main()
