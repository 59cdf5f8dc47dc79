// SPDX-License-Identifier: BSD-3-Clause
/* ttrec doctor: what this machine and this kernel allow, one line each, with what to do about it. */
#include "recorder/ttrec.h"

int ttrec_doctor(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return 0;
}
