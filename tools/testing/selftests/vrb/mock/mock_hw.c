// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The command interface of a device that does not exist. A command takes its time in a
 * hard-interrupt hrtimer, then puts an event in a ring and interrupts if that is armed. Owns
 * mock.lock, raw, taken with interrupts off.
 */
#include "mock.h"

static void violation(struct mock *mock, const char *what)
{
	if (!mock->violations++)
		strscpy(mock->violation, what, sizeof(mock->violation));
}

/* ---- Hardware ---- */

static void push_event(struct mock *mock, u16 token, const struct mock_step *step)
{
	struct mock_event *event = &mock->event[mock->head++ % ARRAY_SIZE(mock->event)];

	if (mock->head - mock->tail > ARRAY_SIZE(mock->event))
		violation(mock, "event ring overrun");
	event->token = token;
	event->result.status = step->status;
	event->result.fw_status = step->fw_status;
	event->result.out = 1000 + step->fw_status;
}

/* Lock held. Returns whether to interrupt. */
static bool take_interrupt(struct mock *mock)
{
	bool interrupt = mock->armed && mock->head != mock->tail && !mock->no_interrupts;

	if (interrupt) {
		mock->armed = false;
		mock->kicks++;
	}
	return interrupt;
}

static void finish_command(struct mock *mock, struct mock_command *command)
{
	unsigned long flags;
	bool interrupt = false;

	raw_spin_lock_irqsave(&mock->lock, flags);
	if (command->owned) {
		command->owned = false;
		mock->outstanding--;
		push_event(mock, command->token, &command->step);
		if (command->step.flags & MOCK_DUP)
			push_event(mock, command->token, &command->step);
		interrupt = take_interrupt(mock);
	}
	raw_spin_unlock_irqrestore(&mock->lock, flags);
	if (interrupt)
		vrb_device_kick(mock->dev);
}

static enum hrtimer_restart command_timer(struct hrtimer *timer)
{
	struct mock_command *command = container_of(timer, struct mock_command, timer);

	finish_command(command->mock, command);
	return HRTIMER_NORESTART;
}

/* Lock held. */
static void check_post(struct mock *mock, const struct mock_command *command,
		       const struct vrb_slot *slot)
{
	unsigned int i;

	if (mock->quiesced)
		violation(mock, "posted after quiesce");
	if (command->owned)
		violation(mock, "posted to a slot whose command has not finished");
	for (i = 0; i < MOCK_SLOTS; i++) {
		if (mock->command[i].owned && mock->command[i].object &&
		    mock->command[i].object == slot->vrb->object)
			violation(mock, "two commands on one object");
	}
}

/* Lock held. */
static void accept_command(struct mock *mock, const struct vrb_slot *slot)
{
	struct mock_command *command = &mock->command[slot->index];
	struct mock_post *post = &mock->log[mock->posts % MOCK_LOG];
	const struct vrb *vrb = slot->vrb;
	struct mock_script *script = vrb->args.ptr.in;

	post->tag = script->tag;
	post->step = vrb->step;
	post->undo = vrb->undo;
	post->slot = slot->index;
	mock->posts++;
	script->posts++;
	command->script = script;
	command->object = vrb->object;
	command->token = slot->token;
	command->step = script->step[vrb->step];
	if (vrb->undo)
		command->step = (struct mock_step){ .status = script->undo_status };
	command->owned = true;
	mock->outstanding++;
	mock->outstanding_max = max(mock->outstanding_max, mock->outstanding);
}

static int mock_post(struct vrb_device *dev, struct vrb_slot *slot)
{
	struct mock *mock = vrb_device_priv(dev);
	struct mock_command *command = &mock->command[slot->index];
	unsigned long flags;
	int ret = 0;

	raw_spin_lock_irqsave(&mock->lock, flags);
	if (mock->post_error) {
		ret = -EIO;
	} else if (mock->busy) {
		if (mock->busy != MOCK_STUCK)
			mock->busy--;
		ret = -EAGAIN;
	} else {
		check_post(mock, command, slot);
		accept_command(mock, slot);
	}
	raw_spin_unlock_irqrestore(&mock->lock, flags);
	if (!ret && !(command->step.flags & MOCK_HOLD))
		hrtimer_start(&command->timer, command->step.latency_ns ?: MOCK_LATENCY_NS,
			      HRTIMER_MODE_REL_PINNED_HARD);
	return ret;
}

