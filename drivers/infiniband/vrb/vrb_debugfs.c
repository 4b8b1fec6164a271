// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * /sys/kernel/debug/ib_vrb/<device>/: counters, every request that is not idle, objects, slots.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "vrb_internal.h"

static struct dentry *vrb_debugfs_root;

static const char *const vrb_state_names[] = {
	[VRB_IDLE] = "idle",
	[VRB_QUEUED] = "queued",
	[VRB_ISSUED] = "issued",
	[VRB_DONE] = "done",
};

static const char *const vrb_class_names[] = {
	[VRB_CLASS_TEARDOWN] = "teardown",
	[VRB_CLASS_NORMAL] = "normal",
	[VRB_CLASS_BACKGROUND] = "background",
	[VRB_CLASS_EVENT] = "event",
};

static const char *const vrb_slot_state_names[] = {
	[VRB_SLOT_FREE] = "free",
	[VRB_SLOT_BUSY] = "busy",
	[VRB_SLOT_ZOMBIE] = "zombie",
};

#define VRB_COUNTER(name) { #name, offsetof(struct vrb_counters, name) }

static const struct {
	const char *name;
	size_t offset;
} vrb_counter_names[] = {
	VRB_COUNTER(submitted), VRB_COUNTER(refused), VRB_COUNTER(completed), VRB_COUNTER(failed),
	VRB_COUNTER(cancelled), VRB_COUNTER(deadline), VRB_COUNTER(timeouts),
	VRB_COUNTER(zombies_reaped), VRB_COUNTER(stray), VRB_COUNTER(steps), VRB_COUNTER(busy),
	VRB_COUNTER(no_slot), VRB_COUNTER(undone), VRB_COUNTER(events), VRB_COUNTER(runs),
	VRB_COUNTER(queue_now), VRB_COUNTER(queue_max), VRB_COUNTER(slots_now),
	VRB_COUNTER(slots_max), VRB_COUNTER(run_max_ns),
};

static_assert(ARRAY_SIZE(vrb_counter_names) * sizeof(u64) == sizeof(struct vrb_counters));

static int counters_show(struct seq_file *m, void *unused)
{
	struct vrb_counters counters;
	unsigned int i;

	vrb_device_counters(m->private, &counters);
	for (i = 0; i < ARRAY_SIZE(vrb_counter_names); i++)
		seq_printf(m, "%s %llu\n", vrb_counter_names[i].name,
			   *(u64 *)((char *)&counters + vrb_counter_names[i].offset));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counters);

static u64 vrb_age_us(ktime_t since)
{
	return ktime_us_delta(ktime_get(), since);
}

static void vrb_show(struct seq_file *m, const struct vrb *vrb)
{
	seq_printf(m, "%llu %s %s %s %u ", vrb_age_us(vrb->submitted), vrb_state_names[vrb->state],
		   vrb_class_names[vrb->class], vrb->verb->name, vrb->step);
	if (vrb->object)
		seq_printf(m, "%s:%#x", vrb->object->type->name, vrb->object->id);
	else
		seq_puts(m, "-");
	seq_printf(m, " %s %d ", vrb->client->name, vrb->slot ? vrb->slot->index : -1);
	if (vrb->done)
		seq_printf(m, "%ps\n", vrb->done);
	else
		seq_puts(m, vrb->waiter ? "waiter\n" : "-\n");
}

static void vrb_show_list(struct seq_file *m, struct list_head *list)
{
	struct vrb *vrb;

	list_for_each_entry(vrb, list, client_entry)
		vrb_show(m, vrb);
}

static int vrbs_show(struct seq_file *m, void *unused)
{
	struct vrb_device *dev = m->private;
	struct vrb_client *client;
	struct vrb *vrb;

	seq_puts(m, "# age_us state class verb step object client slot callback\n");
	spin_lock_bh(&dev->lock);
	list_for_each_entry(client, &dev->clients, entry) {
		vrb_show_list(m, &client->issued);
		vrb_show_list(m, &client->queued);
		vrb_show_list(m, &client->parked);
	}
	list_for_each_entry(vrb, &dev->done, entry)
		vrb_show(m, vrb);
	spin_unlock_bh(&dev->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(vrbs);

static int objects_show(struct seq_file *m, void *unused)
{
	struct vrb_device *dev = m->private;
	struct vrb_object *object;
	unsigned int i;

	seq_puts(m, "# object references children zombies state parents\n");
	spin_lock_bh(&dev->lock);
	list_for_each_entry(object, &dev->objects, entry) {
		seq_printf(m, "%s:%#x %u %u %u %s", object->type->name, object->id, object->refs,
			   object->children, object->zombies,
			   vrb_object_dead(object) ? "dead" : object->dying ? "dying" : "alive");
		for (i = 0; i < object->nr_parents; i++)
			seq_printf(m, "%c%s:%#x", i ? ',' : ' ', object->parent[i]->type->name,
				   object->parent[i]->id);
		seq_putc(m, '\n');
	}
	spin_unlock_bh(&dev->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(objects);

static int slots_show(struct seq_file *m, void *unused)
{
	struct vrb_device *dev = m->private;
	const struct vrb_slot *slot;
	unsigned int i;

	seq_puts(m, "# slot state token posted age_us verb step\n");
	spin_lock_bh(&dev->lock);
	for (i = 0; i < dev->nr_slots; i++) {
		slot = &dev->slots[i];
		seq_printf(m, "%u %s", slot->index, vrb_slot_state_names[slot->state]);
		if (slot->state == VRB_SLOT_BUSY)
			seq_printf(m, " %#x %d %llu %s %u", slot->token, slot->posted,
				   vrb_age_us(slot->since), slot->vrb->verb->name, slot->vrb->step);
		else if (slot->state == VRB_SLOT_ZOMBIE)
			seq_printf(m, " %#x 1 %llu %s %u", slot->token, vrb_age_us(slot->since),
				   slot->verb->name, slot->step);
		seq_putc(m, '\n');
	}
	spin_unlock_bh(&dev->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(slots);

/**
 * vrb_debugfs_add - show a device
 * @dev: device
 *
 * Context: Process, may sleep.
 */
void vrb_debugfs_add(struct vrb_device *dev)
{
	dev->debugfs = debugfs_create_dir(dev->name, vrb_debugfs_root);
	debugfs_create_file("counters", 0444, dev->debugfs, dev, &counters_fops);
	debugfs_create_file("vrbs", 0400, dev->debugfs, dev, &vrbs_fops);
	debugfs_create_file("objects", 0400, dev->debugfs, dev, &objects_fops);
	debugfs_create_file("slots", 0400, dev->debugfs, dev, &slots_fops);
}

/**
 * vrb_debugfs_remove - stop showing a device
 * @dev: device
 *
 * Context: Process, may sleep.
 */
void vrb_debugfs_remove(struct vrb_device *dev)
{
	debugfs_remove_recursive(dev->debugfs);
}

/**
 * vrb_debugfs_init - make the engine's directory
 *
 * Context: Process, may sleep.
 */
void vrb_debugfs_init(void)
{
	vrb_debugfs_root = debugfs_create_dir("ib_vrb", NULL);
}

/**
 * vrb_debugfs_exit - remove the engine's directory
 *
 * Context: Process, may sleep.
 */
void vrb_debugfs_exit(void)
{
	debugfs_remove_recursive(vrb_debugfs_root);
}
