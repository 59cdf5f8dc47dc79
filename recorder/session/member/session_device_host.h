/* SPDX-License-Identifier: BSD-3-Clause */
/* What the session's devices ask of it: the time, and records of what they do. */
#ifndef TTREC_SESSION_DEVICE_HOST_H
#define TTREC_SESSION_DEVICE_HOST_H

#include "recorder/device/device.h"

/* The owner of a device with this host is a struct session_device. */
extern const struct device_host session_device_host;

#endif
