/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Finds connections by what their peers say of them, for both servers. A peer chooses its numbers,
 * so where they hash to depends on a secret: nobody can have all of them in one place.
 */
#ifndef CONN_TABLE_H
#define CONN_TABLE_H

#include <linux/hashtable.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/string.h>

#define CONN_TABLE_BITS	9

/* A UD QP and a cookie, or an RC QP and 0; whose they are. A GID of 0 is none. */
struct conn_key {
	u8 gid[16];
	u64 cookie;
	u32 lid, qpn;
};

static_assert(sizeof(struct conn_key) == 32); /* no padding: it is hashed and compared whole */

struct conn_entry {
	struct hlist_node node;
	struct conn_key key;
};

struct conn_table {
	siphash_key_t secret;
	DECLARE_HASHTABLE(entries, CONN_TABLE_BITS);
};

static inline void conn_table_init(struct conn_table *table)
{
	get_random_bytes(&table->secret, sizeof(table->secret));
	hash_init(table->entries);
}

static inline u64 conn_table_hash(const struct conn_table *table, const struct conn_key *key)
{
	return siphash(key, sizeof(*key), &table->secret);
}

static inline void conn_table_add(struct conn_table *table, struct conn_entry *entry)
{
	hash_add(table->entries, &entry->node, conn_table_hash(table, &entry->key));
}

static inline void conn_table_del(struct conn_entry *entry)
{
	hash_del(&entry->node);
}

static inline struct conn_entry *conn_table_find(struct conn_table *table,
						 const struct conn_key *key)
{
	struct conn_entry *entry;

	hash_for_each_possible(table->entries, entry, node, conn_table_hash(table, key)) {
		if (!memcmp(&entry->key, key, sizeof(*key)))
			return entry;
	}
	return NULL;
}

#endif /* CONN_TABLE_H */
