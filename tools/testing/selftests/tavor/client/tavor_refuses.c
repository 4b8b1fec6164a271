// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Submits requests with a field whose value <rdma/vrb_verbs.h> does not allow. Each is refused with
 * the errno in that header, and its object does not change. kernel_client.sh reads the results from
 * the log.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <rdma/ib_cache.h>
#include <rdma/ib_mad.h>
#include <rdma/ib_verbs.h>
#include <rdma/vrb_verbs.h>

#define PAGES		4		/* pages of the region */
#define FAR		0x7fffffff	/* a number too large for any table */

static char *mode = "none";
module_param(mode, charp, 0444);
MODULE_PARM_DESC(mode, "none, or one of: region qp connect port mad rest alloc");

struct test {
	struct vrb_client *client;
	struct ib_pd *pd;
	struct ib_cq *cq;
	struct ib_srq *srq;
	struct ib_qp *rc, *ud;
	struct ib_mr *mr;
	const struct ib_gid_attr *gid;
	dma_addr_t page[PAGES];
	struct vrb_reg_mr reg;
	struct vrb_modify_qp modify;
	struct vrb_connect_qp connect;
	struct ib_mad in, out;
	int wrong;
};

static int number;

static void result(struct test *t, const char *text)
{
	pr_info("tavor_refuses: %sok %d %s\n", t->wrong ? "not " : "", ++number, text);
	t->wrong = 0;
}

static int ask(struct test *t, struct vrb *vrb)
{
	return vrb_submit_wait(t->client, vrb);
}

static void want(struct test *t, int want, int got, const char *what)
{
	if (got == want)
		return;
	t->wrong++;
	pr_info("tavor_refuses: # %s: %d instead of %d\n", what, got, want);
}

/* ---- struct vrb_reg_mr ---- */

static void reg_good(struct test *t)
{
	vrb_prep_reg_mr(&t->reg, t->mr);
	t->reg.iova = 0x1000;
	t->reg.length = PAGES * PAGE_SIZE;
	t->reg.pages = t->page;
	t->reg.nr_pages = PAGES;
	t->reg.page_shift = PAGE_SHIFT;
	t->reg.access = IB_ACCESS_LOCAL_WRITE;
}

/* Sets one field to an invalid value. */
#define REG(t, field, value) do {							\
	struct test *of = (t);								\
											\
	reg_good(of);									\
	of->reg.field = (value);							\
	want(of, -EINVAL, ask(of, &of->reg.vrb), "reg_mr: " #field " = " #value);	\
} while (0)

static void reg_pages(struct test *t)
{
	static const u8 at[] = { 0, 1, PAGES - 1 };
	int i;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		t->page[at[i]] += 8;
		reg_good(t);
		want(t, -EINVAL, ask(t, &t->reg.vrb), "reg_mr: a page that is not aligned");
		t->page[at[i]] -= 8;
	}
	REG(t, nr_pages, 0);
	REG(t, nr_pages, PAGES - 1);
	REG(t, nr_pages, PAGES + 1);
	REG(t, nr_pages, U32_MAX);
	REG(t, page_shift, 0);
	REG(t, page_shift, 11);
	REG(t, page_shift, 32);
	REG(t, page_shift, 64);
	REG(t, page_shift, U8_MAX);
}

static void reg_range(struct test *t)
{
	REG(t, length, 0);
	REG(t, length, PAGES * PAGE_SIZE + 1);
	REG(t, length, U64_MAX);
	REG(t, iova, 1);
	REG(t, iova, U64_MAX);
	/* The end is 2^64, which is one too many. */
	REG(t, iova, -(u64)PAGES * PAGE_SIZE);
	REG(t, access, IB_ACCESS_REMOTE_WRITE);
	REG(t, access, IB_ACCESS_REMOTE_ATOMIC);
	REG(t, access, IB_ACCESS_LOCAL_WRITE | IB_ACCESS_MW_BIND);
	REG(t, access, IB_ACCESS_ON_DEMAND);
	REG(t, access, IB_ZERO_BASED);
	REG(t, access, IB_ACCESS_LOCAL_WRITE | BIT(30));
	REG(t, access, -1);
}

