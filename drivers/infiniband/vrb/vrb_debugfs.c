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
	[VRB_CLAIMED] = "claimed",
	[VRB_INBOX] = "inbox",
	[VRB_QUEUED] = "queued",
	[VRB_WAITING] = "waiting",
	[VRB_ISSUED] = "issued",
	[VRB_DONE] = "done",
	[VRB_CALLBACK] = "callback",
};

static const char *const vrb_class_names[] = {
	[VRB_CLASS_VERB] = "-",
	[VRB_CLASS_TEARDOWN] = "teardown",
	[VRB_CLASS_NORMAL] = "normal",
	[VRB_CLASS_BACKGROUND] = "background",
	[VRB_CLASS_EVENT] = "event",
};

static_assert(ARRAY_SIZE(vrb_state_names) == VRB_CALLBACK + 1);
static_assert(ARRAY_SIZE(vrb_class_names) == VRB_NR_CLASSES);

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
	VRB_COUNTER(cancelled), VRB_COUNTER(flushed), VRB_COUNTER(deadline), VRB_COUNTER(timeouts),
	VRB_COUNTER(zombies_reaped), VRB_COUNTER(stray), VRB_COUNTER(steps), VRB_COUNTER(busy),
	VRB_COUNTER(no_slot), VRB_COUNTER(undone), VRB_COUNTER(waits), VRB_COUNTER(inbox),
	VRB_COUNTER(runs), VRB_COUNTER(queue_now), VRB_COUNTER(queue_max), VRB_COUNTER(slots_now),
	VRB_COUNTER(slots_max), VRB_COUNTER(hold_max), VRB_COUNTER(run_max_ns),
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

/* Programs parse these files: a name must be one word. */
static void vrb_show_name(struct seq_file *m, const char *name)
{
	for (; *name; name++)
		seq_putc(m, *name == ' ' ? '_' : *name);
}

/* The firmware's status, of a request that is being undone or has completed */
static void vrb_show_status(struct seq_file *m, const struct vrb *vrb)
{
	const char *name = vrb_status_name(vrb->client->dev, vrb->fw_status);

	seq_putc(m, ' ');
	vrb_show_name(m, *name ? name : "-");
	seq_putc(m, '\n');
}

static void vrb_show(struct seq_file *m, const struct vrb *vrb)
{
	seq_printf(m, "%llu %s %s %s %u:", vrb_age_us(vrb->submitted),
		   vrb_state_names[vrb_state(vrb)], vrb_class_names[vrb->real_class],
		   vrb_verb_name(vrb->verb), vrb->step);
	vrb_show_name(m, vrb_step_name(vrb->verb, vrb->step));
	seq_puts(m, vrb->undoing ? ":undo " : " ");
	if (vrb->object) {
		vrb_show_name(m, vrb->object->type->name);
		seq_printf(m, ":%#x", vrb->object->id);
	} else {
		seq_puts(m, "-");
	}
	seq_printf(m, " %s %d ", vrb->client->name, vrb->slot ? vrb->slot->index : -1);
	if (vrb->done)
		seq_printf(m, "%ps", vrb->done);
	else
		seq_puts(m, vrb->waiter ? "waiter" : "-");
	vrb_show_status(m, vrb);
}

/* The request whose callback runs may have been freed, so a copy is shown. */
static void vrb_show_calling(struct seq_file *m, const struct vrb_calling *calling)
{
	if (calling->verb)
		seq_printf(m, "%llu callback - %s - - %s -1 %ps -\n",
			   vrb_age_us(calling->submitted), calling->verb->name,
			   calling->client->name, calling->done);
}

/* Interrupts are off here, so the number of requests shown is bounded. */
static void vrb_show_inbox(struct seq_file *m, struct vrb_device *dev)
{
	unsigned int left = VRB_BUDGET;
	struct vrb *vrb;

	raw_spin_lock_irq(&dev->kick_lock);
	list_for_each_entry(vrb, &dev->inbox, entry) {
		if (!left--)
			break;
		vrb_show(m, vrb);
	}
	raw_spin_unlock_irq(&dev->kick_lock);
}

/*
 * Shows a list, a bounded number of entries per hold of the lock. The cursor is an entry of the
 * list; other walkers skip it.
 */
