// SPDX-License-Identifier: BSD-3-Clause
/* A guest for the cursor without a kernel: a process that speaks the guest's half at every
 * interface. */
#include "tests/replayer/cursor/fake_guest.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "kernel/sandbox/sandbox_internal.h"

#define QUEUE_SIZE   8
#define QUEUE_IN     0
#define QUEUE_OUT    1
#define BUFFER_SIZE  64
#define FRAME	     "frame one"
#define CONFIG_BYTES 8
#define END_STATUS   3

/* ---- In the process of the guest ------------------------------------------------------------ */

struct life {
	struct fake_guest *fake;
	enum fake_twist twist;
	struct fake_interfaces interfaces;
	uint32_t seq;
};

static void need(bool good)
{
	if (!good)
		_exit(99);
}

static void disturb(struct life *life)
{
	if (life->fake->disturb)
		life->fake->disturb(life->fake, &life->interfaces);
}

static void say(struct life *life, enum trace_operation op, uint64_t time)
{
	struct wire_message message = { op, ++life->seq, time };

	disturb(life);
	need(write(life->interfaces.time, &message, sizeof(message)) == sizeof(message));
}

static struct wire_message hear(struct life *life)
{
	struct wire_message message;

	disturb(life);
	need(read(life->interfaces.time, &message, sizeof(message)) == sizeof(message));
	return message;
}

static void ask(struct life *life, enum trace_operation op, uint64_t time)
{
	say(life, op, time);
	need(hear(life).op == TRACE_OP_ACK);
}

static void print(struct life *life, const char *text)
{
	disturb(life);
	need(write(life->interfaces.console, text, strlen(text)) == (ssize_t)strlen(text));
}

static void send_request(struct life *life, uint32_t request, uint32_t flags, const void *body,
			 uint32_t size, int fd)
{
	uint32_t header[3] = { request, flags, size };
	struct iovec parts[] = { { header, sizeof(header) }, { (void *)body, size } };
	union {
		struct cmsghdr header; /* for its alignment */
		uint8_t data[CMSG_SPACE(sizeof(int))];
	} control = {};
	struct msghdr envelope = { .msg_iov = parts, .msg_iovlen = 2 };

	disturb(life);
	if (fd >= 0) {
		envelope.msg_control = &control;
		envelope.msg_controllen = sizeof(control);
		control.header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
						   .cmsg_type = SCM_RIGHTS,
						   .cmsg_len = CMSG_LEN(sizeof(int)) };
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	need(sendmsg(life->interfaces.device, &envelope, 0) == (ssize_t)(sizeof(header) + size));
}

/* Take a message of the device off @fd. */
static void take(int fd)
{
	uint32_t header[3];
	uint8_t body[VHOST_BODY_MAX];

	need(recv(fd, header, sizeof(header), MSG_WAITALL) == sizeof(header));
	need(header[2] <= sizeof(body));
	need(recv(fd, body, header[2], MSG_WAITALL) == (ssize_t)header[2]);
}

static void request(struct life *life, uint32_t number, const void *body, uint32_t size, int fd)
{
	send_request(life, number, VHOST_FLAG_VERSION | VHOST_FLAG_NEED_REPLY, body, size, fd);
	take(life->interfaces.device);
}

static void request_state(struct life *life, uint32_t number, uint32_t index, uint32_t value)
{
	const uint32_t state[2] = { index, value };

	request(life, number, state, sizeof(state), -1);
}

static void set_up_ring(struct life *life, uint32_t index)
{
	const struct ring_builder *ring = &life->fake->ring[index];
	const uint64_t moved = BUILDER_USER_BASE - BUILDER_GUEST_BASE;
	const struct {
		uint32_t index, flags;
		uint64_t desc, used, avail, log;
	} address = { index, 0, ring->desc + moved, ring->used + moved, ring->avail + moved, 0 };

	request_state(life, VHOST_SET_VRING_NUM, index, QUEUE_SIZE);
	request_state(life, VHOST_SET_VRING_BASE, index, 0);
	request(life, VHOST_SET_VRING_ADDR, &address, sizeof(address), -1);
	request_state(life, VHOST_SET_VRING_ENABLE, index, 1);
}

static void set_up_memory(struct life *life)
{
	const struct {
		uint32_t count, padding;
		uint64_t guest_address, size, user_address, offset;
	} table = { 1, 0, BUILDER_GUEST_BASE, life->fake->memory.size, BUILDER_USER_BASE, 0 };

	request(life, VHOST_SET_MEM_TABLE, &table, sizeof(table), life->fake->memory.fd);
}

