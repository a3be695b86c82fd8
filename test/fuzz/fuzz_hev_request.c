/* Fuzz: requests and alarms of hevbcast, and the texts that tell of them.
 *
 * Data: byte 0 chooses dialect and version; then pieces, each begun by a byte. With the top bit it
 * is an alarm with the byte's other bits as its code and the next byte as its type; with the next
 * one a request made of words that the bytes behind it choose; else the number of bytes of a
 * request that follow. Checked: an answer is ack or gives a reason; what goes
 * to the serial line is a payload of a known layout; D1 packets keep their bound and are JSON, and
 * so are D3 texts; the list keeps its bound.
 */
#include "../../cmd/hevbcast/alarms.c"
#include "../../cmd/hevbcast/request.c"
#include "../../cmd/hevbcast/text.c"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct hevbcast h;
static bool all;

static void require(bool ok) {
    if (!ok)
        abort();
}

/* ---- what the rest of hevbcast would do ---- */

void bus_command(struct hevbcast *b, const struct answer *a, const char *client, const char *from) {
    (void)b;
    (void)client;
    (void)from;
    require(a->ack == (a->reason[0] == 0));
}

uint64_t bus_send(struct hevbcast *b, const char *kind, const uint8_t *p, size_t n) {
    const char *why;
    uint8_t address = strcmp(kind, "cmd") == 0 ? HEV_ADDR_CMD : HEV_ADDR_DATA;
    require(n > 0 && n <= HEV_PAYLOAD_MAX && p[0] == (b->version & 0xff));
    require(hev_layout_of(address, p, n, &why) != NULL);
    return 1;
}

bool pending_room(const struct hevbcast *b) {
    (void)b;
    return true;
}

void pending_add(struct hevbcast *b, uint64_t id, const struct answer *a, const char *client,
                 const char *from) {
    (void)b;
    (void)client;
    (void)from;
    require(id == 1 && a->ack);
}

const char *state_sensor_key(size_t i) {
    static const char key[] = "pressure_diff_patient";
    (void)i;
    return key;
}

/* ---- pieces ---- */

static void latch(uint8_t code, uint8_t type) {
    static const char *const types[] = {NULL, "PRIORITY_LOW", "PRIORITY_MEDIUM", "PRIORITY_HIGH"};
    struct buf b = {0};
    struct msg m = {.time = 1};
    const char *name = hev_alarm_name(h.version, code & 0x7f);
    mp_put_map(&b, 2);
    if (name && type < 128)
        mp_kv_str(&b, "alarm_code", name);
    else
        mp_kv_uint(&b, "alarm_code", (uint64_t)code << (type & 15));
    mp_kv_str(&b, "alarm_type", types[type % 4]);
    m.body = buf_data(&b);
    m.body_len = buf_len(&b);
    require(alarms_latch(&h.alarms, &m, h.version, type & 64 ? "ARDUINO_FAIL" : NULL) ==
            (type % 4 != 0));
    buf_free(&b);
}

static void request(const uint8_t *p, size_t n) {
    struct answer a = {0};
    char *block = malloc(n ? n : 1);
    memcpy(block, p, n);
    request_take(&h, block, n, "fuzz", "tcp", &a);
    free(block);
}

