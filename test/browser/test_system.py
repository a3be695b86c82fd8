#!/usr/bin/python3
"""The system page in a real browser, against the pipeline the environment names (see harness.py)."""
import json
import sys
import time
import unittest
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from case import PageCase  # noqa: E402
from harness import open_server  # noqa: E402

ENTER, DOWN = "\ue007", "\ue015"
PRESS_SECONDS = 0.4
LAST = "Number(document.querySelector('[data-figure=last]').dataset.value || NaN)"
DYGRAPHS = "*/vendor/dygraphs/*"

# The server refuses what changes something, as it does to other machines.
REFUSING = """
const ask = window.fetch;
window.fetch = (path, options = {}) => {
  if (options.method !== "POST") return ask(path, options);
  window.lastHeaders = options.headers;
  const body = JSON.stringify({ ok: false, error: "not from this machine: give the admin token" });
  return Promise.resolve(new Response(body, { status: 403 }));
};
"""

# A stream that opens and never says anything; one that cannot be had at all.
MUTE = "window.EventSource = class extends EventTarget { constructor() { super(); setTimeout(() => this.onopen?.()); } close() {} };"
ABSENT = "window.EventSource = class extends EventTarget { constructor() { super(); setTimeout(() => this.onerror?.()); } close() {} };"

def cell(stage, column):
    return f"document.querySelector('[data-row={stage}] [data-column={column}]').textContent"


def row(topic, text=""):
    """The row of the tap's list with that topic whose body has that text."""
    return (f"[...document.querySelectorAll('#tap-list .row')].filter((row) => !row.hidden"
            f" && row.querySelector('.row-topic')?.textContent === {json.dumps(topic)}"
            f" && row.querySelector('.row-text').textContent.includes({json.dumps(text)})).at(-1)")


class SystemCase(PageCase):
    """A pipeline."""

    path = "system"

    @classmethod
    def start(cls):
        return open_server()

    def open(self, link="up", **view):
        return super().open(ready=f"document.body.dataset.link === '{link}' && document.body.dataset.loaded", **view)

    def status(self):
        with urllib.request.urlopen(self.server.url + "system/status.json", timeout=5) as answer:
            return json.load(answer)

    def press_until(self, expression, number=5, seconds=15):
        """A subscription takes its time, so one press may go unheard."""
        limit = time.monotonic() + seconds
        while True:
            self.server.press(number)
            pause = time.monotonic() + PRESS_SECONDS
            while time.monotonic() < pause:
                if self.page.js(expression):
                    return
                time.sleep(0.03)
            self.assertLess(time.monotonic(), limit, f"not within {seconds} s: {expression}\n{self.page.describe()}")

    def tap(self):
        self.page.click("#tap-run")
        self.page.wait("document.getElementById('tap-part').dataset.stream === 'open'")

    def fill(self, selector, text):
        field = self.page.driver.find_element("css selector", selector)
        field.clear()
        field.send_keys(text)

    def choose(self, selector, value):
        self.page.js("(() => { const s = document.querySelector(arguments[0]); s.value = arguments[1];"
                     " s.dispatchEvent(new Event('change', { bubbles: true })); })()".replace(
                         "arguments[0]", json.dumps(selector)).replace("arguments[1]", json.dumps(value)))