static void set_up_calls(struct life *life)
{
	int ends[2];

	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	life->interfaces.calls = ends[0];
	request(life, VHOST_SET_BACKEND_REQ_FD, NULL, 0, ends[1]);
	close(ends[1]);
}

static void read_config(struct life *life)
{
	uint8_t body[12 + CONFIG_BYTES + 1] = { [4] = CONFIG_BYTES };

	if (life->twist == FAKE_NONSENSE) {
		need(write(life->interfaces.device, "this is no message", 18) == 18);
		pause();
	}
	body[12] = life->twist == FAKE_OTHER_BODY;
	request(life, VHOST_GET_CONFIG, body, 12 + CONFIG_BYTES + (life->twist == FAKE_OTHER_SIZE),
		-1);
}

static void set_up_device(struct life *life)
{
	enum fake_twist twist = life->twist;
	char path[64];

	snprintf(path, sizeof(path), "/tmp/ttrec-fake-%d-dev%d", getppid(),
		 twist == FAKE_OTHER_DEVICE);
	need(!wire_connect(path, &life->interfaces.device));
	send_request(life, VHOST_SET_OWNER,
		     VHOST_FLAG_VERSION | (twist == FAKE_OTHER_FLAGS ? VHOST_FLAG_NEED_REPLY : 0),
		     NULL, 0, -1);
	send_request(life, twist == FAKE_OTHER_REQUEST ? VHOST_GET_QUEUE_NUM : VHOST_GET_FEATURES,
		     VHOST_FLAG_VERSION, NULL, 0, -1);
	take(life->interfaces.device);
	print(life, twist == FAKE_OTHER_CONSOLE ? "jello\n" : "hello\n");
	request(life, VHOST_SET_PROTOCOL_FEATURES,
		&(uint64_t){ VHOST_PROTOCOL_NEEDED | VHOST_PROTOCOL_CONFIG |
			     (twist == FAKE_OTHER_VALUE) },
		sizeof(uint64_t), -1);
	set_up_calls(life);
	set_up_memory(life);
	set_up_ring(life, QUEUE_IN);
	set_up_ring(life, QUEUE_OUT);
	read_config(life);
}

/* Buffers with something in them: what is not written to stays as it is. */
static uint64_t offer_buffer(struct life *life)
{
	uint32_t size = life->twist == FAKE_SMALL_BUFFER ? 8 : BUFFER_SIZE;
	uint64_t address = 0;

	if (life->twist == FAKE_NO_BUFFER)
		return 0;
	ring_builder_receive(&life->fake->ring[QUEUE_IN], size, &address);
	memset(builder_memory_at(&life->fake->memory, address), 0xff, size);
	return address;
}

static void send_frame(struct life *life)
{
	struct ring_builder *ring = &life->fake->ring[QUEUE_OUT];
	const uint32_t state[2] = { life->twist == FAKE_OTHER_QUEUE ? QUEUE_IN : QUEUE_OUT, 0 };
	const char *frame = life->twist == FAKE_OTHER_FRAME   ? "frame two"
			    : life->twist == FAKE_LONG_FRAME  ? "frame one and more"
			    : life->twist == FAKE_SHORT_FRAME ? "frame"
							      : FRAME;
	uint16_t head;
	uint32_t written;

	if (life->twist != FAKE_NO_FRAME)
		ring_builder_send(ring, frame, (uint32_t)strlen(frame));
	ask(life, TRACE_OP_UPDATE, 0);
	if (life->twist == FAKE_DIES)
		_exit(1);
	request(life, VHOST_VRING_KICK, state, sizeof(state), -1);
	need(ring_builder_take_used(ring, &head, &written) && !written);
	print(life, "sent\n");
}

/* The device calls inside of the WAIT. */
static void be_called(struct life *life)
{
	uint32_t answer[5] = { VHOST_BACKEND_VRING_CALL, VHOST_FLAG_VERSION | VHOST_FLAG_REPLY, 8,
			       life->twist == FAKE_OTHER_CALLED, 0 };

	take(life->interfaces.calls);
	ask(life, TRACE_OP_GET, UINT64_MAX);
	ask(life, TRACE_OP_REQUEST, 700);
	need(write(life->interfaces.calls, answer, sizeof(answer)) == sizeof(answer));
}

static void print_received(struct life *life, uint64_t address)
{
	const uint8_t *data = builder_memory_at(&life->fake->memory, address);
	uint32_t written;
	uint16_t head;
	char text[64 + 2 * BUFFER_SIZE];
	size_t length;

	need(ring_builder_take_used(&life->fake->ring[QUEUE_IN], &head, &written));
	length = (size_t)sprintf(text, "got %u:", written);
	/* One byte more: nothing is behind the frame. */
	for (uint32_t i = 0; i <= written; i++)
		length += (size_t)sprintf(text + length, "%02x", data[i]);
	sprintf(text + length, "\n");
	print(life, text);
}

