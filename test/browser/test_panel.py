#!/usr/bin/python3
"""The panel's page in a real browser, against the server the environment names (see harness.py)."""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from case import PageCase  # noqa: E402
from harness import MediaCopy, open_server  # noqa: E402

ESCAPE, ENTER, CONTROL, RIGHT, DOWN = "\ue00c", "\ue007", "\ue009", "\ue014", "\ue015"
PLAYING = "document.body.dataset.play === 'playing'"
IDLE = "document.body.dataset.play === 'idle'"
LOADED = "document.body.dataset.preload === 'done'"
AUDIO = "document.getElementById('audio')"
PICTURE = ("(() => { const p = document.getElementById('picture');"
           " return !p.hidden && p.complete && p.naturalWidth > 0; })()")

# The page does not hear state messages: a server without them, or one that has gone quiet.
DEAF = """
window.deaf = true;
const receive = Object.getOwnPropertyDescriptor(WebSocket.prototype, "onmessage");
Object.defineProperty(WebSocket.prototype, "onmessage", { set(act) {
  receive.set.call(this, act && ((event) => {
    const state = event.data.includes('"state"');
    if (state && window.deaf) return;
    window.heard = window.heard || state;
    act(event);
  }));
} });
"""

class PanelCase(PageCase):
    """A panel and its media."""

    buttons = 10
    without = ()

    @classmethod
    def start(cls):
        cls.media = MediaCopy(cls.buttons, cls.without)
        cls.addClassCleanup(cls.media.close)
        return open_server(buttons=cls.buttons, media=cls.media.path)

    def open(self, query="", unlock=True, **view):
        page = super().open(query, "document.body.dataset.link === 'up'", **view)
        page.wait(f"document.querySelectorAll('.key').length === {self.buttons} && {LOADED}", 30)
        page.wait("document.body.dataset.device !== 'unknown'")
        if unlock:
            page.click("#unlock")
            page.wait("document.body.dataset.audio === 'on'")
        return page

    def play(self, number):
        self.server.press(number)
        self.page.wait(f"{PLAYING} && {self.shows(number)} && {AUDIO}.currentTime > 0.05")

    def shows(self, number):
        return f"document.getElementById('stage-id').textContent === '{number:03d}'"

    def near_end(self):
        self.page.js(f"{AUDIO}.currentTime = {AUDIO}.duration - 0.3")

    def leds_after(self, before):
        return self.server.led_commands()[before:]

    def tearDown(self):
        if getattr(self, "page", None):
            self.page.js("fetch('/test/stop')")
            self.page.wait(IDLE)


