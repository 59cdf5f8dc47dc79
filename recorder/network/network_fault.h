/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Faults of a network: what happens, for a time, to frames on their way from one port to another.
 *
 * A fault holds for the frames that are sent while it lasts. Whether a frame is lost or delayed by
 * one is drawn from the frame's random stream and the fault itself, so adding or removing a fault
 * never changes what others do, nor what links do by themselves.
 */
#ifndef TTREC_NETWORK_FAULT_H
#define TTREC_NETWORK_FAULT_H

#include "recorder/network/network.h"

enum network_fault_kind {
	NETWORK_PARTITION, /* no frame passes between ports of different groups */
	NETWORK_IMPAIR,	   /* frames from and to ports of a group are lost and delayed */
};

struct network_fault {
	uint64_t begin, end; /* ns; not including @end */
	enum network_fault_kind kind;
	bool one_way;		/* only frames from ports of group 1 */
	const uint8_t *group;	/* of each port of the network; 0: of none */
	double loss;		/* 0 to 1; impair */
	uint64_t delay, jitter; /* ns, in addition to those of the links; impair */
};

/*
 * Add a fault to a network whose ports have all been added; @fault is copied. 0, -ENOMEM, or
 * -EINVAL when loss is not between 0 and 1, or end is not after begin.
 */
int network_add_fault(struct network *network, const struct network_fault *fault);

#endif
