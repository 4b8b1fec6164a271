/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Hash table of connections, for both servers. The keys have numbers that the peers choose. The
 * hash depends on a secret, so that a peer cannot choose keys that all fall into one bucket.
 */
#ifndef CONN_TABLE_H
#define CONN_TABLE_H

#include <linux/hashtable.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/string.h>

#define CONN_TABLE_BITS	9

/* The peer's address, with its UD QP and a cookie, or its RC QP and 0; GID 0 without a GRH */
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
