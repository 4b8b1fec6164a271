// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The intervals that counts.sh counts in user space. "program unpaired" executes markers without
 * pairs.
 */
#include <string.h>
#include <unistd.h>

#define BASE 10
#include "intervals.h"

static void unpaired(void)
{
	count_end(0);
	count_begin(1);
	count_begin(1);
	count_end(1);
	count_begin(1023);
}

/* Seven calls of getppid(), whose result nothing caches; eleven times, as interrupts reach some */
static void calls(void)
{
	for (int round = 0; round < 11; round++) {
		count_begin(30);
		for (int i = 0; i < 7; i++)
			getppid();
		count_end(30);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "unpaired"))
		unpaired();
	else {
		known_intervals();
		calls();
	}
	return 0;
}
