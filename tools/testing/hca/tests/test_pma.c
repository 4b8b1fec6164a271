// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* The performance management agent. */
#include "fabric_fakes.h"

#define BAD_METHOD (2 << 2)
#define BAD_ATTR (3 << 2)
#define BAD_VALUE (7 << 2)

#define CLASS_PORT_INFO 0x01
#define SAMPLES_CONTROL 0x10
#define SAMPLES_RESULT 0x11
#define COUNTERS 0x12
#define COUNTERS_EXT 0x1d

static u8 *in = mad_in + MAD_DATA, *out = mad_out + MAD_DATA;

/* Sends a request with the data in mad_in. */
static u16 perf(struct hca *h, u8 method, u16 attr)
{
	u8 data[128];

	memcpy(data, in, sizeof(data));
	mad_fill(CLASS_PERF, method, attr, 0);
	memcpy(in, data, sizeof(data));
	CHECK_EQ(mad_send(h, 1, 4), CMD_OK);
	return mad_status();
}

static u16 read_counters(struct hca *h, u8 port)
{
	memset(in, 0, 128);
	in[1] = port;
	return perf(h, T_GET, COUNTERS);
}

static void class_port_info_(void)
{
	struct hca *h = fabric_up(1, "none");

	memset(in, 0, 128);
	CHECK_EQ(perf(h, T_GET, CLASS_PORT_INFO), 0);
	CHECK_EQ(out[0], 1);
	CHECK_EQ(out[1], 1);
	CHECK_EQ(get16(out + 2) & 0x0200, 0); /* no extended counters */
	CHECK_EQ(perf(h, T_SET, CLASS_PORT_INFO), BAD_ATTR);
}

static void counters_count_the_traffic(void)
{
	struct hca *h = fabric_active();
	struct packet *p = ud_packet(0, 2, 1, 5, 64);
	u32 words = p->len / 4;

	port_tx(h, 1, p);
	port_tx(h, 1, ud_packet(0, 1, 1, 5, 64)); /* loops back, so both directions count it */
	settle();
	CHECK_EQ(read_counters(h, 1), 0);
	CHECK_EQ(get32(out + 24), 2 * words);
	CHECK_EQ(get32(out + 28), words);
	CHECK_EQ(get32(out + 32), 2);
	CHECK_EQ(get32(out + 36), 1);
	CHECK_EQ(read_counters(h, 2), 0);
	CHECK_EQ(get32(out + 36), 1);
	CHECK_EQ(get32(out + 28), words);
}

static void packets_that_cannot_go_are_discards(void)
{
	struct hca *h = fabric_up(1, "self");

	port_tx(h, 1, ud_packet(0, 2, 1, 5, 64));
	CHECK_EQ(read_counters(h, 1), 0);
	CHECK_EQ(get16(out + 14), 1);
	CHECK_EQ(get32(out + 32), 0);
}

static void all_ports_are_summed(void)
{
	struct hca *h = fabric_active();

	port_tx(h, 1, ud_packet(0, 2, 1, 5, 64));
	port_tx(h, 2, ud_packet(0, 1, 2, 5, 64));
	settle();
	CHECK_EQ(read_counters(h, 0xff), 0);
	CHECK_EQ(get32(out + 32), 2);
}

static void bad_ports_are_refused(void)
{
	struct hca *h = fabric_up(1, "none");

	CHECK_EQ(read_counters(h, 0), BAD_VALUE);
	CHECK_EQ(read_counters(h, 3), BAD_VALUE);
	memset(in, 0, 128);
	in[1] = 0xff;
	CHECK_EQ(perf(h, T_GET, SAMPLES_CONTROL), BAD_VALUE);
}

static void counters_stop_at_the_top(void)
{
	struct hca *h = fabric_up(1, "none");
	struct ibport *p = hca_port(h, 1);

	ibport_count(p, CNT_SYMBOL, 0x12345);
	ibport_count(p, CNT_DOWNED, 300);
	ibport_count(p, CNT_INTEGRITY, 99);
	ibport_count(p, CNT_OVERRUN, 3);
	ibport_count(p, CNT_XMIT_DATA, 1ULL << 40);
	CHECK_EQ(read_counters(h, 1), 0);
	CHECK_EQ(get16(out + 4), 0xffff);
	CHECK_EQ(out[7], 255);
	CHECK_EQ(out[19], 0xf3);
	CHECK_EQ(get32(out + 24), 0xffffffff);
}

