/*
 * lock.pml
 *		Soft delete, restore and purge of a parent and its children, by
 *		transactions at the same time.  Checked by test/model/check.
 *
 * Every transaction runs some of the statements below, chosen freely, under READ
 * COMMITTED or REPEATABLE READ, and commits or aborts.  spin goes through every
 * choice and every order of the steps.  When all is over:
 *
 *	- no live child has a deleted or missing parent;
 *	- a restored parent has all of its deletion's children back;
 *	- the log's counts are those of the rows;
 *
 * and on the way: a purge erases no live child; a delete is refused only where a
 * live child is really there; where nobody can go on, somebody waits in a circle,
 * which PostgreSQL's deadlock detector breaks.
 *
 * What is modelled, and the functions that it is taken from:
 *
 *	PostgreSQL	versions of a row, locks on each, and what a snapshot shows
 *		lock_version		heap_lock_tuple(), heap_lock_updated_tuple()
 *		write_version		heap_update(), heap_delete(), with the crosscheck; an
 *							UPDATE keeps the stronger lock of its transaction
 *							(where it would not, sd_lock_row() sees to it); one that
 *							makes a key update, as sd_make_key_column() asks
 *		follow				EvalPlanQual() after a wait; under REPEATABLE READ a
 *							serialization failure
 *		sleep				XactLockTableWait(), MultiXactIdWait()
 *		break_deadlock		DeadLockCheck()
 *		check_parent_exists	RI_FKey_check(), with softdelete_deleted_parent_ok(); its
 *							snapshot is the transaction's under REPEATABLE READ
 *		purge_parent		RI_FKey_cascade_del(), RI_FKey_noaction_del()
 *	softdelete
 *		delete_parent		softdelete_stamp_locked(), either way; then follow()
 *							with SD_QUERY_MARK, or sd_check_children() with
 *							SD_QUERY_CHILD, in a snapshot of their own
 *		restore_child		softdelete_restore(); then sd_check_parent() with
 *							SD_QUERY_PARENT
 *		restore_parent		the same; then follow() with SD_QUERY_RESTORE
 *		delete_child		a converted DELETE of a table that nobody refers to
 *		purge_...			softdelete_purge(), purge_relation()
 *		marked[], log[]		sd_op_count(), sd_op_count_restored(), sd_log_note()
 *
 * test/specs/race_*.spec has the same races, one order at a time, on a server.
 *
 * What is left out: keys that change (a child that comes to refer to the parent
 * passes the same check as a new one), deferred checks (the same check, later),
 * levels below the children (each does to the next what the first does), batches,
 * retention and holds, savepoints but for -D MULTIXACT, SERIALIZABLE beyond
 * REPEATABLE READ, locks on the log's rows, which no invariant rests on, and the
 * order in which waiters are served.
 *
 * -D TXNS, STATEMENTS, OPS0 ... say how many transactions there are, how many
 * statements each may run, and which.  The other names leave a part of the protocol
 * out; then spin has to find what goes wrong:
 *
 *	NO_LOCK					the parent is marked without the lock
 *	LOCK_NEW_VERSION		the lock comes after the mark, on the new version
 *	OLD_SNAPSHOT			the cascade sees what the DELETE sees
 *	NO_WAIT					live children are looked for without FOR SHARE
 *	NO_PARENT_LOCK			a restored child's parent is looked at without FOR KEY SHARE
 *	LOCK_BELOW_CONDITION	... is locked only if it is deleted already
 *	NO_RECHECK				what was waited for is not looked at again
 *	MULTIXACT				an UPDATE does not keep the stronger lock of its transaction
 *							where that is one of several in a MultiXact; here a
 *							transaction may also set a savepoint, after which its
 *							earlier locks count as another's
 *
 * LOOK_AGAIN makes up for that: who has the lock of a parent looks at its newest
 * version once more.
 */
#ifndef TXNS
#define TXNS 2
#endif
#ifndef STATEMENTS
#define STATEMENTS 1
#endif
#ifndef OPS0
#define OPS0 ALL
#endif
#ifndef OPS1
#define OPS1 ALL
#endif
#ifndef OPS2
#define OPS2 ALL
#endif

