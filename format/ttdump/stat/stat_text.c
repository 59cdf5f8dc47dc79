// SPDX-License-Identifier: BSD-3-Clause
/* ttdump stat: what was counted, as tables. */
#include <inttypes.h>

#include "format/ttdump/stat/stat.h"
#include "format/ttdump/stat/table_text.h"
#include "format/base/units.h"

static const char *name_of(const struct stat_data *stat, uint32_t guest, char text[NAME_SIZE])
{
	return name_table_guest(&stat->names, guest, text);
}

static void print_head(const struct stat_data *stat)
{
	char a[UNITS_TEXT], b[UNITS_TEXT], c[UNITS_TEXT];

	printf("records   %s in %s frames\n", count_text(stat->records, a),
	       count_text(stat->frame_count, b));
	printf("time      %s s virtual", duration_exact(stat->virtual_ns, a));
	if (stat->wall_ns)
		printf(", %s s wall clock (%.1f virtual seconds a second)",
		       duration_exact(stat->wall_ns, a),
		       (double)stat->virtual_ns / (double)stat->wall_ns);
	printf("\nfile      %s: records %s", size_text(stat->file_bytes, a),
	       size_text(stat->record_bytes, b));
	printf(" (packed %.1f to 1), files %s\n",
	       stat_ratio(stat_raw_bytes(stat), stat->record_bytes),
	       size_text(stat->artifact_bytes, c));
	if (stat->artifacts)
		printf("files     %s, unpacked %s\n", count_text(stat->artifacts, a),
		       size_text(stat->artifact_size, b));
}

static void print_kinds(const struct stat_data *stat)
{
	static const char *const titles[] = { "<",	"records", "payload",	      "encoded",
					      "stored", "of all",  "stored a record", NULL };
	struct table_text table;
	char text[UNITS_TEXT];

	table_begin(&table, titles);
	for (uint32_t i = 0; i < TRACE_KIND_LIMIT; i++) {
		const struct stat_kind *kind = &stat->kind[i];

		if (!kind->records)
			continue;
		table_add(&table, trace_kind_info(i)->name);
		table_add_count(&table, kind->records);
		table_add_size(&table, kind->payload);
		table_add_size(&table, kind->encoded);
		table_add_size(&table, (uint64_t)kind->stored);
		snprintf(text, sizeof(text), "%.1f %%",
			 stat->record_bytes ? 100 * kind->stored / (double)stat->record_bytes : 0);
		table_add(&table, text);
		snprintf(text, sizeof(text), "%.2f B", kind->stored / (double)kind->records);
		table_add(&table, text);
	}
	table_end(&table, "kinds of records (stored: estimated, see ttdump-stat(1))", stdout);
}

static void print_guests(const struct stat_data *stat)
{
	static const char *const titles[] = { "<guest",	 "records", "from",    "to",	  "runs",
					      "console", "typed",   "entropy", "digests", NULL };
	struct table_text table;
	char name[NAME_SIZE], time[UNITS_TEXT];

	table_begin(&table, titles);
	for (uint32_t i = 0; i < stat->guest_count; i++) {
		const struct stat_guest *guest = &stat->guest[i];

		if (!guest->seen)
			continue;
		table_add(&table, name_of(stat, i, name));
		table_add_count(&table, guest->records);
		table_add(&table, duration_exact(guest->first, time));
		table_add(&table, duration_exact(guest->last, time));
		table_add_count(&table, guest->messages[STAT_TO][TRACE_OP_RUN]);
		table_add_size(&table, guest->console);
		table_add_size(&table, guest->input);
		table_add_size(&table, guest->entropy);
		table_add_count(&table, guest->digests);
	}
	table_end(&table, "guests", stdout);
}

static void print_messages(const struct stat_data *stat, int direction, const char *title)
{
	const char *titles[STAT_OPS + 2] = { "<guest" };
	uint64_t total[STAT_OPS] = { 0 };
	struct table_text table;
	char name[NAME_SIZE];
	uint32_t rows = 0;

	for (size_t op = 0; op < STAT_OPS; op++)
		titles[1 + op] = stat_op_name(op);
	table_begin(&table, titles);
	for (uint32_t i = 0; i < stat->guest_count; i++) {
		if (!stat->guest[i].seen)
			continue;
		rows++;
		table_add(&table, name_of(stat, i, name));
		for (size_t op = 0; op < STAT_OPS; op++) {
			table_add_count(&table, stat->guest[i].messages[direction][op]);
			total[op] += stat->guest[i].messages[direction][op];
		}
	}
	if (rows > 1)
		table_add(&table, "all");
	for (size_t op = 0; op < STAT_OPS && rows > 1; op++)
		table_add_count(&table, total[op]);
	table_end(&table, title, stdout);
}

static void print_devices(const struct stat_data *stat)
{
	static const char *const titles[] = { "<guest",	  "<device",	"requests",   "kicks",
					      "to guest", "from guest", "frames out", "frames in",
					      "lost",	  NULL };
	struct table_text table;
	char name[2 * NAME_SIZE];

	table_begin(&table, titles);
	for (uint32_t i = 0; i < stat->guest_count; i++)
		for (uint32_t j = 0; j < stat->guest[i].device_count; j++) {
			const struct stat_device *device = &stat->guest[i].device[j];

			table_add(&table, name_of(stat, i, name));
			table_add(&table, stat_device_name(stat, i, j, name));
			table_add_count(&table, device->requests);
			table_add_count(&table, device->kicks);
			table_add_size(&table, device->to_bytes);
			table_add_size(&table, device->from_bytes);
			table_add_count(&table, device->frames[0]);
			table_add_count(&table, device->frames[1]);
			table_add_count(&table, device->lost);
		}
	table_end(&table, "devices", stdout);
}

