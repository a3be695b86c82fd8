/* table: columns as wide as what stands in them. */
#ifndef TAPLINE_TABLE_H
#define TAPLINE_TABLE_H

#include "buf.h"

enum { TABLE_COLUMNS = 16 };

/* {.columns = n, .left = how many of them are words}; the others are numbers, to the right. */
struct table {
    int columns, left;
    int at;           /* column of the next cell */
    struct buf cells; /* NUL-terminated texts, row after row */
    int width[TABLE_COLUMNS];
};

/* The next cell; an empty text is shown as "-". A row ends with its last column. */
void table_cell(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Append the text of the table and empty it. */
void table_put(struct table *t, struct buf *out);
void table_free(struct table *t);

#endif
