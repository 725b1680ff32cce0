# Shared by the scripts in test/: packages, a scratch folder, a private copy
# of the PostgreSQL server with softdelete in it, and a server running from it.
# To be sourced by bash under set -euo pipefail.
#
# Nothing outside the scratch folder is written except by apt-get: the server's
# own tree is copied, because PostgreSQL finds its libraries and extensions
# relative to its binary, and a copy takes extensions without touching the
# system's folders.  All of it goes when the script ends, however it ends.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
scratch=
child=
exec 3>&1 # the script's own output, wherever a trap finds it redirected

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# seconds SINCE: time passed since $SINCE (a value of $EPOCHREALTIME), as 1.2
seconds() {
	local now=$EPOCHREALTIME
	local us=$(( ${now/[.,]/} - ${1/[.,]/} ))
	printf '%d.%d' $((us / 1000000)) $((us % 1000000 / 100000))
}

# ---------------------------------------------------------------- packages

installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

apt_updated=
apt_quiet() { # what apt-get and the packages say is of interest only if it fails; a new machine may be at its updates
	local log
	log=$(mktemp "${TMPDIR:-/tmp}/softdelete-apt.XXXXXX")
	if ! DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 $sudo apt-get -q -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1 </dev/null 3>&-; then
		cat "$log" >&2
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
}

# need PACKAGE...: install those that are missing
need() {
	local package missing=() sudo=
	command -v apt-get >/dev/null && command -v dpkg-query >/dev/null ||
		die "needs Debian or a relative of it; elsewhere: make, make install, make installcheck"
	for package; do
		installed "$package" || missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null ||
			die "missing packages, and neither root nor sudo to install them: ${missing[*]}"
		sudo='sudo -n env DEBIAN_FRONTEND=noninteractive'
	fi
	say "Installing ${missing[*]}"
	if [ -z "$apt_updated" ]; then
		apt_quiet update || die "apt-get update failed"
		apt_updated=yes
	fi
	if [[ " ${missing[*]} " =~ \ postgresql-[0-9]+\  ]]; then
		# Debian's server package creates a cluster and starts it, unless its
		# configuration, which comes with postgresql-common, says otherwise.
		installed postgresql-common || apt_quiet install -y --no-install-recommends postgresql-common ||
			die "apt-get install postgresql-common failed"
		local folder=/etc/postgresql-common/createcluster.d
		(
			trap '$sudo rm -f "$folder/softdelete.conf"; $sudo rmdir --ignore-fail-on-non-empty "$folder"' EXIT
			trap 'exit 1' INT TERM HUP
			$sudo mkdir -p "$folder" &&
				$sudo sh -c "echo 'create_main_cluster = off' >$folder/softdelete.conf" || exit 1
			apt_quiet install -y --no-install-recommends "${missing[@]}"
		) || die "apt-get install ${missing[*]} failed"
	else
		apt_quiet install -y --no-install-recommends "${missing[@]}" ||
			die "apt-get install ${missing[*]} failed"
	fi
}

# pg_major: the PostgreSQL to work with; PG_MAJOR if set, else the newest whose
# server headers are here, else the one that this Debian has.
pg_major() {
	if [ -n "${PG_MAJOR:-}" ]; then
		say "$PG_MAJOR"
		return
	fi
	local pgxs newest=
	for pgxs in /usr/lib/postgresql/*/lib/pgxs/src/Makefile.global; do
		pgxs=${pgxs#/usr/lib/postgresql/}
		pgxs=${pgxs%%/*}
		[[ $pgxs =~ ^[0-9]+$ ]] && [ "$pgxs" -gt "${newest:-0}" ] && newest=$pgxs
	done
	if [ -z "$newest" ]; then
		newest=$(apt-cache show postgresql 2>/dev/null |
			sed -n 's/^Depends:.*postgresql-\([0-9][0-9]*\).*/\1/p' | sort -n | tail -n 1)
	fi
	say "${newest:-15}"
}

# ---------------------------------------------------------------- scratch

