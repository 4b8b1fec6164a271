// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Runs a test by name, through files in /sys/kernel/debug/vrb_mock/. The files "rules", "misuse"
 * and "visible" list the names. Writing a name to "run" runs the test. Then "result" has
 * diagnostics as TAP comments, and "pass", "fail" or "skip REASON" in its last line. mock_device.c
 * has one more file.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#include "mock.h"

MODULE_DESCRIPTION("Provider without hardware, and tests of the request engine");
MODULE_LICENSE("Dual BSD/GPL");
MODULE_INFO(test, "Y");

uint mock_seed = 20261128;
module_param_named(seed, mock_seed, uint, 0644);
MODULE_PARM_DESC(seed, "What the storms begin with");

static const struct test_case *const suites[] = {
	request_tests, steps_tests, slots_tests, time_tests, object_tests, fail_tests,
	client_tests, wait_tests, misuse_tests, visible_tests, refs_tests, callback_tests,
	share_tests, stop_tests, idle_tests, bounds_tests, numbers_tests, storm_tests,
	late_tests, verbs_tests, create_tests, shell_tests, await_tests, notify_tests,
	audit_tests, kinds_tests, pairs_tests,
};

static struct dentry *directory;
static DEFINE_MUTEX(running);
static struct test last;
static struct completion visited;
static bool waiting;			/* for a visitor: see wait_for_visitor() */

static const struct test_case *find(const char *name)
{
	const struct test_case *test_case;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(suites); i++) {
		for (test_case = suites[i]; test_case->name; test_case++) {
			if (!strcmp(test_case->name, name))
				return test_case;
		}
	}
	return NULL;
}

/* Checks what must be true after every test. */
static void check_afterwards(struct test *t, const struct vrb_counters *end)
{
	struct mock *mock = t->mock;

	mock->seen = mock->violations;
	if (mock->violations)
		test_fail(t, __FILE__, __LINE__, "%u violations, first: %s", mock->violations,
			  mock->violation);
	EXPECT_EQ(t, end->submitted, end->completed);
	EXPECT(t, end->hold_max <= MOCK_BUDGET);
	EXPECT_EQ(t, end->queue_now, 0);
	EXPECT_EQ(t, end->slots_now, 0);
}

static void tear_down(struct test *t)
{
	struct vrb_counters end;
	char unseen[80];

	mock_release(t->mock, NULL);
	if (t->failed)
		vrb_device_fail(t->dev, "the test has failed");
	if (t->client)
		vrb_client_unregister(t->client);
	if (t->pd) {
		/* All objects of the test are gone. */
		EXPECT_EQ(t, atomic_read(&t->pd->usecnt), 0);
		EXPECT_EQ(t, atomic_read(&t->mock->live), 0);
		ib_dealloc_pd(t->pd);
	}
	vrb_device_detach(t->dev);
	end = counters(t);
	check_afterwards(t, &end);
	vrb_device_destroy(t->dev);
	mock_verbs_detach(t->mock);
	mock_free(t->mock);
	if (mock_unseen(unseen, sizeof(unseen)))
		test_fail(t, __FILE__, __LINE__, "a violation at the end of a device: %s", unseen);
	test_free_all(t);
}

static bool attach(struct test *t)
{
	if (!t->test_case->verbs)
		return !vrb_device_attach(t->dev, mock_ibdev(t->mock), NULL);
	if (mock_verbs_attach(t->mock))
		return false;
	t->pd = ib_alloc_pd(t->mock->ibdev, 0);
	if (!IS_ERR(t->pd))
		return true;
	t->pd = NULL;
	return false;
}