#define DELETE_PARENT	1
#define INSERT_CHILD	2
#define RESTORE_CHILD	4
#define RESTORE_PARENT	8
#define DELETE_CHILD	16
#define PURGE_PARENT	32
#define PURGE_CHILD		64
#define EDIT_PARENT		128
#define ALL				255

/* rows: the parent, a child that is there, and one that each may insert */
#define PARENT		0
#define CHILD		1
#define NEW_CHILD	(2 + me)
#define ROWS		(2 + TXNS)
#define VERSIONS	(2 + TXNS * STATEMENTS)
#define AT(row, v)	((row) * VERSIONS + (v))
#define NONE		15

/* conditions on a version, taken when the statement starts and after a wait */
#define LIVE		0
#define DEAD		1
#define DEAD_BY_ID	2
#define ANY			3
#define MATCHES(i, want) \
	((want) == ANY || ((want) == LIVE && !dead[i]) || ((want) == DEAD && dead[i]) || \
	 ((want) == DEAD_BY_ID && dead[i] && did[i] == id))
#ifdef NO_RECHECK
#define MATCHES_NOW(i, want)	1
#else
#define MATCHES_NOW(i, want)	MATCHES(i, want)
#endif

/* what an attempt to lock or to write a version comes to */
#define OK			0
#define UPDATED		1
#define ERASED		2

/* row locks, and names to print */
mtype = { KEY_SHARE, SHARE, NO_KEY_UPDATE, UPDATE, parent, child, new_child, deleted, live };
#define NAME(row)	((row) == PARENT -> parent : ((row) == CHILD -> child : new_child))

/* deletion ids: of rows that are deleted to begin with, and one a statement */
#define PARENTS_ID		1
#define CHILDS_ID		2
#define ID_OF(who, n)	(3 + (who) * STATEMENTS + (n))
#define OWN_ID			ID_OF(me, statement)
#define IDS				ID_OF(TXNS, 0)

/* sets of transactions */
#define BIT(t)		(1 << (t))
#define OTHERS		(running & ~BIT(me))
#define EARLIER		TXNS		/* who wrote what is there to begin with */

/* the versions of each row, oldest first */
byte	versions[ROWS];
byte	xmin[ROWS * VERSIONS];
bit		dead[ROWS * VERSIONS];
byte	did[ROWS * VERSIONS];
byte	xmax[ROWS * VERSIONS];			/* who updated or erased it, or NONE */
bit		erased[ROWS * VERSIONS];
bit		key_update[ROWS * VERSIONS];	/* xmax's lock conflicts with KEY SHARE */
byte	key_share[ROWS * VERSIONS];		/* who holds which lock */
byte	share[ROWS * VERSIONS];
byte	no_key[ROWS * VERSIONS];
byte	exclusive[ROWS * VERSIONS];
#ifdef MULTIXACT
bit		multi[ROWS * VERSIONS];			/* the locks and xmax are members of a MultiXact */
bit		keys_updated[ROWS * VERSIONS];	/* HEAP_KEYS_UPDATED */
#define DIRECT_KEY_UPDATE(i)	keys_updated[i]
#else
#define DIRECT_KEY_UPDATE(i)	key_update[i]
#endif

byte	running;
byte	committed = BIT(EARLIER);
byte	killed;
byte	waits_for[TXNS];
byte	finished;

byte	took_parent = BIT(PARENTS_ID);	/* deletion ids, a bit each */
byte	marked[IDS];					/* the log: rows marked, less those restored and purged */

/* -D COVER: say which branches within steps were taken, for spin does not */
#ifdef COVER
c_decl {
	static int covered[16];
}
#define COVERED(n)	c_code { if (!covered[n]++) printf("covered %d\n", n); }
#else
#define COVERED(n)	skip
#endif

/* ------------------------------------------------------------ PostgreSQL */

/*
 * v: the version of row that snap shows, or NONE.  hit: is there one, and matches?
 * is_dead: is it deleted?
 */
