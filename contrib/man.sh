#!/bin/sh
# The manual pages, written by the programs themselves (--help=man).
#
#   contrib/man.sh BIN OUT     programs in BIN, pages into OUT
#
# tapline-PROGRAM.1, tapline-COMMAND.1, and for what is named behind a program (devsim panel, devsim
# hub camera) tapline-PROGRAM-NAME.1.
set -eu
bin=$1 out=$2

# page WORD...: of what these words run.
page() {
    "$@" --help=man >"$out/new"
    name=$(sed -n '1s/^\.TH "\([a-z0-9-]*\)" 1 .*/\1/p' "$out/new")
    [ -n "$name" ] || { echo "man.sh: $* --help=man gives no page" >&2; exit 1; }
    mv "$out/new" "$out/$name.1"
}

# names WORD...: the operands that completion would offer behind them.
names() { "$@" --help=words | tr ' ' '\n' | grep '^[a-z]' || true; }

mkdir -p "$out"
rm -f "$out"/*.1
page "$bin/tapline"
commands=$("$bin/tapline" --help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p')
for c in $commands; do
    # help is tapline's own page; sim is another name of devsim.
    case $c in help | sim) ;; *) page "$bin/tapline" "$c" ;; esac
done
for p in "$bin"/*; do
    [ "${p##*/}" != tapline ] || continue
    page "$p"
    for n in $(names "$p"); do
        page "$p" "$n"
        for m in $(names "$p" "$n"); do page "$p" "$n" "$m"; done
    done
done