class Playing(PanelCase):
    def test_waits_before_the_unlock(self):
        page = self.open(unlock=False)
        self.assertEqual(page.text("#stage-id"), "---")
        self.assertIn("Warte auf Tastendruck...", page.text("#message"))
        self.assertEqual(page.text("#unlock"), "Sound aktivieren")
        self.assertEqual(page.js("document.body.dataset.audio"), "locked")

    def test_unlock_makes_the_button_vanish(self):
        page = self.open()
        self.assertFalse(page.visible("#unlock"))
        self.assertIn("bereit", page.text("#state-audio"))

    def test_press_plays_picture_and_sound(self):
        page = self.open()
        self.play(5)
        page.wait(PICTURE)
        self.assertEqual(page.text("#stage-id"), "005")
        self.assertTrue(page.js(f"!{AUDIO}.paused && {AUDIO}.duration > 2"))
        self.assertRegex(page.text("#time"), r"^0:0\d / 0:0\d$")
        page.wait("document.getElementById('progress-fill').style.transform !== 'scaleX(0)'")
        page.wait("document.querySelector('.key.is-current.is-lit')?.dataset.id === '5'")

    def test_end_is_told_and_clears(self):
        page = self.open()
        before = len(self.server.led_commands())
        self.play(3)
        self.near_end()
        page.wait(IDLE)
        self.assertEqual(page.sent("ended"), [{"type": "ended", "id": 3}])
        page.until(lambda: self.leds_after(before) == ["LEDCLR"], "LEDCLR")
        self.assertEqual(page.text("#stage-id"), "---")
        self.assertFalse(page.visible("#picture"))
        self.assertIn("Warte auf Tastendruck...", page.text("#message"))

    def test_stop_silences_and_is_no_end(self):
        page = self.open()
        before = len(self.server.led_commands())
        self.play(2)
        page.click("#stop")
        page.wait(f"{IDLE} && {AUDIO}.paused")
        page.until(lambda: self.leds_after(before) == ["LEDCLR"], "LEDCLR")
        self.assertEqual(page.sent("ended"), [])

    def test_new_press_takes_over(self):
        page = self.open()
        self.play(1)
        self.play(2)
        page.wait(PICTURE)
        self.assertEqual(page.sent("ended"), [])

    def test_late_end_after_a_new_press_is_not_told(self):
        page = self.open()
        self.play(1)
        self.play(2)
        page.js(f"{AUDIO}.dispatchEvent(new Event('ended'))")
        page.holds(f"{PLAYING} && {self.shows(2)}", 0.3)
        self.assertEqual(page.sent("ended"), [])
        self.near_end()
        page.wait(IDLE)
        self.assertEqual(page.sent("ended"), [{"type": "ended", "id": 2}])

    def test_same_button_again_starts_over(self):
        page = self.open()
        self.play(4)
        self.near_end()
        self.server.press(4)
        page.wait(f"{PLAYING} && {AUDIO}.currentTime < 1")
        page.holds(PLAYING, 0.5)

    def test_end_of_both_runs_is_told_at_most_once_each(self):
        page = self.open()
        self.play(6)
        self.near_end()
        self.server.press(7)
        page.wait(f"{PLAYING} && {self.shows(7)}")
        self.near_end()
        page.wait(IDLE)
        self.assertLessEqual([m["id"] for m in page.sent("ended")].count(6), 1)
        self.assertEqual([m["id"] for m in page.sent("ended")].count(7), 1)

    def test_press_before_the_unlock_shows_at_once_and_plays_after(self):
        page = self.open(unlock=False)
        self.server.press(8)
        page.wait(f"document.body.dataset.play === 'pending' && {self.shows(8)}")
        page.wait(PICTURE)
        self.assertEqual(page.text("#unlock"), "008 wartet – Sound aktivieren")
        page.click("#unlock")
        page.wait(f"{PLAYING} && {AUDIO}.currentTime > 0.05")

    def test_press_before_the_unlock_but_stopped_does_not_play(self):
        page = self.open(unlock=False)
        self.server.press(8)
        page.wait(self.shows(8))
        page.js("fetch('/test/stop')")
        page.wait(IDLE)
        page.click("#unlock")
        page.wait("document.body.dataset.audio === 'on'")
        page.holds(f"{IDLE}", 0.3)

    def test_a_page_that_joins_plays_from_where_the_others_are(self):
        self.open()
        self.server.press(9)
        page = self.open(unlock=False)
        page.wait(self.shows(9))
        page.click("#unlock")
        page.wait(f"({PLAYING} && {AUDIO}.currentTime > 0.1) || {IDLE}")

    def test_no_errors_in_the_console(self):
        page = self.open()
        self.play(10)
        self.near_end()
        page.wait(IDLE)
        self.assertEqual(page.errors(), [])


