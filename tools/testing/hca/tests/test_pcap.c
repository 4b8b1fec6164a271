// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* The capture file: its layout byte by byte, and the output of tshark. */
#include <unistd.h>

#include "fabric_fakes.h"

static char path[64];
static u8 file[65536];
static size_t file_len;

static void open_capture(void)
{
	snprintf(path, sizeof(path), "/tmp/test_pcap.%d.pcap", (int)getpid());
	CHECK_EQ(pcap_open(path), 0);
	CHECK(pcap_active());
}

static void read_capture(void)
{
	FILE *f;

	pcap_close();
	CHECK(!pcap_active());
	f = fopen(path, "rb");
	CHECK(f != NULL);
	if (!f)
		return;
	file_len = fread(file, 1, sizeof(file), f);
	fclose(f);
}

static u32 host32(size_t offset)
{
	u32 v;

	memcpy(&v, file + offset, sizeof(v));
	return v;
}

static void file_header(void)
{
	open_capture();
	read_capture();
	CHECK_EQ(file_len, 24);
	CHECK_EQ(host32(0), 0xa1b23c4d);
	CHECK_EQ(host32(20), 197);
	unlink(path);
}

static void record_is_lrh_to_vcrc(void)
{
	struct packet *p = ud_packet(0, 1, 2, 5, 64);

	open_capture();
	pcap_packet(p);
	read_capture();
	CHECK_EQ(host32(24 + 8), 16 + p->len + 2);
	CHECK_EQ(host32(24 + 12), 16 + p->len + 2);
	CHECK_EQ(file_len, 24 + 16 + 16 + p->len + 2);
	CHECK_EQ(host32(40 + 4), host32(24)); /* seconds, in both headers */
	CHECK_EQ(file[48], 21);
	CHECK_EQ(get16(file + 50), 16 + p->len + 2);
	CHECK_EQ(get16(file + 54), p->len + 2);
	CHECK(!memcmp(file + 56, p->data, p->len));
	CHECK_EQ(get16(file + 56 + p->len), vcrc_compute(p->data, p->len));
	CHECK(host32(24 + 4) < 1000000000);
	packet_put(p);
	unlink(path);
}

static void sent_packets_are_captured_once(void)
{
	struct hca *h = fabric_active();
	u32 len;

	open_capture();
	port_tx(h, 1, ud_packet(0, 1, 1, 5, 64)); /* loopback */
	port_tx(h, 1, ud_packet(0, 2, 1, 5, 64));
	port_tx(h, 1, ud_packet(0, 0xc001, 1, 0xffffff, 64)); /* by loopback and cable */
	settle();
	read_capture();
	len = 8 + 12 + 8 + 64 + 4 + 2;
	CHECK_EQ(file_len, 24 + 3 * (32 + len));
	unlink(path);
}

static void unwritable_path_is_an_error(void)
{
	CHECK_EQ(pcap_open("/nonexistent/x.pcap"), -ENOENT);
	CHECK(!pcap_active());
}

static void capture_mads(struct hca *h)
{
	static const u16 smp_attrs[] = { 0x10, 0x11, 0x14, 0x15, 0x16, 0x17, 0x18 };
	struct packet *p;
	unsigned int i;

	for (i = 0; i < sizeof(smp_attrs) / sizeof(smp_attrs[0]); i++) {
		mad_fill(CLASS_SUBN_LID, T_GET, smp_attrs[i], smp_attrs[i] == 0x18 ? 1u << 16 : 0);
		CHECK_EQ(mad_send(h, 1, 4), CMD_OK);
		p = ud_packet(15, 2, 1, 0, 256);
		memcpy(p->data + 28, mad_out, 256);
		put32(p->data + p->len - 4, icrc_compute(p->data, p->len - 4));
		pcap_packet(p);
		packet_put(p);
	}
}

static int run_tshark(const char *args)
{
	char cmd[256], line[256];
	int n = 0;
	FILE *f;

	snprintf(cmd, sizeof(cmd), "tshark -r %s %s 2>/dev/null", path, args);
	f = popen(cmd, "r");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (strstr(args, "malformed"))
			printf("# %s", line);
		n++;
	}
	pclose(f);
	return n;
}

static void tshark_finds_nothing_wrong(void)
{
	struct hca *h;
	unsigned int i;

	if (system("command -v tshark >/dev/null 2>&1")) {
		tap_skip = "tshark is not installed";
		return;
	}
	h = fabric_active();
	open_capture();
	capture_mads(h);
	for (i = 0; i < 5; i++)
		port_tx(h, 1, ud_packet(0, 2, 1, 5, 64 << i));
	settle();
	pcap_close();
	CHECK_EQ(run_tshark(""), 7 + 5);
	CHECK_EQ(run_tshark("-Y _ws.malformed"), 0);
	CHECK_EQ(run_tshark("-Y infiniband.bth"), 7 + 5);
	unlink(path);
}

static const struct tap_test tests[] = {
	TAP(file_header),
	TAP(record_is_lrh_to_vcrc),
	TAP(sent_packets_are_captured_once),
	TAP(unwritable_path_is_an_error),
	TAP(tshark_finds_nothing_wrong),
};

int main(int argc, char **argv)
{
	return tap_run(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