static void reg_more_than_room(struct test *t)
{
	dma_addr_t pages[PAGES + 1] = {};

	reg_good(t);
	t->reg.pages = pages;
	t->reg.nr_pages = PAGES + 1;
	t->reg.length = (PAGES + 1) * PAGE_SIZE;
	want(t, -EINVAL, ask(t, &t->reg.vrb), "reg_mr: more pages than there is room for");
}

static void reg_works(struct test *t)
{
	struct vrb_unreg_mr unreg;

	vrb_prep_unreg_mr(&unreg, t->mr);
	want(t, -EINVAL, ask(t, &unreg.vrb), "unreg_mr of what is not registered");
	reg_good(t);
	want(t, 0, ask(t, &t->reg.vrb), "reg_mr");
	want(t, -EINVAL, ask(t, &t->reg.vrb), "reg_mr of what is registered");
	want(t, 0, ask(t, &unreg.vrb), "unreg_mr");
	vrb_prep_reg_mr(&t->reg, NULL);
	want(t, -EINVAL, ask(t, &t->reg.vrb), "reg_mr of nothing");
	vrb_prep_unreg_mr(&unreg, NULL);
	want(t, -EINVAL, ask(t, &unreg.vrb), "unreg_mr of nothing");
}

static void refuses_region(struct test *t)
{
	reg_range(t);
	result(t, "ranges and rights of regions");
	reg_pages(t);
	reg_more_than_room(t);
	result(t, "pages of regions");
	reg_works(t);
	result(t, "a region of which all that was refused is as it was");
	REG(t, pages, NULL);
	result(t, "a list of pages that is not there");
}

/* ---- struct vrb_modify_qp ---- */

#define INIT_MASK (IB_QP_STATE | IB_QP_PORT | IB_QP_PKEY_INDEX | IB_QP_ACCESS_FLAGS)
#define RTR_MASK (IB_QP_STATE | IB_QP_AV | IB_QP_PATH_MTU | IB_QP_DEST_QPN | IB_QP_RQ_PSN | \
		  IB_QP_MAX_DEST_RD_ATOMIC | IB_QP_MIN_RNR_TIMER)
#define RTS_MASK (IB_QP_STATE | IB_QP_TIMEOUT | IB_QP_RETRY_CNT | IB_QP_RNR_RETRY | \
		  IB_QP_SQ_PSN | IB_QP_MAX_QP_RD_ATOMIC)

static void path_good(struct test *t, struct ib_qp_attr *attr)
{
	memset(attr, 0, sizeof(*attr));
	attr->port_num = 1;
	attr->path_mtu = IB_MTU_1024;
	attr->dest_qp_num = t->rc->qp_num;
	attr->max_dest_rd_atomic = 1;
	attr->max_rd_atomic = 1;
	attr->min_rnr_timer = 12;
	attr->timeout = 14;
	attr->retry_cnt = 7;
	attr->rnr_retry = 7;
	attr->ah_attr.type = RDMA_AH_ATTR_TYPE_IB;
	rdma_ah_set_dlid(&attr->ah_attr, 1);
	rdma_ah_set_port_num(&attr->ah_attr, 1);
	rdma_ah_set_grh(&attr->ah_attr, (union ib_gid *)&t->gid->gid, 0, 0, 1, 0);
}

static void modify_good(struct test *t, enum ib_qp_state to)
{
	static const int masks[] = {
		[IB_QPS_INIT] = INIT_MASK, [IB_QPS_RTR] = RTR_MASK, [IB_QPS_RTS] = RTS_MASK,
	};

	vrb_prep_modify_qp(&t->modify, t->rc);
	path_good(t, &t->modify.attr);
	t->modify.attr.qp_state = to;
	t->modify.mask = masks[to];
}

