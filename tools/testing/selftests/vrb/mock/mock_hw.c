// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The command interface of a simulated device. A hard-interrupt hrtimer completes a command after
 * its latency, puts an event in a ring, and raises an interrupt if that is armed. This file owns
 * mock.lock, a raw lock that is taken with interrupts off.
 */
#include "mock.h"

/**
 * mock_violation - record that the engine has broken a rule
 * @mock: device
 * @what: what it did
 *
 * Context: Any.
 */
void mock_violation(struct mock *mock, const char *what)
{
	if (!mock->violations++)
		strscpy(mock->violation, what, sizeof(mock->violation));
}

/* ---- Hardware ---- */

static void push_event(struct mock *mock, u16 token, const struct mock_step *step)
{
	struct mock_event *event = &mock->event[mock->head++ % ARRAY_SIZE(mock->event)];

	if (mock->head - mock->tail > ARRAY_SIZE(mock->event))
		mock_violation(mock, "event ring overrun");
	event->token = token;
	event->result.status = step->status;
	event->result.fw_status = step->fw_status;
	event->result.out = 1000 + step->fw_status;
}

/* Lock held. Returns whether to raise an interrupt. */
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

static struct mock_script *script_of(struct mock *mock, const struct vrb *vrb)
{
	if (vrb->op)
		return mock_typed_script(mock, vrb);
	if (vrb->object && (vrb == &vrb->object->destroy || vrb->verb == vrb->object->type->leave))
		return &container_of(vrb->object, struct mock_object, object)->destroy;
	return container_of(vrb, struct mock_head, vrb)->script;
}

/* Lock held. The token must differ from those that late completions may still have. */
static void check_token(struct mock *mock, struct mock_command *command, u16 token)
{
	unsigned int i;

	for (i = 0; i < min_t(unsigned int, command->nr_tokens, MOCK_TOKENS); i++) {
		if (command->tokens[i] == token)
			mock_violation(mock, "a token like one of the last");
	}
	command->tokens[command->nr_tokens++ % MOCK_TOKENS] = token;
}

/* Lock held. */
static void check_post(struct mock *mock, struct mock_command *command,
		       const struct vrb_slot *slot)
{
	unsigned int i;

	if (mock->quiesced)
		mock_violation(mock, "posted after quiesce");
	if (vrb_device_failed(mock->dev))
		mock_violation(mock, "posted after the failure");
	if (command->owned)
		mock_violation(mock, "posted to a slot whose command has not finished");
	if (slot->index >= mock->slots)
		mock_violation(mock, "posted to a slot there is not");
	check_token(mock, command, slot->token);
	/* One that was submitted before the run began is not posted by its submit. */
	if (ktime_before(slot->vrb->submitted, mock->reaped_at) && ++mock->run_posts > MOCK_POSTS)
		mock_violation(mock, "too many commands in a run");
	for (i = 0; i < MOCK_SLOTS; i++) {
		if (mock->command[i].owned && mock->command[i].object &&
		    mock->command[i].object == slot->vrb->object)
			mock_violation(mock, "two commands on one object");
	}
}

/* Lock held. Commands are answered late, twice, with an error, or not at all until later. */
static void chaos_step(struct mock *mock, const struct vrb *vrb, struct mock_step *step)
{
	u32 random;

	mock->chaos = (mock->chaos * 1664525 + 1013904223) | 1;
	random = mock->chaos >> 10;
	step->latency_ns = 1 + random % 40000;
	if (random % 10 == 1)
		step->flags = MOCK_DUP;
	else if (random % 400 == 2)
		step->flags = MOCK_HOLD;
	/* A refused destroy would fail the device. */
	if (random % 12 == 3 && !(vrb->object && vrb == &vrb->object->destroy))
		step->status = -EINVAL;
}

