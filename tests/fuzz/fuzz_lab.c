// SPDX-License-Identifier: BSD-3-Clause
/* A lab file: it is read, or refused with a sentence that says where. */
#include <string.h>

#include "recorder/lab/lab.h"
#include "tests/fuzz/fuzz.h"

int fuzz_one(const uint8_t *data, size_t size)
{
	struct diagnosis why = { .status = 0 };
	struct lab *lab = NULL;
	int err = lab_parse("/nowhere/lab.yaml", (const char *)data, size, &lab, &why);

	fuzz_expect(err <= 0 && !err == !!lab);
	fuzz_expect(!err == !why.what[0]);
	lab_destroy(lab);
	return 0;
}