#define MODIFY(t, to, errno, field, value) do {						\
	struct test *of = (t);								\
											\
	modify_good(of, to);								\
	of->modify.field = (value);							\
	want(of, -(errno), ask(of, &of->modify.vrb), "modify_qp: " #field " = " #value); \
} while (0)

static void modify_init(struct test *t)
{
	MODIFY(t, IB_QPS_INIT, EINVAL, mask, INIT_MASK & ~IB_QP_PORT);
	MODIFY(t, IB_QPS_INIT, EINVAL, mask, INIT_MASK | IB_QP_AV);
	MODIFY(t, IB_QPS_INIT, EINVAL, mask, INIT_MASK | IB_QP_CAP);
	MODIFY(t, IB_QPS_INIT, EINVAL, mask, INIT_MASK | IB_QP_CUR_STATE);
	MODIFY(t, IB_QPS_INIT, EOPNOTSUPP, mask, INIT_MASK | IB_QP_RATE_LIMIT);
	MODIFY(t, IB_QPS_INIT, EOPNOTSUPP, mask, INIT_MASK | BIT(30));
	MODIFY(t, IB_QPS_INIT, EOPNOTSUPP, mask, -1);
	MODIFY(t, IB_QPS_INIT, EINVAL, attr.qp_state, IB_QPS_RTS);
	MODIFY(t, IB_QPS_INIT, EINVAL, attr.port_num, 0);
	MODIFY(t, IB_QPS_INIT, EINVAL, attr.port_num, 3);
	MODIFY(t, IB_QPS_INIT, EINVAL, attr.pkey_index, 64);
	MODIFY(t, IB_QPS_INIT, EINVAL, attr.pkey_index, U16_MAX);
	MODIFY(t, IB_QPS_INIT, EINVAL, attr.qp_access_flags, IB_ACCESS_ON_DEMAND);
	MODIFY(t, IB_QPS_INIT, EINVAL, attr.qp_access_flags, BIT(30));
}

static void modify_rtr(struct test *t)
{
	MODIFY(t, IB_QPS_RTR, EINVAL, attr.path_mtu, 0);
	MODIFY(t, IB_QPS_RTR, EINVAL, attr.path_mtu, IB_MTU_4096);
	MODIFY(t, IB_QPS_RTR, EINVAL, attr.path_mtu, FAR);
	MODIFY(t, IB_QPS_RTR, EINVAL, attr.dest_qp_num, BIT(24));
	MODIFY(t, IB_QPS_RTR, EINVAL, attr.rq_psn, BIT(24));
	MODIFY(t, IB_QPS_RTR, EINVAL, attr.max_dest_rd_atomic, U8_MAX);
	MODIFY(t, IB_QPS_RTR, EINVAL, attr.min_rnr_timer, 32);
}

static void modify_address(struct test *t)
{
	struct ib_gid_attr other = *t->gid;

	MODIFY(t, IB_QPS_RTR, EINVAL, attr.ah_attr.type, RDMA_AH_ATTR_TYPE_UNDEFINED);
	MODIFY(t, IB_QPS_RTR, EINVAL, attr.ah_attr.type, RDMA_AH_ATTR_TYPE_ROCE);
	MODIFY(t, IB_QPS_RTR, EINVAL, attr.ah_attr.type, FAR);
	MODIFY(t, IB_QPS_RTR, EINVAL, attr.ah_attr.port_num, 0);
	MODIFY(t, IB_QPS_RTR, EINVAL, attr.ah_attr.port_num, 3);
	MODIFY(t, IB_QPS_RTR, EINVAL, attr.ah_attr.sl, 16);
	MODIFY(t, IB_QPS_RTR, EINVAL, attr.ah_attr.ib.src_path_bits, 128);
	MODIFY(t, IB_QPS_RTR, EINVAL, attr.ah_attr.static_rate, U8_MAX);
	MODIFY(t, IB_QPS_RTR, EINVAL, attr.ah_attr.grh.sgid_index, U8_MAX);
	MODIFY(t, IB_QPS_RTR, EINVAL, attr.ah_attr.grh.flow_label, BIT(20));
	/* A GID of another index, and one of another device. */
	other.index++;
	MODIFY(t, IB_QPS_RTR, EINVAL, attr.ah_attr.grh.sgid_attr, &other);
	other = *t->gid;
	other.device = NULL;
	MODIFY(t, IB_QPS_RTR, EINVAL, attr.ah_attr.grh.sgid_attr, &other);
}

