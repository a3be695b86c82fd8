#!/usr/bin/python3
"""The camera wall in a real browser, against pipelines/espcam.conf with simulated cameras."""
import hashlib
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from cameras import CameraPipeline  # noqa: E402
from case import DEAF, PageCase  # noqa: E402

LEFT, RIGHT, ESCAPE = "\ue012", "\ue014", "\ue00c"
A, B, C = ("24:6f:28:a1:b2:c3", "24:6f:28:a1:b2:c4", "24:6f:28:a1:b2:c5")

def card(mac, rest=""):
    return f"document.querySelector('[data-mac=\"{mac}\"]{' ' + rest if rest else ''}')"


def frames(rest=""):
    return f"[...document.querySelectorAll('.film-frame')]{rest}"


class CameraCase(PageCase):
    """Simulated cameras."""

    cameras = {}

    @classmethod
    def start(cls):
        return CameraPipeline(**cls.cameras)

    def shows_pictures(self, page, count=3):
        page.wait(f"[...document.querySelectorAll('.cam-picture')].filter((i) => !i.hidden && i.naturalWidth > 0).length === {count}")


class Watching(CameraCase):
    def test_wall_shows_every_camera_with_its_facts(self):
        page = self.open()
        self.shows_pictures(page)
        page.wait("[...document.querySelectorAll('.cam')].every((c) => c.querySelector('.cam-facts').textContent.includes('/min'))")
        self.assertEqual(page.js("[...document.querySelectorAll('.cam')].map((c) => c.dataset.mac)"), [A, B, C])
        facts = page.text(f"[data-mac='{A}'] .cam-facts")
        self.assertRegex(facts, r"^960×600 · \d+ KB · \d+/min · .* KB/s$")
        self.assertRegex(page.text(f"[data-mac='{A}'] .cam-sensors"), r"Akku\s+\d+ %\s+Temperatur\s+\d+,\d °C")
        self.assertIn("geprüft", page.text(f"[data-mac='{A}'] .cam-counts"))
        self.assertEqual(page.text("[data-figure=figCameras] dd"), "3")
        page.wait("document.querySelectorAll('.film-frame').length > 3")
        self.assertEqual(page.errors(), [])
        self.picture(page, "espcam-wall.png")
        self.fair(page)

    def test_pictures_follow_the_cameras(self):
        page = self.open()
        self.shows_pictures(page)
        before = page.js(f"Number({card(A, '.cam-picture')}.dataset.count)")
        page.wait(f"Number({card(A, '.cam-picture')}.dataset.count) >= {before + 4}")
        # What is shown is a picture that was saved, to the byte.
        shown = self.browser.driver.execute_async_script(
            "const done = arguments[0]; fetch(document.querySelector('.cam-picture').src).then((r) => r.arrayBuffer())"
            ".then((b) => crypto.subtle.digest('SHA-256', b))"
            ".then((d) => done([...new Uint8Array(d)].map((x) => x.toString(16).padStart(2, '0')).join('')))")
        page.until(lambda: shown in {hashlib.sha256((self.server.saved / n).read_bytes()).hexdigest()
                                     for n in self.server.files()}, "the picture shown is among the saved")

    def test_live_shows_every_picture_and_ends(self):
        page = self.open()
        self.shows_pictures(page)
        live = f"{card(B, '.cam-picture')}.dataset"
        page.click(f"[data-mac='{B}'] .cam-live")
        page.wait(f"{live}.state === 'live'")
        count = page.js(f"Number({live}.count)")
        page.wait(f"Number({live}.count) >= {count + 4}")
        self.server.restart("web")
        page.wait(f"{live}.state === 'lost'")
        page.wait(f"{live}.state === 'live'", 15)
        page.click(f"[data-mac='{B}'] .cam-live")
        page.wait(f"{live}.state === 'shown'")
        self.assertEqual(page.js(f"{card(B, '.cam-live')}.getAttribute('aria-pressed')"), "false")

    def test_at_most_four_are_live_at_a_time(self):
        page = self.open()
        self.shows_pictures(page)
        for mac in (A, B, C):
            page.click(f"[data-mac='{mac}'] .cam-live")
        page.wait("document.querySelectorAll('.cam[data-live=true]').length === 3")
        page.wait("[...document.querySelectorAll('.cam-picture')].every((i) => i.dataset.state === 'live')")
        page.wait("document.querySelectorAll('.film-frame').length > 3")

    def test_full_view_goes_round_the_cameras(self):
        page = self.open()
        self.shows_pictures(page)
        page.click(f"[data-mac='{A}'] .cam-open")
        page.wait("document.getElementById('viewer').open")
        names = [page.text("#viewer-name")]
        for _ in range(3):
            page.key(RIGHT)
            names.append(page.until(lambda: page.text("#viewer-name") != names[-1] and page.text("#viewer-name"), "next camera"))
        self.assertEqual(names, [A, B, C, A])
        page.key(LEFT)
        page.wait(f"document.getElementById('viewer-name').textContent === '{C}'")
        page.wait("document.querySelector('.viewer-picture').naturalWidth === 960")
        page.key(" ")
        page.wait("document.getElementById('viewer').dataset.live === 'true'")
        page.wait("document.querySelector('.viewer-picture').dataset.state === 'live'")
        self.picture(page, "espcam-view.png")
        page.key(ESCAPE)
        page.wait("!document.getElementById('viewer').open")
        self.assertEqual(page.errors(), [])

    def test_languages(self):
        page = self.open()
        self.assertEqual(page.text("#wall-title"), "Jetzt")
        page.key("l")
        page.wait("document.getElementById('wall-title').textContent === 'Now'")
        self.assertIn("verified", page.text(f"[data-mac='{A}'] .cam-counts"))
        page.key("l")

    def test_phone_and_light(self):
        page = self.open(width=390, height=844, scheme="light")
        self.shows_pictures(page)
        self.assertLessEqual(page.js("document.documentElement.scrollWidth"), 390)
        page.click(f"[data-mac='{A}'] .cam-open")
        page.wait("document.querySelector('.viewer-picture').naturalWidth === 960")
        self.assertLessEqual(page.js("document.getElementById('viewer').scrollWidth"), 390)
        self.picture(page, "espcam-phone.png")


