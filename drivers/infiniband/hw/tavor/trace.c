// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The tracepoints, and names of the hardware's commands and events.
 */
#define CREATE_TRACE_POINTS
#include "trace.h"

/**
 * tavor_cmd_name() - the name of a firmware command
 * @opcode: opcode of the hardware
 *
 * Context: Any.
 * Return: the name; "?" if it is unknown.
 */
const char *tavor_cmd_name(u16 opcode)
{
	static const char *const names[] = {
		[TAVOR_CMD_SYS_EN] = "SYS_EN",
		[TAVOR_CMD_SYS_DIS] = "SYS_DIS",
		[TAVOR_CMD_QUERY_DEV_LIM] = "QUERY_DEV_LIM",
		[TAVOR_CMD_QUERY_FW] = "QUERY_FW",
		[TAVOR_CMD_QUERY_DDR] = "QUERY_DDR",
		[TAVOR_CMD_QUERY_ADAPTER] = "QUERY_ADAPTER",
		[TAVOR_CMD_INIT_HCA] = "INIT_HCA",
		[TAVOR_CMD_CLOSE_HCA] = "CLOSE_HCA",
		[TAVOR_CMD_INIT_IB] = "INIT_IB",
		[TAVOR_CMD_CLOSE_IB] = "CLOSE_IB",
		[TAVOR_CMD_SET_IB] = "SET_IB",
		[TAVOR_CMD_SW2HW_MPT] = "SW2HW_MPT",
		[TAVOR_CMD_HW2SW_MPT] = "HW2SW_MPT",
		[TAVOR_CMD_WRITE_MTT] = "WRITE_MTT",
		[TAVOR_CMD_MAP_EQ] = "MAP_EQ",
		[TAVOR_CMD_SW2HW_EQ] = "SW2HW_EQ",
		[TAVOR_CMD_HW2SW_EQ] = "HW2SW_EQ",
		[TAVOR_CMD_SW2HW_CQ] = "SW2HW_CQ",
		[TAVOR_CMD_HW2SW_CQ] = "HW2SW_CQ",
		[TAVOR_CMD_QUERY_CQ] = "QUERY_CQ",
		[TAVOR_CMD_RST2INIT_QPEE] = "RST2INIT_QPEE",
		[TAVOR_CMD_INIT2RTR_QPEE] = "INIT2RTR_QPEE",
		[TAVOR_CMD_RTR2RTS_QPEE] = "RTR2RTS_QPEE",
		[TAVOR_CMD_RTS2RTS_QPEE] = "RTS2RTS_QPEE",
		[TAVOR_CMD_SQERR2RTS_QPEE] = "SQERR2RTS_QPEE",
		[TAVOR_CMD_2ERR_QPEE] = "2ERR_QPEE",
		[TAVOR_CMD_RTS2SQD_QPEE] = "RTS2SQD_QPEE",
		[TAVOR_CMD_SQD2RTS_QPEE] = "SQD2RTS_QPEE",
		[TAVOR_CMD_ERR2RST_QPEE] = "ERR2RST_QPEE",
		[TAVOR_CMD_QUERY_QPEE] = "QUERY_QPEE",
		[TAVOR_CMD_CONF_SPECIAL_QP] = "CONF_SPECIAL_QP",
		[TAVOR_CMD_MAD_IFC] = "MAD_IFC",
		[TAVOR_CMD_READ_MGM] = "READ_MGM",
		[TAVOR_CMD_WRITE_MGM] = "WRITE_MGM",
		[TAVOR_CMD_MGID_HASH] = "MGID_HASH",
		[TAVOR_CMD_RESIZE_CQ] = "RESIZE_CQ",
		[TAVOR_CMD_INIT2INIT_QPEE] = "INIT2INIT_QPEE",
		[TAVOR_CMD_SYNC_TPT] = "SYNC_TPT",
		[TAVOR_CMD_NOP] = "NOP",
		[TAVOR_CMD_SW2HW_SRQ] = "SW2HW_SRQ",
		[TAVOR_CMD_HW2SW_SRQ] = "HW2SW_SRQ",
		[TAVOR_CMD_QUERY_SRQ] = "QUERY_SRQ",
		[TAVOR_CMD_SQD2SQD_QPEE] = "SQD2SQD_QPEE",
		[TAVOR_CMD_ARM_SRQ] = "ARM_SRQ",
	};

	return opcode < ARRAY_SIZE(names) && names[opcode] ? names[opcode] : "?";
}

/**
 * tavor_event_name() - the name of a type of event
 * @type: type of the hardware
 *
 * Context: Any.
 * Return: the name; "?" if it is unknown.
 */
const char *tavor_event_name(u8 type)
{
	static const char *const names[] = {
		[TAVOR_EVENT_COMP] = "COMP",
		[TAVOR_EVENT_PATH_MIG] = "PATH_MIG",
		[TAVOR_EVENT_COMM_EST] = "COMM_EST",
		[TAVOR_EVENT_SQ_DRAINED] = "SQ_DRAINED",
		[TAVOR_EVENT_CQ_ERROR] = "CQ_ERROR",
		[TAVOR_EVENT_WQ_CATAS] = "WQ_CATAS",
		[TAVOR_EVENT_EEC_CATAS] = "EEC_CATAS",
		[TAVOR_EVENT_PATH_MIG_FAILED] = "PATH_MIG_FAILED",
		[TAVOR_EVENT_LOCAL_CATAS] = "LOCAL_CATAS",
		[TAVOR_EVENT_PORT_CHANGE] = "PORT_CHANGE",
		[TAVOR_EVENT_CMD] = "CMD",
		[TAVOR_EVENT_ECC_DETECT] = "ECC_DETECT",
		[TAVOR_EVENT_EQ_OVERFLOW] = "EQ_OVERFLOW",
		[TAVOR_EVENT_WQ_INVAL_REQ] = "WQ_INVAL_REQ",
		[TAVOR_EVENT_WQ_ACCESS_ERR] = "WQ_ACCESS_ERR",
		[TAVOR_EVENT_SRQ_CATAS] = "SRQ_CATAS",
		[TAVOR_EVENT_SRQ_LAST_WQE] = "SRQ_LAST_WQE",
		[TAVOR_EVENT_SRQ_LIMIT] = "SRQ_LIMIT",
	};

	return type < ARRAY_SIZE(names) && names[type] ? names[type] : "?";
}