static void modify_rts(struct test *t)
{
	MODIFY(t, IB_QPS_RTS, EINVAL, attr.timeout, 32);
	MODIFY(t, IB_QPS_RTS, EINVAL, attr.retry_cnt, 8);
	MODIFY(t, IB_QPS_RTS, EINVAL, attr.rnr_retry, 8);
	MODIFY(t, IB_QPS_RTS, EINVAL, attr.sq_psn, BIT(24));
	MODIFY(t, IB_QPS_RTS, EINVAL, attr.max_rd_atomic, U8_MAX);
	MODIFY(t, IB_QPS_RTS, EINVAL, mask, RTS_MASK & ~IB_QP_SQ_PSN);
}

static void modify_alternate(struct test *t)
{
	const int mask = RTS_MASK | IB_QP_ALT_PATH | IB_QP_PATH_MIG_STATE;

	modify_good(t, IB_QPS_RTS);
	t->modify.mask = mask;
	t->modify.attr.alt_ah_attr = t->modify.attr.ah_attr;
	t->modify.attr.path_mig_state = IB_MIG_REARM;
	want(t, -EINVAL, ask(t, &t->modify.vrb), "modify_qp: no alternate port");
	t->modify.attr.alt_port_num = 1;
	t->modify.attr.alt_pkey_index = 64;
	want(t, -EINVAL, ask(t, &t->modify.vrb), "modify_qp: alternate P_Key");
	t->modify.attr.alt_pkey_index = 0;
	t->modify.attr.alt_timeout = 32;
	want(t, -EINVAL, ask(t, &t->modify.vrb), "modify_qp: alternate timeout");
	t->modify.attr.alt_timeout = 14;
	t->modify.attr.alt_ah_attr.type = RDMA_AH_ATTR_TYPE_UNDEFINED;
	want(t, -EINVAL, ask(t, &t->modify.vrb), "modify_qp: type of the alternate address");
	t->modify.attr.alt_ah_attr.type = RDMA_AH_ATTR_TYPE_IB;
	t->modify.attr.path_mig_state = FAR;
	want(t, -EINVAL, ask(t, &t->modify.vrb), "modify_qp: state of migration");
	t->modify.attr.path_mig_state = IB_MIG_ARMED;
	want(t, -EINVAL, ask(t, &t->modify.vrb), "modify_qp: armed by software");
}

static void modify_to(struct test *t, enum ib_qp_state to)
{
	modify_good(t, to);
	want(t, 0, ask(t, &t->modify.vrb), "modify_qp");
	want(t, to, vrb_qp_state(t->client, t->rc), "state of the QP");
}

static void refuses_qp(struct test *t)
{
	modify_init(t);
	modify_to(t, IB_QPS_INIT);
	modify_rtr(t);
	modify_address(t);
	modify_to(t, IB_QPS_RTR);
	modify_rts(t);
	modify_alternate(t);
	modify_to(t, IB_QPS_RTS);
	result(t, "attributes of QPs");
	MODIFY(t, IB_QPS_RTS, EINVAL, qp, NULL);
	MODIFY(t, IB_QPS_RTS, EINVAL, attr.qp_state, IB_QPS_ERR + 1);
	MODIFY(t, IB_QPS_RTS, EINVAL, attr.qp_state, FAR);
	MODIFY(t, IB_QPS_RTS, EINVAL, attr.qp_state, -1);
	modify_good(t, IB_QPS_RTS);
	t->modify.mask = IB_QP_STATE | IB_QP_CUR_STATE;
	t->modify.attr.cur_qp_state = FAR;
	want(t, -EINVAL, ask(t, &t->modify.vrb), "modify_qp: current state");
	result(t, "states of QPs");
}

