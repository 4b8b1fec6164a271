/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * System commands, one function each, and steps that verbs share.
 */
#ifndef TAVOR_FW_H
#define TAVOR_FW_H

#include <linux/types.h>

struct tavor_dev;
struct tavor_eq_context;
struct vrb_slot;
struct vrb_user;

/* QUERY_FW */
struct tavor_fw_info {
	u64 version;		/* major << 32 | minor << 16 | subminor */
	u8 log_max_cmd;
	u64 start;		/* firmware's own area of the DDR; end inclusive */
	u64 end;
	u64 err_addr;		/* catastrophic error buffer: low 20 bits are its place in BAR0 */
	u32 err_dwords;
};

/* QUERY_DDR */
struct tavor_ddr_info {
	u64 start;		/* HCA addresses; end inclusive */
	u64 end;
	bool hidden;
};

/* QUERY_ADAPTER */
struct tavor_adapter_info {
	u32 vendor_id;
	u32 device_id;
	u32 revision;
	u8 inta_pin;
	char board_id[64];
};

int tavor_fw_sys_en(struct tavor_dev *dev);
int tavor_fw_sys_dis(struct tavor_dev *dev);
int tavor_fw_query_fw(struct tavor_dev *dev);
void tavor_fw_version_str(const struct tavor_dev *dev, char *text, size_t size);
int tavor_fw_query_ddr(struct tavor_dev *dev);
int tavor_fw_query_dev_lim(struct tavor_dev *dev);
int tavor_fw_query_adapter(struct tavor_dev *dev);
int tavor_fw_init_hca(struct tavor_dev *dev);
int tavor_fw_close_hca(struct tavor_dev *dev, bool panic);
int tavor_fw_close_ib(struct tavor_dev *dev, u32 port);
int tavor_fw_map_eq(struct tavor_dev *dev, u64 mask, bool unmap, u8 eqn);
int tavor_fw_sw2hw_eq(struct tavor_dev *dev, u8 eqn, const struct tavor_eq_context *context);
int tavor_fw_hw2sw_eq(struct tavor_dev *dev, u8 eqn);
int tavor_fw_write_mtt(struct tavor_dev *dev, struct vrb_user *user, u64 ddr_addr,
		       const u64 *pages, u32 n);
int tavor_fw_nop(struct tavor_dev *dev, u32 ms);

void tavor_encode_init_ib(struct tavor_dev *dev, struct vrb_slot *slot, u32 port);
void tavor_encode_set_ib(struct tavor_dev *dev, struct vrb_slot *slot, u32 port, u32 cap_mask,
			 bool reset_qkey);
void tavor_encode_close_ib(struct tavor_dev *dev, struct vrb_slot *slot, u32 port);

#endif /* TAVOR_FW_H */
