// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* The wire as a capture file: pcap with nanoseconds, link type 247 (InfiniBand, LRH through VCRC). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bytes.h"
#include "port.h"

#define PCAP_MAGIC_NS 0xa1b23c4du
#define LINKTYPE_INFINIBAND 247u
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
	struct pcap_file_header hd = { PCAP_MAGIC_NS, 2, 4, 0, 0, SNAPLEN, LINKTYPE_INFINIBAND };

	capture = fopen(path, "wb");
	if (!capture)
		return -errno;
	timer_setup(&flush_timer, flush);
	atexit(pcap_close);
	if (fwrite(&hd, sizeof(hd), 1, capture) != 1 || fflush(capture))
		return -EIO;
	return 0;
}

void pcap_packet(const struct packet *pkt)
{
	u16 vcrc = htobe16(vcrc_compute(pkt->data, pkt->len));
	struct pcap_record rec;
	struct timespec ts;

	if (!capture)
		return;
	clock_gettime(CLOCK_REALTIME, &ts);
	rec.sec = ts.tv_sec;
	rec.nsec = ts.tv_nsec;
	rec.caplen = pkt->len + sizeof(vcrc);
	rec.len = rec.caplen;
	if (fwrite(&rec, sizeof(rec), 1, capture) != 1 || fwrite(pkt->data, pkt->len, 1, capture) != 1 ||
	    fwrite(&vcrc, sizeof(vcrc), 1, capture) != 1) {
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