static void vrb_show_list(struct seq_file *m, struct list_head *head, struct list_head *cursor,
			  void (*show)(struct seq_file *m, struct list_head *entry))
{
	struct vrb_device *dev = m->private;
	struct list_head *next;

	list_add(cursor, head);
	while (!seq_has_overflowed(m) && (next = vrb_cursor_next(cursor, head))) {
		vrb_handle(dev);
		if (next != &dev->sweep && next != &dev->sweep_end)
			show(m, next);
		if (vrb_within_budget(dev))
			continue;
		spin_unlock_bh(&dev->lock);
		cond_resched();
		vrb_lock(dev);
	}
	list_del_init(cursor);
}

static void vrb_show_entry(struct seq_file *m, struct list_head *entry)
{
	vrb_show(m, list_entry(entry, struct vrb, device_entry));
}

static int vrbs_show(struct seq_file *m, void *unused)
{
	struct vrb_device *dev = m->private;

	seq_puts(m, "# age_us state class verb step object client slot callback fw_status\n");
	mutex_lock(&dev->read_lock);
	vrb_lock(dev);
	vrb_show_calling(m, &dev->calling);
	vrb_show_list(m, &dev->vrbs, &dev->vrb_reader, vrb_show_entry);
	vrb_show_inbox(m, dev);
	spin_unlock_bh(&dev->lock);
	mutex_unlock(&dev->read_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(vrbs);

static const char *vrb_object_state(const struct vrb_object *object)
{
	if (object->dying)
		return "dying";
	return object->epoch != object->dev->epoch ? "stale" : "alive";
}

static void vrb_show_object(struct seq_file *m, struct list_head *entry)
{
	struct vrb_object *object = list_entry(entry, struct vrb_object, entry);
	unsigned int i;

	seq_printf(m, "%s:%#x %u %u %u %s", object->type->name, object->id,
		   refcount_read(&object->refs), object->children, object->zombies,
		   vrb_object_state(object));
	for (i = 0; i < object->nr_parents; i++)
		seq_printf(m, "%c%s:%#x", i ? ',' : ' ', object->parent[i]->type->name,
			   object->parent[i]->id);
	seq_putc(m, '\n');
}

static int objects_show(struct seq_file *m, void *unused)
{
	struct vrb_device *dev = m->private;

	seq_puts(m, "# object references children zombies state parents\n");
	mutex_lock(&dev->read_lock);
	vrb_lock(dev);
	vrb_show_list(m, &dev->objects, &dev->object_reader, vrb_show_object);
	spin_unlock_bh(&dev->lock);
	mutex_unlock(&dev->read_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(objects);

static void vrb_show_slot(struct seq_file *m, const struct vrb_slot *slot)
{
	const struct vrb_verb *verb = slot->verb;
	u32 step = slot->step;

	seq_printf(m, "%u %s", slot->index, vrb_slot_state_names[slot->state]);
	if (slot->state == VRB_SLOT_BUSY) {
		verb = slot->vrb->verb;
		step = slot->vrb->step;
	}
	if (slot->state != VRB_SLOT_FREE) {
		seq_printf(m, " %#x %d %llu %s %u:", slot->token,
			   slot->posted || slot->state == VRB_SLOT_ZOMBIE, vrb_age_us(slot->since),
			   verb->name, step);
		vrb_show_name(m, vrb_step_name(verb, step));
	}
	seq_putc(m, '\n');
}

static int slots_show(struct seq_file *m, void *unused)
{
	struct vrb_device *dev = m->private;
	unsigned int i;

	seq_puts(m, "# slot state token posted age_us verb step\n");
	for (i = 0; i < dev->max_slots; i++) {
		spin_lock_bh(&dev->lock);
		if (i < dev->nr_slots)
			vrb_show_slot(m, &dev->slots[i]);
		spin_unlock_bh(&dev->lock);
	}
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
	INIT_LIST_HEAD(&dev->vrb_reader);
	INIT_LIST_HEAD(&dev->object_reader);
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

static int vrb_delays_set(void *unused, u64 seed)
{
	atomic_set(&vrb_delay_state, seed);
	if (seed)
		static_branch_enable(&vrb_delays);
	else
		static_branch_disable(&vrb_delays);
	return 0;
}

static int vrb_delays_get(void *unused, u64 *on)
{
	*on = static_key_enabled(&vrb_delays);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(delays_fops, vrb_delays_get, vrb_delays_set, "%llu\n");

/**
 * vrb_debugfs_init - make the engine's directory
 *
 * Context: Process, may sleep.
 */
void vrb_debugfs_init(void)
{
	vrb_debugfs_root = debugfs_create_dir("ib_vrb", NULL);
	debugfs_create_file("delays", 0600, vrb_debugfs_root, NULL, &delays_fops);
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