inline find(row, want)
{
	v = NONE;
	k = versions[row];
	do
	:: k == 0 -> break
	:: else ->
		k--;
		if
		:: BIT(xmin[AT(row, k)]) & (snap | BIT(me)) ->
			if
			:: erased[AT(row, k)] && (BIT(xmax[AT(row, k)]) & (snap | BIT(me)))
			:: else -> v = k
			fi;
			break
		:: else
		fi
	od;
	k = 0;
	hit = (v != NONE -> MATCHES(AT(row, v), want) : 0);
	is_dead = (v != NONE -> dead[AT(row, v)] : 0);
	if
	:: v != NONE -> printf("%d: sees %e, version %d\n", me, NAME(row), v)
	:: else
	fi
}

/* blockers, result: may version v be locked in a mode other than KEY SHARE? */
inline look(row, mode)
{
	i = AT(row, v);
	if
	:: xmax[i] != NONE && (running & BIT(xmax[i])) ->
		blockers = BIT(xmax[i]);
		COVERED(0)
	:: xmax[i] != NONE && !(running & BIT(xmax[i])) ->
		result = (erased[i] -> ERASED : UPDATED);
		if
		:: erased[i] -> COVERED(1)
		:: else -> COVERED(2)
		fi
	:: else ->
		blockers = OTHERS & (exclusive[i] | no_key[i] |
			(mode != SHARE -> share[i] : 0) |
			(mode == UPDATE -> key_share[i] : 0));
		if
		:: blockers -> COVERED(3)
		:: else -> COVERED(4)
		fi
	fi;
	assert(!(blockers & BIT(me)))
}

/*
 * The same for KEY SHARE.  It goes along with an update that changes no key, and
 * then has to have the versions that follow, too.
 */
inline look_key_share(row)
{
	k = v;
	do
	:: k == versions[row] -> break
	:: else ->
		i = AT(row, k);
		if
		:: xmax[i] != NONE && xmax[i] != me && (k == v -> DIRECT_KEY_UPDATE(i) : key_update[i]) ->
			if
			:: running & BIT(xmax[i]) ->
				blockers = BIT(xmax[i]);
				if
				:: k == v -> COVERED(5)
				:: else -> COVERED(6)
				fi
			:: else ->
				result = (erased[i] -> ERASED : UPDATED);
				if
				:: erased[i] -> COVERED(7)
				:: !erased[i] && k == v -> COVERED(8)
				:: else -> COVERED(9)
				fi
			fi;
			break
		:: else ->
			blockers = exclusive[i] & OTHERS;
			if
			:: blockers -> COVERED(10); break
			:: else
			fi
		fi;
		k++
	od;
	k = 0
}

inline grant(row, mode, want)
{
	hit = MATCHES_NOW(AT(row, v), want);
	is_dead = dead[AT(row, v)];
	if
	:: mode == KEY_SHARE ->
		k = v;
		do
		:: k == versions[row] -> break
		:: else ->
			join_lockers(AT(row, k));
			key_share[AT(row, k)] = key_share[AT(row, k)] | BIT(me);
			k++
		od;
		k = 0
	:: else ->
		i = AT(row, v);
		join_lockers(i);
		if
		:: mode == SHARE -> share[i] = share[i] | BIT(me)
		:: mode == NO_KEY_UPDATE -> no_key[i] = no_key[i] | BIT(me)
		:: mode == UPDATE -> exclusive[i] = exclusive[i] | BIT(me)
		fi
	fi;
	printf("%d: locks %e, version %d, FOR %e\n", me, NAME(row), v, mode)
}

/* compute_new_xmax_infomask(): who else has locked the version? */
inline join_lockers(at)
{
#ifdef MULTIXACT
	blockers = (key_share[at] | share[at] | no_key[at] | exclusive[at]) & running;
	multi[at] = (blockers & OTHERS) || ((blockers & BIT(me)) && (multi[at] || savepoint));
	blockers = 0;
	/* the bit does not outlive the lockers that it was for */
	keys_updated[at] = key_update[at]
#else
	skip
#endif
}

