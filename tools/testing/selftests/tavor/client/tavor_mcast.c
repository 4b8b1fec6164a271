// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Tests multicast groups of a kernel client's QPs: attaches and detaches that access the group
 * table at the same time, are cancelled, refused or lost, or end with the device, and destroys of
 * attached QPs. kernel_client.sh sets the model's faults and latencies, and reads the results from
 * the log.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <rdma/ib_verbs.h>
#include <rdma/vrb_verbs.h>

#define NR_QPS		2
#define ENDS_WITHIN	(20 * HZ)

static char *mode = "works";
module_param(mode, charp, 0444);
MODULE_PARM_DESC(mode, "works, waits, refused, late, lost, fails, left or left_fails");

struct member {
	struct ib_qp *qp;
	struct vrb_mcast mcast;
	struct completion over;
	struct completion gone;
};

struct world {
	struct vrb_client *client;
	struct ib_pd *pd;
	struct ib_cq *cq;
	struct member member[NR_QPS];
};

static int number;

/* The objects that the client left behind. */
static struct ib_qp *left;
static struct ib_pd *left_pd;

static void result(bool ok, const char *text)
{
	pr_info("tavor_mcast: %sok %d %s\n", ok ? "" : "not ", ++number, text);
}

static bool is(int got, int want, const char *what)
{
	if (got != want)
		pr_info("tavor_mcast: # %s: %d instead of %d\n", what, got, want);
	return got == want;
}

/* ---- Requests ---- */

static void member_done(struct vrb *vrb)
{
	complete(&container_of(vrb, struct member, mcast.vrb)->over);
}

static void member_gone(void *context)
{
	complete(context);
}

static void group_gid(union ib_gid *gid, int group)
{
	*gid = (union ib_gid){ .raw = { 0xff, 0x12, 0x60, 0x1b, [15] = group } };
}

static int ask(struct world *w, struct member *m, int group)
{
	int ret;

	group_gid(&m->mcast.gid, group);
	m->mcast.vrb.done = member_done;
	reinit_completion(&m->over);
	local_bh_disable();
	ret = vrb_submit(w->client, &m->mcast.vrb);
	local_bh_enable();
	return ret;
}

static int attach(struct world *w, struct member *m, int group)
{
	vrb_prep_attach_mcast(&m->mcast, m->qp);
	return ask(w, m, group);
}

static int detach(struct world *w, struct member *m, int group)
{
	vrb_prep_detach_mcast(&m->mcast, m->qp);
	return ask(w, m, group);
}

static int status_of(struct member *m)
{
	return wait_for_completion_timeout(&m->over, ENDS_WITHIN) ? m->mcast.vrb.status : -EBUSY;
}

/* The attach is accepted, and completes with @status. */
static bool attached(struct world *w, struct member *m, int group, int status)
{
	return is(attach(w, m, group), -EINPROGRESS, "attach accepted") &&
	       is(status_of(m), status, "attach");
}

static bool detached(struct world *w, struct member *m, int group, int status)
{
	return is(detach(w, m, group), -EINPROGRESS, "detach accepted") &&
	       is(status_of(m), status, "detach");
}

static bool destroyed(struct world *w, struct member *m)
{
	struct ib_qp *qp = m->qp;

	m->qp = NULL;
	return is(vrb_destroy_qp(w->client, qp, member_gone, &m->gone), -EINPROGRESS, "destroy");
}

static bool is_gone(struct member *m)
{
	return is(!!wait_for_completion_timeout(&m->gone, ENDS_WITHIN), true, "QP has gone");
}

/* ---- QPs ---- */

static int created(struct world *w, struct ib_qp *qp)
{
	struct vrb_create_qp create;

	vrb_prep_create_qp(&create, qp);
	return vrb_submit_wait(w->client, &create.vrb);
}

static int connected(struct world *w, struct ib_qp *qp)
{
	struct vrb_connect_qp connect;

	vrb_prep_connect_qp(&connect, qp);
	memset(&connect.attr, 0, sizeof(connect.attr));
	connect.attr.port_num = 1;
	connect.to = IB_QPS_RTS;
	return vrb_submit_wait(w->client, &connect.vrb);
}