/* Lock held. */
static void accept_command(struct mock *mock, const struct vrb_slot *slot)
{
	struct mock_command *command = &mock->command[slot->index];
	struct mock_post *post = &mock->log[mock->posts % MOCK_LOG];
	const struct vrb *vrb = slot->vrb;
	struct mock_script *script = script_of(mock, vrb);

	post->tag = script->tag;
	post->step = vrb->step;
	post->undo = vrb->undoing;
	post->slot = slot->index;
	post->reaps = mock->reaps;
	mock->posts++;
	script->posts++;
	command->script = script;
	command->object = vrb->object;
	command->token = slot->token;
	command->step = script->step[min_t(u32, vrb->step, MOCK_STEPS - 1)];
	if (vrb->undoing)
		command->step = (struct mock_step){ .status = script->undo_status,
						    .flags = script->undo_flags };
	else if (mock->chaos)
		chaos_step(mock, vrb, &command->step);
	command->owned = true;
	mock->posted_at = ktime_get();
	mock->looks = 0;
	WRITE_ONCE(mock->looked_ns, 0);
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
 * Completes a command after the pump's last look, and before it ends its irq_poll: armed shows that
 * it has requested the interrupt.
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

	raw_spin_lock_irqsave(&mock->lock, flags);
	mock->reaps++;
	mock->reaped_at = ktime_get();
	mock->run_posts = 0;
	mock->run_results = 0;
	if (++mock->looks == 3)
		WRITE_ONCE(mock->looked_ns, ktime_to_ns(ktime_sub(ktime_get(), mock->posted_at)));
	raw_spin_unlock_irqrestore(&mock->lock, flags);
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

/* A command that completes now raises no interrupt, and hardware need not report it later. */
static bool finish_unheard(struct mock *mock)
{
	struct mock_script *script = READ_ONCE(mock->unheard);

	if (!script || !script->posts)
		return false;
	WRITE_ONCE(mock->unheard, NULL);
	WRITE_ONCE(mock->armed, false);
	mock_release(mock, script);
	return true;
}

/* In softirq: longer than a few seconds would look like a lockup. */
static void hold_rearm(struct mock *mock)
{
	unsigned long end = jiffies + 5 * HZ;

	WRITE_ONCE(mock->rearming, true);
	while (READ_ONCE(mock->hold_rearm) && time_before(jiffies, end))
		cpu_relax();
	WRITE_ONCE(mock->rearming, false);
}

static void mock_rearm(struct vrb_device *dev)
{
	struct mock *mock = vrb_device_priv(dev);
	bool interrupt, unheard = finish_unheard(mock);
	unsigned long flags;

	mock->rearms++;
	hold_rearm(mock);
	raw_spin_lock_irqsave(&mock->lock, flags);
	mock->armed = true;
	interrupt = !unheard && take_interrupt(mock);
	raw_spin_unlock_irqrestore(&mock->lock, flags);
	if (interrupt)
		vrb_device_kick(dev);
}

static void mock_slots(struct vrb_device *dev, unsigned int slots)
{
	struct mock *mock = vrb_device_priv(dev);

	if (mock->outstanding)
		mock_violation(mock, "another number of slots with a command outstanding");
	mock->slots = slots;
	if (mock->on_slots)
		mock->on_slots(mock);
}

/* From here on the hardware neither writes nor completes anything. */
static void mock_quiesce(struct vrb_device *dev)
{
	struct mock *mock = vrb_device_priv(dev);
	unsigned long flags;
	unsigned int i;

	if (vrb_device_quiesced(dev))
		mock_violation(mock, "quiesced before it is");
	if (mock->quiesce_ms)
		mdelay(mock->quiesce_ms);
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
	struct vrb_object *resume = mock->resume;

	mock->failures++;
	mock->resume = NULL;
	if (resume)
		vrb_resume(resume);
	mock_forget_groups(mock);
}

static const char *mock_status_name(u8 fw_status)
{
	return fw_status == 7 ? "SEVEN" : NULL;
}

const struct vrb_provider_ops mock_ops = {
	.post = mock_post,
	.reap = mock_reap,
	.rearm = mock_rearm,
	.slots = mock_slots,
	.quiesce = mock_quiesce,
	.failed = mock_failed,
	.status_name = mock_status_name,
};

/* ---- Verbs that follow a script ---- */

/**
 * mock_encode - encode a step's command, as the request's script says
 * @dev: device
 * @vrb: request
 * @slot: its slot
 *
 * Context: As &vrb_step.encode.
 */
int mock_encode(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct mock *mock = vrb_device_priv(dev);
	struct mock_script *script = script_of(mock, vrb);
	u32 *flags = &script->step[vrb->step].flags;

	/* The hardware owns the slot's buffers until it has finished, even those of a zombie. */
	if (mock->command[slot->index].owned)
		mock_violation(mock, "encoded into buffers of the hardware");
	if (vrb->step >= script->nr_steps)
		return VRB_END;
	if (*flags & MOCK_WAIT) {
		*flags &= ~MOCK_WAIT;
		script->waited++;
		if (mock->waits)
			mock->waits(vrb);
		return VRB_WAIT;
	}
	if (*flags & MOCK_SKIP)
		return VRB_NEXT;
	if (*flags & MOCK_LAST)
		return VRB_END;
	return *flags & MOCK_REFUSE ? -EINVAL : VRB_POST;
}

/* A result, or a portion of work; the pump calls this. */
static void count_result(struct mock *mock)
{
	if (++mock->run_results > MOCK_RESULTS)
		mock_violation(mock, "too many results in a run");
}

/**
 * mock_done - handle the result of a step's command, as the request's script says
 * @dev: device
 * @vrb: request
 * @slot: its slot
 * @result: the result
 *
 * Context: As &vrb_step.done.
 */
int mock_done(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot,
	      const struct vrb_result *result)
{
	struct mock *mock = vrb_device_priv(dev);
	struct mock_script *script = script_of(mock, vrb);
	struct vrb_counters unlocked;

	vrb_device_counters(dev, &unlocked);	/* would deadlock under the engine's lock */
	if (mock->command[slot->index].owned)
		mock_violation(mock, "done before the hardware had finished");
	count_result(mock);
	script->dones++;
	script->out = result->out;
	if (result->status || vrb->undoing)
		return result->status;
	if (script->step[vrb->step].flags & MOCK_WAIT_AFTER) {
		script->waited++;
		if (mock->waits_after)
			mock->waits_after(vrb);
		return VRB_WAIT;
	}
	return vrb->step + 1 < script->nr_steps ? VRB_NEXT : VRB_END;
}

/**
 * mock_undo - encode the command that undoes a step, if the script says so
 * @dev: device
 * @vrb: request
 * @slot: its slot
 *
 * Context: As &vrb_step.undo.
 */
int mock_undo(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct mock *mock = vrb_device_priv(dev);
	struct mock_script *script = script_of(mock, vrb);

	script->undos++;
	if (mock->resume_in_undo)
		vrb_resume(mock->resume_in_undo);
	mock->resume_in_undo = NULL;
	return !script->undo || script->step[vrb->step].flags & MOCK_SKIP ? VRB_NEXT : VRB_POST;
}

/* A zombie's request is gone, so the object identifies the script. */
static void mock_late(struct vrb_object *object, int step)
{
	struct mock_object *mine = container_of(object, struct mock_object, object);

	if (!object)
		return;
	mine->destroy.late++;
	mine->destroy.late_step = step;
	mine->destroy.late_object = object;
}

static void mock_lost(struct vrb_object *object, int step)
{
	struct mock_object *mine = container_of(object, struct mock_object, object);

	if (!object)
		return;
	mine->destroy.lost++;
	mine->destroy.late_step = step;
}

#define MOCK_LOST(step)									\
static void mock_lost_##step(struct vrb_device *dev, struct vrb_object *object)		\
{											\
	mock_lost(object, step);							\
}

MOCK_LOST(0)
MOCK_LOST(1)
MOCK_LOST(2)
MOCK_LOST(3)

#define MOCK_LATE(step)									\
static void mock_late_##step(struct vrb_device *dev, struct vrb_object *object,		\
			     const struct vrb_result *result)				\
{											\
	mock_late(object, step);							\
}