class TimeLine(CameraCase):
    cameras = {"every": "100ms", "options": ("--count", "240")}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        limit = time.monotonic() + 30
        while len(cls.server.files()) < 240 and time.monotonic() < limit:
            time.sleep(0.1)

    def test_scrolling_brings_older_pictures_to_the_oldest(self):
        page = self.open()
        page.wait("document.querySelectorAll('.film-frame').length >= 60")
        self.assertLess(page.js("document.querySelectorAll('.film-frame').length"), 240)
        page.until(lambda: page.js("(scrollTo(0, document.body.scrollHeight), document.querySelectorAll('.film-frame').length)")
                   == len(self.server.files()), "all pictures", 20)
        names = page.js(frames(".map((f) => f.dataset.name)"))
        self.assertEqual(sorted(names), self.server.files())
        times = [name.split("_", 1)[1] for name in names]
        self.assertEqual(times, sorted(times, reverse=True))
        self.assertEqual(page.text("#film-end"), "Das ist das älteste Bild.")

    def test_filter_by_camera(self):
        page = self.open()
        page.wait("document.querySelectorAll('#timeline-camera option').length === 4")
        page.js(f"(() => {{ const s = document.getElementById('timeline-camera'); s.value = '{B}';"
                " s.dispatchEvent(new Event('change')); })()")
        page.wait(frames(".length >= 40") + " && " + frames(".every((f) => f.dataset.name.startsWith('246f28a1b2c4'))"))

    def test_jump_to_a_time_and_back_to_the_newest(self):
        page = self.open()
        page.wait("document.querySelectorAll('.film-frame').length >= 60")
        newest = page.js(frames("[0].dataset.name"))
        oldest = self.server.files()
        oldest = min(oldest, key=lambda name: name.split("_", 1)[1])
        at = oldest.split("_")[1:3]
        text = f"{at[0][:4]}-{at[0][4:6]}-{at[0][6:]}T{at[1][:2]}:{at[1][2:4]}:{at[1][4:]}"
        page.js(f"(() => {{ const i = document.getElementById('timeline-until'); i.value = '{text}';"
                " i.dispatchEvent(new Event('change')); })()")
        page.wait(frames(".at(-1)?.dataset.name") + f" === '{oldest}'")
        self.assertNotEqual(page.js(frames("[0].dataset.name")), newest)
        page.click("#timeline-newest")
        page.wait(frames("[0]?.dataset.name") + f" === '{newest}'")

    def test_click_shows_a_picture_and_arrows_go_through_time(self):
        page = self.open()
        page.wait("document.querySelectorAll('.film-frame').length >= 60")
        names = page.js(frames(".map((f) => f.dataset.name)"))
        page.js(frames("[58].click()"))
        page.wait("document.getElementById('viewer').open")
        def shown():
            return page.js("document.querySelector('.viewer-picture:not([hidden])').title")
        self.assertEqual(shown(), names[58])
        page.key(LEFT)
        page.until(lambda: shown() == names[59], "the older picture")
        page.key(LEFT)  # beyond what was loaded
        page.until(lambda: shown() not in (names[59], ""), "an even older picture")
        self.assertNotIn(shown(), names[:60])
        page.wait("document.querySelector('.viewer-picture:not([hidden])').naturalWidth === 960")
        page.key(RIGHT)
        page.until(lambda: shown() == names[59], "the newer picture")
        page.key(ESCAPE)
        page.wait("!document.getElementById('viewer').open")
        self.assertEqual(page.errors(), [])

    def test_a_new_picture_appears_in_front(self):
        page = self.open()
        page.wait("document.querySelectorAll('.film-frame').length >= 60")
        before = len(self.server.files())
        self.server.do("picture 2")
        page.until(lambda: len(self.server.files()) == before + 1, "it is saved")
        newest = max(self.server.files(), key=lambda name: name.split("_", 1)[1])
        page.wait(frames("[0].dataset.name") + f" === '{newest}'")

    def test_show_saved_of_a_camera(self):
        page = self.open()
        page.wait(card(A))
        page.click(f"[data-mac='{A}'] .cam-open")
        page.driver.find_elements("css selector", ".viewer-tools .button.quiet")[0].click()
        page.wait("!document.getElementById('viewer').open")
        page.wait(frames(".length >= 40") + " && " + frames(".every((f) => f.dataset.name.startsWith('246f28a1b2c3'))"))


