// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Creates address handles as kernel clients do. It only uses ib_core, so it runs on any driver. It
 * tests the result of a query, invalid attributes, and the maximum number of handles.
 * core_client.sh reads the results from the log.
 */
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <rdma/ib_verbs.h>

#define PATIENCE	(5 * HZ)
#define MANY_MAX	1000000
#define FLOW		0xabcde

static char *mode = "none";
module_param(mode, charp, 0444);
MODULE_PARM_DESC(mode, "queries, refuses or many; none: nothing");

static struct ib_pd *pd;
static int number;

static void result(bool ok, const char *text)
{
	pr_info("tavor_ah: %sok %d %s\n", ok ? "" : "not ", ++number, text);
}

/* ---- Queries ---- */

struct address {
	u32 port;
	u16 dlid;
	u8 sl, path_bits, rate, answered;
	bool grh;
};

/* The port runs at 10 Gb/s, so a static rate of 10 Gb/s or more does not limit it. */
static const struct address addresses[] = {
	{ .port = 1, .dlid = 0x123, .sl = 15, .path_bits = 127 },
	{ .port = 2, .dlid = 0xbfff },
	{ .port = 1, .dlid = 0xffff, .grh = true },
	{ .port = 2, .dlid = 0xc001, .sl = 3, .path_bits = 1, .grh = true },
	{ .port = 1, .dlid = 1, .rate = IB_RATE_2_5_GBPS, .answered = IB_RATE_2_5_GBPS },
	{ .port = 1, .dlid = 1, .rate = IB_RATE_10_GBPS, .answered = IB_RATE_PORT_CURRENT },
	{ .port = 2, .dlid = 1, .rate = IB_RATE_120_GBPS, .answered = IB_RATE_PORT_CURRENT },
};

static void encode(const struct address *a, struct rdma_ah_attr *attr)
{
	memset(attr, 0, sizeof(*attr));
	attr->type = RDMA_AH_ATTR_TYPE_IB;
	rdma_ah_set_port_num(attr, a->port);
	rdma_ah_set_dlid(attr, a->dlid);
	rdma_ah_set_sl(attr, a->sl);
	rdma_ah_set_path_bits(attr, a->path_bits);
	rdma_ah_set_static_rate(attr, a->rate);
	if (!a->grh)
		return;
	rdma_ah_set_grh(attr, NULL, FLOW, 0, 63, 0x5a);
	attr->grh.dgid.global.subnet_prefix = cpu_to_be64(0xfe80000000000000ULL);
	attr->grh.dgid.global.interface_id = cpu_to_be64(0x0123456789abcdefULL);
}

static bool same_grh(const struct rdma_ah_attr *want, const struct rdma_ah_attr *got)
{
	const struct ib_global_route *a = &want->grh, *b = &got->grh;

	return a->flow_label == b->flow_label && a->sgid_index == b->sgid_index &&
	       a->hop_limit == b->hop_limit && a->traffic_class == b->traffic_class &&
	       !memcmp(a->dgid.raw, b->dgid.raw, sizeof(a->dgid));
}

static bool same(const struct address *a, const struct rdma_ah_attr *want,
		 const struct rdma_ah_attr *got)
{
	bool ok = got->type == want->type && rdma_ah_get_port_num(got) == a->port &&
		  rdma_ah_get_dlid(got) == a->dlid && rdma_ah_get_sl(got) == a->sl &&
		  rdma_ah_get_path_bits(got) == a->path_bits &&
		  rdma_ah_get_static_rate(got) == a->answered &&
		  rdma_ah_get_ah_flags(got) == (a->grh ? IB_AH_GRH : 0);

	ok = ok && (!a->grh || same_grh(want, got));
	if (!ok)
		pr_info("tavor_ah: # LID %#x: type %d, port %u, LID %#x, SL %u, rate %u, %#x\n",
			a->dlid, got->type, rdma_ah_get_port_num(got), rdma_ah_get_dlid(got),
			rdma_ah_get_sl(got), rdma_ah_get_static_rate(got),
			rdma_ah_get_ah_flags(got));
	return ok;
}

static bool query(const struct address *a)
{
	struct rdma_ah_attr attr, got;
	struct ib_ah *ah;
	bool ok;

	encode(a, &attr);
	ah = rdma_create_ah(pd, &attr, 0);
	if (IS_ERR(ah))
		return false;
	/* Fields that the query does not write must not look like an answer. */
	memset(&got, 0xff, sizeof(got));
	got.grh.sgid_attr = NULL;
	ok = !rdma_query_ah(ah, &got) && same(a, &attr, &got);
	rdma_destroy_ah(ah, 0);
	return ok;
}

static struct completion asked;
static bool answers;

static int query_all(void *arg)
{
	bool ok = true;
	int i;

	for (i = 0; i < ARRAY_SIZE(addresses); i++)
		ok &= query(&addresses[i]);
	answers = ok;
	complete(&asked);
	return 0;
}

