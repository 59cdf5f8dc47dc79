// SPDX-License-Identifier: BSD-3-Clause
/*
 * A participant says what a real guest says: both do the same steps under the same calendar, and
 * their exchanges are compared.
 *
 * usage: conformance INIT BUILD-UML VERSION
 *   INIT	the guest's init (conformance_init)
 *   BUILD-UML	script that prints the path of a kernel, unless TTREC_TEST_KERNEL_6_12 (or
 *		whatever VERSION is) says it
 *   VERSION	of the kernel: 5.10, 6.1, 6.12 or 7.2
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "format/base/cleanup.h"
#include "kernel/participant/participant.h"
#include "tests/system/conformance/conformance_archive.h"
#include "tests/system/conformance/conformance_exchange.h"
#include "tests/system/conformance/conformance_participant.h"

#define SKIPPED 77

/*
 * ns by which a step of the second part may end elsewhere: the clock's resolution, and once the
 * shortest timer, because the guest sets its timer at other times than the participant when a chore
 * woke it.
 */
#define TOLERANCE (PARTICIPANT_CLOCK_COST + PARTICIPANT_TIMER_MIN + 1)

static const struct conformance_part parts[] = {
	{ MARK_EXACT, conformance_exact },
	{ MARK_WINDOW, conformance_exact },
	{ MARK_SPACING, conformance_spacing },
};

static const struct version {
	const char *name, *variable;
	enum participant_kernel kernel;
	const char *option; /* of BUILD-UML: only one kernel is built for this test */
} versions[] = {
	{ "5.10", "TTREC_TEST_KERNEL_5_10", PARTICIPANT_KERNEL_5_10, "--print-path" },
	{ "6.1", "TTREC_TEST_KERNEL_6_1", PARTICIPANT_KERNEL_6_1, "--print-path" },
	{ "6.12", "TTREC_TEST_KERNEL_6_12", PARTICIPANT_KERNEL_6_12, "" },
	{ "7.2", "TTREC_TEST_KERNEL_7_2", PARTICIPANT_KERNEL_7_2, "--print-path" },
};

static const char *part_text(enum conformance_mark name)
{
	return name == MARK_EXACT ? "exact" : name == MARK_WINDOW ? "window" : "spacing";
}

struct place {
	const struct version *version;
	char directory[64];
	char socket[96], image[96], console[96];
	int listener;
};

/* ---- The kernel ------------------------------------------------------------------------------ */

static int find_kernel(const struct version *version, const char *build, char path[PATH_MAX])
{
	const char *given = getenv(version->variable);
	char command[PATH_MAX + 16];
	bool found;
	FILE *output;

	if (given && *given) {
		snprintf(path, PATH_MAX, "%s", given);
		return access(path, X_OK);
	}
	snprintf(command, sizeof(command), "'%s' %s %s", build, version->option, version->name);
	output = popen(command, "r");
	if (!output)
		return -1;
	found = fgets(path, PATH_MAX, output);
	while (fgetc(output) != EOF)
		;
	if (pclose(output) || !found)
		return -1;
	path[strcspn(path, "\n")] = '\0';
	return access(path, X_OK);
}

static void run_kernel(const char *kernel, const struct place *place)
{
	char initrd[128], time_travel[160];
	int console = open(place->console, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND, 0644);
	int null = open("/dev/null", O_RDWR);

	snprintf(initrd, sizeof(initrd), "initrd=%s", place->image);
	snprintf(time_travel, sizeof(time_travel), "time-travel=ext:1:%s", place->socket);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(null, 0);
	dup2(console, 1);
	dup2(console, 2);
	execl(kernel, kernel, "mem=64M", initrd, "con0=null,fd:1", "con=null", time_travel,
	      "panic=-1", (char *)NULL);
	_exit(127);
}

/* ---- Recording both -------------------------------------------------------------------------- */

/* Record @child's exchange and wait for its end; a child that goes on after that is killed. */
static int record(const struct place *place, pid_t child, struct exchange *exchange)
{
	int err = exchange_record(place->listener, exchange);

	if (err)
		kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	if (err)
		fprintf(stderr, "conformance: controller: %s\n", strerror(-err));
	return err;
}

