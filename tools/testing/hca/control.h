/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/* The control socket: one JSON object a line, each answered by one. Documentation/hca-model.rst has them. */
#ifndef HCA_CONTROL_H
#define HCA_CONTROL_H

int control_listen(const char *path);
void control_close(void);

/*
 * What another part answers on the control socket: {"cmd": name, ...}. @request and @reply are the JSON
 * objects; 0, or -1 with a text in @why (256 bytes), which becomes {"error": why}.
 */
struct cJSON;
struct hca;

struct control_verb {
	const char *name, *help;
	int (*run)(struct hca *h, const struct cJSON *request, struct cJSON *reply, char *why);
};

/* Tables end with a NULL name; control.c's own, and any added here by other parts at start. */
void control_add(const struct control_verb *table);

#endif
