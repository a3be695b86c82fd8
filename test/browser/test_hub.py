#!/usr/bin/python3
"""The tag hub's pages in a real browser, against pipelines/hub.conf."""
import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from case import PageCase  # noqa: E402
from hub import PICTURES, HubPipeline  # noqa: E402

RIGHT, ESCAPE = "\ue014", "\ue00c"
NASTY = "<img src=x onerror=alert(1)>"

# Every word that the state of the link took, and the sockets that were opened.
WATCH = """
window.links = [];
window.sockets = 0;
const Real = window.WebSocket;
window.WebSocket = class extends Real {
  constructor(...words) {
    super(...words);
    window.sockets++;
  }
};
document.addEventListener("DOMContentLoaded", () => {
  new MutationObserver(() => window.links.push(document.body.dataset.link)).observe(document.body, { attributeFilter: ["data-link"] });
});
"""

class HubCase(PageCase):
    """A hub."""

    pipeline = {}

    @classmethod
    def start(cls):
        return HubPipeline(**cls.pipeline)

    def open(self, path="", **view):
        self.browser.before_load(WATCH)
        return super().open(path, **view)

    def camera(self, name):
        camera = self.server.camera(name)
        self.addCleanup(camera.close)
        return camera

    def card(self, name, part=""):
        return f".cam[data-camera={name}] {part}".strip()

    def has(self, selector, text):
        self.page.wait(f"document.querySelector({json.dumps(selector)})?.innerText.includes({json.dumps(text)})")

    def row(self, camera, tag):
        cells = f"#detections tr[data-camera={camera}][data-tag='{tag}'] td"
        self.page.wait(f"document.querySelector(\"{cells}\") !== null")
        return self.page.js(f"Object.fromEntries([...document.querySelectorAll(\"{cells}\")].map((td) => [td.dataset.column, td.innerText]))")


class Coming(HubCase):
    def test_a_camera_comes_and_goes(self):
        page = self.open()
        self.assertTrue(page.visible("#wall-empty"))
        self.assertIn("Noch war keine Kamera verbunden", page.text("#sessions-note"))
        camera = self.server.camera("porch")
        self.has(self.card("porch", ".cam-state"), "Verbunden seit")
        self.assertFalse(page.visible("#wall-empty"))
        self.has("#state-cameras", "1")
        self.has(self.card("porch"), "Noch kein Bild")
        for n, data in enumerate(PICTURES):
            camera.picture(data)
            page.wait(f"Number(document.querySelector('.cam-picture').dataset.count) === {n + 1}")
        page.wait("document.querySelector('.cam-picture').naturalWidth > 0")
        page.wait("document.querySelector('.sessions-bar').dataset.status === 'connected'")
        camera.close()
        self.has(self.card("porch", ".cam-state"), "Nicht verbunden")
        page.wait("document.querySelector('.sessions-bar').dataset.status === 'disconnected'")
        page.click(".sessions-past summary")
        self.has("#sessions-table tbody tr", "porch")
        page.wait("document.querySelector('.cam').dataset.late === 'true'")
        self.has(self.card("porch", ".cam-veil"), "Kein Bild seit")
        self.assertEqual(page.errors(), [])