static void report_end(struct life *life, int status)
{
	struct sandbox_report report = { .step = SANDBOX_STEP_EXIT,
					 .value = W_EXITCODE(status, 0) };

	disturb(life);
	close(life->interfaces.time);
	need(write(life->interfaces.supervisor, &report, sizeof(report)) == sizeof(report));
	_exit(0);
}

static void live(struct life *life)
{
	struct wire_message run;
	uint64_t address;
	char path[64];

	snprintf(path, sizeof(path), "/tmp/ttrec-fake-%d-time", getppid());
	need(!wire_connect(path, &life->interfaces.time));
	ask(life, TRACE_OP_START, 1);
	set_up_device(life);
	address = offer_buffer(life);
	send_frame(life);
	life->seq += life->twist == FAKE_OTHER_SEQ;
	ask(life, TRACE_OP_REQUEST, life->twist == FAKE_OTHER_TIME ? 1001 : 1000);
	if (life->twist == FAKE_SILENT)
		pause();
	ask(life, TRACE_OP_WAIT, UINT64_MAX);
	be_called(life);
	run = hear(life);
	run.op = TRACE_OP_ACK;
	run.time = 0;
	need(write(life->interfaces.time, &run, sizeof(run)) == sizeof(run));
	print_received(life, address);
	if (life->twist == FAKE_CLOSES) {
		close(life->interfaces.device);
		close(life->interfaces.calls);
	}
	ask(life, TRACE_OP_REQUEST, 2000);
	report_end(life, life->twist == FAKE_OTHER_STATUS ? END_STATUS + 1 : END_STATUS);
}

/* ---- In the process of the test ------------------------------------------------------------- */

static int listen_at(const char *what)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/tmp/ttrec-fake-%d-%s", getpid(), what);
	unlink(path);
	assert_int_equal(wire_listen(path, &fd), 0);
	return fd;
}

static void forget(const char *what)
{
	char path[64];

	snprintf(path, sizeof(path), "/tmp/ttrec-fake-%d-%s", getpid(), what);
	unlink(path);
}

void fake_guest_start(struct fake_guest *fake, enum fake_twist twist)
{
	fake_guest_start_disturbed(fake, twist, NULL);
}

void fake_guest_start_disturbed(struct fake_guest *fake, enum fake_twist twist,
				fake_disturb *before)
{
	static struct guest_device devices[] = { { VIRTIO_NET, NULL }, { VIRTIO_NET, NULL } };
	int console[2], supervisor[2];

	*fake = (struct fake_guest){ .guest = GUEST_NONE,
				     .spec = { .device = devices, .device_count = 2 },
				     .disturb = before };
	/* A kernel of which nothing is known: there is no memory to be hashed. */
	assert_int_equal(
		image_files_add(&fake->spec.files, GUEST_KERNEL_PATH, 0755, calloc(1, 1), 1), 0);
	builder_memory_create(&fake->memory, 1 << 16);
	ring_builder_create(&fake->ring[QUEUE_IN], &fake->memory, QUEUE_SIZE);
	ring_builder_create(&fake->ring[QUEUE_OUT], &fake->memory, QUEUE_SIZE);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, console), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, supervisor), 0);
	assert_int_equal(fcntl(console[0], F_SETFL, O_NONBLOCK), 0);
	fake->guest.spec = &fake->spec;
	fake->guest.sandbox.console_fd = console[0];
	fake->guest.sandbox.supervisor_fd = supervisor[0];
	fake->guest.sandbox.listen_fd = listen_at("time");
	fake->guest.sandbox.device_fd[0] = listen_at("dev0");
	fake->guest.sandbox.device_fd[1] = listen_at("dev1");
	fake->guest.device = calloc(2, sizeof(*fake->guest.device));
	assert_non_null(fake->guest.device);
	fake->guest.device[0] = fake->guest.device[1] = VHOST_NONE;
	fake->pid = fork();
	assert_true(fake->pid >= 0);
	if (!fake->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* Sanitizers of the test must not report a crash of this guest. */
		signal(SIGBUS, SIG_DFL);
		signal(SIGSEGV, SIG_DFL);
		live(&(struct life){ .fake = fake,
				     .twist = twist,
				     .interfaces = { .time = -1,
						     .device = -1,
						     .calls = -1,
						     .console = console[1],
						     .supervisor = supervisor[1] } });
	}
	fake->guest.sandbox.guest = fake->pid;
	close(console[1]);
	close(supervisor[1]);
}