static void set_writes_only_what_is_selected(void)
{
	struct hca *h = fabric_up(1, "none");
	struct ibport *p = hca_port(h, 1);
	unsigned int i;

	for (i = 0; i < CNT_COUNT; i++)
		p->counter[i] = 5;
	memset(in, 0, 128);
	in[1] = 1;
	put16(in + 2, 1u << 12 | 1u << 0);
	put16(in + 4, 9);
	CHECK_EQ(perf(h, T_SET, COUNTERS), 0);
	CHECK_EQ(get16(out + 4), 9);
	CHECK_EQ(get32(out + 24), 0);
	CHECK_EQ(get32(out + 28), 5);
	CHECK_EQ(p->counter[CNT_XMIT_WAIT], 5);
	in[18] = 1; /* CounterSelect2 */
	put16(in + 2, 0xffff);
	CHECK_EQ(perf(h, T_SET, COUNTERS), 0);
	CHECK_EQ(p->counter[CNT_XMIT_WAIT], 0);
	for (i = 1; i < CNT_COUNT; i++)
		CHECK_EQ(p->counter[i], 0);
	CHECK_EQ(hca_port(h, 2)->counter[0], 0);
}

static void unknown_attributes_and_methods(void)
{
	struct hca *h = fabric_up(1, "none");

	memset(in, 0, 128);
	in[1] = 1;
	CHECK_EQ(perf(h, T_GET, COUNTERS_EXT), BAD_ATTR);
	CHECK_EQ(perf(h, T_GET, 0x15), BAD_ATTR);
	CHECK_EQ(perf(h, 0x07, COUNTERS), BAD_METHOD);
	CHECK_EQ(perf(h, T_SET, SAMPLES_RESULT), BAD_ATTR);
}

static void sample_takes_what_passes_meanwhile(void)
{
	struct hca *h = fabric_active();
	struct ibport *p = hca_port(h, 1);

	port_tx(h, 1, ud_packet(0, 2, 1, 5, 64)); /* before the sample */
	settle();
	memset(in, 0, 128);
	in[1] = 1;
	put32(in + 32, 50000);
	put16(in + 36, 0xbeef);
	put16(in + 38, 3); /* PortXmitPkts */
	put16(in + 40, 77);
	CHECK_EQ(perf(h, T_SET, SAMPLES_CONTROL), 0);
	CHECK_EQ(out[11], 2);
	settle();
	CHECK_EQ(perf(h, T_GET, SAMPLES_RESULT), 0);
	CHECK_EQ(get16(out + 2), 1);
	port_tx(h, 1, ud_packet(0, 2, 1, 5, 64));
	port_tx(h, 1, ud_packet(0, 2, 1, 5, 64));
	settle();
	memset(in, 0, 128);
	in[1] = 1;
	put16(in + 36, 1); /* a Set while it runs changes nothing */
	CHECK_EQ(perf(h, T_SET, SAMPLES_CONTROL), 0);
	CHECK_EQ(get16(out + 36), 0xbeef);
	timer_arm(&p->sampler.timer, 0);
	settle();
	CHECK_EQ(perf(h, T_GET, SAMPLES_RESULT), 0);
	CHECK_EQ(get16(out), 0xbeef);
	CHECK_EQ(get16(out + 2), 0);
	CHECK_EQ(get32(out + 4), 2);
	CHECK_EQ(get32(out + 8), 0);
}

static const struct tap_test tests[] = {
	TAP(class_port_info_),
	TAP(counters_count_the_traffic),
	TAP(packets_that_cannot_go_are_discards),
	TAP(all_ports_are_summed),
	TAP(bad_ports_are_refused),
	TAP(counters_stop_at_the_top),
	TAP(set_writes_only_what_is_selected),
	TAP(unknown_attributes_and_methods),
	TAP(sample_takes_what_passes_meanwhile),
};

int main(int argc, char **argv)
{
	return tap_run(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
