/* human: numbers with units, short enough for a column. Each returns out. */
#ifndef TAPLINE_HUMAN_H
#define TAPLINE_HUMAN_H

#include <stddef.h>
#include <stdint.h>

char *human_count(char *out, size_t size, double n);   /* 0  0.4  12  999  1.2k  34k  5.6M */
char *human_bytes(char *out, size_t size, uint64_t n); /* 512  4.0K  37M  1.2G */
char *human_us(char *out, size_t size, uint64_t us);   /* 85us  1.2ms  340ms  2.5s */
char *human_ms(char *out, size_t size, uint64_t ms);   /* 0.4s  12s  3m12s  4h05m  3d04h */

#endif
