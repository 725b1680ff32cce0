# softdelete: build, install and test with PGXS.
#
#   make && make install      builds for the server of the pg_config in PATH
#   make installcheck         runs test/sql and test/specs against a running server
#   make installcheck TAP_TESTS=1    the same, and test/t, which starts servers of its own;
#                             enable_tap_tests=yes PROVE=prove where PostgreSQL came without
#
# Another server: PG_CONFIG=/path/to/pg_config.  Warnings not fatal: WERROR=.

MODULE_big = softdelete
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c)))

EXTENSION = softdelete
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" softdelete.control)

# The script of the current version is its parts in the order of their names;
# upgrade scripts stand in sql/ as they are.
DATA_built = sql/softdelete--$(EXTVERSION).sql
DATA = $(wildcard sql/softdelete--*--*.sql)

# tells whether library and SQL objects belong together
INTERFACE := $(shell sh sql/interface $(sort $(wildcard sql/parts/*.sql)))

WERROR = -Werror
PG_CPPFLAGS = -I$(srcdir)/src -include $(srcdir)/src/base/arguments.h
PG_CFLAGS = -std=gnu99 -Wall -Wextra $(WERROR) \
	-Wno-unused-parameter -Wno-missing-field-initializers \
	-Wno-declaration-after-statement

# The server's own CFLAGS follow the compiler it was built with; clang does not
# know all of gcc's options and must not stumble over them.
ifneq (,$(findstring clang,$(shell $(or $(CC),cc) --version 2>/dev/null)))
PG_CFLAGS += -Wno-unknown-warning-option -Wno-ignored-optimization-argument \
	-Wno-ignored-attributes
endif

# No bitcode for the JIT: nothing here is worth inlining into a query, and it
# would need the very clang the server was built with.
override with_llvm = no

# The first test creates the extension and makes the test database load the
# library; the others follow in alphabetical order.
REGRESS = setup $(filter-out setup,$(sort $(basename $(notdir $(wildcard test/sql/*.sql)))))
REGRESS_OPTS = --inputdir=test --outputdir=test/output

ISOLATION = $(sort $(basename $(notdir $(wildcard test/specs/*.spec))))
ISOLATION_OPTS = --inputdir=test --outputdir=test/output_iso --load-extension=softdelete

ifneq (,$(filter $(REGRESS),$(ISOLATION)))
$(error test/sql and test/specs share expected/, so no name can stand in both: $(filter $(REGRESS),$(ISOLATION)))
endif

PROVE_TESTS = $(sort $(wildcard test/t/*.pl))

EXTRA_CLEAN = test/output test/output_iso tmp_check

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# Calls within the library are bound as it is linked, not by name as each session
# loads it.
ifeq ($(PORTNAME),linux)
SHLIB_LINK += -Wl,-Bsymbolic
endif

sql/softdelete--$(EXTVERSION).sql: $(sort $(wildcard sql/parts/*.sql)) softdelete.control
	for part in $(sort $(filter %.sql,$^)); do cat $$part; echo; done | sed 's/@INTERFACE@/$(INTERFACE)/' >$@

$(OBJS): $(wildcard src/*.h src/*/*.h)

src/base/own_objects.o: sql/softdelete--$(EXTVERSION).sql
src/base/own_objects.o: override CPPFLAGS += -DSD_INTERFACE='"$(INTERFACE)"'

# isolationtester opens its sessions before it runs any SQL, in a database that
# pg_isolation_regress has just created, so no ALTER DATABASE can have told that
# database to load the library: the sessions ask for it themselves.
ifneq (,$(ISOLATION))
installcheck: export PGOPTIONS += -c session_preload_libraries=softdelete
endif

# make dist: the archive for PGXN.  Its META.json and Debian's changelog take the
# version from the control file, the only place where it stands.
PGXN_VERSION = $(EXTVERSION).0
DIST = softdelete-$(PGXN_VERSION)

dist:
	rm -rf $(DIST) $(DIST).zip
	git archive --prefix=$(DIST)/ HEAD | tar -xf -
	sed 's/@VERSION@/$(PGXN_VERSION)/; s/@EXTVERSION@/$(EXTVERSION)/' META.json.in >$(DIST)/META.json
	$(MAKE) --no-print-directory sql/softdelete--$(EXTVERSION).sql
	cp sql/softdelete--$(EXTVERSION).sql $(DIST)/sql/
	zip -qr $(DIST).zip $(DIST)
	rm -rf $(DIST)

# make deb: packages for the versions of PostgreSQL whose headers are installed
deb:
	printf 'softdelete (%s-1) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- softdelete contributors <softdelete@localhost>  %s\n' \
		'$(EXTVERSION)' "$$(date -R)" >debian/changelog
	pg_buildext updatecontrol
	PG_SUPPORTED_VERSIONS="$$(ls /usr/lib/postgresql | sed -n 's/^\([0-9]*\)$$/\1/p' | xargs)" dpkg-buildpackage -us -uc -b -d

.PHONY: dist deb
