/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The control socket: one JSON object a line, each answered by one. Documentation/hca-model.rst has
 * them.
 */
#ifndef HCA_CONTROL_H
#define HCA_CONTROL_H

int control_listen(const char *path);
void control_close(void);
/*
 * Runs the requests of a file, one a line, with blank lines and comments ('#') between them. 0, or
 * -1 and the place and what is wrong there in @why (512 bytes).
 */
int control_load(const char *path, char *why);

#endif
