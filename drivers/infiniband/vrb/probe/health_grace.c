// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* devlink_health_reporter_create() takes the reporter's graceful period. */
#include <net/devlink.h>

struct devlink_health_reporter *probe(struct devlink *devlink,
				      const struct devlink_health_reporter_ops *ops);
struct devlink_health_reporter *probe(struct devlink *devlink,
				      const struct devlink_health_reporter_ops *ops)
{
	return devlink_health_reporter_create(devlink, ops, 0, NULL);
}