class Controls(PanelCase):
    def test_grid_click_plays(self):
        page = self.open()
        page.click('.key[data-id="7"]')
        page.wait(f"{PLAYING} && {self.shows(7)}")

    def test_grid_click_unlocks_too(self):
        page = self.open(unlock=False)
        page.click('.key[data-id="2"]')
        page.wait(f"{PLAYING} && {self.shows(2)} && document.body.dataset.audio === 'on'")

    def test_digits_play(self):
        page = self.open()
        page.key("4")
        page.wait(f"{PLAYING} && {self.shows(4)}")
        page.key("0")
        page.wait(f"{PLAYING} && {self.shows(10)}")

    def test_space_pauses_and_resumes(self):
        page = self.open()
        self.play(1)
        page.key(" ")
        page.wait(f"document.body.dataset.play === 'paused' && {AUDIO}.paused")
        self.assertEqual(page.text("#pause"), "Weiter")
        page.key(" ")
        page.wait(f"{PLAYING} && !{AUDIO}.paused")

    def test_space_pauses_after_a_click_on_the_grid(self):
        page = self.open()
        page.click('.key[data-id="3"]')
        page.wait(PLAYING)
        page.key(" ")
        page.wait("document.body.dataset.play === 'paused'")

    def test_s_and_escape_stop(self):
        page = self.open()
        for key in ("s", ESCAPE):
            self.play(5)
            page.key(key)
            page.wait(IDLE)

    def test_arrows_and_enter_in_the_grid(self):
        page = self.open()
        page.js("document.querySelector('.key').focus()")
        page.key(RIGHT)
        self.assertEqual(page.js("document.activeElement.dataset.id"), "2")
        page.key(DOWN)
        page.key(ENTER)
        number = int(page.js("document.activeElement.dataset.id"))
        self.assertGreater(number, 2)
        page.wait(f"{PLAYING} && {self.shows(number)}")

    def test_mute_and_volume_are_remembered(self):
        page = self.open()
        page.key("m")
        page.wait(f"{AUDIO}.muted && document.body.dataset.audio === 'muted'")
        page = self.open(unlock=False)
        self.assertTrue(page.js(f"{AUDIO}.muted"))
        page.key("m")
        page.wait(f"!{AUDIO}.muted")

    def test_language_switches_and_is_remembered(self):
        page = self.open(unlock=False)
        self.assertEqual(page.js("document.documentElement.lang"), "de")
        page.key("l")
        self.assertEqual(page.text("#unlock"), "Enable sound")
        self.assertIn("Waiting for a button...", page.text("#message"))
        page = self.open(unlock=False)
        self.assertEqual(page.js("document.documentElement.lang"), "en")
        page.click("#tool-language")
        self.assertEqual(page.text("#unlock"), "Sound aktivieren")

    def test_kiosk_shows_only_picture_and_progress(self):
        page = self.open()
        self.play(5)
        page.key("k")
        page.wait("document.body.classList.contains('kiosk')")
        for hidden in (".bar", ".choice", ".foot", "#stage-id", "#time", "#stop"):
            self.assertFalse(page.visible(hidden), hidden)
        for shown in ("#picture", "#progress"):
            self.assertTrue(page.visible(shown), shown)
        page.key("k")
        page.wait("!document.body.classList.contains('kiosk')")

    def test_kiosk_by_address(self):
        page = self.open("?kiosk=1")
        self.play(6)
        self.assertTrue(page.visible("#picture"))
        self.assertFalse(page.visible(".choice"))

    def test_debug_panel_lists_events_and_latency(self):
        page = self.open()
        self.play(5)
        page.key("d")
        self.assertIn('{"type":"play","id":5}', page.text("#debug"))
        self.assertRegex(page.text(".debug-summary"), r"Startzeit zuletzt [\d.]+ ms")
        page.chord(CONTROL, "d")
        self.assertFalse(page.visible("#debug"))

    def test_debug_panel_keeps_fifty(self):
        page = self.open()
        page.key("d")
        for number in range(30):
            self.server.press(number % 9 + 1)
        self.server.press(10)
        page.wait(self.shows(10))
        rows = "document.querySelectorAll('.debug-list li').length"
        self.assertEqual(page.js(rows), 50)
        page.key("d")
        page.key("d")
        self.assertEqual(page.js(rows), 50)

    def test_help_opens_and_closes(self):
        page = self.open(unlock=False)
        page.key("?")
        page.wait("document.getElementById('help').open")
        page.key(ESCAPE)
        page.wait("!document.getElementById('help').open")

    def test_works_without_storage_wake_lock_and_full_screen(self):
        self.browser.before_load("""
            for (const [object, name] of [[window, "localStorage"], [Navigator.prototype, "wakeLock"],
                [Document.prototype, "fullscreenEnabled"], [Element.prototype, "requestFullscreen"]])
              Object.defineProperty(object, name, { get() {
                if (name === "localStorage") throw new DOMException("denied", "SecurityError"); } });""")
        page = self.open()
        self.play(5)
        page.key("m")
        page.key("l")
        page.key("k")
        page.wait("document.body.classList.contains('kiosk')")
        self.assertEqual(page.errors(), [])


class Link(PanelCase):
    def test_comes_back_after_the_sockets_were_cut(self):
        page = self.open()
        sockets = len(page.sent("hello"))
        self.server.restart_ws()
        page.until(lambda: len(page.sent("hello")) > sockets, "a new hello")
        page.wait("document.body.dataset.link === 'up'")
        self.play(5)

    def test_a_cut_does_not_disturb_what_plays(self):
        page = self.open()
        self.play(7)
        self.server.restart_ws()
        page.until(lambda: len(page.sent("hello")) > 1, "a new hello")
        page.wait("document.body.dataset.link === 'up'")
        self.assertTrue(page.js(f"{PLAYING} && {AUDIO}.currentTime > 0.1"))

    def test_a_lost_panel_is_said_with_its_cause(self):
        page = self.open(unlock=False)
        self.addCleanup(self.server.plug)
        self.server.unplug()
        page.wait("document.body.dataset.device === 'lost'")
        self.assertIn("Das Panel ist nicht verbunden", page.text("[data-name=device]"))
        self.server.plug()
        page.wait("document.body.dataset.device === 'ok' && !document.querySelector('[data-name=device]')")

    def test_an_older_server_is_asked_instead(self):
        self.browser.before_load(DEAF)
        self.addCleanup(self.server.plug)
        page = self.open()
        self.play(5)
        self.server.unplug()
        page.wait("document.body.dataset.device === 'lost'", 15)
        self.assertEqual(page.js("document.body.dataset.link"), "up")

    def test_silence_is_a_dead_link(self):
        self.browser.before_load(DEAF.replace("deaf = true", "deaf = false"))
        page = self.open(unlock=False)
        page.until(lambda: page.js("window.heard"), "a state")
        page.js("window.deaf = true")
        page.wait("document.body.dataset.link === 'stale'", 20)
        page.js("window.deaf = false")
        page.wait("document.body.dataset.link === 'up'")
        self.assertEqual(len(page.sent("hello")), 2)

    def test_an_offline_browser_says_so(self):
        page = self.open(unlock=False)
        self.addCleanup(self.browser.offline, False)
        self.browser.offline(True)
        page.js("dispatchEvent(new Event('offline'))")
        page.wait("document.querySelector('[data-name=link]')")
        self.browser.offline(False)
        page.wait("document.body.dataset.link === 'up' && !document.querySelector('[data-name=link]')", 15)