static void add_interrupts(struct table_text *table, const char *guest, const char *source,
			   uint64_t count, const char *seen)
{
	if (!count)
		return;
	table_add(table, guest);
	table_add(table, source);
	table_add_count(table, count);
	table_add(table, seen);
}

static void add_calls(struct table_text *table, const char *guest, const char *source,
		      const struct stat_device *device)
{
	add_interrupts(table, guest, source, device->calls - device->changes, "vring calls");
	add_interrupts(table, guest, source, device->changes, "configuration changes");
}

static void add_probed(struct table_text *table, const struct stat_guest *guest, const char *name)
{
	char source[NAME_SIZE];

	for (uint32_t i = 0; i < STAT_IRQS; i++) {
		if (!guest->irqs[i])
			continue;
		snprintf(source, sizeof(source), "irq %" PRIu32 "%s", i,
			 i == STAT_IRQS - 1 ? " and above" : "");
		add_interrupts(table, name, source, guest->irqs[i], "by the probe");
	}
	add_interrupts(table, name, "panic", guest->panics, "by the probe");
	add_interrupts(table, name, "warning", guest->warnings, "by the probe");
}

static void print_interrupts(const struct stat_data *stat)
{
	static const char *const titles[] = { "<guest", "<source", "interrupts", "<seen", NULL };
	struct table_text table;
	char name[NAME_SIZE], device[2 * NAME_SIZE];

	table_begin(&table, titles);
	for (uint32_t i = 0; i < stat->guest_count; i++) {
		const struct stat_guest *guest = &stat->guest[i];

		for (uint32_t j = 0; j < guest->device_count; j++)
			add_calls(&table, name_of(stat, i, name),
				  stat_device_name(stat, i, j, device), &guest->device[j]);
		add_probed(&table, guest, name_of(stat, i, name));
	}
	table_end(&table, "interrupts", stdout);
}

static void print_networks(const struct stat_data *stat)
{
	static const char *const titles[] = { "<network",  "frames",
					      "bytes",	   "lost by the link",
					      "no buffer", "nobody there",
					      "lost",	   NULL };
	struct table_text table;

	table_begin(&table, titles);
	for (size_t i = 0; i < stat->network_count; i++) {
		const struct stat_network *network = &stat->network[i];

		table_add(&table, network->name);
		table_add_count(&table, network->frames);
		table_add_size(&table, network->bytes);
		for (size_t reason = 0; reason < STAT_LOSSES; reason++)
			table_add_count(&table, network->lost[reason]);
	}
	table_end(&table, "networks (received frames)", stdout);
}

static void print_busiest(const struct stat_data *stat)
{
	static const char *const titles[] = { "from",	"records", "messages", "kicks", "calls",
					      "frames", "console", "<most of", NULL };
	struct table_text table;
	char text[NAME_SIZE + 16], name[NAME_SIZE];

	table_begin(&table, titles);
	for (uint32_t i = 0; i < stat->busiest_count; i++) {
		const struct stat_span *span = &stat->busiest[i];

		snprintf(text, sizeof(text), "%" PRIu64 ".%03" PRIu64, span->ms / 1000,
			 span->ms % 1000);
		table_add(&table, text);
		table_add_count(&table, span->records);
		table_add_count(&table, span->messages);
		table_add_count(&table, span->kicks);
		table_add_count(&table, span->calls);
		table_add_count(&table, span->frames);
		table_add_size(&table, span->console);
		snprintf(text, sizeof(text), "%s %" PRIu64 " %%", name_of(stat, span->guest, name),
			 100 * span->guest_records / span->records);
		table_add(&table, text);
	}
	table_end(&table, "busiest milliseconds", stdout);
}

static void print_ends(const struct stat_data *stat, struct trace_reader *reader)
{
	static const char *const titles[] = { "<guest", "<chain", "<last digest", NULL };
	struct table_text table;
	char name[NAME_SIZE], text[40];
	uint64_t chain;

	table_begin(&table, titles);
	for (uint32_t i = 0; i < stat->guest_count; i++) {
		const struct stat_guest *guest = &stat->guest[i];

		if (!guest->seen)
			continue;
		table_add(&table, name_of(stat, i, name));
		text[0] = '\0';
		if (!trace_reader_chain(reader, i, &chain))
			snprintf(text, sizeof(text), "%016" PRIx64, chain);
		table_add(&table, text);
		text[0] = '\0';
		if (guest->digests)
			snprintf(text, sizeof(text), "%016" PRIx64 "%016" PRIx64, guest->high,
				 guest->low);
		table_add(&table, text);
	}
	table_end(&table, "histories (equal chains: equal histories)", stdout);
}

void stat_print_text(const struct stat_data *stat, struct trace_reader *reader)
{
	print_head(stat);
	print_guests(stat);
	print_messages(stat, STAT_FROM, "messages from guests");
	print_messages(stat, STAT_TO, "messages to guests");
	print_interrupts(stat);
	print_devices(stat);
	print_networks(stat);
	print_busiest(stat);
	print_kinds(stat);
	print_ends(stat, reader);
}