/* ---- struct vrb_connect_qp ---- */

#define CONNECT(t, errno, field, value) do {						\
	struct test *of = (t);								\
											\
	connect_good(of);								\
	of->connect.field = (value);							\
	want(of, -(errno), ask(of, &of->connect.vrb), "connect_qp: " #field " = " #value); \
} while (0)

static void connect_good(struct test *t)
{
	vrb_prep_connect_qp(&t->connect, t->rc);
	path_good(t, &t->connect.attr);
	t->connect.to = IB_QPS_RTS;
}

static void connect_keeps(struct test *t, u32 step, enum ib_qp_state state)
{
	want(t, step, t->connect.vrb.step, "step");
	want(t, state, vrb_qp_state(t->client, t->rc), "state of the QP");
}

static void refuses_connect(struct test *t)
{
	CONNECT(t, EINVAL, qp, NULL);
	CONNECT(t, EINVAL, to, IB_QPS_RESET);
	CONNECT(t, EINVAL, to, IB_QPS_INIT);
	CONNECT(t, EINVAL, to, IB_QPS_SQD);
	CONNECT(t, EINVAL, to, IB_QPS_ERR);
	CONNECT(t, EINVAL, to, FAR);
	CONNECT(t, EINVAL, attr.port_num, 0);
	connect_keeps(t, 0, IB_QPS_RESET);
	CONNECT(t, EINVAL, attr.ah_attr.type, RDMA_AH_ATTR_TYPE_UNDEFINED);
	connect_keeps(t, 1, IB_QPS_INIT);
	CONNECT(t, EINVAL, attr.retry_cnt, 8);
	connect_keeps(t, 2, IB_QPS_RTR);
	connect_good(t);
	want(t, 0, ask(t, &t->connect.vrb), "connect_qp");
	connect_keeps(t, 2, IB_QPS_RTS);
	result(t, "attributes and ends of a connect");
}

/* ---- Ports ---- */

static void ask_port(struct test *t, u32 port)
{
	struct vrb_query_port query;
	struct vrb_modify_port modify = {};

	vrb_prep_query_port(&query, port);
	want(t, -EINVAL, ask(t, &query.vrb), "query_port");
	vrb_prep_modify_port(&modify, port);
	want(t, -EINVAL, ask(t, &modify.vrb), "modify_port");
}

static void ask_port_mask(struct test *t, int mask, int errno)
{
	struct vrb_modify_port modify = { .mask = mask };

	vrb_prep_modify_port(&modify, 1);
	want(t, errno, ask(t, &modify.vrb), "mask of modify_port");
}

static void refuses_port(struct test *t)
{
	ask_port(t, 0);
	ask_port(t, 3);
	ask_port(t, U32_MAX);
	ask_port_mask(t, IB_PORT_SHUTDOWN, -EOPNOTSUPP);
	ask_port_mask(t, IB_PORT_INIT_TYPE, -EOPNOTSUPP);
	ask_port_mask(t, BIT(30), -EOPNOTSUPP);
	ask_port_mask(t, -1, -EOPNOTSUPP);
	ask_port_mask(t, 0, 0);
	result(t, "ports");
}

/* ---- struct vrb_process_mad ---- */

static void mad_good(struct test *t, struct vrb_process_mad *req)
{
	struct ib_mad_hdr *hdr = &t->in.mad_hdr;

	memset(&t->in, 0, sizeof(t->in));
	hdr->base_version = 1;
	hdr->mgmt_class = IB_MGMT_CLASS_SUBN_LID_ROUTED;
	hdr->class_version = 1;
	hdr->method = IB_MGMT_METHOD_GET;
	hdr->attr_id = cpu_to_be16(0x11);	/* NodeInfo */
	*req = (struct vrb_process_mad){ .in = &t->in, .out = &t->out };
	vrb_prep_process_mad(req, 1);
}