class Watching(SystemCase):
    def test_loads_without_errors(self):
        page = self.open()
        page.wait("document.body.dataset.chart")
        page.wait("document.querySelectorAll('#log-list li').length > 0")
        self.assertEqual(page.errors(), [])

    def test_graph_shows_every_stage_and_wire(self):
        page = self.open()
        status = self.status()
        self.assertEqual(sorted(page.js("[...document.querySelectorAll('#graph [data-stage]')].map((n) => n.dataset.stage)")),
                         sorted(stage["name"] for stage in status["stages"]))
        self.assertEqual(sorted(page.js("[...document.querySelectorAll('#graph [data-wire]')].map((n) => n.dataset.wire)")),
                         sorted("{from}>{to}:{via}".format(**wire) for wire in status["wires"]))
        self.assertEqual(page.js("document.getElementById('graph').dataset.view"), "graph")
        backward = "document.querySelector('[data-wire=\"rules>serial:fifo:tx\"]').dataset"
        self.assertEqual(page.js(f"[{backward}.backward, {backward}.kind]"), ["true", "fifo"])
        self.assertFalse(page.js("/NaN|undefined/.test(document.getElementById('graph').innerHTML)"))

    def test_stages_do_not_lie_on_each_other(self):
        page = self.open()
        boxes = page.js("[...document.querySelectorAll('#graph .node')].map((n) => {"
                        " const r = n.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; })")
        for i, a in enumerate(boxes):
            for b in boxes[:i]:
                self.assertTrue(a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1], (a, b))

    def test_rates_move(self):
        page = self.open()
        wire = "Number(document.querySelector('[data-wire=\"serial>decode:pipe\"]').dataset.rate)"
        self.press_until(f"{wire} > 0")
        self.press_until(f"parseFloat({cell('decode', 'inRate')}.replace(',', '.')) > 0")
        self.assertIn("/s", page.js("document.querySelector('[data-stage=decode] .node-line').textContent"))

    def test_stage_is_chosen_by_keyboard(self):
        page = self.open()
        page.js("document.querySelector('[data-stage=rules]').focus()")
        page.key(ENTER)
        page.wait("document.querySelector('[data-stage=rules]').getAttribute('aria-pressed') === 'true'")
        page.wait("document.querySelector('[data-row=rules]').classList.contains('is-selected')")
        self.assertIn("dispatch", page.text("#detail"))
        self.assertIn("fifo:ended", page.text("#detail"))

    def test_log_is_live_and_filtered(self):
        page = self.open()
        line = "[...document.querySelectorAll('#log-list li')].some((li) => li.textContent.includes('button 8 pressed'))"
        self.press_until(line, number=8)
        self.choose("#log-stage", "serial")
        page.wait(f"!({line})")
        self.choose("#log-stage", "rules")
        page.wait(line)
        self.choose("#log-level", "3")
        page.wait(f"!({line})")

    def test_log_holds_still_while_paused(self):
        page = self.open()
        page.click("#log-run")
        line = "[...document.querySelectorAll('#log-list li')].some((li) => li.textContent.includes('button 9 pressed'))"
        self.press_until("/\\d/.test(document.getElementById('log-note').textContent)", number=9)
        self.assertFalse(page.js(line))
        page.click("#log-run")
        page.wait(line)


