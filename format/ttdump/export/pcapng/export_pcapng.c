// SPDX-License-Identifier: BSD-3-Clause
/* ttdump export pcapng: the frames of each network and every record, for Wireshark. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/array.h"
#include "format/base/cleanup.h"
#include "format/ttdump/export/export.h"
#include "format/ttdump/export/pcapng/pcapng_exchange.h"
#include "format/ttdump/export/pcapng/pcapng_names.h"
#include "format/ttdump/export/pcapng/pcapng_order.h"
#include "format/ttdump/export/pcapng/pcapng_radio.h"
#include "format/base/units.h"

/* The first interface: that of the records. */
#define EXCHANGES 0u

/* Guests are described in front of a trace: so many records are looked at for that first. */
#define MEET_RECORDS 4096u

struct capture {
	FILE *out;
	struct name_table name_table;
	uint64_t met; /* this record, and what follows, is still to tell who is who */
	struct frames *frames;
	struct pcapng_order *order;
	struct pcapng_radio *radio;
	struct pcapng_names names;
	struct line line, body;
	char (*network)[DEVICE_NAME_SIZE]; /* of the interfaces after that of the records */
	uint32_t network_count;
	size_t device_count; /* that were described when interfaces were added */
	bool told;	     /* something was described since */
};

static int write_line(struct capture *capture)
{
	if (capture->line.failed)
		return -ENOMEM;
	fwrite(capture->line.text, 1, capture->line.size, capture->out);
	capture->line.size = 0;
	return 0;
}

static int begin(struct capture *capture, const struct trace_header *header)
{
	char comment[64 + UUID_TEXT], uuid[UUID_TEXT];

	snprintf(comment, sizeof(comment), "trace %s; times are virtual",
		 uuid_text(header->uuid, uuid));
	pcapng_add_section(&capture->line, "ttdump", comment);
	pcapng_add_interface(&capture->line, PCAPNG_USER0, "ttrec",
			     "every record of the trace; decoded by ttrec.lua");
	return write_line(capture);
}

/* ---- Interfaces ------------------------------------------------------------------------------ */

/* The number of an interface; @network_count + 1: there is none yet. */
static uint32_t find_interface(const struct capture *capture, const char *network)
{
	uint32_t i = 0;

	while (i < capture->network_count && strcmp(capture->network[i], network))
		i++;
	return i + 1;
}

/* Radios have one for each medium. */
static const char *network_of(const struct named_device *device)
{
	return device->wired			      ? device->network
	       : device->virtio_id == RADIO_VIRTIO_ID ? device->name
						      : NULL;
}

static void describe_network(const struct capture *capture, const char *network, struct line *line)
{
	const char *separator = "";

	for (size_t i = 0; i < capture->name_table.count; i++)
		for (size_t j = 0; j < capture->name_table.guest[i].device_count; j++) {
			const struct named_device *device = &capture->name_table.guest[i].device[j];
			char mac[MAC_TEXT];

			if (!network_of(device) || strcmp(network_of(device), network))
				continue;
			line_format(line, "%s%s", separator, capture->name_table.guest[i].name);
			if (device->wired)
				line_format(line, " %s", mac_text(device->mac, mac));
			separator = ", ";
		}
	line_char(line, '\0');
}

static int add_network(struct capture *capture, const char *network, enum pcapng_link link)
{
	char(*added)[DEVICE_NAME_SIZE] = array_add(capture->network, capture->network_count);

	if (!added)
		return -ENOMEM;
	snprintf(*added, DEVICE_NAME_SIZE, "%s", network);
	capture->body.size = 0;
	describe_network(capture, network, &capture->body);
	if (capture->body.failed)
		return -ENOMEM;
	pcapng_add_interface(&capture->line, link, network, capture->body.text);
	return 0;
}

static int add_card(struct capture *capture, const struct named_guest *guest,
		    const struct named_device *device)
{
	const char *network = network_of(device);
	int err = 0;

	if (network && find_interface(capture, network) > capture->network_count)
		err = add_network(capture, network,
				  device->wired ? PCAPNG_ETHERNET : PCAPNG_RADIOTAP);
	if (device->wired)
		pcapng_add_name(&capture->line, PCAPNG_MAC, device->mac, guest->name);
	return err;
}

static size_t count_devices(const struct name_table *name_table)
{
	size_t count = 0;

	for (size_t i = 0; i < name_table->count; i++)
		count += name_table->guest[i].device_count;
	return count;
}