#define MAD(t, field, value) do {							\
	struct vrb_process_mad mad;							\
	struct test *of = (t);								\
											\
	mad_good(of, &mad);								\
	mad.field = (value);								\
	want(of, -EINVAL, ask(of, &mad.vrb), "process_mad: " #field " = " #value);	\
} while (0)

static void refuses_mad(struct test *t)
{
	struct ib_wc grh = { .qp = t->ud, .wc_flags = IB_WC_GRH };
	struct ib_wc none = {};
	struct vrb_process_mad req;

	MAD(t, port, 0);
	MAD(t, port, 3);
	MAD(t, flags, BIT(30));
	MAD(t, flags, -1);
	MAD(t, wc, &grh);
	mad_good(t, &req);
	want(t, 0, ask(t, &req.vrb), "process_mad");
	want(t, IB_MAD_RESULT_SUCCESS | IB_MAD_RESULT_REPLY, req.result, "its result");
	result(t, "ports and flags of MADs");
	MAD(t, wc, &none);
	result(t, "a completion of no QP");
	MAD(t, in, NULL);
	MAD(t, out, NULL);
	result(t, "MADs that are not there");
}

/* ---- Requests with few fields ---- */

static void rest_srq(struct test *t, int mask, u32 limit, int errno)
{
	struct vrb_modify_srq modify = { .mask = mask, .attr.srq_limit = limit };

	vrb_prep_modify_srq(&modify, t->srq);
	want(t, errno, ask(t, &modify.vrb), "modify_srq");
}

static void rest_mcast(struct test *t, struct ib_qp *qp, u8 first, int errno)
{
	struct vrb_mcast mcast = { .gid.raw = { first, 0x12, 0x60, 0x1b, [15] = 1 } };

	vrb_prep_attach_mcast(&mcast, qp);
	want(t, errno, ask(t, &mcast.vrb), "attach_mcast");
	vrb_prep_detach_mcast(&mcast, qp);
	want(t, errno, ask(t, &mcast.vrb), "detach_mcast");
}

/* A NULL object belongs to no device. All requests in one function would use too much stack. */
static noinline_for_stack void rest_created_of_nothing(struct test *t)
{
	struct vrb_create_cq create_cq;
	struct vrb_create_qp create_qp;
	struct vrb_create_srq create_srq;
	struct vrb_create_mr create_mr;

	vrb_prep_create_cq(&create_cq, NULL);
	vrb_prep_create_qp(&create_qp, NULL);
	vrb_prep_create_srq(&create_srq, NULL);
	vrb_prep_create_mr(&create_mr, NULL);
	want(t, -EINVAL, ask(t, &create_cq.vrb), "create_cq of nothing");
	want(t, -EINVAL, ask(t, &create_qp.vrb), "create_qp of nothing");
	want(t, -EINVAL, ask(t, &create_srq.vrb), "create_srq of nothing");
	want(t, -EINVAL, ask(t, &create_mr.vrb), "create_mr of nothing");
}

static noinline_for_stack void rest_nothing(struct test *t)
{
	struct vrb_reset_qp reset;
	struct vrb_modify_srq modify_srq = {};
	struct vrb_query_srq query_srq;

	vrb_prep_reset_qp(&reset, NULL);
	vrb_prep_modify_srq(&modify_srq, NULL);
	vrb_prep_query_srq(&query_srq, NULL);
	want(t, -EINVAL, ask(t, &reset.vrb), "reset_qp of nothing");
	want(t, -EINVAL, ask(t, &modify_srq.vrb), "modify_srq of nothing");
	want(t, -EINVAL, ask(t, &query_srq.vrb), "query_srq of nothing");
}

static void refuses_rest(struct test *t)
{
	rest_srq(t, IB_SRQ_MAX_WR, 1, -EOPNOTSUPP);
	rest_srq(t, IB_SRQ_LIMIT | BIT(30), 1, -EOPNOTSUPP);
	rest_srq(t, IB_SRQ_LIMIT, 9, -EINVAL);
	rest_srq(t, IB_SRQ_LIMIT, U32_MAX, -EINVAL);
	rest_srq(t, IB_SRQ_LIMIT, 8, 0);
	rest_mcast(t, t->rc, 0xff, -EINVAL);
	rest_mcast(t, t->ud, 0xfe, -EINVAL);
	rest_mcast(t, NULL, 0xff, -EINVAL);
	rest_mcast(t, t->ud, 0xff, 0);
	rest_created_of_nothing(t);
	rest_nothing(t);
	result(t, "SRQs, groups, and objects that are not there");
}