static bool member_born(struct world *w, struct member *m, enum ib_qp_type type)
{
	struct ib_qp_init_attr attr = {
		.qp_type = type,
		.send_cq = w->cq,
		.recv_cq = w->cq,
		.cap = { .max_send_wr = 2, .max_recv_wr = 2, .max_send_sge = 1, .max_recv_sge = 1 },
	};

	init_completion(&m->over);
	init_completion(&m->gone);
	m->qp = vrb_alloc_qp(w->client, w->pd, &attr, GFP_KERNEL);
	if (IS_ERR(m->qp)) {
		m->qp = NULL;
		return false;
	}
	return !created(w, m->qp) && (type != IB_QPT_UD || !connected(w, m->qp));
}

static bool world_begin(struct world *w)
{
	struct ib_cq_init_attr attr = { .cqe = 16 };
	struct vrb_create_cq create;
	struct ib_cq *cq;
	int i;

	cq = vrb_alloc_cq(w->client, &attr, NULL, NULL, w, GFP_KERNEL);
	if (IS_ERR(cq))
		return false;
	w->cq = cq;
	vrb_prep_create_cq(&create, cq);
	if (vrb_submit_wait(w->client, &create.vrb))
		return false;
	for (i = 0; i < NR_QPS; i++)
		if (!member_born(w, &w->member[i], IB_QPT_UD))
			return false;
	return true;
}

/* ---- Requests that succeed ---- */

static bool both_at_once(struct world *w, int first)
{
	struct member *a = &w->member[first], *b = &w->member[!first];
	bool ok;

	ok = is(attach(w, a, 1), -EINPROGRESS, "one") && is(attach(w, b, 1), -EINPROGRESS, "two");
	ok = ok && is(status_of(b), 0, "second attach") && is(status_of(a), 0, "first attach");
	ok = ok && is(detach(w, a, 1), -EINPROGRESS, "one") &&
	     is(detach(w, b, 1), -EINPROGRESS, "two");
	return ok && is(status_of(b), 0, "second detach") && is(status_of(a), 0, "first detach");
}

static bool counts_an_attach_once(struct world *w)
{
	struct member *a = &w->member[0];

	return attached(w, a, 1, 0) && attached(w, a, 1, 0) && attached(w, a, 2, 0) &&
	       detached(w, a, 1, 0) && detached(w, a, 1, -EINVAL) && detached(w, a, 2, 0);
}

static bool refuses_nonsense(struct world *w)
{
	struct member rc;
	bool ok;

	if (!member_born(w, &rc, IB_QPT_RC))
		return false;
	ok = attached(w, &rc, 1, -EINVAL);
	vrb_prep_attach_mcast(&w->member[0].mcast, w->member[0].qp);
	w->member[0].mcast.gid = (union ib_gid){ .raw = { 0xfe, 0x80 } };
	ok = ok && is(vrb_submit_wait(w->client, &w->member[0].mcast.vrb), -EINVAL, "unicast");
	return destroyed(w, &rc) && is_gone(&rc) && ok;
}

static bool destroy_waits_for_detach(struct world *w)
{
	struct member *a = &w->member[0];
	struct ib_qp *qp = a->qp;
	bool ok = attached(w, a, 1, 0) && attached(w, a, 2, 0) && destroyed(w, a);

	a->qp = qp;		/* the QP exists until it is detached */
	ok = ok && is(attach(w, a, 3), -ESHUTDOWN, "attach while it is being destroyed");
	ok = ok && detached(w, a, 1, 0);
	msleep(50);
	ok = ok && is(completion_done(&a->gone), false, "gone while it is attached");
	ok = ok && detached(w, a, 2, 0);
	a->qp = NULL;
	return ok && is_gone(a);
}

static void run_works(struct world *w)
{
	result(both_at_once(w, 0), "two QPs attach at once");
	result(both_at_once(w, 1), "two QPs attach at once, in the other order");
	result(counts_an_attach_once(w), "an attach counts once");
	result(refuses_nonsense(w), "QPs and GIDs that cannot be in a group are refused");
	result(destroy_waits_for_detach(w), "a destroy waits until the QP is detached");
}

/* ---- Requests that wait: each MGID_HASH is slow ---- */