# open_scratch [AT_EXIT]: AT_EXIT, if given, runs when the script ends and has to
# call close_scratch STATUS
open_scratch() {
	trap "${1:-close_scratch}" EXIT
	scratch=$(mktemp -d "${TMPDIR:-/tmp}/softdelete.XXXXXX")
	trap 'exit 130' INT
	trap 'exit 143' TERM
	trap 'exit 129' HUP
	# The name of a socket has 107 bytes at most, and TAP tests add a folder.
	[ ${#scratch} -le 75 ] || die "the name of the scratch folder is too long for a socket: $scratch"
	runner=()
	if [ "$(id -u)" = 0 ]; then
		# A PostgreSQL server refuses to run as root.
		runner=(setpriv --reuid=postgres --regid=postgres --init-groups --)
		chown postgres: "$scratch"
	fi
	chmod 755 "$scratch"
	as_user test -w "$scratch" ||
		die "user postgres cannot get to $scratch: set TMPDIR to a folder that everybody can enter"
}

close_scratch() {
	local rc=${1:-$?} file pid
	[ "$BASHPID" = $$ ] || exit "$rc"
	set +e # go on to the end, whatever is gone already
	trap - EXIT
	trap '' INT TERM HUP
	stop_child
	if [ -n "$scratch" ]; then
		# Every server that runs from here, those of an interrupted TAP test included.
		find "$scratch" -name postmaster.pid 2>/dev/null | while read -r file; do
			pid=$(head -n 1 "$file" 2>/dev/null) || continue
			case $(readlink "/proc/$pid/exe" 2>/dev/null || echo "$scratch/") in
				"$scratch"/*) kill -QUIT "$pid" 2>/dev/null || continue ;;
				*) continue ;;
			esac
			for _ in $(seq 100); do
				kill -0 "$pid" 2>/dev/null || break
				sleep 0.1
			done
		done
		# Backends outlive their postmaster by a moment and may still write.
		for _ in 1 2 3 4 5; do
			rm -rf "$scratch" 2>/dev/null && break
			sleep 0.3
		done
	fi
	exit "$rc"
}

# stop_child: end what as_user runs just now, if the script is interrupted in it
stop_child() {
	[ -n "$child" ] || return 0
	kill -TERM -- "-$child" 2>/dev/null || true
	wait 2>/dev/null || true
	child=
}

# as_user COMMAND...: run it unprivileged, in an environment that the caller's
# PG* variables, locale and compiler flags do not reach.  In the background, in
# a session of its own: so a signal ends the script at once and takes along
# whatever the command had started.
as_user() {
	local rc=0
	"${runner[@]}" setsid env -i -C "$scratch" \
		PATH="$scratch/bin":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		HOME="$scratch" TMPDIR="$scratch" LC_ALL=C.UTF-8 \
		PGHOST="$scratch" PGUSER=postgres PSQL_PAGER= \
		${server_libs:+LD_LIBRARY_PATH="$server_libs"} \
		"$@" <&0 3>&- &
	child=$!
	wait "$child" || rc=$?
	child=
	return $rc
}

# borrow PACKAGE PROGRAM: a program of a package that would start a service, were it
# installed; into $scratch/bin, with the libraries that it needs
borrow() {
	apt-cache show "$1" >/dev/null 2>&1 || return 0
	# shellcheck disable=SC2046
	need $(apt-cache depends "$1" | sed -n 's/^  Depends: \(lib[^ ]*\)$/\1/p')
	mkdir -p "$scratch/bin" "$scratch/borrowed"
	(cd "$scratch/borrowed" && apt-get -q -o APT::Sandbox::User="$(id -un)" download "$1" &&
		dpkg -x "$1"_*.deb . && mv ".$2" "$scratch/bin/") >"$scratch/borrow.log" 2>&1 ||
		say "$1 cannot be fetched, and what needs it is not tried"
	rm -rf "$scratch/borrowed"
}

# ---------------------------------------------------------------- build, server

# copy_sources: a copy of the working tree at $scratch/softdelete
copy_sources() {
	mkdir "$scratch/softdelete"
	tar -C "$top" -cf - --exclude=./.git --exclude='*.o' --exclude='*.so' --exclude='*.bc' \
		--exclude=./tmp_check --exclude=./test/output --exclude=./test/output_iso . |
		tar -C "$scratch/softdelete" -xf - --no-same-owner
	own "$scratch/softdelete"
}

own() { [ "$(id -u)" != 0 ] || chown -R postgres: "$@"; }

# use_debian_server MAJOR: a private copy of the packaged server, or of the one in
# $SERVER_ROOT, without any softdelete that may be installed in it
use_debian_server() {
	local root=$scratch/debian from=${SERVER_ROOT:-}
	mkdir -p "$root/usr/lib/postgresql" "$root/usr/share/postgresql"
	cp -a "$from/usr/lib/postgresql/$1" "$root/usr/lib/postgresql/"
	cp -a "$from/usr/share/postgresql/$1" "$root/usr/share/postgresql/"
	ln -s /usr/include "$root/usr/include"
	rm -rf "$root/usr/lib/postgresql/$1/lib"/{,bitcode/}softdelete* \
		"$root/usr/share/postgresql/$1/extension"/softdelete*
	own "$root"
	server_bin=$root/usr/lib/postgresql/$1/bin
	server_libs=
	# Were the copy not self-contained, the extension would go to the system's folders.
	case $(as_user "$server_bin/pg_config" --pkglibdir)$(as_user "$server_bin/pg_config" --sharedir) in
		"$root"/*"$root"/*) ;;
		*) die "this PostgreSQL cannot be moved: $(as_user "$server_bin/pg_config" --pkglibdir)" ;;
	esac
}

# make_softdelete TARGET... [VARIABLE=...]
make_softdelete() {
	as_user make -s --no-print-directory -C "$scratch/softdelete" PG_CONFIG="$server_bin/pg_config" "$@"
}

# start_server [SETTING...]: a fresh cluster of $server_bin, reached only through
# a socket in the scratch folder
start_server() {
	local data=$scratch/data setting
	rm -rf "$data"
	as_user "$server_bin/initdb" -D "$data" -U postgres -A trust -E UTF8 --locale=C --no-sync \
		>"$scratch/initdb.log" 2>&1 || { cat "$scratch/initdb.log" >&2; die "initdb failed"; }
	{
		printf "listen_addresses = ''\nunix_socket_directories = '%s'\n" "$scratch"
		for setting; do printf '%s\n' "$setting"; done
	} >>"$data/postgresql.conf"
	as_user "$server_bin/pg_ctl" -D "$data" -l "$scratch/server.log" -w -s start ||
		{ cat "$scratch/server.log" >&2; die "the private server did not start"; }
}

stop_server() {
	as_user "$server_bin/pg_ctl" -D "$scratch/data" -w -s -m fast stop
}
