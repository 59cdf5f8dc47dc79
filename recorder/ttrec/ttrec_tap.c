// SPDX-License-Identifier: BSD-3-Clause
/* ttrec tap: records guests that another scheduler runs. */
#include "recorder/run/run_options.h"
#include "recorder/ttrec/ttrec.h"

int ttrec_tap(int argc, char **argv)
{
	struct run_options options;

	tap_options_parse(argc, argv, &options);
	if (options.kernel || options.lab || options.root)
		return ttrec_record(&options);
	run_options_settle(&options, NULL);
	return ttrec_record_clients(&options);
}
