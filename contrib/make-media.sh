#!/bin/sh
# Makes media/001.jpg … 010.mp3 and www/favicon.{svg,ico} again, from nothing.
# Needs the Debian packages python3-pil, fonts-dejavu-core and ffmpeg.
# Usage: contrib/make-media.sh [MEDIA_DIR [WWW_DIR]]
set -eu

cd "$(dirname "$0")/.."
media=${1:-media}
www=${2:-www}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

command -v ffmpeg >/dev/null || { echo "make-media: no ffmpeg: apt-get install ffmpeg" >&2; exit 1; }
/usr/bin/python3 -c 'import PIL' 2>/dev/null ||
	{ echo "make-media: no PIL: apt-get install python3-pil" >&2; exit 1; }
mkdir -p "$media" "$www"

cat > "$work/pictures.py" <<'PYTHON'
"""Ten landscapes, drawn at twice their size and scaled down; each tells its number."""
import math
import random
import sys
from PIL import Image, ImageDraw, ImageFilter, ImageFont

W, H = 1920, 1200
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"


def gradient(*stops):
    """A sky: colours from top to bottom, evenly spaced."""
    column = Image.new("RGB", (1, len(stops)))
    column.putdata([tuple(bytes.fromhex(s)) for s in stops])
    grown = column.resize((1, H * len(stops) // max(1, len(stops) - 1)), Image.BILINEAR)
    cut = (grown.height - H) // 2
    return grown.crop((0, cut, 1, cut + H)).resize((W, H))


def ridge(draw, level, waves, colour):
    """A filled silhouette whose edge is a sum of (amplitude, length, phase) waves."""
    edge = [(x, level + sum(a * math.sin(x / n + p) for a, n, p in waves)) for x in range(0, W + 1, 8)]
    draw.polygon(edge + [(W, H), (0, H)], fill=colour)


def disc(draw, x, y, r, colour):
    draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)


def glow(image, x, y, r, colour, strength=0.6):
    mask = Image.new("L", image.size, 0)
    disc(ImageDraw.Draw(mask), x, y, r, int(255 * strength))
    image.paste(Image.new("RGB", image.size, colour), mask=mask.filter(ImageFilter.GaussianBlur(r / 2)))


def hills():
    image = gradient("ffd9a0", "ff9e6d", "e8637a")
    glow(image, 1250, 560, 330, "#fff1c9")
    draw = ImageDraw.Draw(image)
    disc(draw, 1250, 560, 170, "#fff3d4")
    for i, colour in enumerate(("#c85379", "#96406f", "#663060", "#3c2148")):
        ridge(draw, 680 + 130 * i, [(80 - 8 * i, 300 - 30 * i, i * 2.1), (26, 110, i)], colour)
    return image


def sea():
    image = gradient("d8f3f4", "8fd6dc", "3fa7b8")
    draw = ImageDraw.Draw(image)
    disc(draw, 420, 300, 120, "#fffbe8")
    draw.polygon([(1300, 300), (1300, 700), (1060, 700)], fill="#ffffff")
    draw.polygon([(1325, 360), (1325, 700), (1510, 700)], fill="#f4e3cf")
    draw.polygon([(1020, 725), (1560, 725), (1470, 820), (1110, 820)], fill="#b2493d")
    for i, colour in enumerate(("#2c93a8", "#1f7a92", "#165f79", "#0f465d")):
        ridge(draw, 780 + 115 * i, [(26, 70 + 12 * i, i * 1.7), (12, 33, i)], colour)
    return image


def night():
    image = gradient("0b1033", "1b2459", "4a4a8c")
    glow(image, 1420, 310, 250, "#aab6ff", 0.35)
    draw, dice = ImageDraw.Draw(image), random.Random(3)
    for _ in range(110):
        disc(draw, dice.randrange(W), dice.randrange(760), dice.choice((2, 3, 3, 5)), "#e8ebff")
    moon = Image.new("L", image.size, 0)
    disc(ImageDraw.Draw(moon), 1420, 310, 140, 255)
    disc(ImageDraw.Draw(moon), 1365, 275, 125, 0)
    image.paste(Image.new("RGB", image.size, "#f7f2d8"), mask=moon)
    for i, colour in enumerate(("#2e3270", "#1d2152", "#0f1233")):
        peaks = [(-100, H)]
        for k in range(9):
            peaks += [(k * 260 - 100 + 60 * i, 920 + 90 * i), (k * 260 + 30 + 60 * i, 640 + 110 * i + 60 * (k % 3))]
        draw.polygon(peaks + [(W + 400, H)], fill=colour)
    return image


def fir(draw, x, base, height, colour):
    for k in range(4):
        top, wide = base - height + k * height * 0.19, height * (0.12 + 0.055 * k)
        draw.polygon([(x, top), (x - wide, top + height * 0.4), (x + wide, top + height * 0.4)], fill=colour)


def forest():
    image = gradient("f3f7e4", "cfe3c0", "9cc3a2")
    glow(image, 960, 260, 300, "#fffff2", 0.8)
    draw, dice = ImageDraw.Draw(image), random.Random(4)
    for i, colour in enumerate(("#9bc0a0", "#6ea283", "#437f63", "#1f5a45")):
        ridge(draw, 820 + 110 * i, [(18, 210, i)], colour)
        for k in range(17 - 3 * i):
            x = k * W / (16 - 3 * i) + dice.randrange(-40, 40)
            fir(draw, x, 850 + 110 * i, 300 + 70 * i + dice.randrange(-50, 50), colour)
    return image


def balloon(draw, x, y, r, colour, stripe):
    draw.polygon([(x - r * 0.82, y + r * 0.58), (x + r * 0.82, y + r * 0.58), (x + r * 0.2, y + r * 1.5),
                  (x - r * 0.2, y + r * 1.5)], fill=colour)
    disc(draw, x, y, r, colour)
    draw.ellipse((x - r * 0.4, y - r, x + r * 0.4, y + r * 1.05), fill=stripe)
    draw.line((x - r * 0.18, y + r * 1.5, x - r * 0.14, y + r * 1.75), fill="#5b4636", width=4)
    draw.line((x + r * 0.18, y + r * 1.5, x + r * 0.14, y + r * 1.75), fill="#5b4636", width=4)
    draw.rounded_rectangle((x - r * 0.2, y + r * 1.72, x + r * 0.2, y + r * 2.02), 10, fill="#8a5a3a")


def balloons():
    image = gradient("8ec9f5", "bfe2f9", "fbeed9")
    draw = ImageDraw.Draw(image)
    for i, colour in enumerate(("#bcd8b4", "#93bd8d", "#6b9c6a")):
        ridge(draw, 960 + 90 * i, [(34, 260, i * 2), (12, 90, i)], colour)
    for x, y, r, colour, stripe in ((420, 330, 150, "#e4572e", "#f9c784"), (980, 230, 110, "#2e86ab", "#f6f5ae"),
                                    (1430, 400, 190, "#a23b72", "#f7b6c8"), (770, 560, 75, "#f2a541", "#fff1c1"),
                                    (1740, 190, 70, "#3f7d5a", "#d7efc3")):
        balloon(draw, x, y, r, colour, stripe)
    return image


def city():
    image = gradient("3b1d60", "a63f7b", "ffa36c")
    draw, dice = ImageDraw.Draw(image), random.Random(6)
    for i, colour in enumerate(("#74336f", "#4a2359", "#23123a")):
        x = -40
        while x < W:
            wide, top = dice.randrange(110, 230), 420 + 160 * i + dice.randrange(0, 230)
            draw.rectangle((x, top, x + wide, H), fill=colour)
            if i:
                windows(draw, dice, x, top, wide)
            x += wide + dice.randrange(0, 26)
    return image


def windows(draw, dice, x, top, wide):
    for wy in range(top + 40, H - 40, 62):
        for wx in range(x + 24, x + wide - 34, 48):
            if dice.random() < 0.38:
                draw.rectangle((wx, wy, wx + 20, wy + 28), fill="#ffd88a")


def dunes():
    image = gradient("f8e3b6", "f6c787", "e99a5c")
    draw = ImageDraw.Draw(image)
    disc(draw, 560, 350, 130, "#fff6df")
    for i, colour in enumerate(("#dd9455", "#c9793f", "#a95d31", "#7e4126")):
        ridge(draw, 640 + 145 * i, [(100, 380 + 40 * i, i * 2.6), (30, 170, i * 1.3)], colour)
    for x, y, s in ((1440, 900, 1.0), (1660, 960, 0.6)):
        cactus(draw, x, y, s)
    return image


def cactus(draw, x, y, s):
    colour, r = "#35563c", int(34 * s)
    draw.rounded_rectangle((x - r, y - 330 * s, x + r, y + 120 * s), r, fill=colour)
    for side, top in ((-1, 230), (1, 280)):
        ex = x + side * 110 * s
        draw.rounded_rectangle((ex - r * 0.8, y - top * s, ex + r * 0.8, y - 60 * s), r * 0.8, fill=colour)
        draw.rounded_rectangle((min(x, ex) - r * 0.4, y - 120 * s, max(x, ex) + r * 0.4, y - 66 * s), r * 0.8, fill=colour)


def aurora():
    image = gradient("050d24", "0b2840", "1d5a60")
    for i, colour in enumerate(("#38e0a0", "#7af0c4", "#8a7cf0")):
        mask = Image.new("L", (W, H), 0)
        draw = ImageDraw.Draw(mask)
        for x in range(0, W, 8):
            top = 260 + 90 * i + 130 * math.sin(x / 260 + i * 1.9) + 40 * math.sin(x / 70 + i)
            draw.line((x, top - 190, x, top + 150), fill=80 + int(60 * math.sin(x / 120 + i)), width=9)
        image.paste(Image.new("RGB", (W, H), colour), mask=mask.filter(ImageFilter.GaussianBlur(46)))
    draw = ImageDraw.Draw(image)
    for i, colour in enumerate(("#dfeef5", "#a9c9d8", "#5f8ba3")):
        ridge(draw, 860 + 110 * i, [(50, 240 - 30 * i, i * 2.4), (20, 80, i)], colour)
    return image


def rainbow():
    image = gradient("6fb6e8", "b6dcf3", "eef7fb")
    draw = ImageDraw.Draw(image)
    for i, colour in enumerate(("#e8505b", "#f49d4e", "#f9d976", "#7cc47f", "#4f9ed9", "#8d6cc9", "#b9dff5")):
        disc(draw, 1060, 1040, 840 - 66 * i, colour)
    for x, y, r in ((180, 900, 130), (330, 850, 170), (500, 910, 120), (1560, 930, 130), (1700, 870, 160), (1850, 930, 120)):
        disc(draw, x, y, r, "#ffffff")
    ridge(draw, 960, [(36, 260, 1)], "#8cc084")
    ridge(draw, 1060, [(30, 200, 3)], "#5f9e62")
    return image


def fish(draw, x, y, s, colour):
    draw.polygon([(x + 120 * s, y), (x + 230 * s, y - 90 * s), (x + 230 * s, y + 90 * s)], fill=colour)
    draw.ellipse((x - 170 * s, y - 95 * s, x + 170 * s, y + 95 * s), fill=colour)
    disc(draw, x - 95 * s, y - 20 * s, 20 * s, "#ffffff")
    disc(draw, x - 100 * s, y - 20 * s, 10 * s, "#16222e")


def reef():
    image = gradient("7fd8e8", "2b93c2", "114a86")
    draw, dice = ImageDraw.Draw(image), random.Random(10)
    for _ in range(34):
        x, y, r = dice.randrange(W), dice.randrange(900), dice.choice((8, 12, 18, 26))
        draw.ellipse((x - r, y - r, x + r, y + r), outline="#c9f1f7", width=4)
    for x, y, s, colour in ((640, 330, 1.0, "#ffb03b"), (1330, 520, 1.35, "#ff6f59"), (930, 690, 0.7, "#ffe066"),
                            (1640, 250, 0.6, "#f4f1de")):
        fish(draw, x, y, s, colour)
    ridge(draw, 1030, [(40, 220, 2), (16, 60, 0)], "#d9c08b")
    for k in range(12):
        x = 90 + k * 165
        draw.line([(x + 26 * math.sin(j / 2 + k), 1130 - j * 30) for j in range(9 + k % 4)], fill="#1f7f6b", width=26)
    return image


def label(image, number):
    """The number, white with a soft shadow, at the lower left."""
    text, font = f"{number:03d}", ImageFont.truetype(FONT, 330)
    shade = Image.new("L", image.size, 0)
    ImageDraw.Draw(shade).text((96, H - 70), text, font=font, fill=150, anchor="ls")
    image.paste(Image.new("RGB", image.size, "#101820"), mask=shade.filter(ImageFilter.GaussianBlur(22)))
    ImageDraw.Draw(image).text((90, H - 80), text, font=font, fill="#ffffff", anchor="ls")


def main(media, www):
    scenes = (hills, sea, night, forest, balloons, city, dunes, aurora, rainbow, reef)
    for number, scene in enumerate(scenes, 1):
        image = scene().convert("RGB")
        label(image, number)
        small = image.resize((W // 2, H // 2), Image.LANCZOS)
        small.save(f"{media}/{number:03d}.jpg", quality=64, optimize=True, progressive=True)
    icon = Image.new("RGBA", (256, 256))
    draw = ImageDraw.Draw(icon)
    draw.rounded_rectangle((0, 0, 255, 255), 60, fill="#c51a4a")
    for y in (80, 176):
        for x in (80, 176):
            disc(draw, x, y, 32, "#ffffff" if (x, y) != (176, 80) else "#ffc24d")
    icon.save(f"{www}/favicon.ico", sizes=[(16, 16), (32, 32)])


main(*sys.argv[1:])
PYTHON

cat > "$work/sounds.py" <<'PYTHON'
"""Ten short melodies from decaying sine partials, as mono WAV."""
import array
import math
import sys
import wave

RATE = 32000
BELL = ((1, 1.0, 2.2), (2.76, 0.35, 4.5), (5.4, 0.12, 8))       # partial, level, decay per second
WOOD = ((1, 1.0, 6), (3.93, 0.3, 16), (9.2, 0.06, 30))
HARP = ((1, 1.0, 3), (2, 0.45, 4), (3, 0.22, 6), (4, 0.1, 8))
GLASS = ((1, 1.0, 1.6), (2, 0.2, 2), (4, 0.14, 5))

TUNES = (  # voice, seconds per step, MIDI notes (None rests, a tuple is a chord)
    (BELL, 0.30, (72, 76, 79, 84, None, 79, (72, 84))),
    (HARP, 0.24, (60, 64, 67, 71, 72, 71, 67, 64, (60, 67, 76))),
    (GLASS, 0.52, (69, 76, 81, (72, 84))),
    (WOOD, 0.17, (67, 67, 74, None, 72, 69, 67, None, 62, 64, 67, (67, 74))),
    (HARP, 0.34, ((57, 64, 72), (60, 67, 76), (55, 62, 71), (57, 64, 69, 76))),
    (BELL, 0.20, (84, 83, 79, 76, 79, 76, 71, None, (64, 76))),
    (WOOD, 0.22, (62, 65, 69, 74, 72, 69, 65, None, 64, 62, (62, 69))),
    (GLASS, 0.40, ((60, 67), (62, 69), (64, 71), (67, 74), (72, 79))),
    (HARP, 0.16, (60, 62, 64, 67, 69, 72, 74, 76, 79, 81, 84, (72, 88))),
    (BELL, 0.44, ((65, 72), (69, 76), (67, 74), (72, 77, 81))),
)
TAIL = 1.5


def strike(out, start, note, voice):
    base = 440 * 2 ** ((note - 69) / 12)
    for partial, level, decay in voice:
        step, fade, loud = 2 * math.pi * base * partial / RATE, math.exp(-decay / RATE), level
        if base * partial > RATE * 0.45:
            continue
        for i in range(len(out) - start):
            out[start + i] += loud * math.sin(step * i) * min(1.0, i / 90)
            loud *= fade
            if loud < 0.002:
                break


def render(voice, step, notes):
    out = array.array("d", bytes(8 * int((len(notes) * step + TAIL) * RATE)))
    for at, entry in enumerate(notes):
        for note in entry if isinstance(entry, tuple) else (entry,):
            if note is not None:
                strike(out, int(at * step * RATE), note, voice)
    loudest, fade = max(map(abs, out)), int(0.4 * RATE)
    for i in range(fade):
        out[-1 - i] *= i / fade
    return array.array("h", (int(v / loudest * 21000) for v in out))


for number, tune in enumerate(TUNES, 1):
    with wave.open(f"{sys.argv[1]}/{number:03d}.wav", "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(render(*tune).tobytes())
PYTHON

/usr/bin/python3 "$work/pictures.py" "$media" "$www"
/usr/bin/python3 "$work/sounds.py" "$work"
for wav in "$work"/0??.wav; do
	ffmpeg -v error -y -i "$wav" -map_metadata -1 -fflags +bitexact -flags:a +bitexact \
		-codec:a libmp3lame -b:a 48k "$media/$(basename "$wav" .wav).mp3"
done

cat > "$www/favicon.svg" <<'SVG'
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
  <rect width="32" height="32" rx="7.5" fill="#c51a4a"/>
  <g fill="#fff"><circle cx="10" cy="10" r="4"/><circle cx="10" cy="22" r="4"/><circle cx="22" cy="22" r="4"/></g>
  <circle cx="22" cy="10" r="4" fill="#ffc24d"/>
</svg>
SVG
