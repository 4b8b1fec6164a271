// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * A device for clients other than the tests. Writing 1 to /sys/kernel/debug/vrb_mock/device
 * registers it with ib_core, which adds it to its clients; writing 0 unregisters it.
 */
#include <linux/debugfs.h>
#include <linux/mutex.h>

#include "mock.h"

static struct mock *device;
static DEFINE_MUTEX(device_mutex);

static void mock_device_free(struct mock *mock)
{
	vrb_device_detach(mock->dev);
	vrb_device_destroy(mock->dev);
	mock_verbs_detach(mock);
	mock_free(mock);
}

static int mock_device_add(void)
{
	const struct test_case plain = { .verbs = true };
	struct mock *mock = mock_create(&plain);
	int ret;

	if (IS_ERR(mock))
		return PTR_ERR(mock);
	ret = mock_verbs_attach(mock);
	if (!ret)
		ret = mock_verbs_register(mock);
	if (ret) {
		mock_device_free(mock);
		return ret;
	}
	device = mock;
	return 0;
}

/* Returns -EUCLEAN if there were violations, or if clients have left objects behind. */
static int mock_device_remove(void)
{
	struct mock *mock = device;
	int ret;

	ib_unregister_device(mock->ibdev);
	mock->seen = mock->violations;
	ret = mock->violations || atomic_read(&mock->live) ? -EUCLEAN : 0;
	device = NULL;
	mock_device_free(mock);
	return ret;
}

static int mock_device_get(void *unused, u64 *there)
{
	*there = !!READ_ONCE(device);
	return 0;
}

static int mock_device_set(void *unused, u64 there)
{
	int ret = 0;

	mutex_lock(&device_mutex);
	if (there && !device)
		ret = mock_device_add();
	else if (!there && device)
		ret = mock_device_remove();
	mutex_unlock(&device_mutex);
	return ret;
}
DEFINE_DEBUGFS_ATTRIBUTE(mock_device_fops, mock_device_get, mock_device_set, "%llu\n");

/**
 * mock_device_init - create the file "device"
 * @directory: debugfs directory
 *
 * Context: Process.
 */
void mock_device_init(struct dentry *directory)
{
	debugfs_create_file("device", 0600, directory, NULL, &mock_device_fops);
}

/**
 * mock_device_exit - remove the device if there is one
 *
 * Context: Process; the file has been removed.
 */
void mock_device_exit(void)
{
	mock_device_set(NULL, 0);
}