static int record_guest(const char *kernel, const struct place *place, struct exchange *exchange)
{
	pid_t child = fork();

	if (child == 0)
		run_kernel(kernel, place);
	return child < 0 ? -errno : record(place, child, exchange);
}

static int record_participant(const struct place *place, const struct conformance_part *part,
			      const struct conformance_state *state, struct exchange *exchange)
{
	char address[128];
	pid_t child;

	snprintf(address, sizeof(address), "1:%s", place->socket);
	child = fork();
	if (child == 0) {
		close(place->listener);
		_exit(conformance_participant(address, place->version->kernel, part, state));
	}
	return child < 0 ? -errno : record(place, child, exchange);
}

/* ---- Comparing ------------------------------------------------------------------------------- */

/* The lines from the end of the part's mark to that of MARK_END; false when they are not there. */
static bool find_part(const struct exchange *exchange, enum conformance_mark name, size_t *begin,
		      size_t *end)
{
	size_t position = 0;
	bool inside = false;
	unsigned int mark;

	while ((mark = exchange_next_mark(exchange, &position))) {
		if (inside && mark == MARK_END) {
			*end = position;
			return true;
		}
		if (mark == name) {
			*begin = position;
			inside = true;
		}
	}
	fprintf(stderr, "conformance: part %s is not there\n", part_text(name));
	return false;
}

/* The REQUEST before line *@position, which goes there. */
static const struct exchange_line *request_before(const struct exchange *exchange, size_t *position)
{
	while (*position > 0) {
		const struct exchange_line *line = &exchange->lines[--*position];

		if (line->from_client && line->message.op == TRACE_OP_REQUEST)
			return line;
	}
	return &exchange->lines[0];
}

/*
 * What was asked for before the mark that ends with line @end. The mark begins by asking for the
 * end of its first reading.
 */
static struct conformance_state state_before(const struct exchange *exchange,
					     enum conformance_mark mark, size_t end)
{
	uint64_t begin = exchange->lines[end].now - mark * CONFORMANCE_READING;
	const struct exchange_line *line;

	do {
		line = request_before(exchange, &end);
	} while (end > 0 && line->message.time != begin + CONFORMANCE_READING);
	line = request_before(exchange, &end);
	return (struct conformance_state){ .begin = begin,
					   .programmed = line->now,
					   .request = line->message.time };
}

static void print_line(const char *who, const struct exchange_line *line)
{
	char text[WIRE_NAME_TEXT];

	fprintf(stderr, "  %s %s %s %" PRIu64 " (at %" PRIu64 ")\n", who,
		line->from_client ? "<" : ">", wire_operation_text(line->message.op, text),
		line->message.time, line->now);
}

static bool same_line(const struct exchange_line *a, const struct exchange_line *b)
{
	return a->from_client == b->from_client && a->message.op == b->message.op &&
	       a->message.time == b->message.time;
}

static bool compare_exactly(const struct exchange *guest, const struct exchange *participant,
			    enum conformance_mark name)
{
	size_t g, g_end, p, p_end;

	if (!find_part(guest, name, &g, &g_end) || !find_part(participant, name, &p, &p_end))
		return false;
	printf("%s: %zu messages of the guest, %zu of the participant\n", part_text(name),
	       g_end - g + 1, p_end - p + 1);
	for (size_t i = 0; g + i <= g_end && p + i <= p_end; i++) {
		if (same_line(&guest->lines[g + i], &participant->lines[p + i]))
			continue;
		fprintf(stderr, "conformance: they differ at message %zu of the part:\n", i);
		for (size_t j = i < 8 ? 0 : i - 8; j < i + 4; j++) {
			if (g + j <= g_end)
				print_line("guest      ", &guest->lines[g + j]);
			if (p + j <= p_end)
				print_line("participant", &participant->lines[p + j]);
		}
		return false;
	}
	return g_end - g == p_end - p;
}

/* When the next mark after *@position ends; it goes there. */
static uint64_t next_mark(const struct exchange *exchange, size_t *position)
{
	exchange_next_mark(exchange, position);
	return exchange->lines[*position].now;
}