MOCK_LATE(0)
MOCK_LATE(1)
MOCK_LATE(2)
MOCK_LATE(3)

#define MOCK_ROW(step) {								\
	.name = "step" #step, .encode = mock_encode, .done = mock_done,			\
	.undo = mock_undo, .undone = mock_done,						\
	.lost = mock_lost_##step, .late = mock_late_##step,				\
}

static const struct vrb_step mock_steps[MOCK_STEPS] = {
	MOCK_ROW(0), MOCK_ROW(1), MOCK_ROW(2), MOCK_ROW(3),
};

static const struct vrb_step mock_single_step[] = {
	{ .name = "only", .encode = mock_encode },
};

/* Works in as many portions as the script says, and then issues a command. */
static int mock_work(struct vrb_device *dev, struct vrb *vrb)
{
	struct mock *mock = vrb_device_priv(dev);
	struct mock_script *script = script_of(mock, vrb);
	struct vrb_counters unlocked;

	vrb_device_counters(dev, &unlocked);	/* would deadlock under the engine's lock */
	count_result(mock);
	if (script->step[0].flags & MOCK_REFUSE)
		return -EINVAL;
	return --script->portions ? VRB_AGAIN : VRB_NEXT;
}

static const struct vrb_step mock_work_steps[] = {
	{ .name = "work", .work = mock_work },
	{ .name = "post", .encode = mock_encode, .done = mock_done },
};

