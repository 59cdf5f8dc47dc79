// SPDX-License-Identifier: BSD-3-Clause
/* Runs a campaign: seeds in workers, and what they find. */
#include "recorder/explore/campaign.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "format/base/array.h"
#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "format/base/write_error.h"
#include "kernel/host/process.h"

/* Runs that may end before an earlier seed has. */
#define AHEAD_OF_EACH 16
#define ATTEMPTS      3
#define SAVE_NS	      (5 * NS_PER_S)
#define POLL_MS	      200

enum task { TASK_NONE, TASK_SEED, TASK_FRESH, TASK_FOUND };

/* A worker and what it does. */
struct slot {
	struct worker worker;
	enum task task;
	uint64_t number; /* of the seed; of TASK_FOUND, the index of the kind */
	bool again;	 /* this is the second run of the seed; @first is of the first one */
	struct trial trial;
	struct trial_outcome first;
	struct found_request found;
	unsigned int cpu;
};

/* A seed that has ended before an earlier one. */
struct ended {
	uint64_t number;
	struct trial_outcome first, again;
	bool repeated;
};

struct campaign {
	const struct campaign_options *options;
	const struct campaign_observer *observer;
	struct campaign_state *state;
	struct diagnosis *why;
	struct slot *slots;
	struct ended *ended;
	size_t ended_count;
	uint64_t next;	    /* number of the seed that is begun next */
	size_t found_next;  /* index of the kind that is made next */
	size_t found_shown; /* index of the kind that is shown next */
	size_t difference_shown;
	size_t fresh_next;
	uint64_t deadline, next_save; /* wall time, ns; 0: none */
	enum campaign_end end;
	bool enough; /* no further seed is begun */
	bool over;   /* nothing is begun, and what runs is ended */
};

static void give_up(struct campaign *campaign, enum campaign_end end)
{
	if (!campaign->over)
		campaign->end = end;
	campaign->over = true;
}

/* ---- What is begun -------------------------------------------------------------------------- */

static struct trial trial_of(const struct campaign *campaign, const struct slot *slot,
			     uint64_t seed)
{
	return (struct trial){ .options = campaign->options->run,
			       .record = campaign->options->record,
			       .seed = seed,
			       .cpu = slot->cpu };
}

static void start(struct campaign *campaign, struct slot *slot)
{
	int err = slot->task == TASK_FOUND ? worker_start(&slot->worker, found_make, &slot->found)
					   : trial_start_seed(&slot->trial, &slot->worker);

	if (!err)
		return;
	slot->task = TASK_NONE;
	diagnose(campaign->why, EXIT_CANNOT, err, diagnosis_shortage(err), "cannot start a run: %s",
		 strerror(-err));
	give_up(campaign, CAMPAIGN_SHORTAGE);
}

static bool begin_found(struct campaign *campaign, struct slot *slot)
{
	const struct campaign_state *state = campaign->state;
	const struct campaign_kind *kind;

	while (campaign->found_next < state->kind_count && state->kinds[campaign->found_next].made)
		campaign->found_next++;
	if (campaign->found_next == state->kind_count)
		return false;
	kind = &state->kinds[campaign->found_next];
	slot->task = TASK_FOUND;
	slot->number = campaign->found_next++;
	slot->found = (struct found_request){ .trial = trial_of(campaign, slot, kind->seeds[0]),
					      .outcome = kind->outcome,
					      .lab = campaign->options->lab,
					      .directory = campaign->options->directory };
	strcpy(slot->found.name, kind->name);
	return true;
}

static bool begin_seed(struct campaign *campaign, struct slot *slot)
{
	const struct campaign_options *options = campaign->options;
	uint64_t done = campaign->state->parts[0].count;

	if (campaign->deadline && process_wall_ns() >= campaign->deadline)
		campaign->enough = true;
	if (campaign->enough || campaign->next >= seeds_count(&options->seeds) ||
	    campaign->next >= done + AHEAD_OF_EACH * options->workers)
		return false;
	slot->task = TASK_SEED;
	slot->number = campaign->next++;
	slot->again = false;
	slot->trial = trial_of(campaign, slot, seeds_at(&options->seeds, slot->number));
	return true;
}

static bool is_search_over(const struct campaign *campaign)
{
	bool enough = campaign->enough || campaign->next >= seeds_count(&campaign->options->seeds);

	return enough && campaign->next == campaign->state->parts[0].count;
}

/* How often it fails, in seeds that did not make us look; of all kinds at once. */
static bool begin_fresh(struct campaign *campaign, struct slot *slot)
{
	const struct campaign_state *state = campaign->state;

	if (!is_search_over(campaign) || !state->kind_count || campaign->end == CAMPAIGN_ALWAYS)
		return false;
	while (campaign->fresh_next < CAMPAIGN_FRESH && state->fresh[campaign->fresh_next].run)
		campaign->fresh_next++;
	if (campaign->fresh_next == CAMPAIGN_FRESH)
		return false;
	slot->task = TASK_FRESH;
	slot->number = campaign->fresh_next++;
	slot->trial = trial_of(campaign, slot, seeds_fresh(slot->number));
	return true;
}

