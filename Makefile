# tapline: make run (demo), make test, make bench, make install, make uninstall, make deps, make clean
#
# SAN=1 builds with AddressSanitizer and UBSan into build/san. BUILD=/tmp/b builds elsewhere,
# PREFIX=/opt/tapline and DESTDIR=/tmp/package install elsewhere.
# Adding a program: a folder cmd/NAME and one word in PROGRAMS (and its libraries in LIBS_NAME).

PROGRAMS := serialcat framedecode dispatch wsfanout httpd supervisor tapline imgwrite hevbcast udpcat camctl devsim

LIBS_httpd    := -lmicrohttpd -lnettle
LIBS_wsfanout := -lwslay
LIBS_imgwrite := -lnettle
LIBS_dispatch := -lnettle
LIBS_devsim   := -lnettle -lwslay
LIBS_camera   := -lnettle
LIBS_secret   := -lnettle
LIBS_camctl   := -lnettle
# framedecode, and the tests of the espcam codec.
LIBS_framedecode := -lnettle
LIBS_espcam      := -lnettle
LIBS_espcam_frame := -lnettle
LIBS_espcam_limits := -lnettle
LIBS_espcam_damage := -lnettle

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

# All processors, unless make was told how many, or is part of another make, which shares its own.
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif
CFLAGS   += -std=c11 $(OPT) -g -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
            -Wmissing-prototypes -Wpointer-arith -Wformat=2 -Wno-format-nonliteral $(SANFLAGS)
CPPFLAGS += -D_GNU_SOURCE -Ilib -DTAPLINE_VERSION='"$(VERSION)"' -MMD -MP
LDFLAGS  += $(SANFLAGS)
# msgpack-c changed its library's name between Debian 12 and 13.
MSGPACK  := $(or $(shell pkg-config --libs msgpack-c 2>/dev/null),-lmsgpackc)
LDLIBS   := -lnng $(MSGPACK) -luv -ljansson -linih -lm -lpthread

LIB      := $(BUILD)/libtapline.a
LIB_OBJ  := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard lib/*.c lib/codec/*.c))
# Programs whose folder exists: the list may name one that is being written.
BIN_NAME := $(foreach p,$(PROGRAMS),$(if $(wildcard cmd/$p/*.c),$p))
BIN      := $(addprefix $(BUILD)/bin/,$(BIN_NAME))
TOOL     := $(patsubst test/tool/%.c,$(BUILD)/tool/%,$(wildcard test/tool/*.c))
FUZZ     := $(patsubst test/fuzz/fuzz_%.c,$(BUILD)/fuzz/fuzz_%,$(wildcard test/fuzz/fuzz_*.c))
UNIT     := $(patsubst test/unit/test_%.c,$(BUILD)/unit/test_%,$(wildcard test/unit/test_*.c))

# make V=1 shows the commands.
Q  := $(if $(V),,@)
say = $(if $(V),,@printf '  %-4s %s\n' $1 $2)

.DEFAULT_GOAL := build
# Objects of tests are kept; of everything (no names) make would also take a header that has gone for
# one that has not changed.
.SECONDARY: $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard test/*/*.c))
.PHONY: build deps run test check unit fuzz tools bench install uninstall clean format

build: $(BIN)
	@:

# Whoever has not installed the libraries is told how, once, and not by a hundred compilers.
HEADERS := nng/nng.h msgpack.h uv.h jansson.h ini.h microhttpd.h wslay/wslay.h nettle/sha2.h
$(BUILD)/libraries:
	@mkdir -p $(@D)
	@printf '#include <%s>\n' $(HEADERS) | $(CC) $(filter-out -M%,$(CPPFLAGS)) -E - >/dev/null || \
	  { echo 'The compiler or a library is missing: make deps installs what is needed.' >&2; false; }
	@touch $@

$(BUILD)/obj/%.o: %.c | $(BUILD)/libraries
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# The list of objects too: a source that has gone must leave the archive.
$(LIB): $(LIB_OBJ) $(BUILD)/obj/lib.list
	@rm -f $@
	$(call say,AR,$@)
	$(Q)ar rcs $@ $(LIB_OBJ)

$(BUILD)/obj/lib.list: FORCE
	@mkdir -p $(@D)
	@echo '$(LIB_OBJ)' | cmp -s - $@ || echo '$(LIB_OBJ)' > $@
