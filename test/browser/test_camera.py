#!/usr/bin/python3
"""The page of a controlled camera in a real browser, against pipelines/camera.conf with a test picture."""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from camera import PASSWORD, CameraPipeline  # noqa: E402
from case import READY, PageCase  # noqa: E402

RIGHT, ESCAPE, ENTER = "\ue014", "\ue00c", "\ue007"

COUNT = "Number(document.getElementById('picture').dataset.count ?? 0)"
SAID = "document.getElementById('settings-said').dataset.said"

class CameraCase(PageCase):
    """A camera."""

    patience = 20

    @classmethod
    def start(cls):
        return CameraPipeline()

    def open(self, **view):
        return super().open(ready=f"{READY} && document.body.dataset.settings === 'same'", **view)

    def live(self, page):
        page.wait("document.body.dataset.picture === 'live' && document.body.dataset.stream === 'live'", 20)

    def state_of(self, name):
        return f"document.querySelector('[data-process={name}]')?.dataset.state"


class Watching(CameraCase):
    def test_picture_stream_programs_and_access(self):
        page = self.open()
        self.live(page)
        count = page.js(COUNT)
        page.wait(f"{COUNT} >= {count + 5}", 20)
        self.assertTrue(page.text("#picture-facts").startswith("320×240"))
        values = page.js("Number(document.body.dataset.values)")
        page.wait(f"Number(document.body.dataset.values) >= {values + 48}", 20)
        self.assertRegex(page.text("#stream-value"), r"^(\d|10)$")
        page.wait(f"{self.state_of('camera')} === 'running' && {self.state_of('preview')} === 'running'", 20)
        self.assertIn("testsrc2=size=320x240", page.text("[data-process=camera] .process-command"))
        self.assertEqual(page.js("document.getElementById('rtsp').value"), self.server.rtsp)
        self.assertIn("nur nach Anmeldung", page.text("#access-mode"))
        # No RTSP server is there: told, and the picture goes on.
        page.wait("document.querySelector('[data-name=publisher]') !== null", 20)
        self.assertIn("nicht über RTSP", page.text("[data-name=publisher]"))
        page.wait("document.querySelector('[data-process=publisher] .process-lines').textContent.includes('Connection refused')", 20)
        self.picture(page, "camera-dark.png")
        self.fair(page)
        self.assertEqual(page.errors(), [])

    def test_phone_light_and_languages(self):
        page = self.open(width=390, height=844, scheme="light")
        self.live(page)
        self.assertLessEqual(page.js("document.documentElement.scrollWidth"), 390)
        page.key("l")
        page.wait("document.getElementById('apply').textContent === 'Apply'")
        self.assertEqual(page.text("label[for=set-shutter]"), "Shutter")
        page.key("l")
        page.wait("document.getElementById('apply').textContent === 'Anwenden'")
        self.picture(page, "camera-phone.png")

    def test_who_tries_the_password_is_shown(self):
        page = self.open()
        self.assertEqual(self.server.client("auth", password="1111"), 1)
        page.wait("[...document.querySelectorAll('.attempt[data-ok=false]')].some((a) => a.textContent.includes('falsches Passwort'))")
        self.assertEqual(self.server.client("get", password=PASSWORD), 0)
        page.wait("document.querySelector('.attempt')?.dataset.ok === 'true'")
        self.assertIn("127.0.0.1", page.text(".attempt"))
        self.assertNotIn("1111", page.js("document.body.innerHTML"))
        page.wait("Number(document.querySelector('[data-count=authenticated] dd').textContent) === 1")