class Tapping(SystemCase):
    def test_press_is_seen_and_inspected(self):
        page = self.open()
        self.tap()
        self.press_until(f"Boolean({row('panel.press')})")
        page.js(f"{row('panel.press')}.click()")
        page.wait("document.querySelector('#inspect h3')?.textContent === 'panel.press'")
        self.assertRegex(page.text("#inspect"), r"id:\s*5")
        self.press_until(f"Boolean({row('serial.rx')})")
        page.js(f"{row('serial.rx')}.click()")
        page.wait("document.querySelector('#inspect .hex')?.textContent.includes('PRESS')")
        self.assertRegex(page.text("#inspect .hex"), r"^000000  50 52 45 53 53")

    def test_keys_move_through_the_list(self):
        page = self.open()
        self.tap()
        self.press_until("document.querySelectorAll('#tap-list .row:not([hidden])').length > 2")
        page.click("#tap-run")
        page.js("document.getElementById('tap-list').focus()")
        page.key(DOWN)
        page.wait("document.querySelector('#tap-list [aria-selected=true]') && document.querySelector('#inspect h3')")

    def test_filter_pause_and_clear(self):
        page = self.open()
        self.tap()
        self.press_until(f"Boolean({row('panel.press')}) && Boolean({row('serial.rx')})")
        self.fill("#tap-filter", "panel.press")
        page.wait(f"!{row('serial.rx')} && Boolean({row('panel.press')})")
        page.click("#tap-run")
        page.wait("document.getElementById('tap-part').dataset.stream === 'closed'")
        page.click("#tap-clear")
        page.wait("document.querySelectorAll('#tap-list .row:not([hidden])').length === 0")
        self.server.press(3)
        page.holds("document.querySelectorAll('#tap-list .row:not([hidden])').length === 0", 0.6)

    def test_only_the_chosen_topic(self):
        page = self.open()
        self.fill("#tap-topic", "panel.play")
        self.tap()
        self.press_until(f"Boolean({row('panel.play')})")
        self.assertFalse(page.js(f"Boolean({row('panel.press')}) || Boolean({row('serial.rx')})"))

    def test_put_press_plays(self):
        page = self.open()
        self.fill("#tap-topic", "panel.play")
        self.tap()
        self.press_until(f"Boolean({row('panel.play')})")
        self.choose("#put-endpoint", "decode")
        self.fill("#put-topic", "panel.press")
        self.fill("#put-body", '{"id": 7}')
        page.click("#put-go")
        page.wait("document.getElementById('put-done').textContent")
        played = '"id":7'
        page.wait(f"Boolean({row('panel.play', played)})")

    def test_put_that_is_no_json_says_so(self):
        page = self.open()
        self.fill("#put-topic", "panel.press")
        self.fill("#put-body", '{"id": ')
        page.click("#put-go")
        page.wait("document.querySelector('#put .refusal-text').textContent.includes('JSON')")

    def test_refused_put_says_why_and_takes_a_token(self):
        self.browser.before_load(REFUSING)
        page = self.open()
        self.fill("#put-topic", "panel.press")
        self.fill("#put-body", '{"id": 1}')
        page.click("#put-go")
        page.wait("document.querySelector('#put .refusal-text').textContent.includes('admin token')")
        self.fill("#put .refusal input", "secret")
        page.click("#put-go")
        page.wait("window.lastHeaders.Authorization === 'Bearer secret'")
        self.assertIsNone(page.js("Object.values(localStorage).find((value) => value.includes('secret')) ?? null"))


class Changing(SystemCase):
    def ready(self, stage):
        return f"{cell(stage, 'state')} === 'ready' && {cell(stage, 'cause')} === 'ok'"

    def test_restart_through_the_page(self):
        page = self.open()
        page.wait(self.ready("decode"))
        before = int(page.js(cell("decode", "restarts")))
        page.click("[data-row=decode] [data-act=restart]")
        page.wait("document.getElementById('restart').open")
        self.assertIn("decode", page.text("#restart-title"))
        page.click("#restart-go")
        page.wait("!document.getElementById('restart').open")
        page.wait(f"Number({cell('decode', 'restarts')}) === {before + 1} && {self.ready('decode')}", 20)

    def test_restart_refused_says_why(self):
        self.browser.before_load(REFUSING)
        page = self.open()
        page.click("[data-row=decode] [data-act=restart]")
        page.click("#restart-go")
        page.wait("document.querySelector('#restart .refusal-text').textContent.includes('admin token')")
        self.assertTrue(page.js("document.getElementById('restart').open"))

    def test_killed_stage_is_shown_and_comes_back(self):
        page = self.open()
        page.wait(self.ready("decode"))
        before = int(page.js(cell("decode", "restarts")))
        down = f"{cell('decode', 'state')} !== 'ready' && {cell('decode', 'cause')} === 'crashed'"
        # The first time it is started again at once; killed again and again it has to wait.
        limit = time.monotonic() + 20
        while not page.js(down):
            self.assertLess(time.monotonic(), limit, page.describe())
            self.server.kill_stage("decode")
            time.sleep(0.3)
        self.assertRegex(page.text("[data-stage=decode] .node-state"), "crashed")
        page.wait("document.querySelector('[data-stage=decode]').dataset.state !== 'ok'")
        page.wait(self.ready("decode"), 30)
        self.assertGreater(int(page.js(cell("decode", "restarts"))), before)


