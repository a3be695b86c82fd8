#include "hub_jpeg.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { SIDE = 8, CELLS = SIDE * SIDE, END_OF_BLOCK = 0x00, SIXTEEN_ZEROS = 0xf0 };

/* Where the n-th coefficient of the zigzag lies in the block (T.81, figure A.6). */
static const uint8_t zigzag[CELLS] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

/* Luminance: steps of quality 50, row by row (table K.1). */
static const uint8_t steps50[CELLS] = {
    16, 11, 10, 16, 24,  40,  51,  61,  12, 12, 14, 19, 26,  58,  60,  55,
    14, 13, 16, 24, 40,  57,  69,  56,  14, 17, 22, 29, 51,  87,  80,  62,
    18, 22, 37, 56, 68,  109, 103, 77,  24, 35, 55, 64, 81,  104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99};

/* How many codes there are of each length from 1 to 16, and what they stand for (K.3, K.5). */
static const uint8_t dc_lengths[16] = {0, 1, 5, 1, 1, 1, 1, 1, 1};
static const uint8_t dc_values[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
static const uint8_t ac_lengths[16] = {0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7d};
static const uint8_t ac_values[] = {
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61,
    0x07, 0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52,
    0xd1, 0xf0, 0x24, 0x33, 0x62, 0x72, 0x82, 0x09, 0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x25,
    0x26, 0x27, 0x28, 0x29, 0x2a, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45,
    0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64,
    0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x83,
    0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
    0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6,
    0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3,
    0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8,
    0xe9, 0xea, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa};

struct code {
    uint16_t bits;
    uint8_t length;
};

static struct code dc_code[256], ac_code[256];
static float wave[SIDE][SIDE]; /* of the cosine transform: frequency, place */
static bool ready;

static void make_codes(struct code *into, const uint8_t *lengths, const uint8_t *values) {
    uint16_t bits = 0;
    for (uint8_t length = 1; length <= 16; length++, bits = (uint16_t)(bits << 1))
        for (unsigned i = 0; i < lengths[length - 1]; i++)
            into[*values++] = (struct code){bits++, length};
}

static void make_tables(void) {
    for (int f = 0; f < SIDE; f++)
        for (int x = 0; x < SIDE; x++)
            wave[f][x] =
                (float)((f ? 0.5 : 0.5 * M_SQRT1_2) * cos((2 * x + 1) * f * M_PI / (2 * SIDE)));
    make_codes(dc_code, dc_lengths, dc_values);
    make_codes(ac_code, ac_lengths, ac_values);
    ready = true;
}

/* ---- head ---- */

static void put_marker(struct buf *b, uint8_t marker, size_t length) {
    const uint8_t head[4] = {0xff, marker, (uint8_t)(length >> 8), (uint8_t)length};
    buf_put(b, head, sizeof head);
}

static void put_huffman(struct buf *b, uint8_t id, const uint8_t *lengths, const uint8_t *values,
                        size_t n) {
    put_marker(b, 0xc4, 2 + 1 + 16 + n);
    buf_put(b, &id, 1);
    buf_put(b, lengths, 16);
    buf_put(b, values, n);
}

static void put_head(struct buf *b, unsigned width, unsigned height, const uint8_t *steps,
                     const char *comment) {
    static const uint8_t start[] = {0xff, 0xd8};
    static const uint8_t jfif[] = {'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0};
    static const uint8_t scan[] = {1, 1, 0x00, 0, 63, 0};
    const uint8_t frame[] = {8,
                             (uint8_t)(height >> 8),
                             (uint8_t)height,
                             (uint8_t)(width >> 8),
                             (uint8_t)width,
                             1,
                             1,
                             0x11,
                             0};
    buf_put(b, start, sizeof start);
    put_marker(b, 0xe0, 2 + sizeof jfif);
    buf_put(b, jfif, sizeof jfif);
    if (*comment) {
        put_marker(b, 0xfe, 2 + strlen(comment));
        buf_puts(b, comment);
    }
    put_marker(b, 0xdb, 2 + 1 + CELLS);
    buf_putc(b, 0);
    for (int i = 0; i < CELLS; i++)
        buf_put(b, &steps[zigzag[i]], 1);
    put_marker(b, 0xc0, 2 + sizeof frame);
    buf_put(b, frame, sizeof frame);
    put_huffman(b, 0x00, dc_lengths, dc_values, sizeof dc_values);
    put_huffman(b, 0x10, ac_lengths, ac_values, sizeof ac_values);
    put_marker(b, 0xda, 2 + sizeof scan);
    buf_put(b, scan, sizeof scan);
}

/* ---- bits ---- */

struct writer {
    struct buf *out;
    uint32_t bits; /* not written yet, from the top */
    unsigned n;
};

static void put_bits(struct writer *w, uint32_t bits, unsigned n) {
    w->bits |= bits << (32 - n - w->n);
    for (w->n += n; w->n >= 8; w->n -= 8, w->bits <<= 8) {
        uint8_t byte = (uint8_t)(w->bits >> 24);
        buf_putc(w->out, (char)byte);
        if (byte == 0xff) /* or it would be a marker */
            buf_putc(w->out, 0);
    }
}

static void put_code(struct writer *w, struct code c) {
    put_bits(w, c.bits, c.length);
}

/* A number as its size, in a code together with `run`, and its lowest bits, less one if negative.
 */
static void put_number(struct writer *w, const struct code *codes, unsigned run, int v) {
    unsigned size = 0, magnitude = (unsigned)(v < 0 ? -v : v);
    while (magnitude >> size)
        size++;
    put_code(w, codes[run << 4 | size]);
    if (size)
        put_bits(w, (uint32_t)(v < 0 ? v - 1 : v) & ((1u << size) - 1), size);
}

/* ---- blocks ---- */

/* The 8 x 8 levels from (x, y), the last row and column repeated beyond the edge. */
static void take_block(float block[CELLS], const uint8_t *grey, unsigned width, unsigned height,
                       unsigned x, unsigned y) {
    for (unsigned i = 0; i < CELLS; i++) {
        unsigned px = x + i % SIDE, py = y + i / SIDE;
        px = px < width ? px : width - 1;
        py = py < height ? py : height - 1;
        block[i] = (float)grey[(size_t)py * width + px] - 128;
    }
}

static void transform(float block[CELLS]) {
    float half[CELLS];
    for (int y = 0; y < SIDE; y++)
        for (int f = 0; f < SIDE; f++) {
            float sum = 0;
            for (int x = 0; x < SIDE; x++)
                sum += block[y * SIDE + x] * wave[f][x];
            half[f * SIDE + y] = sum;
        }
    for (int f = 0; f < SIDE; f++)
        for (int g = 0; g < SIDE; g++) {
            float sum = 0;
            for (int y = 0; y < SIDE; y++)
                sum += half[f * SIDE + y] * wave[g][y];
            block[g * SIDE + f] = sum;
        }
}

/* Returns its DC coefficient; before: that of the block before. */
static int put_block(struct writer *w, const float block[CELLS], const float inverse[CELLS],
                     int before) {
    int dc = (int)lrintf(block[0] * inverse[0]);
    unsigned zeros = 0;
    put_number(w, dc_code, 0, dc - before);
    for (int i = 1; i < CELLS; i++) {
        int v = (int)lrintf(block[zigzag[i]] * inverse[zigzag[i]]);
        if (v == 0) {
            zeros++;
            continue;
        }
        for (; zeros > 15; zeros -= 16)
            put_code(w, ac_code[SIXTEEN_ZEROS]);
        put_number(w, ac_code, zeros, v);
        zeros = 0;
    }
    if (zeros)
        put_code(w, ac_code[END_OF_BLOCK]);
    return dc;
}

/* The usual meaning of a quality: steps of annex K times 50/q below 50, (100-q)/50 above. */
static void make_steps(uint8_t steps[CELLS], float inverse[CELLS], unsigned quality) {
    unsigned scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
    for (int i = 0; i < CELLS; i++) {
        unsigned step = (steps50[i] * scale + 50) / 100;
        steps[i] = (uint8_t)(step < 1 ? 1 : step > 255 ? 255 : step);
        inverse[i] = 1.0f / steps[i];
    }
}

void hub_jpeg_put(struct buf *out, const uint8_t *grey, unsigned width, unsigned height,
                  unsigned quality, const char *comment) {
    uint8_t steps[CELLS];
    float inverse[CELLS], block[CELLS];
    struct writer w = {.out = out};
    int dc = 0;
    if (!ready)
        make_tables();
    make_steps(steps, inverse, quality);
    put_head(out, width, height, steps, comment);
    for (unsigned y = 0; y < height; y += SIDE)
        for (unsigned x = 0; x < width; x += SIDE) {
            take_block(block, grey, width, height, x, y);
            transform(block);
            dc = put_block(&w, block, inverse, dc);
        }
    put_bits(&w, 0x7f, 7);
    buf_put(out, "\xff\xd9", 2);
}
