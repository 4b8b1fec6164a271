// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* The options for the connections between ports, and for pulled cables. */
#include "fabric/wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/options.h"
#include "fabric/switch.h"

static struct cable *cables;

/* --- the cable option --- */

/*
 * Parses "0.1" (HCA) or "s0.3" (switch); *ca is true for an HCA. The number of HCAs is not known
 * yet.
 */
static bool parse_end(const char *text, bool *ca, unsigned int *node, unsigned int *port)
{
	int used = 0;

	*ca = text[0] != 's';
	if (sscanf(text + !*ca, "%2u.%2u%n", node, port, &used) != 2 || text[!*ca + used])
		return false;
	return *port >= 1;
}

static struct ibport *find_end(const char *text)
{
	unsigned int node, port;
	struct ibnode *n;
	struct hca *h;
	bool ca;

	if (!parse_end(text, &ca, &node, &port))
		return NULL;
	if (ca) {
		h = hca_by_number(node);
		return h ? hca_port(h, port) : NULL;
	}
	n = switch_node(node);
	return n && port <= n->num_ports ? &n->port[port] : NULL;
}

static void train_setup(struct cable *c)
{
	wire_cable_init(c);
	c->next = cables;
	cables = c;
}

/* With @path, the other end is a socket, and @b is NULL. */
static int connect_ends(struct ibport *a, struct ibport *b, const char *path)
{
	struct cable *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->end[0] = a;
	a->cable = c;
	a->end = 0;
	if (path) {
		c->remote = remote_new(c, path, wire_cable_changed);
		if (!c->remote) {
			a->cable = NULL;
			free(c);
			return -ENOMEM;
		}
	} else {
		c->end[1] = b;
		b->cable = c;
		b->end = 1;
	}
	train_setup(c);
	wire_update(a);
	return 0;
}

static int complain(const char *what, const char *why)
{
	fprintf(stderr, "tavor-hca: option cable: \"%s\": %s\n", what, why);
	return -EINVAL;
}

static int connect_text(char *text)
{
	char *second = strchr(text, '-');
	struct ibport *a, *b = NULL;

	*second++ = 0;
	a = find_end(text);
	if (!a)
		return complain(text, "there is no such port");
	if (a->cable)
		return complain(text, "this port has a cable already");
	if (!strncmp(second, "unix:", 5))
		return connect_ends(a, NULL, second + 5);
	b = find_end(second);
	if (!b)
		return complain(second, "there is no such port");
	if (b == a || b->cable)
		return complain(second, "this port has a cable already");
	return connect_ends(a, b, NULL);
}

static int connect_self(void)
{
	struct hca *h;
	int n, err;

	for (n = 0; (h = hca_by_number(n)); n++) {
		if (!hca_port(h, 2))
			continue;
		err = connect_ends(hca_port(h, 1), hca_port(h, 2), NULL);
		if (err)
			return err;
	}
	return 0;
}

static int connect_switch(void)
{
	struct ibnode *sw = switch_node(0);
	unsigned int n, port, used = 0;
	struct hca *h;
	int err;

	if (!sw)
		return -ENOMEM;
	for (n = 0; (h = hca_by_number(n)); n++) {
		for (port = 1; hca_port(h, port); port++) {
			if (used == sw->num_ports)
				return complain("switch",
						"switch_ports is too small for all ports");
			err = connect_ends(hca_port(h, port), &sw->port[++used], NULL);
			if (err)
				return err;
		}
	}
	return 0;
}

int wire_new_all(void)
{
	static bool registered;
	char *text, *item, *rest;
	int err = 0;

	wire_delete_all();
	if (!registered && !atexit(wire_delete_all)) /* so that no socket file is left */
		registered = true;
	if (!hca_by_number(0))
		return 0;
	text = strdup(opt_str(hca_by_number(0), "cable"));
	if (!text)
		return -ENOMEM;
	if (!strcmp(text, "self"))
		err = connect_self();
	else if (!strcmp(text, "switch"))
		err = connect_switch();
	else if (strcmp(text, "none"))
		for (item = strtok_r(text, ",", &rest); item && !err;
		     item = strtok_r(NULL, ",", &rest))
			err = connect_text(item);
	free(text);
	return err;
}

void wire_delete_all(void)
{
	while (cables) {
		struct cable *c = cables;

		cables = c->next;
		timer_cancel(&c->train);
		c->end[0]->cable = NULL;
		if (c->end[1])
			c->end[1]->cable = NULL;
		remote_delete(c->remote);
		free(c);
	}
	switch_delete_all();
}

static bool item_ok(const char *item, size_t len)
{
	char text[128], *second;
	unsigned int node, port;
	bool ca;

	if (len >= sizeof(text))
		return false;
	memcpy(text, item, len);
	text[len] = 0;
	second = strchr(text, '-');
	if (!second)
		return false;
	*second++ = 0;
	if (!parse_end(text, &ca, &node, &port))
		return false;
	if (!strncmp(second, "unix:", 5))
		return second[5];
	return parse_end(second, &ca, &node, &port);
}

/* Checks only the grammar. The ports are known when the cables are created. */
int wire_check_cables(const char *value, char *why)
{
	size_t len;

	if (!strcmp(value, "self") || !strcmp(value, "none") || !strcmp(value, "switch"))
		return 0;
	for (;; value += len + 1) {
		len = strcspn(value, ",");
		if (!item_ok(value, len)) {
			snprintf(
				why, OPT_WHY,
				"\"%.*s\" is not self, none, switch or a pair of ends like 0.1-0.2",
				(int)len, value);
			return -1;
		}
		if (!value[len])
			return 0;
	}
}

/* --- pulling cables --- */

static bool names_port(const char *list, unsigned int port)
{
	for (; *list; list++)
		if (*list == (char)('0' + port))
			return true;
	return false;
}

static void apply_unplug(struct hca_work *w)
{
	struct cable *c;
	unsigned int i;

	(void)w;
	for (c = cables; c; c = c->next) {
		bool pulled = false;

		for (i = 0; i < 2; i++)
			if (c->end[i] && c->end[i]->node->h)
				pulled |= names_port(opt_str(c->end[i]->node->h, "unplug"),
						     c->end[i]->num);
		if (pulled == c->pulled)
			continue;
		c->pulled = pulled;
		if (c->remote)
			remote_tell(c->remote);
		wire_cable_changed(c);
	}
}

static struct hca_work unplug_work = { .fn = apply_unplug };

int wire_check_unplug(const char *value, char *why)
{
	if (strspn(value, "12,") != strlen(value)) {
		snprintf(why, OPT_WHY, "\"%s\" is not a list of ports like 1,2", value);
		return -1;
	}
	return 0;
}

/* The change is deferred: links must not change in the call that sets an option. */
void wire_option_changed(int n, const char *key, const char *value)
{
	if (!strcmp(key, "unplug"))
		work_schedule(&unplug_work);
	else if (!strcmp(key, "packet_fault"))
		wirefault_changed();
}
