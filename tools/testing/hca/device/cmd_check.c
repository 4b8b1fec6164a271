// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Checks that the commands of all parts share. A reserved field that is not 0 is recorded, but the
 * command continues, because firmware does not check it. A wrong index or owner is recorded, and
 * the command fails with the status of tavor-hw 4.5.
 */
#include "core/bytes.h"
#include "device/cmd.h"
#include "device/device.h"

u8 cmd_bad_index(struct hca *h, const struct cmd *c, const char *what, u32 index, u32 reserved,
		 u32 limit)
{
	if (index >= reserved && index < limit)
		return CMD_OK;
	violation(h, RULE_CMD_INDEX, c->name, "%s 0x%x is not in %u..%u", what, index, reserved,
		  limit - 1);
	return index < reserved ? CMD_BAD_RESOURCE : CMD_BAD_INDEX;
}

void cmd_reserved_bits(struct hca *h, const struct cmd *c, const char *object, u32 at, u32 mask)
{
	u32 word = get32(c->in + at);

	if (word & mask)
		violation(h, RULE_CMD_RESERVED, object,
			  "%s: dword at 0x%02x is 0x%08x, bits 0x%08x are reserved", c->name, at,
			  word, mask);
}

void cmd_reserved(struct hca *h, const struct cmd *c, const char *object, u32 from, u32 to)
{
	u32 i;

	for (i = from; i < to; i += 4)
		if (get32(c->in + i)) {
			violation(h, RULE_CMD_RESERVED, object,
				  "%s: dword at 0x%02x is 0x%08x, reserved", c->name, i,
				  get32(c->in + i));
			return;
		}
}

u8 cmd_bad_owner(struct hca *h, const struct cmd *c, const char *object, const char *owner)
{
	violation(h, RULE_CMD_OWNERSHIP, object, "%s, but %s owns it", c->name, owner);
	return CMD_BAD_RES_STATE;
}

u8 cmd_check_queue(struct hca *h, const struct cmd *c, const char *object, enum hca_rule rule)
{
	u32 flags = get32(c->in), uar = get32(c->in + 0x0c) & 0xffffff;
	u64 start = get64(c->in + 0x04);

	cmd_reserved_bits(h, c, object, 0x0c, 0xe0000000);
	if (!(flags & 1 << 18))
		violation(h, rule, object, "address translation is off: flags 0x%08x", flags);
	else if (start & 31)
		violation(h, rule, object, "misaligned start 0x%llx", (unsigned long long)start);
	else if (uar >= BAR2_SIZE / HCA_PAGE)
		violation(h, rule, object, "UAR page 0x%x", uar);
	else
		return CMD_OK;
	return CMD_BAD_PARAM;
}
