// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * A capture file of the wire: pcap with nanoseconds, each packet (LRH through VCRC) after an ERF
 * header of the type InfiniBand, as hardware sniffers write it. There is also a link type for plain
 * InfiniBand, 247, but Wireshark does not support it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/bytes.h"
#include "fabric/port.h"

#define PCAP_MAGIC_NS 0xa1b23c4du
#define LINKTYPE_ERF 197u
#define ERF_TYPE_INFINIBAND 21
#define ERF_VARIABLE_LENGTH 0x04
#define SNAPLEN 65535u
#define FLUSH_NS 200000000u

static FILE *capture;
static struct hca_timer flush_timer;

struct pcap_file_header {
	u32 magic;
	u16 major, minor;
	u32 zone, sigfigs, snaplen, linktype;
};

struct pcap_record {
	u32 sec, nsec, caplen, len;
};

struct erf_header {
	u64 time; /* little-endian: seconds in the upper half, fraction in the lower */
	u8 type, flags;
	u16 rlen; /* big-endian: includes this header */
	u16 loss;
	u16 wlen; /* big-endian */
};

_Static_assert(sizeof(struct erf_header) == 16, "ERF header");
_Static_assert(sizeof(struct pcap_file_header) == 24, "pcap file header");
_Static_assert(sizeof(struct pcap_record) == 16, "pcap record header");

bool pcap_active(void)
{
	return capture;
}

static void flush(struct hca_timer *t)
{
	(void)t;
	if (capture)
		fflush(capture);
}

int pcap_open(const char *path)
{
	struct pcap_file_header hd = { PCAP_MAGIC_NS, 2, 4, 0, 0, SNAPLEN, LINKTYPE_ERF };

	capture = fopen(path, "wb");
	if (!capture)
		return -errno;
	timer_setup(&flush_timer, flush);
	atexit(pcap_close);
	if (fwrite(&hd, sizeof(hd), 1, capture) != 1 || fflush(capture))
		return -EIO;
	return 0;
}

static bool write_record(const struct timespec *ts, const struct packet *pkt)
{
	u16 vcrc = htobe16(vcrc_compute(pkt->data, pkt->len));
	u32 wire_len = pkt->len + sizeof(vcrc);
	struct erf_header erf = { .type = ERF_TYPE_INFINIBAND, .flags = ERF_VARIABLE_LENGTH };
	struct pcap_record rec = { .sec = ts->tv_sec, .nsec = ts->tv_nsec };

	erf.time = htole64((u64)ts->tv_sec << 32 | ((u64)ts->tv_nsec << 32) / 1000000000u);
	erf.rlen = htobe16(sizeof(erf) + wire_len);
	erf.wlen = htobe16(wire_len);
	rec.caplen = sizeof(erf) + wire_len;
	rec.len = rec.caplen;
	return fwrite(&rec, sizeof(rec), 1, capture) == 1 &&
	       fwrite(&erf, sizeof(erf), 1, capture) == 1 &&
	       fwrite(pkt->data, pkt->len, 1, capture) == 1 &&
	       fwrite(&vcrc, sizeof(vcrc), 1, capture) == 1;
}

void pcap_packet(const struct packet *pkt)
{
	struct timespec ts;

	if (!capture)
		return;
	clock_gettime(CLOCK_REALTIME, &ts);
	if (!write_record(&ts, pkt)) {
		fprintf(stderr, "tavor-hca: capture file: write error, capture ends\n");
		pcap_close();
		return;
	}
	if (!timer_armed(&flush_timer))
		timer_arm(&flush_timer, FLUSH_NS);
}

void pcap_close(void)
{
	if (!capture)
		return;
	fclose(capture);
	capture = NULL;
	timer_cancel(&flush_timer);
}