static bool wait_is_cancelled(struct world *w)
{
	struct member *a = &w->member[0], *b = &w->member[1];
	bool ok;

	ok = is(attach(w, a, 1), -EINPROGRESS, "one") && is(attach(w, b, 1), -EINPROGRESS, "two");
	ok = ok && is(vrb_cancel(&b->mcast.vrb), 0, "cancel");
	ok = ok && is(status_of(b), -ECANCELED, "cancelled");
	ok = ok && is(completion_done(&a->over), false, "the first is over");
	ok = ok && is(status_of(a), 0, "first attach");
	return ok && detached(w, b, 1, -EINVAL) && detached(w, a, 1, 0);
}

static bool detach_is_cancelled_by_destroy(struct world *w)
{
	struct member *a = &w->member[0], *b = &w->member[1];
	struct ib_qp *qp = b->qp;
	bool ok = attached(w, b, 2, 0);

	ok = ok && is(attach(w, a, 1), -EINPROGRESS, "one") &&
	     is(detach(w, b, 2), -EINPROGRESS, "two");
	ok = ok && destroyed(w, b) && is(status_of(b), -ECANCELED, "detach");
	b->qp = qp;
	ok = ok && is(status_of(a), 0, "first attach") && detached(w, b, 2, 0);
	b->qp = NULL;
	return ok && is_gone(b) && detached(w, a, 1, 0) && member_born(w, b, IB_QPT_UD);
}

static bool attach_is_cancelled_by_destroy(struct world *w)
{
	struct member *a = &w->member[0], *b = &w->member[1];
	bool ok;

	ok = is(attach(w, a, 1), -EINPROGRESS, "one") && is(attach(w, b, 1), -EINPROGRESS, "two");
	ok = ok && destroyed(w, b) && is(status_of(b), -ECANCELED, "attach") && is_gone(b);
	return ok && is(status_of(a), 0, "first attach") && detached(w, a, 1, 0) &&
	       member_born(w, b, IB_QPT_UD);
}

/* The attach is already being executed. It succeeds, so the destroy waits for a detach. */
static bool destroy_during_an_attach(struct world *w)
{
	struct member *a = &w->member[0];
	struct ib_qp *qp = a->qp;
	bool ok = is(attach(w, a, 1), -EINPROGRESS, "attach");

	ok = ok && destroyed(w, a) && is(status_of(a), 0, "attach");
	msleep(50);
	ok = ok && is(completion_done(&a->gone), false, "gone while it is attached");
	a->qp = qp;
	ok = ok && detached(w, a, 1, 0);
	a->qp = NULL;
	return ok && is_gone(a) && member_born(w, a, IB_QPT_UD);
}

static void run_waits(struct world *w)
{
	result(both_at_once(w, 0), "of two QPs that attach at once the second waits");
	result(wait_is_cancelled(w), "a request that waits is cancelled");
	result(attach_is_cancelled_by_destroy(w), "a destroy cancels an attach that waits");
	result(detach_is_cancelled_by_destroy(w), "a destroy cancels a detach that waits");
	result(destroy_during_an_attach(w), "a destroy waits for an attach that is outstanding");
}

/* One command of the first is refused. */
static void run_refused(struct world *w)
{
	struct member *a = &w->member[0], *b = &w->member[1];
	bool ok;

	ok = is(attach(w, a, 1), -EINPROGRESS, "one") && is(attach(w, b, 1), -EINPROGRESS, "two");
	ok = ok && is(status_of(a), -EREMOTEIO, "first attach") &&
	     is(status_of(b), 0, "second attach");
	result(ok && detached(w, a, 1, -EINVAL) && detached(w, b, 1, 0),
	       "the second has its turn after one that is refused");
}

/* ---- Commands that are not answered in time ---- */

static bool lost(struct world *w)
{
	struct member *a = &w->member[0], *b = &w->member[1];

	return is(attach(w, a, 1), -EINPROGRESS, "one") &&
	       is(attach(w, b, 1), -EINPROGRESS, "two") &&
	       is(status_of(a), -ETIMEDOUT, "first attach") &&
	       is(status_of(b), -EUCLEAN, "attach that has waited") &&
	       attached(w, b, 3, -EUCLEAN);
}

