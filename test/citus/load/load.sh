# Several sessions delete, restore and insert at random while shards move; then everything
# has to add up.  Sourced by test/citus/run.
on 0 -d shop -q -f - <"$here/load/setup.sql" >/dev/null

move_shards() { # until the load is over
	local mode=block_writes moved=0
	while [ ! -e "$scratch/load-over" ]; do
		on 0 -d shop -qAt -v mode=$mode >>"$scratch/moves.log" 2>&1 <<-'SQL' && moved=$((moved + 1))
			SELECT shardid AS s, nodeport AS p, (SELECT sum(nodeport) FROM pg_dist_node WHERE groupid > 0) - nodeport AS q
			  FROM citus_shards WHERE table_name = 'posts'::regclass ORDER BY random() LIMIT 1 \gset
			SELECT citus_move_shard_placement(:s, '127.0.0.1', :p, '127.0.0.1', :q, shard_transfer_mode => :'mode');
		SQL
		[ $mode = block_writes ] && mode=force_logical || mode=block_writes
		sleep 1
	done
	echo "$moved" >"$scratch/moves"
}
move_shards &
as_user env PGHOST=127.0.0.1 PGPORT="$(port 0)" "$server_bin/pgbench" -n -f "$top/test/citus/load/steps.pgbench" -c 6 -j 2 -T "$load" \
	-U shop_owner shop >"$scratch/load.log" 2>&1 || { cat "$scratch/load.log"; failed=$((failed + 1)); }
touch "$scratch/load-over"
wait || true
grep -E 'number of transactions actually|failed' "$scratch/load.log"
say "shards moved: $(cat "$scratch/moves")"
on 0 -d shop -c 'SELECT sqlstate, message, count(*) FROM refused GROUP BY 1, 2 ORDER BY 3 DESC' | even
on 0 -d shop -qAt -c 'SELECT count(*), sum(total), sum(restored), sum(purged) FROM softdelete.deletions'
while read -r line; do
	case $line in
		*:) what=$line ;;
		0) passed=$((passed + 1)); say "ok     $what 0" ;;
		*) failed=$((failed + 1)); say "FAILED $what $line" ;;
	esac
done < <(on 0 -d shop -qAt <"$here/load/check.sql" 2>&1)
