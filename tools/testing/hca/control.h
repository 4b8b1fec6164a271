/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The control socket. Each request is one line with a JSON object, and so is each reply.
 * Documentation/hca-model.rst describes them.
 */
#ifndef HCA_CONTROL_H
#define HCA_CONTROL_H

int control_listen(const char *path);
void control_close(void);
/*
 * Executes the requests of a file, one per line, with blank lines and comments ('#') between them.
 * Returns 0, or -1 and the place and the error in @why (512 bytes).
 */
int control_load(const char *path, char *why);

#endif