static void fill(struct campaign *campaign)
{
	for (size_t i = 0; i < campaign->options->workers && !campaign->over; i++) {
		struct slot *slot = &campaign->slots[i];

		if (slot->task == TASK_NONE &&
		    (begin_found(campaign, slot) || begin_seed(campaign, slot) ||
		     begin_fresh(campaign, slot)))
			start(campaign, slot);
	}
}

/* ---- What has ended ------------------------------------------------------------------------- */

static void take(struct campaign *campaign, const struct ended *ended)
{
	struct campaign_state *state = campaign->state;

	campaign_take(state, seeds_at(&campaign->options->seeds, ended->number), &ended->first,
		      ended->repeated ? &ended->again : NULL);
	for (; campaign->difference_shown < state->difference_count; campaign->difference_shown++)
		campaign->observer->difference(campaign->observer->context,
					       &state->differences[campaign->difference_shown]);
	if (campaign_always_fails(state) && !campaign->enough) {
		campaign->enough = true;
		campaign->end = CAMPAIGN_ALWAYS;
	}
}

/* In their order: what is known after a seed does not depend on which worker was faster. */
static void take_in_order(struct campaign *campaign)
{
	size_t i = 0;

	while (i < campaign->ended_count && campaign->end != CAMPAIGN_ALWAYS) {
		if (campaign->ended[i].number != campaign->state->parts[0].count) {
			i++;
			continue;
		}
		take(campaign, &campaign->ended[i]);
		campaign->ended[i] = campaign->ended[--campaign->ended_count];
		i = 0;
	}
	/* What was begun beyond the end of the search does not count. */
	if (campaign->end == CAMPAIGN_ALWAYS) {
		campaign->ended_count = 0;
		campaign->next = campaign->state->parts[0].count;
	}
}

static void end_seed(struct campaign *campaign, struct slot *slot,
		     const struct trial_outcome *outcome)
{
	struct ended ended = { .number = slot->number, .first = *outcome };

	if (!slot->again && outcome->verdict == TRIAL_PASSED &&
	    seeds_is_repeated(&campaign->options->seeds, slot->trial.seed)) {
		slot->again = true;
		slot->first = *outcome;
		slot->trial.attempt = 0;
		start(campaign, slot);
		return;
	}
	if (slot->again) {
		ended.first = slot->first;
		ended.again = *outcome;
		ended.repeated = true;
	}
	slot->task = TASK_NONE;
	if (campaign->end == CAMPAIGN_ALWAYS)
		return;
	if (array_push(campaign->ended, campaign->ended_count, ended))
		campaign->state->error = -ENOMEM;
	take_in_order(campaign);
}

static void end_fresh(struct campaign *campaign, struct slot *slot,
		      const struct trial_outcome *outcome)
{
	struct campaign_fresh *fresh = &campaign->state->fresh[slot->number];

	fresh->run = true;
	if (outcome->verdict == TRIAL_FAILED)
		trial_outcome_kind(outcome, fresh->kind);
	slot->task = TASK_NONE;
}

static void end_trial(struct campaign *campaign, struct slot *slot)
{
	struct trial_outcome outcome;

	trial_outcome_read(slot->worker.text ?: "", slot->worker.status, &outcome);
	worker_release(&slot->worker);
	if (campaign->over)
		return;
	switch (outcome.verdict) {
	case TRIAL_PASSED:
	case TRIAL_FAILED:
	case TRIAL_OVERTIME:
		if (slot->task == TASK_SEED)
			end_seed(campaign, slot, &outcome);
		else
			end_fresh(campaign, slot, &outcome);
		return;
	case TRIAL_SHORTAGE:
	case TRIAL_STOPPED:
		if (++slot->trial.attempt < ATTEMPTS) {
			start(campaign, slot);
			return;
		}
		diagnose(campaign->why, EXIT_CANNOT, -EAGAIN,
			 "free memory or disk space, or use fewer --workers; the same command "
			 "continues from here",
			 "%s (seed %llu, %d attempts)", outcome.line,
			 (unsigned long long)slot->trial.seed, ATTEMPTS);
		give_up(campaign, CAMPAIGN_SHORTAGE);
		return;
	case TRIAL_REFUSED:
		diagnose(campaign->why, EXIT_USAGE, -EINVAL, NULL, "%s", outcome.line);
		give_up(campaign, CAMPAIGN_REFUSED);
		return;
	}
}

static void end_found(struct campaign *campaign, struct slot *slot)
{
	struct campaign_state *state = campaign->state;
	struct campaign_kind *kind = &state->kinds[slot->number];

	found_read(slot->worker.text ?: "", slot->worker.status, &kind->result);
	worker_release(&slot->worker);
	slot->task = TASK_NONE;
	if (campaign->over)
		return;
	kind->made = true;
	for (;
	     campaign->found_shown < state->kind_count && state->kinds[campaign->found_shown].made;
	     campaign->found_shown++)
		campaign->observer->found(campaign->observer->context, state,
					  &state->kinds[campaign->found_shown]);
	if (!*kind->result.problem)
		return;
	diagnose(campaign->why, EXIT_CANNOT, -EAGAIN, "the same command continues from here", "%s",
		 kind->result.problem);
	kind->made = false;
	give_up(campaign, CAMPAIGN_SHORTAGE);
}