static void run_late(struct world *w)
{
	struct member *a = &w->member[0], *b = &w->member[1];
	bool ok = attached(w, b, 2, 0) && lost(w);

	result(ok, "an attach does not wait for a command that timed out");
	result(ok && detached(w, b, 2, 0), "a detach waits until that command completes");
	result(ok && detached(w, a, 1, 0), "the attach that timed out has taken effect");
}

static bool ends_with_the_device(struct world *w)
{
	return destroyed(w, &w->member[0]) && destroyed(w, &w->member[1]) &&
	       is_gone(&w->member[0]) && is_gone(&w->member[1]);
}

static void run_never(struct world *w)
{
	struct member *b = &w->member[1];
	bool ok = attached(w, b, 2, 0) && lost(w);

	result(ok && detached(w, b, 2, -EIO), "a detach that waits in vain fails the device");
	result(ok && ends_with_the_device(w), "that failure releases QPs that are attached");
}

static void run_fails(struct world *w)
{
	struct member *a = &w->member[0], *b = &w->member[1];
	bool ok = attached(w, a, 1, 0) && attached(w, b, 1, 0);

	ok = ok && is(attach(w, a, 2), -EINPROGRESS, "one") &&
	     is(detach(w, b, 1), -EINPROGRESS, "two");
	pr_info("tavor_mcast: # ready\n");
	ok = ok && is(status_of(a), -EIO, "attach") && is(status_of(b), -EIO, "detach");
	result(ok, "a failure of the device ends the issued attach and the waiting one");
	result(ok && ends_with_the_device(w), "the failure releases QPs that are attached");
}

/*
 * The QP is still in a group when the client unregisters, so it stays until somebody else detaches
 * it. Here that is ib_core; otherwise it would be the removal of the driver. kernel_client.sh then
 * looks at the QP, and unloads this module.
 */
static void run_left(struct world *w)
{
	struct member *a = &w->member[0];

	left = a->qp;
	left_pd = w->pd;
	result(attached(w, a, 1, 0), "a QP that is left in a group");
}

static bool left_is_gone(void)
{
	int i;

	for (i = 0; i < 1000 && atomic_read(&left_pd->usecnt); i++)
		msleep(20);
	return !atomic_read(&left_pd->usecnt);
}

static void left_end(void)
{
	union ib_gid gid;

	if (!left)
		return;
	group_gid(&gid, 1);
	/* In the other mode the QP has gone with the device. */
	if (!strcmp(mode, "left"))
		result(is(ib_detach_mcast(left, &gid, 0xc000), 0, "detach"),
		       "is detached by ib_core");
	result(is(left_is_gone(), true, "QP has gone"), "and gone then");
	ib_dealloc_pd(left_pd);
}

static const struct {
	const char *name;
	void (*run)(struct world *w);
} modes[] = {
	{ "works", run_works },
	{ "waits", run_waits },
	{ "refused", run_refused },
	{ "late", run_late },
	{ "lost", run_never },
	{ "fails", run_fails },
	{ "left", run_left },
	{ "left_fails", run_left },
};

static void world_run(struct world *w)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(modes); i++)
		if (!strcmp(mode, modes[i].name))
			modes[i].run(w);
}

static int tavor_mcast_add(struct ib_device *dev)
{
	struct world *w = kzalloc(sizeof(*w), GFP_KERNEL);

	if (!w)
		return -ENOMEM;
	w->client = vrb_client_register(dev, "tavor_mcast");
	w->pd = ib_alloc_pd(dev, 0);
	if (world_begin(w))
		world_run(w);
	else
		result(false, "objects");
	/* This destroys the remaining objects. */
	vrb_client_unregister(w->client);
	if (!left)
		ib_dealloc_pd(w->pd);
	kfree(w);
	return -EOPNOTSUPP;
}

static struct ib_client client = {
	.name = "tavor_mcast",
	.add = tavor_mcast_add,
};

static int __init tavor_mcast_init(void)
{
	return ib_register_client(&client);
}
module_init(tavor_mcast_init);

static void __exit tavor_mcast_exit(void)
{
	left_end();
	ib_unregister_client(&client);
}
module_exit(tavor_mcast_exit);
MODULE_DESCRIPTION("Test of multicast groups of a client whose QPs live in softirq");
MODULE_LICENSE("Dual BSD/GPL");
