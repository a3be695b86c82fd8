#!/usr/bin/python3
"""The ventilator's screen in a real browser, against pipelines/hev.conf with a simulated ventilator."""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from case import DEAF, PageCase  # noqa: E402
from fair import SIZES  # noqa: E402
from hev import HevPipeline  # noqa: E402

LEFT, END, ESCAPE = "\ue012", "\ue010", "\ue00c"

# Pixels of a curve that are drawn, column by column: [columns with any, columns, highest row, lowest row].
CURVE = """
(() => {
  const canvas = document.querySelector("[data-channel=%s] .lane-curve");
  const { width, height } = canvas;
  const data = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  const columns = new Set();
  let top = height, bottom = 0;
  for (let i = 3; i < data.length; i += 4) {
    if (data[i] < 128) continue;
    const at = (i - 3) / 4, row = Math.floor(at / width);
    columns.add(at %% width);
    top = Math.min(top, row);
    bottom = Math.max(bottom, row);
  }
  return { drawn: columns.size / width, top: top / height, bottom: bottom / height };
})()
""".strip()

class HevCase(PageCase):
    """A simulated ventilator."""

    pipeline = {}

    @classmethod
    def start(cls):
        return HevPipeline(**cls.pipeline)

    def live(self, page):
        page.wait("document.body.dataset.fresh === 'live'")

    def number(self, name):
        return self.page.text(f"[data-number={name}] .tile-value")


class Watching(HevCase):
    def test_curves_sweep_over_the_whole_width(self):
        page = self.open()
        self.live(page)
        page.click("#sweep button:nth-child(1)")  # 6 s
        for channel in ("pressure", "flow", "volume"):
            page.until(lambda: page.js(CURVE % channel)["drawn"] > 0.9, f"{channel} is drawn all over", 15)
            curve = page.js(CURVE % channel)
            self.assertLess(curve["drawn"], 1.0)  # the empty bar
            self.assertGreater(curve["bottom"] - curve["top"], 0.3)
        # It moves: what is drawn is another picture soon.
        data = "document.querySelector('.lane-curve').toDataURL()"
        before = page.js(data)
        page.until(lambda: page.js(data) != before, "the curve moves")
        self.assertEqual(page.errors(), [])

    def test_every_sample_comes_to_the_page(self):
        page = self.open()
        self.live(page)
        count = page.js("Number(document.body.dataset.samples)")
        page.wait(f"Number(document.body.dataset.samples) >= {count + 200}", 20)

    def test_figures_mode_state_and_power(self):
        page = self.open()
        page.until(lambda: self.number("pip") == "17,0" and self.number("rr") == "15", "figures of a breath", 25)
        self.assertEqual(self.number("peep"), "5,0")
        self.assertRegex(self.number("ie"), r"^1:2,\d$")
        self.assertRegex(self.number("vte"), r"^4\d\d$")
        self.assertIn("Soll 17,0", page.text("[data-number=pip] .tile-note"))
        self.assertEqual(page.text("#fact-mode dd"), "PC-A/C")
        page.wait("['Einatmung', 'Ausatmung'].includes(document.querySelector('#fact-state dd').textContent)")
        self.assertIn("Netz", page.text("#fact-battery dd"))
        self.assertEqual(page.text(".clinical"), "Nicht für klinischen Gebrauch")
        self.assertIn("Protokoll B6", page.text("#foot-text"))
        self.picture(page, "hev-dark.png")
        self.fair(page)
        self.assertEqual(page.errors(), [])

    def test_languages_and_keys(self):
        page = self.open()
        page.key("l")
        page.wait("document.querySelector('.clinical').textContent === 'Not for clinical use'")
        self.assertEqual(page.text("#start"), "Start")
        self.assertEqual(page.text("[data-channel=flow] .lane-name"), "Flow")
        page.key("m")
        page.wait("document.getElementById('sound').getAttribute('aria-pressed') === 'true'")
        page.key("m")
        page.key("l")
        page.wait("document.querySelector('[data-channel=flow] .lane-name').textContent === 'Fluss'")

    def test_clocks_are_those_of_the_region(self):
        self.browser.before_load("Object.defineProperty(navigator, 'languages', { value: ['en-GB', 'en'] });")
        page = self.open()
        page.wait("/^[0-9]{2}:[0-9]{2}:[0-9]{2} – now$/.test(document.getElementById('history-span').textContent)")
        page.wait("document.getElementById('events').textContent.includes('Mode PC-A/C')")

    def test_a_small_screen_has_one_bar_and_figures_in_a_row(self):
        page = self.open(width=1024, height=768)
        self.live(page)
        self.in_a_row(page, ".brand", ".states", ".clinical", ".tools")
        page.wait("document.querySelector('[data-number=peep] .tile-note').textContent !== ''", 25)
        for width, height in SIZES:
            self.browser.resize(width, height)
            page.wait(f"innerWidth === {width}")
            self.in_a_row(page, *(f"[data-number={name}] .tile-value" for name in ("pip", "peep", "plateau")))

    def test_phone_and_light(self):
        page = self.open(width=390, height=844, scheme="light")
        self.live(page)
        self.assertLessEqual(page.js("document.documentElement.scrollWidth"), 390)
        page.until(lambda: page.js(CURVE % "pressure")["drawn"] > 0.1, "the pressure is drawn", 15)
        self.picture(page, "hev-phone.png")

    def test_history_moves_zooms_and_follows(self):
        page = self.open()
        page.wait("Number(document.body.dataset.history) > 50")
        pressed = "document.getElementById('history-live').getAttribute('aria-pressed')"
        self.assertEqual(page.js(pressed), "true")
        page.click("#history-spans button:nth-child(1)")
        page.wait("document.querySelector('#history-spans button').getAttribute('aria-pressed') === 'true'")
        page.js("document.getElementById('history-canvas').focus()")
        page.key("+")
        page.key(LEFT)
        page.wait(f"{pressed} === 'false'")
        page.key(END)
        page.wait(f"{pressed} === 'true'")
        point = ("document.getElementById('history-canvas').dispatchEvent(new PointerEvent('pointermove',"
                 " {clientX: document.getElementById('history-canvas').getBoundingClientRect().right - 3, bubbles: true})), ")
        page.wait(point + "/Druck .* · Fluss .* · Volumen/.test(document.getElementById('history-cursor').textContent)")
        self.assertEqual(page.errors(), [])