/* ---- vrb_alloc_*() ---- */

static int error_of(void *object)
{
	return IS_ERR(object) ? PTR_ERR(object) : 0;
}

static void alloc_mr(struct test *t, u32 pages, int errno)
{
	struct ib_mr *mr = vrb_alloc_mr(t->client, t->pd, pages, GFP_KERNEL);

	want(t, errno, error_of(mr), "alloc_mr");
	if (!IS_ERR(mr))
		vrb_destroy_mr(t->client, mr, NULL, NULL);
}

static void alloc_cq(struct test *t, unsigned int cqe, u32 vector, u32 flags, int errno)
{
	struct ib_cq_init_attr attr = { .cqe = cqe, .comp_vector = vector, .flags = flags };
	struct ib_cq *cq = vrb_alloc_cq(t->client, &attr, NULL, NULL, NULL, GFP_KERNEL);

	want(t, errno, error_of(cq), "alloc_cq");
	if (!IS_ERR(cq))
		vrb_destroy_cq(t->client, cq, NULL, NULL);
}

static void alloc_srq(struct test *t, u32 wr, u32 sge, int errno)
{
	struct ib_srq_init_attr attr = { .attr = { .max_wr = wr, .max_sge = sge } };
	struct ib_srq *srq = vrb_alloc_srq(t->client, t->pd, &attr, GFP_KERNEL);

	want(t, errno, error_of(srq), "alloc_srq");
	if (!IS_ERR(srq))
		vrb_destroy_srq(t->client, srq, NULL, NULL);
}

static void alloc_qp(struct test *t, const struct ib_qp_cap *cap)
{
	struct ib_qp_init_attr attr = {
		.qp_type = IB_QPT_RC, .send_cq = t->cq, .recv_cq = t->cq, .cap = *cap,
	};
	struct ib_qp *qp = vrb_alloc_qp(t->client, t->pd, &attr, GFP_KERNEL);

	want(t, -EINVAL, error_of(qp), "alloc_qp");
	if (!IS_ERR(qp))
		vrb_destroy_qp(t->client, qp, NULL, NULL);
}

static void refuses_alloc(struct test *t)
{
	alloc_mr(t, 0, -EINVAL);
	alloc_mr(t, BIT(31), -ENOMEM);
	alloc_mr(t, U32_MAX - 7, -ENOMEM);
	alloc_mr(t, U32_MAX, -ENOMEM);
	alloc_cq(t, 0, 0, 0, -EINVAL);
	alloc_cq(t, U32_MAX, 0, 0, -EINVAL);
	alloc_cq(t, 4, U32_MAX, 0, -EINVAL);
	alloc_cq(t, 4, 0, IB_UVERBS_CQ_FLAGS_IGNORE_OVERRUN, -EOPNOTSUPP);
	alloc_srq(t, 0, 1, -EINVAL);
	alloc_srq(t, U32_MAX, 1, -EINVAL);
	alloc_srq(t, 4, U32_MAX, -EINVAL);
	alloc_qp(t, &(struct ib_qp_cap){ .max_send_wr = U32_MAX });
	alloc_qp(t, &(struct ib_qp_cap){ .max_recv_wr = U32_MAX });
	alloc_qp(t, &(struct ib_qp_cap){ .max_send_wr = 1, .max_send_sge = U32_MAX });
	alloc_qp(t, &(struct ib_qp_cap){ .max_recv_wr = 1, .max_recv_sge = U32_MAX });
	alloc_qp(t, &(struct ib_qp_cap){ .max_send_wr = 1, .max_inline_data = U32_MAX });
	result(t, "sizes of objects");
}