FORCE:

define program
$(BUILD)/bin/$1: $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard cmd/$1/*.c)) $(LIB)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(LDFLAGS) -o $$@ $$^ $$(LIBS_$1) $$(LDLIBS)
endef
$(foreach p,$(BIN_NAME),$(eval $(call program,$p)))

$(BUILD)/unit/test_%: $(BUILD)/obj/test/unit/test_%.o $(BUILD)/obj/test/unit/test.o $(LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_$*) $(LDLIBS)

$(BUILD)/tool/%: $(BUILD)/obj/test/tool/%.o $(LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/fuzz/fuzz_%: $(BUILD)/obj/test/fuzz/fuzz_%.o $(BUILD)/obj/test/fuzz/main.o $(LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_$*) $(LDLIBS)

$(BUILD)/bench/%: $(BUILD)/obj/test/bench/%.o
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^

unit: $(UNIT)
tools: $(TOOL)
fuzz: $(FUZZ)

# Everything the tests run, plain and with the sanitizers.
check: build unit tools
	$(Q)$(MAKE) --no-print-directory SAN=1 build unit tools fuzz

deps:
	$(Q)contrib/deps.sh run

# Two steps, because the libraries must be there before make looks at the headers.
run: deps
	$(Q)$(MAKE) --no-print-directory build
	$(Q)$(BUILD)/bin/tapline up pipelines/demo.conf

test:
	$(Q)contrib/deps.sh test
	$(Q)$(MAKE) --no-print-directory check
	$(Q)test/run

bench: build $(addprefix $(BUILD)/bench/,floor espcam_floor hev_floor hev_clients)
	$(Q)test/bench/run

SHARE := $(PREFIX)/share/tapline
MAN   := $(PREFIX)/share/man/man1
COMPLETION := $(PREFIX)/share/bash-completion/completions/tapline
UNIT  := $(PREFIX)/lib/systemd/system/tapline@.service
RULES := $(PREFIX)/lib/udev/rules.d/70-tapline.rules
# Readable by everybody whatever the umask of whoever cloned or installs; and nothing is written to
# the build directory, which root would then own.
install: build
	$(Q)install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec/tapline $(DESTDIR)$(SHARE)
	$(Q)install -m 755 $(BIN) $(DESTDIR)$(PREFIX)/libexec/tapline
	$(Q)ln -sf ../libexec/tapline/tapline $(DESTDIR)$(PREFIX)/bin/tapline
	$(Q)cp -r www media pipelines $(DESTDIR)$(SHARE)
	$(Q)install -D -m 755 contrib/tls-stage $(DESTDIR)$(SHARE)/contrib/tls-stage
	$(Q)chmod -R u=rwX,go=rX $(DESTDIR)$(SHARE)
	$(Q)install -d $(DESTDIR)$(MAN) $(dir $(DESTDIR)$(UNIT) $(DESTDIR)$(RULES))
	$(Q)t=$$(mktemp -d) && contrib/man.sh $(BUILD)/bin $$t && \
	  install -m 644 $$t/*.1 $(DESTDIR)$(MAN) && rm -r $$t
	$(Q)install -D -m 644 contrib/completion/tapline.bash $(DESTDIR)$(COMPLETION)
	$(Q)sed 's|/usr/local/bin|$(PREFIX)/bin|' 'contrib/systemd/tapline@.service' > '$(DESTDIR)$(UNIT)'
	$(Q)install -m 644 contrib/udev/70-tapline.rules $(DESTDIR)$(RULES)
	$(Q)chmod 644 '$(DESTDIR)$(UNIT)'
	$(if $(DESTDIR),,@echo 'installed: tapline in $(PREFIX)/bin; remove it with make uninstall')

uninstall:
	$(Q)rm -rf $(DESTDIR)$(PREFIX)/bin/tapline $(DESTDIR)$(PREFIX)/libexec/tapline $(DESTDIR)$(SHARE)
	$(Q)rm -f $(DESTDIR)$(MAN)/tapline.1 $(DESTDIR)$(MAN)/tapline-*.1 $(DESTDIR)$(COMPLETION)
	$(Q)rm -f $(DESTDIR)$(UNIT) $(DESTDIR)$(RULES)

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

clean:
	rm -rf build

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