class Showing(HubCase):
    def test_a_detection_in_table_instruments_and_space(self):
        page = self.open()
        camera = self.camera("hall")
        camera.tag(7, x_cm=10, y_cm=-4, z_cm=120, range_cm=120.5, yaw=12.5, pitch=-3, roll=30, decision_margin=61.2, extra="kept")
        row = self.row("hall", 7)
        self.assertEqual([row[key] for key in ("tag", "x_cm", "y_cm", "z_cm", "range_cm", "yaw", "pitch", "roll", "decision_margin", "via")],
                         ["7", "10,0", "−4,0", "120,0", "120,5", "12,5", "−3,0", "30,0", "61,2", "WebSocket"])
        self.assertRegex(row["age"], r"^\d,\d s$")
        page.wait("document.querySelector('#instruments').dataset.camera === 'hall'")
        self.assertEqual(page.text("[data-value=yaw] dd"), "12,5°")
        self.assertEqual(page.js("document.querySelector('[data-part=yaw]').getAttribute('transform')"), "rotate(12.5)")
        self.assertEqual(page.js("document.querySelector('[data-part=roll]').getAttribute('transform')"), "rotate(-30)")
        page.wait("document.querySelector('.scene-camera[data-camera=hall] .scene-body').getAttribute('d') !== ''")
        self.assertEqual(page.js("JSON.parse(document.querySelector('.connect-newest').textContent).extra"), "kept")
        self.has(self.card("hall", ".cam-tag"), "Tag 7 · 120,5 cm")
        # It moves: to the right of the tag is right of it in the picture, and the way is drawn.
        left = "document.querySelector('.scene-camera[data-camera=hall] .scene-body').getBoundingClientRect().left"
        before = page.js(left)
        camera.tag(7, x_cm=40, y_cm=-4, z_cm=120)
        page.wait(f"{left} > {before}")
        self.assertTrue(page.js("document.querySelector('.scene-trail').getAttribute('d') !== ''"))
        page.click("[data-plane=front]")
        page.wait("document.querySelector('#scene').dataset.plane === 'front'")
        page.click("[data-plane=space]")
        self.assertEqual(page.js("document.querySelector('[data-plane=space]').getAttribute('aria-pressed')"), "true")
        self.picture(page, "hub-detection.png")
        self.assertEqual(page.errors(), [])

    def test_what_others_wrote_stays_text(self):
        page = self.open()
        camera = self.camera("odd")
        camera.tag(NASTY, x_cm=1e300, z_cm=None, yaw="north", pitch=[1], roll={"a": 1}, camera_name=NASTY)
        page.wait(f"[...document.querySelectorAll('#detections td')].some((td) => td.innerText === '{NASTY}')")
        camera.tag(3, range_cm=12345678901234567890)
        self.row("odd", 3)
        self.assertEqual(page.js("document.querySelectorAll('main img[src=x]').length"), 0)
        self.camera(NASTY)
        page.wait(f"[...document.querySelectorAll('.cam-name')].some((node) => node.innerText === '{NASTY}')")
        self.assertEqual(page.errors(), [])

    def test_by_http_and_games(self):
        page = self.open()
        self.assertEqual(self.server.post(tag_id=9, camera_name="gate", range_cm=50)["status"], "received")
        self.has(self.card("gate", ".cam-state"), "Gehört über HTTP")
        self.assertEqual(self.row("gate", 9)["via"], "HTTP")
        self.server.engines(3)
        self.has("[data-tile=games] .tile-value", "3")
        self.has("#state-games", "3")
        self.assertEqual(page.errors(), [])

    def test_the_interval_goes_to_the_cameras_when_told(self):
        page = self.open("video")
        camera = self.camera("yard")
        page.wait("!document.querySelector('#interval-go').disabled")
        page.js("[...document.querySelectorAll('.interval-line button')].find((b) => b.innerText === '500 ms').click()")
        page.js("[...document.querySelectorAll('.interval-line button')].find((b) => b.innerText === '+100').click()")
        self.assertEqual(page.text(".interval-value"), "600 ms = 1,7 FPS")
        page.click("#interval-go")
        self.assertEqual(camera.hear("set_video_interval")["interval_ms"], 600)
        self.has(".interval-said", "alle 600 ms ein Bild")
        self.has(".interval-now", "Zuletzt gesendet: 600 ms")
        page.js("[...document.querySelectorAll('.interval-line button')].find((b) => b.innerText === '−500').click()")
        page.js("[...document.querySelectorAll('.interval-line button')].find((b) => b.innerText === '−500').click()")
        self.assertEqual(page.text(".interval-value"), "100 ms = 10 FPS")
        camera.close()
        page.wait("document.querySelector('#interval-go').disabled")
        self.has(".interval-now", "Keine Kamera ist über WebSocket verbunden")
        self.assertEqual(page.errors(), [])

    def test_views_keys_and_languages_cut_no_connection(self):
        page = self.open()
        page.click("#views a[data-view=video]")
        page.wait("location.pathname === '/video' && document.body.dataset.view === 'video'")
        self.assertTrue(page.visible("#interval") and page.visible("#help"))
        self.assertFalse(page.visible("#scene"))
        page.driver.back()
        page.wait("location.pathname === '/' && document.body.dataset.view === 'status'")
        self.assertTrue(page.visible("#scene"))
        page.key("v")
        page.wait("document.body.dataset.view === 'video'")
        page.key("l")
        page.wait("document.querySelector('#wall-title').innerText === 'Cameras'")
        page.key("l")
        page.wait("document.querySelector('#wall-title').innerText === 'Kameras'")
        self.assertEqual(page.js("window.sockets"), 1)
        self.assertEqual(page.errors(), [])

    def test_copy(self):
        page = self.open()
        line = f"ws://{self.server.url[7:-1]}/websocket"
        self.assertEqual(page.text(".connect-row code"), line)
        page.click("[data-copy=socket]")
        page.wait("document.querySelector('[data-copy=socket]').dataset.done === 'true'")
        # The older way, for pages that came from elsewhere by plain HTTP.
        page.js("Object.defineProperty(navigator, 'clipboard', { value: undefined }) && 1")
        page.js("document.addEventListener('copy', () => (window.copied = document.activeElement.value)) ?? 1")
        page.click("[data-copy=game]")
        page.wait("window.copied?.includes('gdevelop')")
        self.assertEqual(page.errors(), [])

    def test_phone_and_light(self):
        camera = self.camera("phone")
        camera.picture()
        for path in ("", "video"):
            page = self.open(path, width=390, height=844, scheme="light")
            page.wait(f"document.querySelector('{self.card('phone', '.cam-picture')}')?.naturalWidth > 0")
            camera.tag(1, x_cm=5, y_cm=0, z_cm=80, range_cm=80, yaw=2)
            page.wait("Number(document.body.dataset.tags) > 0")
            self.assertLessEqual(page.js("document.documentElement.scrollWidth"), 390)
            self.in_a_row(page, ".brand", "#views a[href='/system']")
            self.picture(page, f"hub-phone{path}.png")
            self.fair(page)
            self.assertEqual(page.errors(), [])

    def test_the_grades_are_the_old_ones(self):
        page = self.open()
        told = page.driver.execute_async_script("""
            const done = arguments[0];
            import("/static/hub/grades.js").then((grades) => {
              const video = (more) => ({ total_frames: 20, waiting: false, steady: true, efficiency: 100, jitter: 0, avg_processing: 0, recommendation: "POOR - x", ...more });
              const each = (name, key, values) => values.map((value) => grades[name](video({ [key]: value }))[0]).join();
              done([each("efficiency", "efficiency", [95.1, 95, 85, 70]), each("jitter", "jitter", [0.09, 0.1, 0.3, 0.5]),
                each("processing", "avg_processing", [0.9, 1, 10, 50]), grades.efficiency(video({ steady: false }))[0],
                grades.jitter(video({ waiting: true }))[0], grades.recommendation(video({ recommendation: "UNSTABLE - Network issues" })),
                grades.recommendation(video({}))]);
            }, (error) => done(String(error)));""")
        scale = "best,good,fair,poor"
        self.assertEqual(told, [scale, scale, scale, "none", "none", "adviceNetwork", "advicePoor"])