/* An interface precedes its packets, which may wait: it goes straight to the file. */
static int add_cards(struct capture *capture)
{
	size_t count = count_devices(&capture->name_table);
	int err = 0;

	capture->told = false;
	if (count == capture->device_count)
		return 0;
	capture->device_count = count;
	for (size_t i = 0; i < capture->name_table.count; i++)
		for (size_t j = 0; j < capture->name_table.guest[i].device_count && !err; j++)
			err = add_card(capture, &capture->name_table.guest[i],
				       &capture->name_table.guest[i].device[j]);
	return err ? err : write_line(capture);
}

/* ---- Records --------------------------------------------------------------------------------- */

static int put_exchange(struct capture *capture, const struct trace_record *record)
{
	int err;

	pcapng_add_exchange(&capture->line, &capture->body, EXCHANGES, &capture->name_table,
			    record);
	if (capture->line.failed)
		return -ENOMEM;
	err = pcapng_order_add(capture->order, record->now, capture->line.text, capture->line.size);
	capture->line.size = 0;
	return err;
}

static int put_frame(struct capture *capture, const struct frame *frame,
		     const struct trace_record *record)
{
	int err;

	pcapng_names_learn(&capture->names, &capture->name_table, frame, &capture->line);
	err = write_line(capture);
	if (err)
		return err;
	return pcapng_order_add_frame(capture->order, find_interface(capture, frame->network),
				      frame, record);
}

static int put_radio(struct capture *capture, const struct trace_record *record)
{
	struct radiotap radiotap;
	struct frame frame;

	if (!pcapng_radio_feed(capture->radio, &capture->name_table, record, &frame, &radiotap))
		return 0;
	return pcapng_order_add_frame(capture->order, find_interface(capture, frame.network),
				      &frame, record);
}

static int meet(struct capture *capture, const struct trace_record *record)
{
	if (record->number < capture->met)
		return 0;
	capture->met = record->number + 1;
	capture->told |= record->kind == TRACE_meta;
	return name_table_meet(&capture->name_table, record);
}

/* So that those who are described in front have their names from the first packet on. */
static int meet_guests(struct capture *capture, const char *path)
{
	struct trace_record record;
	auto_trace *reader = NULL;
	int err = trace_reader_open(path, &reader), got = 0;

	while (!err && capture->met < MEET_RECORDS &&
	       (got = trace_reader_next(reader, &record)) > 0)
		err = meet(capture, &record);
	err = diagnosis_host_error(err ? err : got);
	return err ? err : add_cards(capture);
}

static int put_record(struct capture *capture, const struct trace_record *record)
{
	struct frame frame;
	int err = meet(capture, record);

	name_table_follow(&capture->name_table, record);
	/* A guest is described in some lines: they are read together. */
	if (!err && capture->told && record->kind != TRACE_meta)
		err = add_cards(capture);
	if (!err)
		err = put_exchange(capture, record);
	if (!err)
		err = put_radio(capture, record);
	if (err)
		return err;
	err = frames_feed(capture->frames, record, &frame);
	return err > 0 ? put_frame(capture, &frame, record) : err;
}

static int put_all(struct capture *capture, const char *path, struct trace_reader *reader)
{
	int err = begin(capture, trace_reader_header(reader)), got = 0;
	struct trace_record record;

	if (!err)
		err = meet_guests(capture, path);
	while (!err && !ferror(capture->out) && (got = trace_reader_next(reader, &record)) > 0)
		err = put_record(capture, &record);
	if (!err)
		err = pcapng_order_finish(capture->order);
	return err ? err : got;
}

int export_pcapng(const struct export_request *request, struct trace_reader *reader, FILE *out,
		  struct diagnosis *diagnosis)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	int got = -ENOMEM;

	if (!capture)
		return dump_no_memory(diagnosis);
	capture->out = out;
	capture->frames = frames_create(&capture->name_table);
	capture->order = pcapng_order_create(&capture->name_table, out);
	capture->radio = pcapng_radio_create();
	if (capture->frames && capture->order && capture->radio)
		got = put_all(capture, request->path, reader);
	pcapng_order_free(capture->order);
	pcapng_radio_free(capture->radio);
	frames_free(capture->frames);
	name_table_free(&capture->name_table);
	line_free(&capture->line);
	line_free(&capture->body);
	free(capture->network);
	free(capture);
	if (got == -ENOMEM)
		return dump_no_memory(diagnosis);
	return got < 0 ? dump_damaged(request->path, reader, got, diagnosis) : 0;
}
