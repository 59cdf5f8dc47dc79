/* SPDX-License-Identifier: BSD-3-Clause */
/* A driver that uses a device more than any kernel does: the actions of rogue_kernel.c on it. */
#ifndef TTREC_ROGUE_DEVICE_H
#define TTREC_ROGUE_DEVICE_H

/* Connect to the socket that begins @path and ends at ':', and set the device's rings up. */
void rogue_device_attach(const char *path);

/* Kick queue 1 @kicks times (0: for ever), with @buffers buffers of @size zeros each time. */
void rogue_device_kick(long kicks, unsigned int buffers, unsigned int size);

#endif