class Acting(HevCase):
    def test_alarms_are_shown_by_priority_and_acknowledged(self):
        page = self.open()
        self.assertTrue(page.visible("#alarms-none"))
        self.server.do("alarm HIGH_RR medium")
        self.server.do("alarm LOW_PEEP high -500")
        names = "[...document.querySelectorAll('.alarm')].map((a) => a.dataset.name + ' ' + a.dataset.priority).join()"
        page.wait(f"{names} === 'LOW_PEEP high,HIGH_RR medium'")
        self.assertEqual(page.text("[data-name=LOW_PEEP] .alarm-name"), "PEEP zu niedrig")
        self.assertEqual(page.js("document.body.dataset.alarm"), "high")
        self.picture(page, "hev-alarms.png")
        self.server.do("clear all")
        # What the device had said before may still be on its way, and latch it again.
        page.until(lambda: page.js("document.querySelector('[data-name=LOW_PEEP] .alarm-ack')?.click(),"
                                   f"{names} === 'HIGH_RR medium'"), "one is acknowledged", 15)
        self.assertEqual(self.server.alarms(), ["HIGH_RR"])
        page.until(lambda: page.js("document.querySelector('.alarm-ack')?.click(), document.querySelector('.alarm') === null"), "the other too", 15)
        self.assertTrue(page.visible("#alarms-none"))
        page.wait("[...document.querySelectorAll('.event')].some((e) => e.textContent.includes('Quittiert: PEEP zu niedrig'))")
        self.assertEqual(page.errors(), [])

    def test_start_and_stop_only_when_confirmed(self):
        page = self.open()
        self.live(page)
        page.click("#stop")
        page.wait("document.getElementById('confirm').open")
        self.assertEqual(page.js("document.activeElement.textContent"), "Abbrechen")
        page.key(ESCAPE)
        page.wait("!document.getElementById('confirm').open")
        self.assertTrue(self.server.device()["breathing"])
        page.click("#stop")
        page.click("#confirm-go")
        page.until(lambda: not self.server.device()["breathing"], "the device has stopped")
        page.wait("!document.getElementById('confirm').open")
        self.assertEqual(page.text("#control-said"), "STOP ist angenommen.")
        # A little below 0 now and then, for which the axis makes no room.
        page.until(lambda: page.js(CURVE % "pressure")["bottom"] > 0.9, "the pressure lies at the bottom", 15)
        page.click("#start")
        page.click("#confirm-go")
        page.until(lambda: self.server.device()["breathing"], "the device has started")
        page.wait("[...document.querySelectorAll('.event')].some((e) => e.textContent.includes('GENERAL START'))")
        self.assertEqual(page.errors(), [])


