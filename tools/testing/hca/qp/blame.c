// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* Reports that name a queue pair. */
#include "qp/qp.h"

#include <stdio.h>

void qp_blame(struct qp *qp, enum hca_rule rule, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	blame(qp->h, qp->uar, rule, qp->name, "%s", text);
}