class Incomplete(PanelCase):
    without = ("007.jpg", "008.mp3", "009.jpg", "009.mp3")

    def test_missing_files_are_named(self):
        page = self.open(unlock=False)
        page.wait("document.querySelector('[data-name=missing]')")
        text = page.text("[data-name=missing]")
        for name in self.without:
            self.assertIn(name, text)
        self.assertEqual(page.js("document.querySelectorAll('.key[data-load=missing]').length"), 3)

    def test_missing_picture_still_sounds(self):
        page = self.open()
        self.server.press(7)
        page.wait(f"{PLAYING} && {AUDIO}.currentTime > 0.05 && !document.getElementById('message').hidden")
        self.assertEqual(page.text("#message"), "Bild nicht gefunden")
        self.assertFalse(page.visible("#picture"))

    def test_missing_sound_shows_the_picture_then_ends(self):
        page = self.open()
        before = len(self.server.led_commands())
        self.server.press(8)
        page.wait(f"document.body.dataset.play === 'silent' && {PICTURE}")
        page.wait(IDLE)
        self.assertEqual(page.sent("ended"), [{"type": "ended", "id": 8}])
        page.until(lambda: self.leds_after(before) == ["LEDCLR"], "LEDCLR")

    def test_nothing_at_all_ends_even_while_locked(self):
        page = self.open(unlock=False)
        before = len(self.server.led_commands())
        self.server.press(9)
        page.wait(self.shows(9))
        page.wait(IDLE)
        page.until(lambda: self.leds_after(before) == ["LEDCLR"], "LEDCLR")

    def test_missing_files_are_not_asked_for(self):
        page = self.open()
        self.server.press(7)
        page.wait(f"{PLAYING} && {self.shows(7)}")
        self.server.press(9)
        page.wait(f"document.body.dataset.play === 'silent' && {self.shows(9)}")
        self.assertEqual(page.errors(), [])


class Layout(PanelCase):
    SIZES = ((320, 568), (360, 740), (740, 360), (820, 1180), (1280, 800), (1920, 1080), (3840, 2160))

    def test_no_sideways_scrolling_at_any_size(self):
        for width, height in self.SIZES:
            with self.subTest(width=width, height=height):
                page = self.open(unlock=False, width=width, height=height)
                wide = page.js("document.documentElement.scrollWidth - innerWidth")
                self.assertLessEqual(wide, 0)
                self.assertEqual(page.js("innerWidth"), width)
                self.assertTrue(page.visible("#unlock") and page.visible("#stop"))

    def test_light_and_dark(self):
        grounds = set()
        for scheme in ("dark", "light"):
            page = self.open(unlock=False, scheme=scheme)
            grounds.add(page.js("getComputedStyle(document.body).backgroundColor"))
        self.assertEqual(len(grounds), 2)

    def test_every_size_is_fair(self):
        page = self.open(unlock=False)
        self.fair(page)
        self.browser.resize(1024, 768)
        page.wait("innerWidth === 1024")
        self.in_a_row(page, ".brand", ".states", ".tools")


class Hundred(PanelCase):
    buttons = 100

    def test_a_hundred_buttons(self):
        page = self.open()
        self.play(100)
        page.wait("document.querySelector('.key.is-current').dataset.id === '100'")
        page.click('.key[data-id="42"]')
        page.wait(f"{PLAYING} && {self.shows(42)}")

    def test_a_hundred_on_a_phone(self):
        page = self.open(unlock=False, width=360, height=740)
        self.assertLessEqual(page.js("document.documentElement.scrollWidth - innerWidth"), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
