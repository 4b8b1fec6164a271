// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* The state of the device: enabled, running with the tables of INIT_HCA, or dead. */
#include "device/device.h"

#include <errno.h>
#include <stdlib.h>

struct state {
	bool enabled, running, dead;
	struct hca_profile profile;
};

static struct state *state_of(const struct hca *h)
{
	return hca_part(h, PART_STATE);
}

bool hca_enabled(const struct hca *h)
{
	return state_of(h) && state_of(h)->enabled;
}

bool hca_running(const struct hca *h)
{
	return state_of(h) && state_of(h)->running;
}

/*
 * A driver that clears bus mastering fences the device. The device then does nothing, and what it
 * cannot do is no violation. Commands without a mailbox still work.
 */
bool hca_dead(const struct hca *h)
{
	return state_dead(h) || (state_of(h) && pci_fenced(h));
}

bool state_dead(const struct hca *h)
{
	return state_of(h) && state_of(h)->dead;
}

void state_set_dead(struct hca *h, bool dead)
{
	if (state_of(h))
		state_of(h)->dead = dead;
}

const struct hca_profile *hca_profile(const struct hca *h)
{
	return &state_of(h)->profile;
}

void state_enable(struct hca *h, bool enabled)
{
	state_of(h)->enabled = enabled;
}

void state_set_profile(struct hca *h, const struct hca_profile *p)
{
	state_of(h)->profile = *p;
}

void state_start(struct hca *h)
{
	state_of(h)->running = true;
}

void state_stop(struct hca *h)
{
	state_of(h)->running = false;
}

void state_forget(struct hca *h)
{
	memset(&state_of(h)->profile, 0, sizeof(struct hca_profile));
}

void state_reset(struct hca *h)
{
	state_enable(h, false);
	state_stop(h);
	state_forget(h);
}

int state_new(struct hca *h)
{
	struct state *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	hca_set_part(h, PART_STATE, s);
	return 0;
}

void state_delete(struct hca *h)
{
	free(state_of(h));
	hca_set_part(h, PART_STATE, NULL);
}
