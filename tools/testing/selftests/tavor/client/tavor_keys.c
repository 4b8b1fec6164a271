// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Creates and destroys regions on a table so small that each index is reused. No key of a region
 * may equal a key of the previous region with the same index. kernel_client.sh reads the result
 * from the log.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <rdma/ib_verbs.h>
#include <rdma/vrb_verbs.h>

#define TABLE		1024		/* num_mpt */
#define REGIONS		(TABLE + TABLE / 4)
#define KEYS		2		/* of each region */

struct keys {
	struct vrb_client *client;
	struct ib_pd *pd;
	dma_addr_t page;
	u32 last[TABLE][KEYS];
	int again;			/* regions that reuse an index */
};

static int ask(struct keys *keys, struct vrb *vrb)
{
	return vrb_submit_wait(keys->client, vrb);
}

static int registered(struct keys *keys, struct ib_mr *mr, u32 *key)
{
	struct vrb_reg_mr reg;
	struct vrb_unreg_mr unreg;
	int err;

	vrb_prep_reg_mr(&reg, mr);
	reg.iova = 0;
	reg.length = PAGE_SIZE;
	reg.pages = &keys->page;
	reg.nr_pages = 1;
	reg.page_shift = PAGE_SHIFT;
	reg.access = IB_ACCESS_LOCAL_WRITE;
	err = ask(keys, &reg.vrb);
	*key = mr->lkey;
	vrb_prep_unreg_mr(&unreg, mr);
	return err ?: ask(keys, &unreg.vrb);
}

static bool is_stale(struct keys *keys, u32 key)
{
	u32 *last = keys->last[key % TABLE];
	int i;

	for (i = 0; i < KEYS; i++)
		if (last[i] == key)
			return true;
	return false;
}

/* Creates a region, and returns whether its keys are new. */
static bool region(struct keys *keys)
{
	struct ib_mr *mr = vrb_alloc_mr(keys->client, keys->pd, 1, GFP_KERNEL);
	struct vrb_create_mr create;
	u32 key[KEYS];
	bool ok = true;
	int i, err;

	if (IS_ERR(mr))
		return false;
	vrb_prep_create_mr(&create, mr);
	err = ask(keys, &create.vrb);
	for (i = 0; !err && i < KEYS; i++) {
		err = registered(keys, mr, &key[i]);
		ok = ok && !is_stale(keys, key[i]);
	}
	vrb_destroy_mr(keys->client, mr, NULL, NULL);
	if (err)
		return false;
	if (!ok)
		pr_info("tavor_keys: # key %#x or %#x was valid before\n", key[0], key[1]);
	keys->again += !!keys->last[key[0] % TABLE][0];
	memcpy(keys->last[key[0] % TABLE], key, sizeof(key));
	return ok;
}

static bool regions(struct keys *keys)
{
	bool ok = true;
	int i;

	for (i = 0; ok && i < REGIONS; i++)
		ok = region(keys);
	return ok && keys->again;
}

static int tavor_keys_add(struct ib_device *dev)
{
	struct keys *keys = kvzalloc(sizeof(*keys), GFP_KERNEL);

	if (!keys)
		return -ENOMEM;
	keys->page = PAGE_SIZE;		/* no access to it follows */
	keys->client = vrb_client_register(dev, "tavor_keys");
	keys->pd = ib_alloc_pd(dev, 0);
	pr_info("tavor_keys: %sok 1 no key of an index comes back\n", regions(keys) ? "" : "not ");
	vrb_client_unregister(keys->client);
	ib_dealloc_pd(keys->pd);
	kvfree(keys);
	return -EOPNOTSUPP;
}

static struct ib_client client = {
	.name = "tavor_keys",
	.add = tavor_keys_add,
};

module_driver(client, ib_register_client, ib_unregister_client);
MODULE_DESCRIPTION("Test of the keys of memory regions that come and go");
MODULE_LICENSE("Dual BSD/GPL");
