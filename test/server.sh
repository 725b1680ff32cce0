# A PostgreSQL server with assertions, compiled once from Debian's source package
# and kept in a cache, with what its own tests need.  Sourced after lib.sh by the
# scripts that test on it; they set $major first.

# Name of the build in the cache; raise the number when the recipe changes.
recipe=2
# USE_VALGRIND tells memcheck what PostgreSQL's memory contexts hand out; without
# valgrind it costs next to nothing.
configure=(--enable-cassert --enable-debug --enable-tap-tests --without-readline --without-icu
	CFLAGS='-O1 -g -fno-omit-frame-pointer -DUSE_VALGRIND')
# Suites of PostgreSQL's own that come with it, for test/core: contrib modules and
# test modules that hook into the planner, the executor or utility commands, or
# read what is written.
own_suites=(contrib/{auto_explain,dblink,file_fdw,lo,pg_stat_statements,postgres_fdw,tablefunc,test_decoding}
	src/test/modules/{delay_execution,test_ddl_deparse,test_extensions,test_oat_hooks,test_rls_hooks})

cached_server() { # the newest one, if any
	compgen -G "$cache/postgresql-$major.*-assert-$recipe" | sort -V | tail -n 1
}

# fetch_source: the newest source package to be had, as it left PostgreSQL.  It
# comes from the archives this machine uses, through a list of our own.  Not
# every version in the index can always be had, so try them in turn.
fetch_source() {
	local dir=$scratch/source version keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	mkdir -p "$dir/lists/partial" "$dir/archives/partial"
	apt-get indextargets --format '$(ORIGIN)|$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
		sort -u | while IFS='|' read -r origin entry; do
			if [ "$origin" = Debian ] && [ -e "$keyring" ]; then
				say "deb-src [signed-by=$keyring] $entry"
			else
				say "deb-src $entry"
			fi
		done >"$dir/sources.list"
	local options=(-q -o Dir::Etc::SourceList="$dir/sources.list" -o Dir::Etc::SourceParts=-
		-o Dir::State::Lists="$dir/lists" -o Dir::Cache="$dir" -o Dir::Cache::Archives="$dir/archives"
		-o Acquire::Languages=none -o APT::Sandbox::User="$(id -un)")
	# A third party's archive without sources is no reason to stop.
	apt-get "${options[@]}" update >"$dir/update.log" 2>&1 || true
	for version in $(apt-cache "${options[@]}" showsrc "postgresql-$major" 2>/dev/null |
		sed -n 's/^Version: //p' | sort -Vru); do
		if (cd "$dir" && apt-get "${options[@]}" source --download-only \
			"postgresql-$major=$version" >"$dir/fetch.log" 2>&1 </dev/null); then
			upstream=${version%%-*}
			upstream=${upstream#*:}
			tarball=$(compgen -G "$dir/postgresql-${major}_$upstream.orig.tar.*" | grep -v '\.asc$' | head -n 1)
			return 0
		fi
		say "PostgreSQL $version cannot be fetched, trying the one before"
	done
	cat "$dir/update.log" "$dir/fetch.log" 2>/dev/null || true
	return 1
}

# compile_server: build it into the scratch folder, then move it to the cache in
# one step, so that what is in the cache is complete.  The prefix is never used:
# the tree is relative to its binaries, and runs from a copy.
compile_server() {
	local build=$scratch/source/build start=$EPOCHREALTIME
	mkdir -p "$cache" && [ -w "$cache" ] || { say "$cache cannot be written"; return 1; }
	need bzip2 xz-utils zlib1g-dev valgrind
	fetch_source || return 1
	say "Compiling PostgreSQL $upstream with assertions, once; it is kept in $cache"
	mkdir "$build"
	tar -C "$build" --strip-components=1 --no-same-owner -xf "$tarball" || return 1
	own "$build"
	# Unprivileged, so that no installation step can write outside the scratch folder.
	as_user sh -ec '
		cd "$1"; jobs=$2; suites=$3; shift 3
		./configure --prefix=/usr/local/postgresql "$@"
		make -s -j "$jobs" all
		make -s -j "$jobs" -C contrib all
		make -s install DESTDIR="$PWD/out"
		make -s -C contrib install DESTDIR="$PWD/out"
		make -s -C src/test/isolation install DESTDIR="$PWD/out"
		make -s -C src/test/regress install-tests DESTDIR="$PWD/out"
		for dir in $suites; do
			case $dir in src/*) make -s -C "$dir" all install DESTDIR="$PWD/out" ;; esac
		done
		# test/core finds these suites in tests/, as they lie in the source, and
		# dblink finds its helper where the source would have it
		home=$PWD/out/usr/local/postgresql
		mkdir "$home/tests"
		tar -cf - --exclude="*.[choly]" --exclude="*.so" --exclude="*.po" --exclude=isolationtester \
			--exclude=pg_isolation_regress src/test/isolation src/pl/plpgsql/src $suites |
			tar -C "$home/tests" -xf -
		cp "$home/lib/regress.so" "$home/lib/pgxs/src/test/regress/"
		cp src/tools/valgrind.supp "$home/tests/"
	' sh "$build" "$(nproc)" "${own_suites[*]}" "${configure[@]}" >"$scratch/compile.log" 2>&1 </dev/null ||
		{ tail -n 30 "$scratch/compile.log"; return 1; }
	local final=$cache/postgresql-$upstream-assert-$recipe
	cp -a "$build/out/usr/local/postgresql" "$final.new.$$" || { rm -rf "$final.new.$$"; return 1; }
	[ "$(id -u)" != 0 ] || chown -R root: "$final.new.$$"
	# Another run may have been faster.
	mv -T "$final.new.$$" "$final" 2>/dev/null || rm -rf "$final.new.$$"
	rm -rf "$scratch/source"
	say "Compiled in $(seconds "$start") s"
}

use_assert_server() {
	cache=${SOFTDELETE_CACHE:-${XDG_CACHE_HOME:-${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}/.cache}/softdelete}
	if [ -z "$(cached_server)" ]; then
		compile_server || return 1
	fi
	local from
	from=$(cached_server)
	cp -a "$from" "$scratch/assert" || return 1
	own "$scratch/assert"
	server_bin=$scratch/assert/bin
	server_libs=$scratch/assert/lib
	case $(as_user "$server_bin/pg_config" --configure) in
		*--enable-cassert*) ;;
		*) say "$from was built without assertions"; return 1 ;;
	esac
	case $(as_user "$server_bin/pg_config" --pkglibdir) in
		"$scratch"/*) ;;
		*) say "$from cannot be moved"; return 1 ;;
	esac
}
