// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Requests as debug objects: a kernel with DEBUG_OBJECTS_FREE warns of memory that is freed while
 * it holds a request that has been accepted and not yet called back. Only called where there are
 * debug objects.
 */
#include <linux/debugobjects.h>
#include <linux/sched/task_stack.h>

#include "vrb_internal.h"

/* The callback identifies the owner of the request. */
static void *vrb_debug_hint(void *addr)
{
	return ((struct vrb *)addr)->done;
}

/*
 * The request cannot be cancelled here: the hardware may be executing it, and the caller may hold
 * any lock. Its debug object is removed, so that there is only one warning.
 */
static bool vrb_debug_freed(void *addr, enum debug_obj_state state);

/* An unknown request is one whose debug object was removed: activate it, without a warning. */
static bool vrb_debug_any(void *addr)
{
	return true;
}

static const struct debug_obj_descr vrb_debug_descr = {
	.name = "vrb",
	.debug_hint = vrb_debug_hint,
	.is_static_object = vrb_debug_any,
	.fixup_free = vrb_debug_freed,
};

static bool vrb_debug_freed(void *addr, enum debug_obj_state state)
{
	vrb_debug_over(addr);
	return state == ODEBUG_STATE_ACTIVE;
}

/**
 * vrb_debug_accepted - from now on the request's memory must not be freed
 * @vrb: request that is being accepted
 *
 * Context: Any, either lock held.
 */
void vrb_debug_accepted(struct vrb *vrb)
{
	if (object_is_on_stack(vrb))
		debug_object_init_on_stack(vrb, &vrb_debug_descr);
	else
		debug_object_init(vrb, &vrb_debug_descr);
	debug_object_activate(vrb, &vrb_debug_descr);
}

/**
 * vrb_debug_over - the request's memory may be freed
 * @vrb: request that is about to be called back
 *
 * Context: Any, device lock held.
 */
void vrb_debug_over(struct vrb *vrb)
{
	debug_object_assert_init(vrb, &vrb_debug_descr);
	debug_object_deactivate(vrb, &vrb_debug_descr);
	debug_object_free(vrb, &vrb_debug_descr);
}