void fake_guest_end(struct fake_guest *fake)
{
	kill(fake->pid, SIGKILL);
	waitpid(fake->pid, NULL, 0);
	/* There is no sandbox: only these have to be closed. */
	fake->guest.sandbox.guest = 0;
	guest_close(&fake->guest);
	image_files_free(&fake->spec.files);
	ring_builder_destroy(&fake->ring[QUEUE_IN]);
	ring_builder_destroy(&fake->ring[QUEUE_OUT]);
	builder_memory_destroy(&fake->memory);
	forget("time");
	forget("dev0");
	forget("dev1");
}

/* ---- Its trace ------------------------------------------------------------------------------ */

static struct trace_record *add(struct fake_trace *trace, enum trace_kind kind, const void *payload,
				size_t size)
{
	struct trace_record *record = &trace->record[trace->count++];

	assert_true(trace->count <= FAKE_RECORDS_MAX);
	*record = (struct trace_record){
		.kind = kind, .now = 10 * trace->count, .payload = payload, .payload_size = size
	};
	return record;
}

static void add_message(struct fake_trace *trace, enum trace_kind kind, uint64_t op, uint64_t seq,
			uint64_t time)
{
	struct trace_record *record = add(trace, kind, NULL, 0);

	record->from.op = op;
	record->from.seq = seq;
	record->from.time = time;
}

static void add_asked(struct fake_trace *trace, uint64_t op, uint64_t seq, uint64_t time)
{
	add_message(trace, TRACE_from, op, seq, time);
	add_message(trace, TRACE_to, TRACE_OP_ACK, seq, 0);
}

static void add_sent(struct fake_trace *trace, uint32_t number, uint32_t flags, const void *body,
		     size_t size)
{
	struct trace_record *record = add(trace, TRACE_request, body, size);

	record->request.request = number;
	record->request.flags = flags;
}

static void add_reply(struct fake_trace *trace, uint32_t number, uint64_t value)
{
	struct trace_record *record = add(trace, TRACE_reply, NULL, 0);

	record->reply.request = number;
	record->reply.value = value;
}

static void add_request(struct fake_trace *trace, uint32_t number, const void *body, size_t size)
{
	add_sent(trace, number, VHOST_FLAG_VERSION | VHOST_FLAG_NEED_REPLY, body, size);
	add_reply(trace, number, 0);
}

static void add_console(struct fake_trace *trace, const char *text)
{
	add(trace, TRACE_console, text, strlen(text));
}

/* As the builder lays them out, which starts anew with each guest. */
static const struct vring_address {
	uint32_t index, flags;
	uint64_t desc, used, avail, log;
} *ring_addresses(void)
{
	static struct vring_address address[2];
	struct builder_memory memory;
	struct ring_builder ring;
	const uint64_t moved = BUILDER_USER_BASE - BUILDER_GUEST_BASE;

	builder_memory_create(&memory, 1 << 16);
	for (uint32_t i = 0; i < 2; i++) {
		ring_builder_create(&ring, &memory, QUEUE_SIZE);
		address[i] = (struct vring_address){ .index = i,
						     .desc = ring.desc + moved,
						     .used = ring.used + moved,
						     .avail = ring.avail + moved };
		ring_builder_destroy(&ring);
	}
	builder_memory_destroy(&memory);
	return address;
}

static void add_set_up(struct fake_trace *trace)
{
	static const uint64_t protocol = VHOST_PROTOCOL_NEEDED | VHOST_PROTOCOL_CONFIG;
	static const uint64_t table[] = { 1, BUILDER_GUEST_BASE, 1 << 16, BUILDER_USER_BASE, 0 };
	static const uint32_t state[2][3][2] = { { { 0, QUEUE_SIZE }, { 0, 0 }, { 0, 1 } },
						 { { 1, QUEUE_SIZE }, { 1, 0 }, { 1, 1 } } };
	static const uint8_t config[12 + CONFIG_BYTES] = { [4] = CONFIG_BYTES };
	const struct vring_address *address = ring_addresses();
	struct trace_record *reply;

	add(trace, TRACE_attach, NULL, 0);
	add_sent(trace, VHOST_SET_OWNER, VHOST_FLAG_VERSION, NULL, 0);
	add_sent(trace, VHOST_GET_FEATURES, VHOST_FLAG_VERSION, NULL, 0);
	add_reply(trace, VHOST_GET_FEATURES, VIRTIO_F_VERSION_1 | VHOST_F_PROTOCOL_FEATURES);
	add_console(trace, "hello\n");
	add_request(trace, VHOST_SET_PROTOCOL_FEATURES, &protocol, sizeof(protocol));
	add_request(trace, VHOST_SET_BACKEND_REQ_FD, NULL, 0);
	add_request(trace, VHOST_SET_MEM_TABLE, table, sizeof(table));
	for (unsigned int i = 0; i < 2; i++) {
		add_request(trace, VHOST_SET_VRING_NUM, state[i][0], sizeof(state[i][0]));
		add_request(trace, VHOST_SET_VRING_BASE, state[i][1], sizeof(state[i][1]));
		add_request(trace, VHOST_SET_VRING_ADDR, &address[i], sizeof(address[i]));
		add_request(trace, VHOST_SET_VRING_ENABLE, state[i][2], sizeof(state[i][2]));
	}
	add_sent(trace, VHOST_GET_CONFIG, VHOST_FLAG_VERSION | VHOST_FLAG_NEED_REPLY, config,
		 sizeof(config));
	reply = add(trace, TRACE_reply, config, sizeof(config));
	reply->reply.request = VHOST_GET_CONFIG;
}

