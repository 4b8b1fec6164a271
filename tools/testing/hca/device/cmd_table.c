// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* The list of commands. Each part adds its table; a command is found by opcode or by name. */
#include "device/cmd.h"

#include "core/options.h"

#define OPCODES 0x1000

static const struct cmd_desc *by_opcode[OPCODES];

void cmd_table_add(const struct cmd_desc *table)
{
	for (; table->name; table++)
		by_opcode[table->opcode & (OPCODES - 1)] = table;
}

const struct cmd_desc *cmd_find(u16 opcode)
{
	return opcode < OPCODES ? by_opcode[opcode] : NULL;
}

const char *cmd_name(u16 opcode)
{
	const struct cmd_desc *d = cmd_find(opcode);

	return d ? d->name : NULL;
}

static int opcode_by_name(const char *name)
{
	int i;

	for (i = 0; i < OPCODES; i++)
		if (by_opcode[i] && !strcmp(by_opcode[i]->name, name))
			return i;
	return -1;
}

/* Converts the name of a command, or any number: an opcode, an event type or a CQE opcode. */
bool cmd_opcode_parse(const char *text, int *op)
{
	int code = opcode_by_name(text);
	u64 v;

	if (code >= 0) {
		*op = code;
		return true;
	}
	if (!opt_number(text, &v) || v >= OPCODES)
		return false;
	*op = v;
	return true;
}