class Trouble(HevCase):
    def test_unplugged_is_told_and_comes_back(self):
        page = self.open()
        self.live(page)
        self.server.do("unplug 3s")
        page.wait("document.body.dataset.fresh === 'late' && document.body.dataset.device === 'lost'")
        self.assertIn("abgezogen", page.text("#notices"))
        self.assertTrue(page.visible("#no-data"))
        self.assertTrue(page.visible("#alarms-unknown") and not page.visible("#alarms-none"))
        self.assertRegex(page.text("#no-data"), r"^Keine Daten seit \d+ s$")
        self.assertTrue(page.js("document.getElementById('start').disabled"))
        self.picture(page, "hev-unplugged.png")
        page.wait("document.body.dataset.fresh === 'live'", 20)
        page.wait("document.querySelector('.notice') === null")
        self.assertTrue(page.visible("#alarms-none") and not page.visible("#alarms-unknown"))
        self.assertFalse(page.js("document.getElementById('start').disabled"))

    def test_the_server_away_is_told_and_the_page_comes_back(self):
        for stage in ("ws", "rules", "web"):
            page = self.open()
            self.live(page)
            count = page.js("Number(document.body.dataset.samples)")
            self.server.kill(stage)
            page.wait(f"document.body.dataset.link === 'up' && Number(document.body.dataset.samples) > {count + 60}", 30)
            self.live(page)
        self.assertEqual(self.server.state()["stale"], False)

    def test_a_dead_link_is_no_live_picture(self):
        self.browser.before_load(DEAF)
        page = self.open()
        self.live(page)
        page.js("window.deaf = true")
        page.wait("document.body.dataset.fresh === 'late'")
        self.assertTrue(page.visible("#no-data"))
        page.wait("document.body.dataset.link === 'stale'", 15)
        self.assertIn("antwortet nicht", page.text("[data-name=link]"))
        page.js("window.deaf = false, 1")
        page.wait("document.body.dataset.fresh === 'live' && document.querySelector('[data-name=link]') === null", 20)


class RawCounts(HevCase):
    pipeline = {"options": ("--mcu-version", "A0")}

    def test_a_device_of_the_first_version_shows_raw_counts(self):
        page = self.open()
        self.live(page)
        self.assertEqual(page.js("document.body.dataset.raw"), "true")
        self.assertTrue(page.visible("#raw-note"))
        self.assertFalse(page.visible("#numbers"))
        self.assertEqual(page.text("[data-channel=pressure] .lane-name"), "Druck Einatmung")
        self.assertEqual(page.text("[data-channel=pressure] .lane-unit"), "Rohwert")
        page.until(lambda: page.js(CURVE % "pressure")["drawn"] > 0.1, "the counts are drawn", 15)
        self.picture(page, "hev-raw.png")
        self.server.do("alarm APNEA")
        page.wait("document.querySelector('[data-name=APNEA]')?.dataset.priority === 'high'")
        self.assertEqual(page.errors(), [])


class NoDevice(HevCase):
    pipeline = {"device": False}

    def test_without_a_device_nothing_looks_alive(self):
        page = self.open()
        page.wait("document.body.dataset.fresh === 'none' && document.body.dataset.device === 'lost'")
        self.assertEqual(page.text("#no-data"), "Noch keine Daten")
        self.assertEqual(self.number("pip"), "–")
        self.assertTrue(page.js("document.getElementById('start').disabled"))
        self.assertIn("nicht angeschlossen", page.text("#notices"))
        self.assertEqual(page.errors(), [])


if __name__ == "__main__":
    unittest.main()
