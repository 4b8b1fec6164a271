// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Hardware that completes at once: a posted command completes before the post returns, and raises
 * an interrupt if one was requested. On request it holds its completions back.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "provider.h"

#define RING 256

/* All but hold is accessed only under the engine's device lock or in its pump. */
struct provider {
	struct vrb_device *dev;
	u16 token[RING];
	unsigned int head, tail;
	bool armed;
	bool hold;
};

static void interrupt(struct provider *provider)
{
	if (!provider->armed || READ_ONCE(provider->hold) || provider->head == provider->tail)
		return;
	provider->armed = false;
	vrb_device_kick(provider->dev);
}

static int post(struct vrb_device *dev, struct vrb_slot *slot)
{
	struct provider *provider = vrb_device_priv(dev);

	provider->token[provider->head++ % RING] = slot->token;
	interrupt(provider);
	return 0;
}

static int reap(struct vrb_device *dev, int budget)
{
	struct provider *provider = vrb_device_priv(dev);
	static const struct vrb_result result;
	int found = 0;

	while (found < budget && provider->tail != provider->head && !READ_ONCE(provider->hold)) {
		vrb_slot_complete(dev, provider->token[provider->tail++ % RING], &result);
		found++;
	}
	return found;
}

static void rearm(struct vrb_device *dev)
{
	struct provider *provider = vrb_device_priv(dev);

	provider->armed = true;
	interrupt(provider);
}

static void quiesce(struct vrb_device *dev)
{
}

static const struct vrb_provider_ops ops = {
	.post = post,
	.reap = reap,
	.rearm = rearm,
	.quiesce = quiesce,
};

static int encode(struct vrb_device *dev, struct vrb *vrb, struct vrb_slot *slot)
{
	return VRB_POST;
}

static const struct vrb_step steps[] = {
	{ .name = "COST", .encode = encode },
};

static const struct vrb_verb verb = {
	.name = "cost",
	.class = VRB_CLASS_NORMAL,
	VRB_STEPS(steps),
};

/**
 * provider_create - create a device in its event phase
 * @slots: number of commands it can have outstanding
 *
 * Context: Process.
 * Return: the provider or an ERR_PTR.
 */
struct provider *provider_create(unsigned int slots)
{
	struct vrb_device_config config = { .name = "cost", .slots = slots };
	struct provider *provider = kzalloc(sizeof(*provider), GFP_KERNEL);
	int ret = 0;

	if (!provider)
		return ERR_PTR(-ENOMEM);
	provider->armed = true;
	provider->dev = vrb_device_create(&ops, provider, &config);
	if (IS_ERR(provider->dev)) {
		ret = PTR_ERR(provider->dev);
		goto free_provider;
	}
	ret = vrb_device_set_slots(provider->dev, slots);
	if (ret)
		goto destroy_device;
	return provider;

destroy_device:
	vrb_device_destroy(provider->dev);
free_provider:
	kfree(provider);
	return ERR_PTR(ret);
}

/**
 * provider_destroy - destroy the device; no request may be left
 * @provider: of provider_create()
 *
 * Context: Process.
 */
void provider_destroy(struct provider *provider)
{
	vrb_device_destroy(provider->dev);
	kfree(provider);
}

/**
 * provider_client - the client to submit as
 * @provider: of provider_create()
 *
 * Context: Any.
 * Return: the device's own client.
 */
struct vrb_client *provider_client(struct provider *provider)
{
	return vrb_device_client(provider->dev);
}

/**
 * provider_prep - prepare a request of one command
 * @vrb: the request
 * @done: its callback, or NULL
 *
 * Context: Any.
 */
void provider_prep(struct vrb *vrb, vrb_done_fn done)
{
	vrb_prep(vrb, &verb, NULL);
	vrb->done = done;
}

/**
 * provider_hold - hold completions back, or deliver those that were
 * @provider: of provider_create()
 * @hold: true to hold them back, false to deliver them
 *
 * Context: BH disabled.
 */
void provider_hold(struct provider *provider, bool hold)
{
	WRITE_ONCE(provider->hold, hold);
	if (!hold)
		vrb_device_kick(provider->dev);
}

/**
 * provider_fail - let the device fail
 * @provider: of provider_create()
 *
 * Context: BH disabled.
 */
void provider_fail(struct provider *provider)
{
	vrb_device_fail(provider->dev, "to see what it costs");
}