inline sleep()
{
	d_step {
		waits_for[me] = blockers;
		blockers = 0;
		printf("%d: waits\n", me)
	};
	if
	:: d_step { killed & BIT(me) -> waits_for[me] = 0; printf("%d: is chosen to end the deadlock\n", me) };
		goto fail
	:: d_step { !(running & waits_for[me]) && !(killed & BIT(me)) -> waits_for[me] = 0 }
	fi
}

inline lock_version(row, mode, want)
{
	do
	:: d_step {
			result = OK;
			if
			:: mode == KEY_SHARE -> look_key_share(row)
			:: else -> look(row, mode)
			fi;
			if
			:: !blockers && result == OK -> grant(row, mode, want)
			:: else
			fi;
			i = 0
		};
		if
		:: blockers -> sleep()
		:: else -> break
		fi
	od
}

/*
 * What becomes of the version and, unless it is erased, the one that follows.
 * taken: the deletion that it belonged to.
 */
inline write(row, erase, key, to_dead, to_id)
{
	taken = did[i];
	xmax[i] = me;
	key_update[i] = erase || key || (exclusive[i] & BIT(me));
#ifdef MULTIXACT
	keys_updated[i] = key_update[i];
	key_update[i] = erase || key || ((exclusive[i] & BIT(me)) && !multi[i]);
#endif
	if
	:: erase ->
		erased[i] = 1;
		printf("%d: erases %e, version %d\n", me, NAME(row), v)
	:: else ->
		assert(versions[row] < VERSIONS);
		k = AT(row, versions[row]);
		versions[row]++;
		xmin[k] = me;
		xmax[k] = NONE;
		dead[k] = to_dead;
		did[k] = to_id;
		key_share[k] = (key_share[i] | share[i] | no_key[i] | exclusive[i]) & running;
#ifdef MULTIXACT
		multi[k] = multi[i];
#endif
		printf("%d: writes %e, version %d, %e\n", me, NAME(row), versions[row] - 1,
			   (to_dead -> deleted : live))
	fi;
	k = 0
}

inline write_version(row, erase, key, to_dead, to_id)
{
	do
	:: d_step {
			result = OK;
			look(row, (erase || key -> UPDATE : NO_KEY_UPDATE));
			if
			:: !blockers && result == OK && crosscheck && !(BIT(xmin[i]) & (xact_snap | BIT(me))) ->
				result = UPDATED;
				COVERED(11)
			:: !blockers && result == OK && !(crosscheck && !(BIT(xmin[i]) & (xact_snap | BIT(me)))) ->
				write(row, erase, key, to_dead, to_id)
			:: else
			fi;
			i = 0
		};
		if
		:: blockers -> sleep()
		:: else -> break
		fi
	od
}

/*
 * A version that is not the newest any more: lock the next, and see whether it
 * still matches (hit).  Under REPEATABLE READ, a serialization failure.
 */
inline follow(row, mode, want)
{
	do
	:: result == OK -> break
	:: result != OK && repeatable -> printf("%d: cannot serialize\n", me); goto fail
	:: result == ERASED && !repeatable -> hit = 0; break
	:: result == UPDATED && !repeatable -> v++; lock_version(row, mode, want)
	od
}

/* SELECT ... FOR [KEY] SHARE of the row that find() has found */
inline lock_row(row, mode, want)
{
	lock_version(row, mode, want);
	follow(row, mode, want)
}

/* UPDATE or DELETE of the row that find() has found.  hit: done */
inline write_row(row, want, erase, to_dead, to_id)
{
	do
	:: !hit -> break
	:: else ->
		write_version(row, erase, false, to_dead, to_id);
		if
		:: result == OK -> break
		:: else -> follow(row, (erase -> UPDATE : NO_KEY_UPDATE), want)
		fi
	od;
	result = OK
}

/* the same by a key update; or of a row that is locked in its old version first,
   and where that cannot be, the write will find so, too */