/* ---- Objects for the tests ---- */

static struct ib_qp *make_qp(struct test *t, enum ib_qp_type type)
{
	struct ib_qp_init_attr attr = {
		.qp_type = type,
		.send_cq = t->cq,
		.recv_cq = t->cq,
		.cap = { .max_send_wr = 2, .max_recv_wr = 2, .max_send_sge = 1, .max_recv_sge = 1 },
	};
	struct ib_qp *qp = vrb_alloc_qp(t->client, t->pd, &attr, GFP_KERNEL);
	struct vrb_create_qp create;

	if (IS_ERR(qp))
		return NULL;
	vrb_prep_create_qp(&create, qp);
	return ask(t, &create.vrb) ? NULL : qp;
}

static bool make_queues(struct test *t)
{
	struct ib_cq_init_attr cq_attr = { .cqe = 16 };
	struct ib_srq_init_attr srq_attr = { .attr = { .max_wr = 8, .max_sge = 1 } };
	struct vrb_create_cq create_cq;
	struct vrb_create_srq create_srq;

	t->cq = vrb_alloc_cq(t->client, &cq_attr, NULL, NULL, NULL, GFP_KERNEL);
	t->srq = vrb_alloc_srq(t->client, t->pd, &srq_attr, GFP_KERNEL);
	if (IS_ERR(t->cq) || IS_ERR(t->srq))
		return false;
	vrb_prep_create_cq(&create_cq, t->cq);
	vrb_prep_create_srq(&create_srq, t->srq);
	return !ask(t, &create_cq.vrb) && !ask(t, &create_srq.vrb);
}

static bool make(struct test *t)
{
	struct vrb_create_mr create;
	int i;

	for (i = 0; i < PAGES; i++)
		t->page[i] = (dma_addr_t)i << PAGE_SHIFT;
	if (!make_queues(t))
		return false;
	t->rc = make_qp(t, IB_QPT_RC);
	t->ud = make_qp(t, IB_QPT_UD);
	t->mr = vrb_alloc_mr(t->client, t->pd, PAGES, GFP_KERNEL);
	if (!t->rc || !t->ud || IS_ERR(t->mr))
		return false;
	vrb_prep_create_mr(&create, t->mr);
	return !ask(t, &create.vrb);
}

static const struct {
	const char *name;
	void (*run)(struct test *t);
} modes[] = {
	{ "region", refuses_region },
	{ "qp", refuses_qp },
	{ "connect", refuses_connect },
	{ "port", refuses_port },
	{ "mad", refuses_mad },
	{ "rest", refuses_rest },
	{ "alloc", refuses_alloc },
};

static void test_run(struct test *t)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(modes); i++)
		if (!strcmp(mode, modes[i].name))
			modes[i].run(t);
}

static int tavor_refuses_add(struct ib_device *dev)
{
	struct test *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return -ENOMEM;
	t->gid = rdma_get_gid_attr(dev, 1, 0);
	t->client = vrb_client_register(dev, "tavor_refuses");
	t->pd = ib_alloc_pd(dev, 0);
	if (!IS_ERR(t->gid) && make(t))
		test_run(t);
	/* This destroys the remaining objects. */
	vrb_client_unregister(t->client);
	ib_dealloc_pd(t->pd);
	if (!IS_ERR(t->gid))
		rdma_put_gid_attr(t->gid);
	kfree(t);
	return -EOPNOTSUPP;
}

static struct ib_client client = {
	.name = "tavor_refuses",
	.add = tavor_refuses_add,
};

static int __init tavor_refuses_init(void)
{
	return strcmp(mode, "none") ? ib_register_client(&client) : 0;
}

static void __exit tavor_refuses_exit(void)
{
	if (strcmp(mode, "none"))
		ib_unregister_client(&client);
}

module_init(tavor_refuses_init);
module_exit(tavor_refuses_exit);
MODULE_DESCRIPTION("Test of requests that an HCA's driver has to refuse");
MODULE_LICENSE("Dual BSD/GPL");