/*
 * The interrupt that comes after the pump has looked for the last time, and before it has given up
 * its irq_poll: armed says that it has asked for it.
 */
static void miss_just(struct mock *mock)
{
	struct mock_script *script = READ_ONCE(mock->just_missed);

	if (!script || !script->posts || !READ_ONCE(mock->armed))
		return;
	WRITE_ONCE(mock->just_missed, NULL);
	mock_release(mock, script);
}

static int mock_reap(struct vrb_device *dev, int budget)
{
	struct mock *mock = vrb_device_priv(dev);
	struct mock_event event;
	unsigned long flags;
	int found = 0;

	while (found < budget) {
		raw_spin_lock_irqsave(&mock->lock, flags);
		if (mock->head == mock->tail) {
			raw_spin_unlock_irqrestore(&mock->lock, flags);
			break;
		}
		event = mock->event[mock->tail++ % ARRAY_SIZE(mock->event)];
		raw_spin_unlock_irqrestore(&mock->lock, flags);
		vrb_slot_complete(dev, event.token, &event.result);
		found++;
	}
	miss_just(mock);
	return found;
}

static void mock_rearm(struct vrb_device *dev)
{
	struct mock *mock = vrb_device_priv(dev);
	unsigned long flags;
	bool interrupt;

	raw_spin_lock_irqsave(&mock->lock, flags);
	mock->armed = true;
	interrupt = take_interrupt(mock);
	raw_spin_unlock_irqrestore(&mock->lock, flags);
	if (interrupt)
		vrb_device_kick(dev);
}

/* From here on the hardware writes nothing and finishes nothing. */
static void mock_quiesce(struct vrb_device *dev)
{
	struct mock *mock = vrb_device_priv(dev);
	unsigned long flags;
	unsigned int i;

	raw_spin_lock_irqsave(&mock->lock, flags);
	mock->quiesces++;
	mock->quiesced = true;
	mock->outstanding = 0;
	for (i = 0; i < MOCK_SLOTS; i++)
		mock->command[i].owned = false;
	raw_spin_unlock_irqrestore(&mock->lock, flags);
}

static void mock_failed(struct vrb_device *dev, const char *reason)
{
	struct mock *mock = vrb_device_priv(dev);

	mock->failures++;
}

const struct vrb_provider_ops mock_ops = {
	.owner = THIS_MODULE,
	.post = mock_post,
	.reap = mock_reap,
	.rearm = mock_rearm,
	.quiesce = mock_quiesce,
	.failed = mock_failed,
};

/* ---- Verbs that follow a script ---- */

static int mock_encode(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct mock *mock = vrb_device_priv(dev);
	struct mock_script *script = vrb->args.ptr.in;
	u32 flags = script->step[vrb->step].flags;

	/* The slot's buffers are the hardware's until it has finished: a zombie's too. */
	if (mock->command[slot->index].owned)
		violation(mock, "encoded into buffers of the hardware");
	if (flags & MOCK_SKIP)
		return VRB_MORE;
	if (flags & MOCK_LAST)
		return VRB_LAST;
	return flags & MOCK_REFUSE ? -EINVAL : VRB_DONE_OK;
}

static int mock_advance(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot,
			const struct vrb_result *result)
{
	struct mock *mock = vrb_device_priv(dev);
	struct mock_script *script = vrb->args.ptr.in;
	struct vrb_counters unlocked;

	vrb_device_counters(dev, &unlocked);	/* would deadlock under the engine's lock */
	if (mock->command[slot->index].owned)
		violation(mock, "advanced before the hardware had finished");
	script->advances++;
	if (result->status)
		return script->undo && !vrb->undo ? vrb_undo(vrb, result->status) : result->status;
	return vrb->undo || vrb->step + 1 < script->nr_steps ? VRB_MORE : VRB_DONE_OK;
}