static size_t count_runs(const struct exchange *exchange, size_t begin, size_t end)
{
	size_t count = 0;

	for (; begin < end; begin++)
		count += exchange->lines[begin].message.op == TRACE_OP_RUN;
	return count;
}

static bool compare_spacing(const struct exchange *guest, const struct exchange *participant,
			    enum conformance_mark name)
{
	size_t g, g_end, p, p_end;
	bool same = true;

	if (!find_part(guest, name, &g, &g_end) || !find_part(participant, name, &p, &p_end))
		return false;
	printf("%s: %zu RUNs of the guest, %zu of the participant\n", part_text(name),
	       count_runs(guest, g, g_end), count_runs(participant, p, p_end));
	for (size_t step = 1; g < g_end && p < p_end; step++) {
		int64_t difference = (int64_t)(next_mark(guest, &g) - next_mark(participant, &p));

		printf("%s: step %zu ends %+" PRId64 " ns from the participant's\n",
		       part_text(name), step, difference);
		same = same && llabs(difference) <= TOLERANCE;
	}
	return same && g == g_end && p == p_end;
}

static bool compare_part(const struct place *place, const struct exchange *guest,
			 const struct conformance_part *part)
{
	struct exchange participant = { 0 };
	struct conformance_state state;
	size_t begin, end;
	bool same = false;

	if (!find_part(guest, part->name, &begin, &end))
		return false;
	state = state_before(guest, part->name, begin);
	if (!record_participant(place, part, &state, &participant))
		same = part->name == MARK_SPACING
			       ? compare_spacing(guest, &participant, part->name)
			       : compare_exactly(guest, &participant, part->name);
	exchange_free(&participant);
	return same;
}

/* ---- The test -------------------------------------------------------------------------------- */

static int place_create(struct place *place, const char *init)
{
	const char *base = getenv("TMPDIR");
	int err;

	snprintf(place->directory, sizeof(place->directory), "%s/conformance.XXXXXX",
		 base ? base : "/tmp");
	if (!mkdtemp(place->directory))
		return -errno;
	snprintf(place->socket, sizeof(place->socket), "%s/clock", place->directory);
	snprintf(place->image, sizeof(place->image), "%s/initrd", place->directory);
	snprintf(place->console, sizeof(place->console), "%s/console", place->directory);
	err = conformance_archive(place->image, init);
	return err ? err : wire_listen(place->socket, &place->listener);
}

static void place_remove(const struct place *place)
{
	close(place->listener);
	unlink(place->socket);
	unlink(place->image);
	unlink(place->console);
	rmdir(place->directory);
}

static bool conform(const char *kernel, const struct place *place)
{
	struct exchange guest = { 0 };
	bool same = !record_guest(kernel, place, &guest);

	for (size_t i = 0; same && i < ARRAY_SIZE(parts); i++)
		same = compare_part(place, &guest, &parts[i]);
	exchange_free(&guest);
	return same;
}

static const struct version *find_version(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
		if (!strcmp(versions[i].name, name))
			return &versions[i];
	return NULL;
}

int main(int argc, char **argv)
{
	struct place place = { .listener = -1 };
	char kernel[PATH_MAX];
	bool same;
	int err;

	place.version = argc == 4 ? find_version(argv[3]) : NULL;
	if (!place.version) {
		fprintf(stderr, "usage: conformance INIT BUILD-UML VERSION\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (find_kernel(place.version, argv[2], kernel)) {
		fprintf(stderr,
			"conformance: SKIPPED, NOTHING WAS TESTED: no kernel %s; set %s to one, or "
			"see what %s %s says\n",
			argv[3], place.version->variable, argv[2], argv[3]);
		return SKIPPED;
	}
	err = place_create(&place, argv[1]);
	if (err) {
		fprintf(stderr, "conformance: %s: %s\n", place.directory, strerror(-err));
		return 1;
	}
	same = conform(kernel, &place);
	if (!same)
		fprintf(stderr, "conformance: FAILED; the guest's console is %s\n", place.console);
	else
		place_remove(&place);
	return same ? 0 : 1;
}
