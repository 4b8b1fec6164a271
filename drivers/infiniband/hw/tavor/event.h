/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The handlers of event queue entries.
 */
#ifndef TAVOR_EVENT_H
#define TAVOR_EVENT_H

#include "eq.h"

extern const struct tavor_eq_handlers tavor_event_handlers;

#endif /* TAVOR_EVENT_H */