static int run(const struct test_case *test_case, struct test *t)
{
	memset(t, 0, sizeof(*t));
	INIT_LIST_HEAD(&t->memory);
	reinit_completion(&visited);
	t->test_case = test_case;
	t->mock = mock_create(test_case);
	if (IS_ERR(t->mock))
		return PTR_ERR(t->mock);
	t->dev = t->mock->dev;
	if (!attach(t)) {
		tear_down(t);
		return -ENOMEM;
	}
	t->client = vrb_client_register(mock_ibdev(t->mock), "test");
	if (IS_ERR(t->client)) {
		test_fail(t, __FILE__, __LINE__, "no client: %pe", t->client);
		t->client = NULL;
	} else {
		test_case->run(t);
	}
	tear_down(t);
	return 0;
}

static ssize_t run_write(struct file *file, const char __user *buffer, size_t count, loff_t *pos)
{
	const struct test_case *test_case;
	char name[64];
	int ret;

	if (count >= sizeof(name))
		return -ENAMETOOLONG;
	if (copy_from_user(name, buffer, count))
		return -EFAULT;
	name[count] = '\0';
	test_case = find(strim(name));
	if (!test_case)
		return -ENOENT;
	mutex_lock(&running);
	ret = run(test_case, &last);
	mutex_unlock(&running);
	return ret ?: count;
}

static const struct file_operations run_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = run_write,
};

static int result_show(struct seq_file *m, void *unused)
{
	mutex_lock(&running);
	if (!last.test_case)
		seq_puts(m, "skip nothing has run\n");
	else if (last.failed)
		seq_printf(m, "%sfail\n", last.log);
	else if (last.skipped)
		seq_printf(m, "skip %s\n", last.log);
	else
		seq_puts(m, "pass\n");
	mutex_unlock(&running);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(result);

static void show_names(struct seq_file *m, int kind)
{
	const struct test_case *test_case;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(suites); i++) {
		for (test_case = suites[i]; test_case->name; test_case++) {
			if (test_case->kind == kind)
				seq_printf(m, "%s\n", test_case->name);
		}
	}
}

static int rules_show(struct seq_file *m, void *unused)
{
	show_names(m, RULE);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(rules);

static int misuse_show(struct seq_file *m, void *unused)
{
	show_names(m, MISUSE);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(misuse);

static int visible_show(struct seq_file *m, void *unused)
{
	show_names(m, VISIBLE);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(visible);

/**
 * wait_for_visitor - wait until a script has read the engine's files
 * @t: test
 *
 * Context: Process.
 */
void wait_for_visitor(struct test *t)
{
	WRITE_ONCE(waiting, true);
	/* The script may read a hundred thousand lines. */
	EXPECT(t, wait_for_completion_timeout(&visited, 5 * MOCK_PATIENCE));
	WRITE_ONCE(waiting, false);
}

/* "waiting" while a visitor may read the engine's files, else "-". A write ends the visit. */
static ssize_t state_read(struct file *file, char __user *buffer, size_t count, loff_t *pos)
{
	const char *text = READ_ONCE(waiting) ? "waiting\n" : "-\n";

	return simple_read_from_buffer(buffer, count, pos, text, strlen(text));
}

static ssize_t state_write(struct file *file, const char __user *buffer, size_t count, loff_t *pos)
{
	complete(&visited);
	return count;
}

static const struct file_operations state_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = state_read,
	.write = state_write,
};

static int __init mock_init(void)
{
	init_completion(&visited);
	directory = debugfs_create_dir("vrb_mock", NULL);
	debugfs_create_file("rules", 0444, directory, NULL, &rules_fops);
	debugfs_create_file("misuse", 0444, directory, NULL, &misuse_fops);
	debugfs_create_file("visible", 0444, directory, NULL, &visible_fops);
	debugfs_create_file("state", 0600, directory, NULL, &state_fops);
	debugfs_create_file("run", 0200, directory, NULL, &run_fops);
	debugfs_create_file("result", 0444, directory, NULL, &result_fops);
	mock_device_init(directory);
	return 0;
}

static void __exit mock_exit(void)
{
	debugfs_remove_recursive(directory);
	mock_device_exit();
}

module_init(mock_init);
module_exit(mock_exit);
