/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/* The control socket: one JSON object a line, each answered by one. Documentation/hca-model.rst has them. */
#ifndef HCA_CONTROL_H
#define HCA_CONTROL_H

int control_listen(const char *path);
void control_close(void);
/*
 * Runs the requests of a file, one a line, with blank lines and comments ('#') between them. 0, or -1 and the
 * place and what is wrong there in @why (512 bytes).
 */
int control_load(const char *path, char *why);

/*
 * What another part answers on the control socket: {"cmd": name, ...}. @request and @reply are the JSON
 * objects; 0, or -1 with a text in @why (256 bytes), which becomes {"error": why}.
 */
struct cJSON;
struct hca;

struct control_verb {
	const char *name, *help;
	const char *fields; /* what a request may have besides cmd, hca and after, by spaces */
	int (*run)(struct hca *h, const struct cJSON *request, struct cJSON *reply, char *why);
};

/* Tables end with a NULL name; control.c's own, and any added here by other parts at start. */
void control_add(const struct control_verb *table);

#endif