class Latency(SystemCase):
    def test_chart_with_finite_latency(self):
        page = self.open()
        page.wait("document.body.dataset.chart")
        self.press_until(f"Number.isFinite({LAST})")
        self.assertLess(page.js(LAST), 1000)
        self.assertGreaterEqual(page.js(LAST), 0)
        page.wait("document.querySelector('#chart canvas, #chart polyline')")
        page.wait("/^[0-9].*(us|ms|s) [/] [0-9]/.test(document.querySelector('[data-figure=stage]').textContent)")

    def test_without_dygraphs(self):
        self.browser.block(DYGRAPHS)
        page = self.open()
        page.wait("document.body.dataset.chart === 'own'")
        self.assertTrue(page.visible("#chart-absent"))
        self.press_until("document.querySelector('#chart .spark-browser')?.getAttribute('points').includes(',')")
        self.assertFalse(page.js("document.getElementById('chart').innerHTML.includes('NaN')"))


class Link(SystemCase):
    def test_a_mute_stream_is_stale_and_then_polled(self):
        self.browser.before_load(MUTE)
        page = self.open(link="polling")
        page.wait("document.querySelector('.notice[data-name=link]')")
        uptime = page.text("[data-row=web] [data-column=up]")
        page.wait(f"document.querySelector('[data-row=web] [data-column=up]').textContent !== '{uptime}'")

    def test_no_stream_is_polled(self):
        self.browser.before_load(ABSENT)
        page = self.open(link="polling")
        page.wait("document.querySelectorAll('#graph [data-stage]').length > 0")

    def test_it_comes_back(self):
        page = self.open()
        self.tap()
        self.server.kill_stage("web")
        page.wait("document.body.dataset.link !== 'up'")
        page.wait("document.body.dataset.link === 'up'", 20)
        page.wait("!document.querySelector('.notice[data-name=link]')")
        page.wait("document.getElementById('tap-part').dataset.stream === 'open'")
        self.press_until(f"Boolean({row('panel.press', '6')})", number=6)


class Looks(SystemCase):
    def no_sideways(self, page):
        self.assertLessEqual(page.js("document.documentElement.scrollWidth"), page.js("innerWidth"))

    def test_phone(self):
        for width in (360, 320):
            page = self.open(width=width, height=740)
            self.tap()
            self.press_until(f"Boolean({row('panel.press')})")
            page.js(f"{row('panel.press')}.click()")
            page.js("document.querySelector('[data-stage=rules]').click()")
            page.wait("document.getElementById('graph').dataset.view === 'list'")
            self.no_sideways(page)
            wide = page.js("[...document.querySelectorAll('main button, main input, main select')].filter((n) =>"
                           " n.checkVisibility() && n.getBoundingClientRect().right > innerWidth).length")
            self.assertEqual(wide, 0)

    def test_every_size_is_fair(self):
        page = self.open()
        self.fair(page)
        self.browser.resize(1280, 800)
        acts = "document.querySelector('.acts').getBoundingClientRect()"
        page.wait(f"innerWidth === 1280 && {acts}.width > 0")
        self.assertLess(page.js(f"{acts}.right"), 1280)

    def test_light_and_dark(self):
        grounds = []
        for scheme in ("dark", "light"):
            page = self.open(scheme=scheme)
            grounds.append(page.js("getComputedStyle(document.body).backgroundColor"))
        self.assertNotEqual(*grounds)

    def test_language(self):
        page = self.open()
        self.assertEqual(page.text("#process-title"), "Prozesse")
        page.click("#language")
        self.assertEqual(page.text("#process-title"), "Processes")
        page.wait("document.querySelector('[data-row=decode] [data-column=restarts]').dataset.label === 'restarts'")
        self.assertEqual(page.js("document.documentElement.lang"), "en")
        self.assertIn("pipe", page.text("#legend"))
        page.click("#language")
        page.js("localStorage.clear()")

    def test_every_text_is_in_both_languages(self):
        page = self.open()
        page.driver.set_script_timeout(10)
        missing = page.driver.execute_async_script(
            "import('/static/system/texts.js').then(({ texts: { de, en } }) => arguments[0]("
            "[...Object.keys(de).filter((key) => !(key in en)), ...Object.keys(en).filter((key) => !(key in de))]))")
        self.assertEqual(missing, [])


if __name__ == "__main__":
    unittest.main()
