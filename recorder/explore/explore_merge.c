// SPDX-License-Identifier: BSD-3-Clause
/* ttrec explore merge: puts together what shards have found. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "format/base/cleanup.h"
#include "format/base/write_error.h"
#include "recorder/explore/explore.h"
#include "recorder/explore/explore_report.h"
#include "recorder/explore/found_directory.h"

struct merging {
	const char *output;
	char *const *inputs;
	size_t count;
	struct campaign_state state;
};

static const char usage[] = "Usage: ttrec explore merge OUT IN...\n"
			    "Put together in the directory OUT what the shards of a search have "
			    "found in IN...\n";

static int explain(const char *path, int err, struct diagnosis *why)
{
	switch (err) {
	case -EINVAL:
		return diagnose(why, EXIT_USAGE, err, "merge shards of one search only",
				"%s is of another lab, or of other options", path);
	case -EEXIST:
		return diagnose(why, EXIT_USAGE, err,
				"merge shards of one number, I/N with the same N",
				"%s has seeds that another one has, too", path);
	case -EBADMSG:
		return diagnose(why, EXIT_USAGE, err, NULL, "%s/campaign.json is of something else",
				path);
	default:
		return diagnose(why, exit_status_of_file(err), err,
				"give directories that ttrec explore -o has written",
				"cannot read %s/campaign.json: %s", path, strerror(-err));
	}
}

static int merge_input(struct merging *merging, const char *path, struct diagnosis *why)
{
	struct campaign_state input;
	int err = campaign_load(&input, path);

	if (err)
		return explain(path, err, why);
	for (size_t i = 0; i < input.kind_count; i++)
		input.kinds[i].origin = path;
	err = campaign_merge(&merging->state, &input);
	campaign_release(&input);
	return err ? explain(path, err, why) : 0;
}

/* What is there may be from an earlier merge, of fewer shards; nothing else is replaced. */
static int check_output(const struct merging *merging, struct diagnosis *why)
{
	struct campaign_state there;
	int err = campaign_load(&there, merging->output);
	bool same = !err && !strcmp(there.identity, merging->state.identity);

	if (!err)
		campaign_release(&there);
	if (err == -ENOENT || same)
		return 0;
	return explain(merging->output, err ? err : -EINVAL, why);
}

static int copy_kind(const struct merging *merging, const struct campaign_kind *kind)
{
	auto_free char *from = NULL, *part = NULL, *whole = NULL;
	int err;

	if (asprintf(&from, "%s/%s", kind->origin, kind->name) < 0 ||
	    asprintf(&part, "%s/.%s.part", merging->output, kind->name) < 0 ||
	    asprintf(&whole, "%s/%s", merging->output, kind->name) < 0)
		return -ENOMEM;
	if (is_same_file(from, whole))
		return 0;
	err = found_directory_remove(part);
	if (!err)
		err = found_directory_copy(from, part);
	return err ? err : found_directory_keep(part, whole);
}

static int write_output(struct merging *merging, struct diagnosis *why)
{
	struct campaign_state *state = &merging->state;
	char text[WRITE_ERROR_TEXT];
	int err = mkdir(merging->output, 0777) && errno != EEXIST ? -errno : 0;

	for (size_t i = 0; !err && i < state->kind_count; i++)
		if (state->kinds[i].made && state->kinds[i].result.kept)
			err = copy_kind(merging, &state->kinds[i]);
	campaign_join(state);
	if (!err)
		err = campaign_save(state, merging->output);
	if (!err)
		return 0;
	return diagnose(why, EXIT_CANNOT, err, NULL, "cannot write %s: %s", merging->output,
			write_error_text(merging->output, err, text));
}

static int merge(struct merging *merging, struct diagnosis *why)
{
	int err = 0;

	for (size_t i = 0; !err && i < merging->count; i++)
		err = merge_input(merging, merging->inputs[i], why);
	if (!err)
		err = check_output(merging, why);
	return err ? err : write_output(merging, why);
}

int explore_merge(int argc, char **argv)
{
	struct merging merging = { .output = argc > 1 ? argv[1] : NULL,
				   .inputs = argv + 2,
				   .count = argc > 2 ? (size_t)argc - 2 : 0 };
	struct diagnosis why = { 0 };
	int status;

	if (argc > 1 && !strcmp(argv[1], "--help")) {
		fputs(usage, stdout);
		return 0;
	}
	if (argc < 3) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (merge(&merging, &why)) {
		status = diagnosis_print(&why, "ttrec");
	} else {
		explore_report_merged(merging.output, &merging.state);
		status = merging.state.kind_count || merging.state.difference_count
				 ? EXIT_DIVERGED
				 : EXIT_IDENTICAL;
	}
	campaign_release(&merging.state);
	return status;
}
