# A bare Debian in a folder, made once and kept in $cache, for the scripts that have
# to start from nothing.  Sourced after lib.sh; needs root.

[ "$(id -u)" = 0 ] || die "needs root, for chroot"
cache=${SOFTDELETE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/softdelete}

# make_root SUITE: complete or not at all
make_root() {
	local root=$cache/root-$1
	[ ! -d "$root" ] || return 0
	need debootstrap
	say "Making a Debian $1 in $root, once"
	mkdir -p "$cache"
	rm -rf "$root.new"
	debootstrap --variant=minbase "$1" "$root.new" >"$root.log" 2>&1 || { tail -n 20 "$root.log"; return 1; }
	# The lists of an unreleased suite may be older than they say they may be.
	echo 'Acquire::Check-Valid-Until "false";' >"$root.new/etc/apt/apt.conf.d/softdelete"
	mv "$root.new" "$root"
}

# fill_root SUITE: a fresh copy of the sources at /softdelete in it; sets $root
fill_root() {
	root=$cache/root-$1
	rm -rf "$root/softdelete"
	mkdir "$root/softdelete"
	tar -C "$top" -cf - --exclude=./.git --exclude='*.o' --exclude='*.so' . | tar -C "$root/softdelete" -xf - --no-same-owner
}

# in_root COMMAND...: as on a new machine: nothing of this environment, no terminal;
# but /proc, in a mount namespace that goes with the command, since packages ask for it
in_root() {
	env -i PATH="$PATH" HOME=/root CI=true DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 unshare --mount --propagation private sh -c '
		mount -t proc proc "$0/proc" && exec chroot "$0" "$@"
	' "$root" "$@" </dev/null
}