class Trouble(CameraCase):
    def test_a_silent_camera_is_shown_so_and_keeps_its_picture(self):
        page = self.open()
        self.shows_pictures(page)
        self.server.do("sleep 1 1h")
        page.wait(f"{card(A)}.dataset.state === 'silent'", 15)
        self.assertRegex(page.text(f"[data-mac='{A}'] .cam-veil"), r"^Still seit \d+ s$")
        self.assertTrue(page.js(f"{card(A, '.cam-picture')}.naturalWidth > 0"))
        self.assertEqual(page.text("[data-figure=figSilent] dd"), "1")
        self.assertIn(f"{A} ist still", page.text("#notices"))
        self.picture(page, "espcam-silent.png")
        # After a restart of the server the picture comes from its file.
        self.server.restart("web")
        page = self.open()
        page.wait(f"{card(A, '.cam-picture')}.naturalWidth > 0")
        self.server.do("wake 1")
        page.wait(f"{card(A)}.dataset.state === 'live'", 15)

    def test_sleep_command(self):
        page = self.open()
        self.shows_pictures(page)
        page.click(f"[data-mac='{C}'] .cam-sleep")
        page.wait("document.getElementById('sleep').open")
        page.click("#sleep button[type=submit]")
        page.wait("document.querySelector('.sleep-done').textContent.includes('unterwegs')")
        page.key(ESCAPE)
        page.wait(f"{card(C)}.dataset.state === 'asleep'", 15)
        self.assertRegex(page.text(f"[data-mac='{C}'] .cam-veil"), r"^Schläft bis \d")
        self.server.do("wake 3")
        page.wait(f"{card(C)}.dataset.state === 'live'", 20)

    def test_gateway_unplugged(self):
        page = self.open()
        self.server.do("unplug 2s")
        page.wait("document.body.dataset.device === 'lost'")
        self.assertIn("abgezogen", page.text("#notices"))
        page.wait("document.body.dataset.device === 'ok'", 15)
        page.wait("!document.querySelector('[data-name=device]')")

    def test_a_server_that_says_nothing_is_told_and_left(self):
        self.browser.before_load(DEAF)
        page = self.open()
        page.js("window.deaf = true")
        page.wait("document.body.dataset.link === 'stale'", 25)
        self.assertIn("antwortet nicht", page.text("#notices"))
        # No camera looks alive.
        self.assertEqual(page.js(f"getComputedStyle({card(A, '.dot')}).backgroundColor"), "rgba(0, 0, 0, 0)")
        page.js("window.deaf = false, 1")
        page.wait("document.body.dataset.link === 'up'", 15)
        page.wait("!document.querySelector('[data-name=link]')")

    def test_a_cut_link_comes_back(self):
        page = self.open()
        self.shows_pictures(page)
        self.server.kill("ws")
        page.wait("document.body.dataset.link !== 'up'", 10)
        page.wait("document.body.dataset.link === 'up'", 15)
        page.wait("!document.querySelector('[data-name=link]')")
        before = page.js(f"Number({card(B, '.cam-picture')}.dataset.count)")
        page.wait(f"Number({card(B, '.cam-picture')}.dataset.count) > {before}")


class Damage(CameraCase):
    cameras = {"options": ("--loss", "0.5%", "--hash", "none"), "every": "200ms"}

    def test_broken_pictures_are_counted_and_explained(self):
        page = self.open()
        page.wait("Number(document.querySelector('[data-figure=figBroken] dd').textContent) > 0", 20)
        page.wait("[...document.querySelectorAll('.cam-broken')].some((p) => /Teile fehlen/.test(p.textContent))", 20)
        self.picture(page, "espcam-broken.png")

    def test_a_picture_that_nothing_vouches_for_says_so(self):
        page = self.open()
        self.shows_pictures(page)
        page.wait("[...document.querySelectorAll('.cam-unproven')].every((p) => p.textContent.startsWith('Ungeprüft: keine Prüfsumme'))", 20)
        self.assertRegex(page.text(f"[data-mac='{A}'] .cam-counts"), r"^0 geprüft · \d+ ungeprüft")
        page.js(f"{card(A, '.cam-open')}.click()")
        self.assertIn("ungeprüft", page.text(".viewer"))


if __name__ == "__main__":
    unittest.main()