static void add_kick(struct fake_trace *trace)
{
	struct trace_record *kick = add(trace, TRACE_kick, NULL, 0), *taken;

	kick->kick.queue = QUEUE_OUT;
	kick->kick.flags = VHOST_FLAG_VERSION | VHOST_FLAG_NEED_REPLY;
	kick->kick.done = 1;
	taken = add(trace, TRACE_taken, FRAME, strlen(FRAME));
	taken->taken.queue = QUEUE_OUT;
	add_reply(trace, VHOST_VRING_KICK, 0);
}

/* "ab" at 4 first, then "xyz" at 10: the rest is zero. */
static void add_interrupt(struct fake_trace *trace)
{
	add(trace, TRACE_wrote, "ab", 2)->wrote.offset = 4;
	add(trace, TRACE_used, "xyz", 3)->used.skip = 10;
	add(trace, TRACE_call, NULL, 0)->call.request = VHOST_BACKEND_VRING_CALL;
	add_asked(trace, TRACE_OP_GET, 5, UINT64_MAX);
	add_asked(trace, TRACE_OP_REQUEST, 6, 700);
	add(trace, TRACE_called, NULL, 0);
}

void fake_trace_make(struct fake_trace *trace)
{
	struct trace_record *end;

	trace->count = 0;
	add_asked(trace, TRACE_OP_START, 1, 1);
	add_set_up(trace);
	add_asked(trace, TRACE_OP_UPDATE, 2, 0);
	add_kick(trace);
	add_console(trace, "sent\n");
	add_asked(trace, TRACE_OP_REQUEST, 3, 1000);
	add_asked(trace, TRACE_OP_WAIT, 4, UINT64_MAX);
	add_interrupt(trace);
	add_message(trace, TRACE_to, TRACE_OP_RUN, 1, 700);
	add_message(trace, TRACE_from, TRACE_OP_ACK, 1, 0);
	add_console(trace, "got 13:0000000061620000000078797aff\n");
	add_asked(trace, TRACE_OP_REQUEST, 7, 2000);
	add(trace, TRACE_leave, NULL, 0);
	end = add(trace, TRACE_exit, NULL, 0);
	end->exit.status = END_STATUS;
}

struct trace_record *fake_trace_find(struct fake_trace *trace, enum trace_kind kind,
				     unsigned int which)
{
	for (size_t i = 0; i < trace->count; i++)
		if (trace->record[i].kind == kind && !which--)
			return &trace->record[i];
	fail_msg("the trace has no such record");
	return NULL;
}

void fake_trace_insert(struct fake_trace *trace, size_t at, const struct trace_record *record)
{
	assert_true(trace->count < FAKE_RECORDS_MAX && at <= trace->count);
	memmove(&trace->record[at + 1], &trace->record[at],
		(trace->count++ - at) * sizeof(*record));
	trace->record[at] = *record;
}

struct trace_reader *fake_trace_open(const struct fake_trace *trace)
{
	struct trace_writer *writer;
	struct trace_reader *reader;
	char path[64];

	snprintf(path, sizeof(path), "/tmp/ttrec-fake-%d-trace", getpid());
	assert_int_equal(trace_writer_create(path, NULL, &writer), 0);
	for (size_t i = 0; i < trace->count; i++)
		assert_int_equal(trace_writer_append(writer, &trace->record[i], NULL), 0);
	assert_int_equal(trace_writer_close(writer, NULL), 0);
	assert_int_equal(trace_reader_open(path, &reader), 0);
	unlink(path);
	return reader;
}