/* If the driver's query kills the thread, that is a failed result, too. */
static void run_queries(void)
{
	struct task_struct *task;
	bool back;

	init_completion(&asked);
	task = kthread_run(query_all, NULL, "tavor_ah");
	back = !IS_ERR(task) && wait_for_completion_timeout(&asked, PATIENCE);
	if (!back)
		pr_info("tavor_ah: # the query has not returned\n");
	result(back && answers, "queries answer what was given");
}

/* ---- Refusals ---- */

static bool refuses(struct rdma_ah_attr *attr, const char *what)
{
	struct ib_ah *ah = rdma_create_ah(pd, attr, 0);

	if (IS_ERR(ah) && PTR_ERR(ah) == -EINVAL)
		return true;
	pr_info("tavor_ah: # %s: %ld\n", what, IS_ERR(ah) ? PTR_ERR(ah) : 0);
	if (!IS_ERR(ah))
		rdma_destroy_ah(ah, 0);
	return false;
}

static void run_refuses(void)
{
	const struct address plain = { .port = 1, .dlid = 7 };
	const struct address routed = { .port = 1, .dlid = 7, .grh = true };
	struct rdma_ah_attr attr;
	bool ok = true;

	encode(&plain, &attr);
	rdma_ah_set_port_num(&attr, 0);
	ok &= refuses(&attr, "port 0");
	rdma_ah_set_port_num(&attr, 3);
	ok &= refuses(&attr, "port 3");
	encode(&routed, &attr);
	rdma_ah_set_grh(&attr, NULL, FLOW, 200, 63, 0);
	ok &= refuses(&attr, "source GID beyond the table");
	result(ok, "ports and GIDs that there are not");

	encode(&plain, &attr);
	rdma_ah_set_sl(&attr, 16);
	ok = refuses(&attr, "service level 16");
	encode(&plain, &attr);
	rdma_ah_set_path_bits(&attr, 128);
	ok &= refuses(&attr, "path bits 128");
	encode(&plain, &attr);
	rdma_ah_set_static_rate(&attr, 1);
	ok &= refuses(&attr, "static rate 1");
	encode(&routed, &attr);
	rdma_ah_set_grh(&attr, NULL, 1 << 20, 0, 63, 0);
	ok &= refuses(&attr, "flow label of 21 bits");
	result(ok, "values that do not fit");
}

/* ---- Many ---- */

static int make_many(struct ib_ah **ah, int most)
{
	const struct address plain = { .port = 1, .dlid = 7 };
	struct rdma_ah_attr attr;
	int n = 0;

	encode(&plain, &attr);
	for (; n < most; n++) {
		ah[n] = rdma_create_ah(pd, &attr, 0);
		if (IS_ERR(ah[n]))
			break;
	}
	return n;
}

static void destroy_many(struct ib_ah **ah, int n)
{
	while (n)
		rdma_destroy_ah(ah[--n], 0);
}

/* As many as the device reports, less those of other clients; every one is freed. */
static void run_many(void)
{
	const int most = min_t(int, pd->device->attrs.max_ah, MANY_MAX - 1);
	struct ib_ah **ah = vzalloc(sizeof(*ah) * (most + 1));
	int first, second;

	if (!ah)
		return;
	first = make_many(ah, most + 1);
	result(first <= most && first > most - 100 && PTR_ERR(ah[first]) == -ENOMEM,
	       "as many AHs as the device reports, then ENOMEM");
	destroy_many(ah, first);
	second = make_many(ah, most + 1);
	if (second != first)
		pr_info("tavor_ah: # %d, then %d, of %d\n", first, second, most);
	result(second == first, "as many again after all were destroyed");
	destroy_many(ah, second);
	vfree(ah);
}

/* ---- Module ---- */

static int ah_add(struct ib_device *dev)
{
	pd = ib_alloc_pd(dev, 0);
	if (IS_ERR(pd))
		return PTR_ERR(pd);
	if (!strcmp(mode, "queries"))
		run_queries();
	else if (!strcmp(mode, "refuses"))
		run_refuses();
	else if (!strcmp(mode, "many"))
		run_many();
	ib_dealloc_pd(pd);
	return -EOPNOTSUPP;
}

static struct ib_client client = {
	.name = "tavor_ah",
	.add = ah_add,
};

static int __init ah_init(void)
{
	return strcmp(mode, "none") ? ib_register_client(&client) : 0;
}

static void __exit ah_exit(void)
{
	if (strcmp(mode, "none"))
		ib_unregister_client(&client);
}

module_init(ah_init);
module_exit(ah_exit);
MODULE_DESCRIPTION("Test of the address handles of an HCA's driver");
MODULE_LICENSE("Dual BSD/GPL");
