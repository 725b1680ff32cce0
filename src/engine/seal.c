/*
 * seal.c
 *		What only a node of the cluster can have written.
 *
 * An order to a shard says which rows may be restored or erased, and by which
 * deletion rows are marked.  It stands in the text of a statement, and whoever may
 * connect to a node can send any text.  So it carries a keyed hash (HMAC, RFC 2104, cut
 * to 128 bits) by softdelete.cluster_key, which superusers alone can read.  Keeps nothing.
 */
#include "postgres.h"

#include "base/guc.h"
#include "common/cryptohash.h"
#include "common/hmac.h"
#include "common/sha2.h"
#include "engine/seal.h"
#include "utils/builtins.h"

static void
require_key(void)
{
	if (sd_cluster_key == NULL || sd_cluster_key[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("softdelete.cluster_key is not set"),
				 errdetail("Without it the shards of a managed table could not tell who sends them a delete."),
				 errhint("Set softdelete.cluster_key in postgresql.conf to one secret on every node, then SELECT pg_reload_conf().")));
}

/* Write the seal of the text, and a zero byte behind it. */
void
sd_seal(const char *text, size_t len, char *seal)
{
	pg_hmac_ctx *context;
	uint8		hash[PG_SHA256_DIGEST_LENGTH];

	require_key();
	context = pg_hmac_create(PG_SHA256);
	if (context == NULL ||
		pg_hmac_init(context, (const uint8 *) sd_cluster_key, strlen(sd_cluster_key)) < 0 ||
		pg_hmac_update(context, (const uint8 *) text, len) < 0 ||
		pg_hmac_final(context, hash, sizeof(hash)) < 0)
		elog(ERROR, "could not seal an order: %s", pg_hmac_error(context));
	pg_hmac_free(context);
	seal[hex_encode((const char *) hash, SD_SEAL_LENGTH / 2, seal)] = '\0';
}

/* Is that the text's seal?  In the same time, whether it is or not. */
bool
sd_is_sealed(const char *text, size_t len, const char *seal)
{
	char		right[SD_SEAL_LENGTH + 1];
	int			differs = 0;

	if (strlen(seal) != SD_SEAL_LENGTH)
		return false;
	sd_seal(text, len, right);
	for (int i = 0; i < SD_SEAL_LENGTH; i++)
		differs |= seal[i] ^ right[i];
	return differs == 0;
}