/* Keys and the values they may have; "" = the key is missing. */
static const struct {
    const char *key, *value[8];
} words[] = {
    {"type", {"\"cmd\"", "\"CMD\"", "\"alarm\"", "\"ALARM\"", "\"PERSONAL\"", "5", "\"x\"", ""}},
    {"cmdtype",
     {"\"GENERAL\"", "\"GENERAL\"", "\"SET_MODE\"", "\"SET_PID\"", "\"SET_THRESHOLD_MIN\"",
      "\"general\"", "[]", ""}},
    {"cmd",
     {"\"START\"", "\"STOP\"", "\"PC_AC\"", "\"KP\"", "\"APNEA\"", "\"CMD_START\"", "null", ""}},
    {"param", {"null", "0", "4294967295", "-1", "1.5", "1e308", "\"1\"", ""}},
    {"ack", {"\"APNEA\"", "\"HIGH_PEEP\"", "\"ARDUINO_FAIL\"", "\"LOW_VTE\"", "{}", "", "", ""}},
    {"alarm_type",
     {"\"PRIORITY_LOW\"", "\"PRIORITY_MEDIUM\"", "\"PRIORITY_HIGH\"", "\"HP\"", "3", "", "", ""}},
    {"alarm_code", {"\"APNEA\"", "\"HIGH_PEEP\"", "\"LOW_VTE\"", "\"apnea\"", "7", "", "", ""}},
    {"name", {"\"Ada\"", "\"\"", "\"\\u00e9\"", "5", "\"A\"", "\"B\"", "\"C\"", ""}},
    {"patient_id",
     {"\"7\"", "\"123456789012345678901\"", "\"\"", "\"1\"", "\"2\"", "8", "\"3\"", ""}},
    {"age", {"36", "0", "255", "256", "-1", "1.5", "40", "41"}},
    {"sex", {"\"F\"", "\"M\"", "\"FM\"", "\"\"", "5", "\"x\"", "\"y\"", "\"z\""}},
    {"height", {"165", "255", "300", "1", "2", "3", "4", "5"}},
    {"weight", {"60", "255", "300", "1", "2", "3", "4", "\"5\""}},
};
enum { WORDS = sizeof words / sizeof *words, MADE_BYTES = (WORDS + 1) / 2 };

/* Four bits of the data for each key. */
static void made_request(const uint8_t *p) {
    struct buf b = {0};
    for (int i = 0; i < WORDS; i++) {
        const char *value = words[i].value[p[i / 2] >> (i % 2 ? 4 : 0) & 7];
        if (*value)
            buf_printf(&b, "%c\"%s\": %s", buf_len(&b) ? ',' : '{', words[i].key, value);
    }
    buf_puts(&b, "}");
    request(buf_data(&b), buf_len(&b));
    buf_free(&b);
}

static void texts_check(void) {
    struct buf text = {0}, back = {0};
    struct err e;
    bool d3 = h.dialect == DIALECT_D3;
    unsigned hidden = d3 ? 0 : text_state(&h, &text);
    if (d3)
        require(text_payload(&h, HEV_DATA, &text) && buf_data(&text)[buf_len(&text) - 1] == 0);
    require(d3 || buf_len(&text) <= D1_PACKET_MAX);
    require(json_to_mp(&back, (char *)buf_data(&text), buf_len(&text) - d3, &e) == 0);
    require(hidden <= h.alarms.n && h.alarms.n <= ALARMS_MAX);
    buf_free(&text);
    buf_free(&back);
}

static void open_all(uint8_t choice) {
    static const unsigned versions[] = {0xA0, 0xA1, 0xA3, 0xAA, 0xB3, 0xB5, 0xB6, 0x1B6};
    static struct alarm_memory memory;
    if (!all)
        log_init("fuzz", LOG_ERROR);
    all = true;
    h = (struct hevbcast){.version = versions[choice & 7], .dialect = (choice >> 3) % 3};
    memory = (struct alarm_memory){0};
    h.alarms.memory = &memory;
    h.sensors.any = choice & 64;
    for (int i = 0; i < KEYS; i++)
        h.sensors.value[i] = choice & 32 ? 255 : 0.125;
    for (int i = 0; i < KEYS; i++)
        h.sensors.real[i] = !(choice & 32);
    write_objects(&h.alarms);
    mp_put_map(&h.body[HEV_DATA], 1);
    mp_kv_uint(&h.body[HEV_DATA], "version", h.version);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    if (n < 1)
        return 0;
    open_all(data[0]);
    for (size_t at = 1; at < n;) {
        uint8_t head = data[at++];
        size_t len = head < n - at ? head : n - at;
        if (head & 0x80) {
            latch(head, at < n ? data[at] : 0);
            at += at < n;
        } else if ((head & 0x40) && n - at >= MADE_BYTES) {
            made_request(data + at);
            at += MADE_BYTES;
        } else {
            request(data + at, len);
            at += len;
        }
        texts_check();
    }
    buf_free(&h.body[HEV_DATA]);
    buf_free(&h.alarms.objects);
    return 0;
}