inline stamp_row(row, want, to_dead, to_id)
{
	do
	:: !hit -> break
	:: else ->
		if
#ifndef MULTIXACT
		:: write_version(row, false, true, to_dead, to_id);
			if
			:: result == OK -> break
			:: else -> follow(row, UPDATE, want)
			fi
#endif
		:: lock_version(row, UPDATE, ANY);
			write_version(row, false, false, to_dead, to_id);
			if
			:: result == OK -> break
			:: else -> follow(row, NO_KEY_UPDATE, want)
			fi
		fi
	od;
	result = OK
}

inline statement_snapshot()
{
	snap = (repeatable -> xact_snap : committed)
}

/* SD_VIEW_LATEST, and RI's snapshot for its actions */
inline latest_snapshot()
{
	snap = committed;
	crosscheck = repeatable
}

inline end_statement()
{
	d_step { snap = 0; crosscheck = 0; v = 0; hit = 0; is_dead = 0; taken = 0; id = 0; row = 0; result = OK }
}

/*
 * The child is live and its own transaction's, so deleted_parent_ok() comes to whether
 * the parent is deleted as things stand.
 */
inline check_parent_exists()
{
	d_step { statement_snapshot(); find(PARENT, ANY) };
	do
	:: !hit -> printf("%d: its parent is gone\n", me); goto fail
	:: hit && is_dead ->
		d_step {
			id = v;
			snap = committed;
			find(PARENT, DEAD);
			v = id; id = 0
		};
		if
		:: hit -> printf("%d: its parent is deleted\n", me); goto fail
		:: else
		fi;
		lock_version(PARENT, KEY_SHARE, ANY);
		if
		:: result == OK -> break
		:: else -> follow(PARENT, KEY_SHARE, ANY)
		fi
	:: hit && !is_dead ->
		lock_row(PARENT, KEY_SHARE, ANY);
		if
		:: hit && !is_dead -> break
		:: else
		fi
	od;
	look_again();
	end_statement()
}

/* with the lock, the newest version stays as it is */
inline look_again()
{
#ifdef LOOK_AGAIN
	d_step { snap = committed; find(PARENT, DEAD) };
	if
	:: hit -> printf("%d: its parent is deleted by now\n", me); goto fail
	:: else
	fi
#else
	skip
#endif
}

/* an abort: the newest versions of rows may be its own */
inline undo_versions()
{
	row = 0;
	do
	:: row == ROWS -> break
	:: else ->
		do
		:: versions[row] > 0 && xmin[AT(row, versions[row] - 1)] == me ->
			versions[row]--;
			i = AT(row, versions[row]);
			xmin[i] = 0; dead[i] = 0; did[i] = 0; xmax[i] = 0; erased[i] = 0; key_update[i] = 0;
			key_share[i] = 0; share[i] = 0; no_key[i] = 0; exclusive[i] = 0;
#ifdef MULTIXACT
			multi[i] = 0; keys_updated[i] = 0
#endif
		:: else -> break
		od;
		k = 0;
		do
		:: k == versions[row] -> break
		:: else ->
			i = AT(row, k);
			if
			:: xmax[i] == me ->
				xmax[i] = NONE; erased[i] = 0; key_update[i] = 0;
#ifdef MULTIXACT
				keys_updated[i] = 0
#endif
			:: else
			fi;
			k++
		od;
		row++
	od
}

/* its locks are gone, and nobody waits for it any more */
inline end_transaction()
{
	running = running & ~BIT(me);
	killed = killed & ~BIT(me);
	i = 0;
	do
	:: i == ROWS * VERSIONS -> break
	:: else ->
		key_share[i] = key_share[i] & ~BIT(me);
		share[i] = share[i] & ~BIT(me);
		no_key[i] = no_key[i] & ~BIT(me);
		exclusive[i] = exclusive[i] & ~BIT(me);
		i++
	od;
	k = 0;
	do
	:: k == STATEMENTS -> break
	:: else -> log[k] = 0; k++
	od;
	k = 0;
	do
	:: k == IDS -> break
	:: else -> restored[k] = 0; k++
	od;
	finished++;
	/* nothing of it makes a difference any more, nor should it to spin */
	statement = 0; v = 0; row = 0; id = 0; result = 0; blockers = 0; i = 0; k = 0; took = 0;
	repeatable = 0; crosscheck = 0; hit = 0; is_dead = 0; taken = 0; inserted = 0; xact_snap = 0; snap = 0
}