static void save(struct campaign *campaign)
{
	int err = campaign->state->error
			  ?: campaign_save(campaign->state, campaign->options->directory);
	char text[WRITE_ERROR_TEXT];

	campaign->next_save = process_wall_ns() + SAVE_NS;
	if (!err || campaign->end == CAMPAIGN_SHORTAGE)
		return;
	diagnose(campaign->why, EXIT_CANNOT, err, NULL, "cannot write %s/campaign.json: %s",
		 campaign->options->directory,
		 write_error_text(campaign->options->directory, err, text));
	give_up(campaign, CAMPAIGN_SHORTAGE);
	campaign->end = CAMPAIGN_SHORTAGE;
}

/* ---- The loop ------------------------------------------------------------------------------- */

static bool is_busy(const struct campaign *campaign)
{
	for (size_t i = 0; i < campaign->options->workers; i++)
		if (campaign->slots[i].task != TASK_NONE)
			return true;
	return false;
}

static void read_slots(struct campaign *campaign)
{
	for (size_t i = 0; i < campaign->options->workers; i++) {
		struct slot *slot = &campaign->slots[i];

		if (slot->task == TASK_NONE || !worker_read(&slot->worker))
			continue;
		if (slot->task == TASK_FOUND)
			end_found(campaign, slot);
		else
			end_trial(campaign, slot);
		if (process_wall_ns() >= campaign->next_save)
			save(campaign);
	}
}

static void wait_for_any(struct campaign *campaign, int stop_fd, struct pollfd *list)
{
	size_t workers = campaign->options->workers;

	for (size_t i = 0; i < workers; i++)
		list[i] = (struct pollfd){ .fd = campaign->slots[i].worker.fd, .events = POLLIN };
	list[workers] = (struct pollfd){ .fd = stop_fd, .events = POLLIN };
	if (poll(list, workers + 1, POLL_MS) > 0 && process_take_stop(stop_fd))
		give_up(campaign, CAMPAIGN_STOPPED);
}

static void end_workers(struct campaign *campaign)
{
	for (size_t i = 0; i < campaign->options->workers; i++)
		worker_signal(&campaign->slots[i].worker, SIGTERM);
	for (size_t i = 0; i < campaign->options->workers; i++) {
		struct worker *worker = &campaign->slots[i].worker;

		if (worker->pid)
			worker_finish(worker);
		worker_release(worker);
	}
}

static void loop(struct campaign *campaign, int stop_fd, struct pollfd *list)
{
	for (fill(campaign); !campaign->over && is_busy(campaign); fill(campaign)) {
		wait_for_any(campaign, stop_fd, list);
		if (!campaign->over)
			read_slots(campaign);
		if (campaign->state->error)
			save(campaign);
		campaign->observer->progress(campaign->observer->context, campaign->state);
	}
	end_workers(campaign);
}

static void prepare(struct campaign *campaign)
{
	const struct campaign_options *options = campaign->options;
	struct campaign_state *state = campaign->state;

	for (size_t i = 0; i < options->workers; i++)
		campaign->slots[i] =
			(struct slot){ .worker = WORKER_NONE, .cpu = options->cpus[i] };
	if (options->limit_wall)
		campaign->deadline = process_wall_ns() + options->limit_wall;
	campaign->next = state->parts[0].count;
	campaign->difference_shown = state->difference_count;
	while (campaign->found_shown < state->kind_count &&
	       state->kinds[campaign->found_shown].made)
		campaign->found_shown++;
	if (campaign_always_fails(state)) {
		campaign->enough = true;
		campaign->end = CAMPAIGN_ALWAYS;
	}
}

enum campaign_end campaign_run(const struct campaign_options *options,
			       const struct campaign_observer *observer,
			       struct campaign_state *state, struct diagnosis *why)
{
	struct campaign campaign = {
		.options = options, .observer = observer, .state = state, .why = why
	};
	auto_free struct pollfd *list = calloc(options->workers + 1, sizeof(*list));
	auto_fd stop_fd = -1;
	int err;

	campaign.slots = calloc(options->workers, sizeof(*campaign.slots));
	process_hold_stop();
	err = campaign.slots && list ? process_open_stop(&stop_fd) : -ENOMEM;
	if (err) {
		free(campaign.slots);
		diagnose(why, EXIT_CANNOT, err, NULL, "cannot start: %s", strerror(-err));
		return CAMPAIGN_SHORTAGE;
	}
	prepare(&campaign);
	loop(&campaign, stop_fd, list);
	save(&campaign);
	free(campaign.slots);
	free(campaign.ended);
	return campaign.end;
}