const struct vrb_verb mock_verb = {
	.name = "mock",
	.class = VRB_CLASS_NORMAL,
	VRB_STEPS(mock_steps),
};

const struct vrb_verb mock_verb_single = {
	.name = "single",
	.class = VRB_CLASS_NORMAL,
	VRB_STEPS(mock_single_step),
};

const struct vrb_verb mock_verb_work = {
	.name = "work",
	.class = VRB_CLASS_NORMAL,
	VRB_STEPS(mock_work_steps),
};

const struct vrb_verb mock_verb_background = {
	.name = "background",
	.class = VRB_CLASS_BACKGROUND,
	VRB_STEPS(mock_steps),
};

const struct vrb_verb mock_verb_teardown = {
	.name = "teardown",
	.class = VRB_CLASS_TEARDOWN,
	VRB_STEPS(mock_steps),
};

const struct vrb_verb mock_verb_destroy = {
	.name = "destroy",
	.class = VRB_CLASS_TEARDOWN,
	VRB_STEPS(mock_steps),
};

const struct vrb_verb mock_verb_refusable = {
	.name = "destroy if unused",
	.class = VRB_CLASS_TEARDOWN,
	.may_refuse = true,
	VRB_STEPS(mock_steps),
};

/* ---- Functions for the tests ---- */

/**
 * mock_create - create a device for one test
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
	INIT_LIST_HEAD(&mock->attached);
	for (i = 0; i < MOCK_SLOTS; i++) {
		mock->command[i].mock = mock;
		hrtimer_setup(&mock->command[i].timer, command_timer, CLOCK_MONOTONIC,
			      HRTIMER_MODE_REL_PINNED_HARD);
	}
	config.name = config.name ?: "mock";
	config.slots = config.slots ?: 8;
	mock->dev = vrb_device_create(&mock_ops, mock, &config);
	if (IS_ERR(mock->dev)) {
		struct mock *err = ERR_CAST(mock->dev);

		kvfree(mock);
		return err;
	}
	mock->slots = 1;
	if (!test_case->one_slot)
		vrb_device_set_slots(mock->dev, config.slots);
	return mock;
}

static char unseen[80];	/* a violation after the last look of a test; tests run one by one */

/**
 * mock_free - free a device whose engine has been destroyed
 * @mock: device
 *
 * Context: Process.
 */
void mock_free(struct mock *mock)
{
	unsigned int i;

	for (i = 0; i < MOCK_SLOTS; i++)
		hrtimer_cancel(&mock->command[i].timer);
	if (mock->violations != mock->seen)
		strscpy(unseen, mock->violation, sizeof(unseen));
	kvfree(mock);
}

/**
 * mock_unseen - whether a device was freed with violations that no test has seen
 * @text: the last of them; empty if there is none
 * @size: of @text
 *
 * Context: Process.
 * Return: whether there is one; it is forgotten.
 */
bool mock_unseen(char *text, size_t size)
{
	strscpy(text, unseen, size);
	unseen[0] = 0;
	return text[0];
}

/**
 * mock_callback - check what must be true of the device when a request completes
 * @mock: device
 * @status: status of the request
 *
 * Context: Softirq.
 */
void mock_callback(struct mock *mock, int status)
{
	struct vrb_counters counters;

	vrb_device_counters(mock->dev, &counters);	/* would deadlock under the engine's lock */
	if (mock->run != counters.runs)
		mock->callbacks = 0;
	mock->run = counters.runs;
	if (status == -EIO && !READ_ONCE(mock->quiesced) && !mock->was_reset)
		mock_violation(mock, "a result of the failure before quiesce had returned");
	if (++mock->callbacks > MOCK_BUDGET)
		mock_violation(mock, "too many callbacks in a run");
}

/**
 * mock_reset - make the hardware of a stopped device work again
 * @mock: device
 *
 * Context: Any.
 */
void mock_reset(struct mock *mock)
{
	mock->was_reset = true;
	WRITE_ONCE(mock->quiesced, false);
}

/**
 * mock_ibdev - the ib_device under which the engine's registry knows a device
 * @mock: device
 *
 * Without verbs there is no ib_device: then the engine uses only the address.
 *
 * Context: Any.
 */
struct ib_device *mock_ibdev(struct mock *mock)
{
	return mock->ibdev ?: (struct ib_device *)mock;
}

/**
 * mock_release - complete held commands
 * @mock: device
 * @script: script of the request; NULL: all of them
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
 * mock_inject - add an event with any token
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
