// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* What counts.sh has counted in user space. "program unpaired": markers that are not in pairs. */
#include <string.h>

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

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "unpaired"))
		unpaired();
	else
		known_intervals();
	return 0;
}