/* ------------------------------------------------------------ softdelete */

inline delete_parent()
{
	printf("%d: DELETE parent\n", me);
	d_step { statement_snapshot(); find(PARENT, LIVE) };
#if defined(NO_LOCK) || defined(LOCK_NEW_VERSION)
	write_row(PARENT, LIVE, false, 1, OWN_ID);
#else
	stamp_row(PARENT, LIVE, 1, OWN_ID);
#endif
#ifdef LOCK_NEW_VERSION
	if
	:: hit -> v = versions[PARENT] - 1; lock_version(PARENT, UPDATE, ANY)
	:: else
	fi;
#endif
	if
	:: hit ->
		d_step {
			log[statement] = log[statement] + 1;
			took = took | BIT(OWN_ID);
#ifndef OLD_SNAPSHOT
			latest_snapshot();
#endif
			row = CHILD
		};
		do
		:: row == ROWS -> break
		:: else ->
			d_step { find(row, LIVE) };
			if
			:: cascades ->
				write_row(row, LIVE, false, 1, OWN_ID);
				log[statement] = log[statement] + hit
			:: !cascades && hit ->
#ifndef NO_WAIT
				lock_row(row, SHARE, LIVE);
#endif
				if
				:: hit ->
					/* the child is there and live, whoever else is at work on it */
					assert(v == versions[row] - 1 && xmax[AT(row, v)] == NONE &&
						   !(OTHERS & BIT(xmin[AT(row, v)])));
					printf("%d: a live %e refers to it\n", me, NAME(row));
					goto fail
				:: else
				fi
			:: !cascades && !hit
			fi;
			row++
		od
	:: else
	fi;
	end_statement()
}

inline insert_child()
{
	printf("%d: INSERT child\n", me);
	if
	:: inserted
	:: else ->
		d_step {
			inserted = 1;
			versions[NEW_CHILD] = 1;
			xmin[AT(NEW_CHILD, 0)] = me;
			xmax[AT(NEW_CHILD, 0)] = NONE
		};
		check_parent_exists()
	fi
}

/* sd_check_parent() */
inline check_parent_live()
{
	d_step { latest_snapshot(); find(PARENT, ANY) };
	if
	:: !hit					/* RI has seen to it that so is the child */
	:: else ->
#if defined(NO_PARENT_LOCK)
		hit = is_dead;
#elif defined(LOCK_BELOW_CONDITION)
		hit = is_dead;
		if
		:: hit -> lock_row(PARENT, KEY_SHARE, DEAD)
		:: else
		fi;
#else
		lock_row(PARENT, KEY_SHARE, DEAD);
#endif
		if
		:: hit -> printf("%d: its parent is deleted\n", me); goto fail
		:: else
		fi;
		look_again()
	fi
}

inline restore_child()
{
	printf("%d: restore child\n", me);
	d_step { statement_snapshot(); find(CHILD, DEAD) };
	write_row(CHILD, DEAD, false, 0, 0);
	if
	:: hit ->
		restored[taken] = restored[taken] + 1;
		check_parent_live()
	:: else
	fi;
	end_statement()
}

inline restore_parent()
{
	printf("%d: restore parent\n", me);
	d_step { statement_snapshot(); find(PARENT, DEAD) };
	write_row(PARENT, DEAD, false, 0, 0);
	if
	:: hit ->
		d_step {
			id = taken;
			restored[id] = restored[id] + 1;
			latest_snapshot();
			row = CHILD
		};
		do
		:: row == ROWS || !cascades -> break
		:: else ->
			d_step { find(row, DEAD_BY_ID) };
			write_row(row, DEAD_BY_ID, false, 0, 0);
			restored[id] = restored[id] + hit;
			row++
		od
	:: else
	fi;
	end_statement()
}

inline delete_child()
{
	printf("%d: DELETE child\n", me);
	d_step { statement_snapshot(); find(CHILD, LIVE) };
	write_row(CHILD, LIVE, false, 1, OWN_ID);
	log[statement] = log[statement] + hit;
	end_statement()
}