class Setting(CameraCase):
    def has(self, name):
        return f"document.getElementById('set-{name}-has').textContent"

    def test_sliders_apply_confirm_and_reset(self):
        page = self.open()
        disabled = "document.getElementById('apply').disabled"
        self.assertTrue(page.js(disabled))
        page.js("document.getElementById('set-gain').focus()")
        page.key(RIGHT + RIGHT)
        page.wait(f"document.querySelector('[data-setting=gain]').dataset.state === 'changed' && !{disabled}")
        self.assertIn("1 ×", page.js(self.has("gain")))
        self.assertEqual(self.server.stored()["gain"], 1)
        page.click("#apply")
        page.wait(f"{SAID} === 'settingsDone'", 20)
        self.assertIn("3 ×", page.js(self.has("gain")))
        self.assertEqual(self.server.stored()["gain"], 3)
        page.wait(f"{disabled} && document.querySelector('[data-setting=gain]').dataset.state === 'same'")
        # By hand, with Enter; and back again without.
        page.click("#set-contrast-field")
        page.js("document.getElementById('set-contrast-field').select()")
        page.key("1.5" + ENTER)
        page.wait(f"{SAID} === 'settingsDone' && {self.has('contrast')}.includes('1,5')", 20)
        page.wait("document.querySelector('[data-process=camera] .process-command').textContent.includes('contrast=1.5')", 20)
        page.js("document.getElementById('set-shutter').focus()")
        page.key(RIGHT)
        page.wait(f"!{disabled}")
        page.key(ESCAPE)
        page.wait(f"{disabled} && document.getElementById('set-shutter').value === '10000'")
        self.assertEqual(page.errors(), [])

    def test_what_is_out_of_bounds_is_not_sent(self):
        page = self.open()
        page.js("document.getElementById('set-brightness-field').select()")
        page.key("7")
        page.wait("document.querySelector('[data-setting=brightness]').dataset.valid === 'false'")
        self.assertTrue(page.js("document.getElementById('apply').disabled"))
        self.assertEqual(self.server.stored()["brightness"], 0)

    def test_what_others_set_is_followed_but_not_where_somebody_drags(self):
        page = self.open()
        page.js("document.getElementById('set-awb_red').focus()")
        page.key(RIGHT)
        page.wait("document.querySelector('[data-setting=awb_red]').dataset.state === 'changed'")
        wanted = page.js("document.getElementById('set-awb_red').value")
        self.assertEqual(self.server.client("set", "awb_blue=2.5", "awb_red=3.0", password=PASSWORD), 0)
        page.wait(f"{self.has('awb_blue')}.includes('2,5') && {self.has('awb_red')}.includes('3,0')", 20)
        self.assertEqual(page.js("document.getElementById('set-awb_blue').value"), "2.5")
        self.assertEqual(page.js("document.getElementById('set-awb_red').value"), wanted)
        page.click("#defaults")
        page.click("#apply")
        page.wait(f"{SAID} === 'settingsDone'", 20)
        self.assertEqual([self.server.stored()[name] for name in ("awb_red", "awb_blue")], [1.0, 1.0])


class Trouble(CameraCase):
    def restarts(self, name):
        return self.server.process(self.server.state(), name)["restarts"]

    def test_a_killed_program_is_told_and_comes_back(self):
        page = self.open()
        self.live(page)
        before = self.restarts("camera")
        self.server.kill_process("camera")
        page.until(lambda: self.restarts("camera") > before, "it is started again", 20)
        page.wait(f"{self.state_of('camera')} === 'running'", 20)
        count = page.js(COUNT)
        page.wait(f"{COUNT} > {count + 3}", 20)

    def test_restart_by_button(self):
        page = self.open()
        page.wait(f"{self.state_of('preview')} === 'running'", 20)
        facts = "document.querySelector('[data-process=preview] .process-facts').textContent"
        before = page.js(facts)
        page.click("[data-process=preview] .process-restart")
        page.wait(f"{self.state_of('preview')} === 'running' && {facts} !== {before!r}", 20)
        self.live(page)
        self.assertEqual(page.errors(), [])

    def test_the_server_away_is_told_and_the_page_comes_back(self):
        for stage in ("ws", "rules", "web"):
            page = self.open()
            self.live(page)
            values = page.js("Number(document.body.dataset.values)")
            self.server.kill(stage)
            page.wait(f"document.body.dataset.link === 'up' && Number(document.body.dataset.values) > {values + 60}", 30)
            self.live(page)

    def test_without_its_control_nothing_looks_alive(self):
        page = self.open()
        self.live(page)
        self.server.stop_stage("camera")
        page.wait("document.body.dataset.control === 'lost' && document.body.dataset.stream === 'late'", 20)
        self.assertIn("antwortet nicht", page.text("[data-name=control]"))
        self.assertEqual(page.text("#stream-value"), "–")
        page.js("document.getElementById('set-gain').focus()")
        page.key(RIGHT)
        self.assertTrue(page.js("document.getElementById('apply').disabled"))
        self.assertTrue(page.js("document.querySelector('.process-restart').disabled"))
        self.picture(page, "camera-away.png")
        self.server.go_on_stage("camera")
        page.wait("document.body.dataset.control === 'ok' && document.querySelector('[data-name=control]') === null", 30)
        self.live(page)


if __name__ == "__main__":
    unittest.main()
