// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Static rates: the three that the hardware can limit a path to, and its code for no limit.
 */
#include "mad.h"
#include "rate.h"
#include "tavor.h"

/* Codes by rising speed; 0 is the port's own speed. */
static const struct {
	u8 code;
	u8 mult;		/* of 2.5 Gb/s */
	u8 ib_rate;
} tavor_rates[] = {
	{ 1, 1, IB_RATE_2_5_GBPS },
	{ 3, 2, IB_RATE_5_GBPS },
	{ 2, 4, IB_RATE_10_GBPS },
};

/* Firmware too old to report this supports only full speed and 1. */
static bool tavor_rate_supported(const struct tavor_dev *dev, u8 code)
{
	return (dev->lim.stat_rate_support ?: 0x3) & BIT(code);
}

/**
 * tavor_rate_known() - whether a static rate is valid
 * @ib_rate: as passed by a consumer
 *
 * Context: Any.
 * Return: true if it is.
 */
bool tavor_rate_known(u8 ib_rate)
{
	return ib_rate == IB_RATE_PORT_CURRENT || ib_rate_to_mult(ib_rate) > 0;
}

/**
 * tavor_static_rate() - the hardware's code for a static rate
 * @dev: the device
 * @port: port that sends the packets
 * @ib_rate: enum ib_rate
 *
 * Context: Any.
 * Return: the code of the fastest rate that is not above @ib_rate; 0 if the port is not faster than
 * @ib_rate.
 */
u8 tavor_static_rate(const struct tavor_dev *dev, u32 port, u8 ib_rate)
{
	int mult = ib_rate_to_mult(ib_rate);
	u8 port_mult, code = 1;
	int i;

	if (ib_rate == IB_RATE_PORT_CURRENT || mult <= 0 || port < 1 ||
	    port > dev->limits.num_ports)
		return 0;
	port_mult = READ_ONCE(dev->mad->port[port - 1].rate);
	if (port_mult && mult >= port_mult)
		return 0;
	for (i = 0; i < ARRAY_SIZE(tavor_rates); i++)
		if (tavor_rates[i].mult <= mult && tavor_rate_supported(dev, tavor_rates[i].code))
			code = tavor_rates[i].code;
	return code;
}

/**
 * tavor_ib_rate() - the rate of a hardware code
 * @code: static rate as in a path or an address vector
 *
 * Context: Any.
 * Return: enum ib_rate.
 */
u8 tavor_ib_rate(u8 code)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(tavor_rates); i++)
		if (tavor_rates[i].code == code)
			return tavor_rates[i].ib_rate;
	return IB_RATE_PORT_CURRENT;
}