inline purge_child()
{
	printf("%d: purge child\n", me);
	d_step { statement_snapshot(); find(CHILD, DEAD) };
	write_row(CHILD, DEAD, true, 0, 0);
	if
	:: hit -> restored[taken] = restored[taken] + 1
	:: else
	fi;
	end_statement()
}

inline purge_parent()
{
	printf("%d: purge parent\n", me);
	d_step { statement_snapshot(); find(PARENT, DEAD) };
	write_row(PARENT, DEAD, true, 0, 0);
	if
	:: hit ->
		d_step {
			id = taken;
			restored[id] = restored[id] + 1;
			latest_snapshot();
			row = CHILD
		};
		do
		:: row == ROWS -> break
		:: else ->
			d_step { find(row, ANY) };
			if
			:: !hit
			:: hit && !cascades ->
				lock_row(row, KEY_SHARE, ANY);
				if
				:: hit -> printf("%d: a %e refers to it\n", me, NAME(row)); goto fail
				:: else
				fi
			:: hit && cascades ->
				/* the guard trigger makes the executor lock it first */
				lock_row(row, UPDATE, ANY);
				if
				:: hit ->
					assert(is_dead);
					write_row(row, ANY, true, 0, 0);
					restored[taken] = restored[taken] + hit
				:: else
				fi
			fi;
			row++
		od
	:: else
	fi;
	end_statement()
}

/* an UPDATE that changes neither key nor mark */
inline edit_parent()
{
	printf("%d: UPDATE parent\n", me);
	d_step { statement_snapshot(); find(PARENT, LIVE) };
	write_row(PARENT, LIVE, false, 0, 0);
	end_statement()
}

/* ------------------------------------------------------------ a run */

#define MAY(what)	((me == 0 -> OPS0 : (me == 1 -> OPS1 : OPS2)) & (what))

proctype transaction(byte me; bit cascades)
{
	bit repeatable;				/* REPEATABLE READ, else READ COMMITTED */
	byte xact_snap, snap;		/* whose work they show */
	bit crosscheck;
	byte statement, row, v, id;
	bit hit, is_dead;
	byte taken;
	bit inserted;
	byte result, blockers;
	byte i, k;
	byte log[STATEMENTS];		/* rows that its statements marked */
	byte restored[IDS];			/* or restored or purged, by their deletion */
	byte took;
#ifdef MULTIXACT
	bit savepoint;
#endif

	atomic {
		if
		:: repeatable = 0; printf("%d: BEGIN, READ COMMITTED\n", me)
		:: repeatable = 1; xact_snap = committed; printf("%d: BEGIN, REPEATABLE READ\n", me)
		fi;
		running = running | BIT(me)
	};
	do
	:: statement < STATEMENTS ->
		if
		:: MAY(DELETE_PARENT) -> delete_parent()
		:: MAY(INSERT_CHILD) -> insert_child()
		:: MAY(RESTORE_CHILD) -> restore_child()
		:: MAY(RESTORE_PARENT) -> restore_parent()
		:: MAY(DELETE_CHILD) -> delete_child()
		:: MAY(PURGE_PARENT) -> purge_parent()
		:: MAY(PURGE_CHILD) -> purge_child()
		:: MAY(EDIT_PARENT) -> edit_parent()
#ifdef MULTIXACT
		:: !savepoint && statement > 0 -> savepoint = 1; printf("%d: SAVEPOINT\n", me)
#endif
		fi;
		statement++
	:: break
	od;
	if
	:: d_step {
			committed = committed | BIT(me);
			took_parent = took_parent | took;
			k = 0;
			do
			:: k == STATEMENTS -> break
			:: else -> marked[ID_OF(me, k)] = log[k]; k++
			od;
			k = 0;
			do
			:: k == IDS -> break
			:: else -> marked[k] = marked[k] - restored[k]; k++
			od;
			printf("%d: COMMIT\n", me);
			end_transaction()
		};
		goto done
	:: goto fail
	fi;
fail:
	skip;
	d_step {
		printf("%d: ROLLBACK\n", me);
		undo_versions();
		end_transaction()
	};
done:
	skip
}

