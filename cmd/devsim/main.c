/* devsim: pretends to be a device.
 *
 * in    devsim DEVICE [OPTION]...; what the device takes in is said in its own file
 * out   as the device
 * ends  as the device; 2 when there is no such device
 */
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "devsim.h"
#include "opt.h"

static const struct sim *const sims[] = {&sim_panel, &sim_espcam, &sim_hev, &sim_hub};
enum { SIMS = sizeof sims / sizeof *sims };

static const struct opt no_options[] = {{NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static struct opt_program program = {.name = "devsim",
                                     .summary = "pretend to be a device",
                                     .synopsis = "DEVICE [OPTION]...",
                                     .tables = {no_options, NULL, NULL, NULL}};

static const struct sim *find(const char *name) {
    for (size_t i = 0; i < SIMS; i++)
        if (strcmp(sims[i]->name, name) == 0)
            return sims[i];
    return NULL;
}

/* --help=words: for shell completion. */
static int print_words(void) {
    for (size_t i = 0; i < SIMS; i++)
        printf("%s ", sims[i]->name);
    printf("--help --version\n");
    return 0;
}

static const char *details(struct buf *b) {
    buf_puts(b, "Devices (each has a --help of its own):\n");
    for (size_t i = 0; i < SIMS; i++)
        buf_printf(b, "  %-12s %s\n", sims[i]->name, sims[i]->summary);
    buf_putc(b, 0);
    return (const char *)buf_data(b);
}

static int no_device(int argc, char **argv) {
    struct buf text = {0};
    int operands = 0;
    program.details = details(&text);
    int status = opt_parse(&program, argc > 2 ? 2 : argc, argv, &operands);
    if (status < 0 && operands)
        status = opt_usage_error(&program, "unknown device \"%s\"", argv[1]);
    else if (status < 0)
        status = opt_usage_error(&program, "which device?");
    buf_free(&text);
    return status;
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "--help=words") == 0)
        return print_words();
    const struct sim *s = argc > 1 ? find(argv[1]) : NULL;
    return s ? s->run(argc - 1, argv + 1) : no_device(argc, argv);
}
