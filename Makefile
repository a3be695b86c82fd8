# tapline: make run (demo), make test, make bench, make install, make deps, make clean
#
# SAN=1 builds with AddressSanitizer and UBSan into build/san.
# Adding a program: a folder cmd/NAME and one word in PROGRAMS (and its libraries in LIBS_NAME).

PROGRAMS := serialcat framedecode dispatch wsfanout httpd supervisor tapline devsim

LIBS_httpd    := -lmicrohttpd -lnettle
LIBS_wsfanout := -lwslay

VERSION := 0.1.0
PREFIX  ?= /usr/local
DESTDIR ?=

ifdef SAN
BUILD    := build/san
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT      ?= -O1
else
BUILD    := build
OPT      ?= -O2
endif

CC       ?= gcc
CFLAGS   += -std=c11 $(OPT) -g -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
            -Wmissing-prototypes -Wpointer-arith -Wformat=2 -Wno-format-nonliteral $(SANFLAGS)
CPPFLAGS += -D_GNU_SOURCE -Ilib -DTAPLINE_VERSION='"$(VERSION)"' -MMD -MP
LDFLAGS  += $(SANFLAGS)
LDLIBS   := -lnng -lmsgpackc -luv -ljansson -linih -lm -lpthread

LIB      := $(BUILD)/libtapline.a
LIB_OBJ  := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard lib/*.c lib/codec/*.c))
# Programs whose folder exists: the list may name one that is being written.
BIN_NAME := $(foreach p,$(PROGRAMS),$(if $(wildcard cmd/$p/*.c),$p))
BIN      := $(addprefix $(BUILD)/bin/,$(BIN_NAME))
UNIT     := $(patsubst test/unit/test_%.c,$(BUILD)/unit/test_%,$(wildcard test/unit/test_*.c))

# make V=1 shows the commands.
Q  := $(if $(V),,@)
say = $(if $(V),,@printf '  %-4s %s\n' $1 $2)

.DEFAULT_GOAL := build
.SECONDARY:
.PHONY: build deps run test unit bench install clean format

build: $(BIN)

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(LIB): $(LIB_OBJ)
	@rm -f $@
	$(call say,AR,$@)
	$(Q)ar rcs $@ $^

define program
$(BUILD)/bin/$1: $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard cmd/$1/*.c)) $(LIB)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(LDFLAGS) -o $$@ $$^ $$(LIBS_$1) $$(LDLIBS)
endef
$(foreach p,$(BIN_NAME),$(eval $(call program,$p)))

# A unit test of a program's part names that part with a line `// parts: cmd/NAME/part.c ...`.
$(BUILD)/unit/test_%: $(BUILD)/obj/test/unit/test_%.o $(BUILD)/obj/test/unit/test.o $(LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_$*) $(LDLIBS)

unit: $(UNIT)
	@for t in $(UNIT); do echo "== $$t"; $$t || exit 1; done

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

clean:
	rm -rf build

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