class Watching(HubCase):
    pipeline = {"cameras": 2, "options": ("--rate", "10", "--pictures", "100ms")}

    def test_pictures_stream_and_figures_live(self):
        page = self.open("video")
        page.wait("[...document.querySelectorAll('.cam')].every((card) => card.dataset.picture === 'live')")
        shown = "Math.min(...[...document.querySelectorAll('.cam-picture')].map((i) => i.dataset.state === 'live' ? Number(i.dataset.count) : 0))"
        count = page.js(shown)
        page.wait(f"{shown} >= {count + 20}", 20)
        for figure in ("efficiency", "jitter", "processing"):
            page.wait(f"['best', 'good', 'fair', 'poor'].includes(document.querySelector('[data-figure={figure}]').dataset.grade)")
            self.assertNotEqual(page.text(f"[data-figure={figure}] .figure-note"), "")
        self.assertEqual(page.text("[data-figure=size] .figure-note"), "480×320")
        self.picture(page, "hub-video.png")
        page.click(".cam-open")
        page.wait("document.querySelector('.viewer-picture').dataset.state === 'live'")
        first = page.text("#viewer-name")
        page.key(RIGHT)
        page.wait(f"document.querySelector('#viewer-name').innerText !== '{first}'")
        page.wait("document.querySelector('.viewer-picture').naturalWidth > 0")
        page.key(ESCAPE)
        page.wait("!document.querySelector('#viewer').open")
        self.assertEqual(page.errors(), [])

    def test_the_way_of_cameras_is_drawn(self):
        page = self.open()
        page.wait("document.querySelectorAll('.scene-camera').length === 2")
        trail = "Math.max(...[...document.querySelectorAll('.scene-trail')].map((p) => p.getAttribute('d').split('L').length))"
        page.wait(f"{trail} > 15", 20)
        page.click(".chip:nth-child(2)")
        name = page.text(".chip:nth-child(2)")
        self.has(".instruments-title", name)
        # Two cards stand side by side, however wide the window is.
        gap = page.js("(([a, b]) => b.getBoundingClientRect().left - a.getBoundingClientRect().right)([...document.querySelectorAll('.cam')])")
        self.assertTrue(0 <= gap < 30, gap)
        self.picture(page, "hub-status.png")
        self.assertEqual(page.errors(), [])

    def test_a_cut_link_is_told_and_comes_back(self):
        page = self.open()
        self.server.cut_sockets()
        page.wait("window.links.includes('down')")
        page.wait("document.body.dataset.link === 'up'", 20)
        # The cameras come back too, and are shown.
        page.wait("[...document.querySelectorAll('.cam')].every((card) => card.dataset.state === 'on')", 20)
        count = page.js("Number(document.body.dataset.tags ?? 0)")
        page.wait(f"Number(document.body.dataset.tags) > {count + 5}", 20)
        self.server.kill("rules")
        count = page.js("Number(document.body.dataset.tags ?? 0)")
        page.wait(f"Number(document.body.dataset.tags) > {count + 5}", 20)
        self.browser.offline(True)
        self.server.cut_sockets()  # which Chromium's emulation leaves alone
        page.wait("document.querySelector('.notice[data-name=link]')?.innerText.includes('kein Netz')")
        self.picture(page, "hub-offline.png")
        self.browser.offline(False)
        page.wait("document.body.dataset.link === 'up' && document.querySelector('.notice') === null", 20)


if __name__ == "__main__":
    unittest.main()