/* who waits for himself in the end may be chosen to fail; there has to be one */
inline break_deadlock()
{
	d_step {
		t = 0;
		do
		:: t == TXNS -> break
		:: else ->
			reach = waits_for[t];
			n = 0;
			do
			:: n == TXNS -> break
			:: else ->
				u = 0;
				do
				:: u == TXNS -> break
				:: else ->
					if
					:: reach & BIT(u) -> reach = reach | waits_for[u]
					:: else
					fi;
					u++
				od;
				n++
			od;
			if
			:: (running & BIT(t)) && (reach & BIT(t)) -> victims = victims | BIT(t)
			:: else
			fi;
			t++
		od;
		t = 0; u = 0; n = 0; reach = 0
	};
	assert(victims);
	if
	:: victims & BIT(0) -> killed = BIT(0)
	:: victims & BIT(1) -> killed = BIT(1)
#if TXNS > 2
	:: victims & BIT(2) -> killed = BIT(2)
#endif
	fi;
	victims = 0
}

inline check_invariants()
{
	d_step {
		i = AT(PARENT, versions[PARENT] - 1);
		parent_exists = !erased[i];
		parent_live = parent_exists && !dead[i];
		if
		:: parent_exists && dead[i] -> marked[did[i]]--
		:: else
		fi;
		t = CHILD;
		do
		:: t == ROWS -> break
		:: else ->
			if
			:: versions[t] > 0 && !erased[AT(t, versions[t] - 1)] ->
				i = AT(t, versions[t] - 1);
				printf("in the end: the parent is %e, the %e %e\n",
					   (parent_live -> live : deleted), NAME(t), (dead[i] -> deleted : live));
				/* never an orphan */
				assert(parent_exists);
				assert(parent_live || dead[i]);
				/* nothing is half restored */
				assert(!(parent_live && cascades && dead[i] && (took_parent & BIT(did[i]))));
				if
				:: dead[i] -> marked[did[i]]--
				:: else
				fi
			:: else
			fi;
			t++
		od;
		/* the log is right */
		i = 0;
		do
		:: i == IDS -> break
		:: else -> assert(marked[i] == 0); i++
		od;
		i = 0
	}
}

init
{
	byte t, u, n, i, reach, victims;
	bit cascades;				/* the key: CASCADE, else RESTRICT or NO ACTION */
	bit parent_exists, parent_live;

	atomic {
		versions[PARENT] = 1;
		versions[CHILD] = 1;
		xmin[AT(PARENT, 0)] = EARLIER;
		xmin[AT(CHILD, 0)] = EARLIER;
		xmax[AT(PARENT, 0)] = NONE;
		xmax[AT(CHILD, 0)] = NONE;
		if
		:: cascades = 0; printf("ON DELETE RESTRICT\n")
		:: cascades = 1; printf("ON DELETE CASCADE\n")
		fi;
		if
		:: printf("parent and child are live\n")
		:: dead[AT(CHILD, 0)] = 1; did[AT(CHILD, 0)] = CHILDS_ID;
			printf("parent is live, child deleted\n")
		:: dead[AT(CHILD, 0)] = 1; did[AT(CHILD, 0)] = CHILDS_ID;
			dead[AT(PARENT, 0)] = 1; did[AT(PARENT, 0)] = PARENTS_ID;
			printf("parent and child are deleted, each by itself\n")
		:: cascades ->
			dead[AT(CHILD, 0)] = 1; did[AT(CHILD, 0)] = PARENTS_ID;
			dead[AT(PARENT, 0)] = 1; did[AT(PARENT, 0)] = PARENTS_ID;
			printf("parent and child are deleted together\n")
		fi;
		marked[did[AT(PARENT, 0)]]++;
		marked[did[AT(CHILD, 0)]]++;
		marked[0] = 0;
		do
		:: t == TXNS -> break
		:: else -> run transaction(t, cascades); t++
		od;
		t = 0
	};
	do
	:: timeout && finished < TXNS -> break_deadlock()
	:: finished == TXNS -> break
	od;
	check_invariants()
}