/* A zombie's request is gone: the object tells which script it was. */
static void mock_late(struct vrb_device *dev, struct vrb_object *object, u16 step,
		      const struct vrb_result *result)
{
	struct mock_object *mine = container_of(object, struct mock_object, object);

	if (!object)
		return;
	mine->destroy.late++;
	mine->destroy.late_step = step;
	mine->destroy.late_object = object;
}

const struct vrb_verb mock_verb = {
	.name = "mock",
	.class = VRB_CLASS_NORMAL,
	.encode = mock_encode,
	.advance = mock_advance,
	.late = mock_late,
};

const struct vrb_verb mock_verb_single = {
	.name = "single",
	.class = VRB_CLASS_NORMAL,
	.encode = mock_encode,
};

const struct vrb_verb mock_verb_background = {
	.name = "background",
	.class = VRB_CLASS_BACKGROUND,
	.encode = mock_encode,
	.advance = mock_advance,
};

const struct vrb_verb mock_verb_teardown = {
	.name = "teardown",
	.class = VRB_CLASS_TEARDOWN,
	.encode = mock_encode,
	.advance = mock_advance,
};

const struct vrb_verb mock_verb_destroy = {
	.name = "destroy",
	.class = VRB_CLASS_TEARDOWN,
	.flags = VRB_VERB_DESTROY,
	.encode = mock_encode,
	.advance = mock_advance,
};

/* ---- For the tests ---- */

/**
 * mock_create - a device for one test
 * @test_case: its configuration
 *
 * Context: Process.
 * Return: the device or an ERR_PTR.
 */
struct mock *mock_create(const struct test_case *test_case)
{
	struct vrb_device_config config = test_case->config;
	struct mock *mock;
	unsigned int i;

	mock = kvzalloc(sizeof(*mock), GFP_KERNEL);
	if (!mock)
		return ERR_PTR(-ENOMEM);
	raw_spin_lock_init(&mock->lock);
	for (i = 0; i < MOCK_SLOTS; i++) {
		mock->command[i].mock = mock;
		hrtimer_setup(&mock->command[i].timer, command_timer, CLOCK_MONOTONIC,
			      HRTIMER_MODE_REL_PINNED_HARD);
	}
	config.name = "mock";
	config.slots = config.slots ?: 8;
	mock->dev = vrb_device_create(&mock_ops, mock, &config);
	if (IS_ERR(mock->dev)) {
		struct mock *err = ERR_CAST(mock->dev);

		kvfree(mock);
		return err;
	}
	if (!test_case->polled)
		vrb_device_set_polled(mock->dev, false);
	return mock;
}

/**
 * mock_free - end of a device whose engine has been destroyed
 * @mock: device
 *
 * Context: Process.
 */
void mock_free(struct mock *mock)
{
	unsigned int i;

	for (i = 0; i < MOCK_SLOTS; i++)
		hrtimer_cancel(&mock->command[i].timer);
	kvfree(mock);
}

/**
 * mock_ibdev - the ib_device under which the engine's registry has a device
 * @mock: device
 *
 * There is none: the engine uses only its address.
 *
 * Context: Any.
 */
struct ib_device *mock_ibdev(struct mock *mock)
{
	return (struct ib_device *)mock;
}

/**
 * mock_release - finish a command that is held
 * @mock: device
 * @script: of its request; NULL: all of them
 *
 * Context: Any but hard IRQ.
 */
void mock_release(struct mock *mock, const struct mock_script *script)
{
	unsigned int i;

	local_bh_disable();
	for (i = 0; i < MOCK_SLOTS; i++) {
		if (!script || mock->command[i].script == script)
			finish_command(mock, &mock->command[i]);
	}
	local_bh_enable();
}

/**
 * mock_inject - an event with a token of the test's choice
 * @mock: device
 * @token: token
 *
 * Context: Any but hard IRQ.
 */
void mock_inject(struct mock *mock, u16 token)
{
	const struct mock_step step = {};
	unsigned long flags;
	bool interrupt;

	local_bh_disable();
	raw_spin_lock_irqsave(&mock->lock, flags);
	push_event(mock, token, &step);
	interrupt = take_interrupt(mock);
	raw_spin_unlock_irqrestore(&mock->lock, flags);
	if (interrupt)
		vrb_device_kick(mock->dev);
	local_bh_enable();
}
