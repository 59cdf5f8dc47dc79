// SPDX-License-Identifier: BSD-3-Clause
/*
 * The command line of a UML kernel: the user's arguments, those of the sandbox, and those that are
 * refused because they would break determinism.
 */
#include "kernel/guest/guest_arguments.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "format/base/words.h"
#include "format/base/cleanup.h"
#include "kernel/guest/guest.h"
#include "kernel/guest/guest_patches.h"
#include "kernel/sandbox/sandbox_internal.h"

/* How a pattern is matched: '#' stands for a number, '*' for anything that follows. */
static const struct {
	const char *pattern;
	bool host_files;
	struct refused_argument refused;
} refused_table[] = {
	{ "ubd#*",
	  true,
	  { "ubd", "its completion interrupts depend on the host's disk",
	    "--root IMAGE, or root: and disk: in a lab file" } },
	{ "udb*",
	  true,
	  { "ubd", "its completion interrupts depend on the host's disk",
	    "--root IMAGE, or root: and disk: in a lab file" } },
	{ "rootfstype=hostfs*",
	  true,
	  { "hostfs",
	    "inode numbers, times and file contents of this machine reach the guest's memory",
	    "--root DIRECTORY or --share DIRECTORY, or root: and share: in a lab file" } },
	{ "hostfs=*",
	  true,
	  { "hostfs",
	    "inode numbers, times and file contents of this machine reach the guest's memory",
	    "--root DIRECTORY or --share DIRECTORY, or root: and share: in a lab file" } },
	{ "vec#*",
	  true,
	  { "vector", "packet arrival depends on the host's network",
	    "the devices of a lab file (ttrec run -f)" } },
	{ "eth#*",
	  true,
	  { "net", "packet arrival depends on the host's network",
	    "the devices of a lab file (ttrec run -f)" } },
	{ "virtio_uml.device=*",
	  true,
	  { "virtio", "the activity of an external device is not recorded",
	    "the devices of a lab file (ttrec run -f)" } },
	/* The kernel takes '-' for '_' in names of parameters (kernel/params.c, parameqn). */
	{ "virtio-uml.device=*",
	  true,
	  { "virtio", "the activity of an external device is not recorded",
	    "the devices of a lab file (ttrec run -f)" } },
	{ "mconsole=*",
	  true,
	  { "mconsole", "its interrupts depend on the host's timing", "the console" } },
	{ "con#=*tty*",
	  true,
	  { "console", "its input interrupts depend on the host's timing",
	    "no con argument: the console is captured and shown" } },
	{ "con#=*pts*",
	  true,
	  { "console", "its input interrupts depend on the host's timing",
	    "no con argument: the console is captured and shown" } },
	{ "con#=*port*",
	  true,
	  { "console", "its input interrupts depend on the host's timing",
	    "no con argument: the console is captured and shown" } },
	{ "con#=*pty*",
	  true,
	  { "console", "its input interrupts depend on the host's timing",
	    "no con argument: the console is captured and shown" } },
	{ "ssl#=*",
	  true,
	  { "ssl", "its input interrupts depend on the host's timing",
	    "the console, which is captured and shown" } },
	{ "dsp=*",
	  true,
	  { "audio", "its interrupts depend on the host's sound device", "no sound" } },
	{ "mixer=*",
	  true,
	  { "audio", "its interrupts depend on the host's sound device", "no sound" } },
	{ "con#=*xterm*",
	  true,
	  { "console", "its input interrupts depend on the host's timing",
	    "no con argument: the console is captured and shown" } },
};

/* Parameters that are ttrec's own to give, or that have no meaning under it. */
static const struct {
	const char *pattern, *why, *advice;
} owned_table[] = {
	{ "time-travel", "breaks determinism: in that mode computing takes the host's time",
	  "remove it, or use time-travel=inf-cpu, which is what a guest of ttrec has" },
	{ "time-travel-start=*", "is not ours to grant: the other scheduler has the time of day",
	  "remove it" },
	{ "time-travel*", "is set by ttrec", "remove it: ttrec sets time-travel=ext: itself" },
	{ "umid=*", "is set by ttrec",
	  "remove it: ttrec sets the umid, so that it is the same on replay" },
	{ "uml_dir=*", "is set by ttrec",
	  "remove it: ttrec sets it, so that it is the same on replay" },
};

/* For one guest it means what time-travel=ext: does. */
#define ARGUMENT_INF_CPU "time-travel=inf-cpu"

static bool pattern_matches(const char *pattern, const char *text)
{
	for (; *pattern; pattern++) {
		if (*pattern == '#') {
			while (isdigit((unsigned char)*text))
				text++;
			continue;
		}
		if (*pattern == '*') {
			if (!pattern[1])
				return true;
			for (; *text; text++)
				if (pattern_matches(pattern + 1, text))
					return true;
			return false;
		}
		if (*pattern != *text++)
			return false;
	}
	return !*text;
}

static ssize_t refused_index(const char *argument)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused_table); i++)
		if (pattern_matches(refused_table[i].pattern, argument))
			return (ssize_t)i;
	return -1;
}

static bool is_allowed(const char *const *allow, const char *name)
{
	for (; allow && *allow; allow++)
		if (!strcmp(*allow, name) || !strcmp(*allow, "all"))
			return true;
	return false;
}

static ssize_t owned_index(const char *argument)
{
	if (!strcmp(argument, ARGUMENT_INF_CPU))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(owned_table); i++)
		if (pattern_matches(owned_table[i].pattern, argument))
			return (ssize_t)i;
	return -1;
}

/* The entry of the table that refuses @argument; NULL: it is not refused there. */
static const struct refused_argument *refused(const char *argument, const char *const *allow)
{
	ssize_t index = refused_index(argument);

	return index < 0 || is_allowed(allow, refused_table[index].refused.name)
		       ? NULL
		       : &refused_table[index].refused;
}

static int refuse_one(const char *argument, const char *const *allow, struct diagnosis *why)
{
	const struct refused_argument *entry = refused(argument, allow);
	ssize_t owned = owned_index(argument);
	char advice[256];

	if (owned >= 0)
		return diagnose(why, EXIT_USAGE, -EINVAL, owned_table[owned].advice,
				"the kernel argument %s %s", argument, owned_table[owned].why);
	snprintf(advice, sizeof(advice),
		 "use %s; to accept a run that may not replay, pass --allow %s", entry->instead,
		 entry->name);
	return diagnose(why, EXIT_USAGE, -EINVAL, advice,
			"the kernel argument %s breaks determinism: %s", argument, entry->why);
}

/* A part of a text that ends where it is full. */
static void add_text(char *text, size_t size, const char *separator, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void add_text(char *text, size_t size, const char *separator, const char *format, ...)
{
	size_t used = strlen(text);
	va_list list;

	used += (size_t)snprintf(text + used, size - used, "%s", used ? separator : "");
	if (used >= size)
		return;
	va_start(list, format);
	vsnprintf(text + used, size - used, format, list);
	va_end(list);
}

/* Several: what each does, and once for each kind what to do instead. */
static int refuse_all(char *const *user, const char *const *allow, struct diagnosis *why)
{
	char what[sizeof(why->what)] = "", advice[sizeof(why->advice)] = "";

	for (; *user; user++) {
		const struct refused_argument *entry = refused(*user, allow);
		ssize_t owned = owned_index(*user);
		char name[64];

		if (owned >= 0) {
			add_text(what, sizeof(what), "; ", "%s %s", *user, owned_table[owned].why);
			add_text(advice, sizeof(advice), "; ", "remove %s", *user);
		} else if (entry) {
			add_text(what, sizeof(what), "; ", "%s breaks determinism: %s", *user,
				 entry->why);
			snprintf(name, sizeof(name), "--allow %s ", entry->name);
			if (!strstr(advice, name))
				add_text(advice, sizeof(advice), "; ",
					 "%saccepts a run that may not replay, or use %s", name,
					 entry->instead);
		}
	}
	return diagnose(why, EXIT_USAGE, -EINVAL, advice, "kernel arguments are refused: %s", what);
}

int guest_arguments_check(char *const *user, const char *const *allow, struct diagnosis *why)
{
	const char *first = NULL;
	size_t count = 0;

	for (char *const *word = user; *word; word++) {
		if (!refused(*word, allow) && owned_index(*word) < 0)
			continue;
		first = first ? first : *word;
		count++;
	}
	if (count > 1)
		return refuse_all(user, allow, why);
	return count ? refuse_one(first, allow, why) : 0;
}

struct argument_list {
	char **text;
	size_t count;
};

static int list_add_socket(struct argument_list *list, uint64_t id)
{
	char *text;

	if (asprintf(&text, "time-travel=ext:%" PRIu64 ":" SANDBOX_PREFIX_MARK SANDBOX_SOCKET, id) <
	    0)
		text = NULL;
	return words_take(&list->text, &list->count, text);
}

static int list_add_device(struct argument_list *list, unsigned int number, uint32_t virtio_id)
{
	char *text;

	if (asprintf(&text,
		     "virtio_uml.device=" SANDBOX_PREFIX_MARK SANDBOX_DEVICE_SOCKET ":%" PRIu32,
		     number, virtio_id) < 0)
		text = NULL;
	return words_take(&list->text, &list->count, text);
}

/* ---- hostfs, where it is allowed ------------------------------------------------------------- */

static bool is_host_root(char *const *user)
{
	for (; *user; user++)
		if (pattern_matches("rootfstype=hostfs*", *user))
			return true;
	return false;
}

static int check_hostfs(char *const *user, const struct image_file *kernel, struct diagnosis *why)
{
	static const char name[] = "hostfs";

	if (memmem(kernel->data, kernel->size, name, strlen(name)))
		return 0;
	for (; *user; user++)
		if (pattern_matches("rootfstype=hostfs*", *user) ||
		    pattern_matches("hostfs=*", *user))
			return diagnose(why, EXIT_CANNOT, -ENOTSUP,
					"use --root DIRECTORY or --share DIRECTORY, which need no "
					"hostfs, or a kernel that has it",
					"the kernel argument %s needs hostfs, and the kernel has "
					"none: CONFIG_HOSTFS is not set",
					*user);
	return 0;
}

/* A replay has another working directory: it has to find the recorded one. */
static char *absolute_argument(char *const *user, const char *argument)
{
	static const char *const prefixes[] = { "hostfs=", "rootflags=" };
	char *path, *text;

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		size_t length = strlen(prefixes[i]);

		if (strncmp(argument, prefixes[i], length) != 0 || argument[length] == '/' ||
		    (i && !is_host_root(user)))
			continue;
		path = realpath(argument + length, NULL);
		if (!path)
			break;
		if (asprintf(&text, "%s%s", prefixes[i], path) < 0)
			text = NULL;
		free(path);
		return text;
	}
	return strdup(argument);
}

static int add_user_argument(char *const *user, const char *argument, struct image_files *files,
			     struct argument_list *list, bool *host_files, struct diagnosis *why)
{
	ssize_t index = refused_index(argument);
	int err;

	if (index >= 0)
		*host_files |= refused_table[index].host_files;
	if (!strcmp(argument, ARGUMENT_INF_CPU))
		return 0;
	if (strncmp(argument, "initrd=", 7))
		return words_take(&list->text, &list->count, absolute_argument(user, argument));
	if (image_files_find(files, GUEST_INITRD_PATH))
		return diagnose(why, EXIT_USAGE, -EINVAL, "give only one",
				"two initrd arguments; the second is %s", argument);
	err = image_files_load(files, "initrd", argument + 7, GUEST_INITRD_PATH, why);
	return err ? err
		   : words_take(&list->text, &list->count,
				strdup("initrd=" SANDBOX_PREFIX_MARK GUEST_INITRD_PATH));
}

static bool names_console(char *const *user)
{
	for (; *user; user++)
		if (pattern_matches("con#=*", *user))
			return true;
	return false;
}

static bool has_net(const struct guest_arguments_options *options)
{
	for (size_t i = 0; i < options->device_count; i++)
		if (options->device[i].virtio_id == VIRTIO_NET)
			return true;
	return false;
}

/*
 * 6.12 frees sent buffers twice when such a card is removed: "refcount_t: underflow" at power-off
 * (drivers/net/virtio_net.c, virtnet_sq_free_unused_buf).
 */
static bool may_send_without_napi(const struct image_file *kernel)
{
	char release[64];

	image_release(kernel, release, sizeof(release));
	return strncmp(release, "6.12.", 5) != 0;
}

static int add_work_cost(const struct guest_arguments_options *options,
			 const struct image_file *kernel, struct argument_list *list,
			 struct diagnosis *why)
{
	char *text;

	if (!options->work_cost || !strcmp(options->work_cost, GUEST_WORK_OFF))
		return 0;
	if (!(guest_patches(kernel) & GUEST_PATCH_WORK)) {
		if (!options->work_cost_given)
			return 0;
		return diagnose(
			why, EXIT_CANNOT, -ENOTSUP,
			"use a kernel built by kernel/uml/build-uml.sh, or remove the option",
			"the kernel does not support --work-cost %s: it lacks ttrec's patches",
			options->work_cost);
	}
	if (asprintf(&text, GUEST_WORK_PARAMETER "%s", options->work_cost) < 0)
		text = NULL;
	return words_take(&list->text, &list->count, text);
}

/*
 * Placed before the user's own arguments, which override them. A guest that does not trust its
 * random bytes derives entropy from clock reads, which cost 256 ns of virtual time each: 6.1
 * without CONFIG_RANDOM_TRUST_BOOTLOADER exchanges sixty million messages before its first read of
 * /dev/urandom returns (drivers/char/random.c, try_to_generate_entropy).
 *
 * A sent frame is done when its kick is answered, so no interrupt is needed; with NAPI for sending
 * the driver requests one for each, a fifth of all messages (drivers/net/virtio_net.c, start_xmit).
 *
 * Parameters unknown to the kernel go into the environment of init and its children. LD_BIND_NOW
 * makes the dynamic loader bind their functions before they run, as for the kernel itself
 * (sandbox_guest.c).
 */
static int add_defaults(const struct guest_arguments_options *options,
			const struct image_file *kernel, struct argument_list *list,
			struct diagnosis *why)
{
	int err = words_take(&list->text, &list->count, strdup("random.trust_cpu=on"));

	if (!err)
		err = words_take(&list->text, &list->count, strdup("random.trust_bootloader=on"));
	if (!err && has_net(options) && may_send_without_napi(kernel))
		err = words_take(&list->text, &list->count, strdup("virtio_net.napi_tx=0"));
	if (!err)
		err = add_work_cost(options, kernel, list, why);
	return err ? err : words_take(&list->text, &list->count, strdup("LD_BIND_NOW=1"));
}

/* After the user's own: the last of two equal parameters wins in UML. */
static int add_own_arguments(const struct guest_arguments_options *options,
			     struct argument_list *list)
{
	int err = 0;

	if (!names_console(options->user)) {
		err = words_take(&list->text, &list->count, strdup("con0=null,fd:1"));
		if (!err)
			err = words_take(&list->text, &list->count, strdup("con=null"));
	}
	/* Otherwise its process would execute the kernel again at a reboot, as another guest. */
	if (!err)
		err = words_take(&list->text, &list->count, strdup("noreboot"));
	if (!err)
		err = words_take(&list->text, &list->count, strdup("umid=ttrec"));
	if (!err)
		err = words_take(&list->text, &list->count,
				 strdup("uml_dir=" SANDBOX_PREFIX_MARK "/tmp/"));
	for (size_t i = 0; !err && i < options->device_count; i++)
		err = list_add_device(list, (unsigned int)i, options->device[i].virtio_id);
	return err ? err : list_add_socket(list, options->id);
}

int guest_arguments_build(const struct guest_arguments_options *options, struct image_files *files,
			  char ***arguments, bool *host_files, struct diagnosis *why)
{
	struct argument_list list = { 0 };
	char *const *user = options->user;
	int err = words_take(&list.text, &list.count, strdup("linux"));

	*host_files = false;
	if (!err)
		err = guest_arguments_check(user, options->allow, why);
	if (!err)
		err = check_hostfs(user, &files->file[0], why);
	if (!err)
		err = add_defaults(options, &files->file[0], &list, why);
	for (; !err && *user && strcmp(*user, "--"); user++)
		err = add_user_argument(options->user, *user, files, &list, host_files, why);
	if (!err)
		err = add_own_arguments(options, &list);
	/* What follows "--" is for init, although UML's own parameters are found there, too. */
	for (; !err && *user; user++)
		err = add_user_argument(options->user, *user, files, &list, host_files, why);
	if (err) {
		if (err == -ENOMEM)
			diagnose(why, EXIT_CANNOT, err, NULL, "out of memory");
		guest_arguments_free(list.text);
		return err;
	}
	*arguments = list.text;
	return 0;
}

void guest_arguments_free(char **arguments)
{
	for (char **argument = arguments; argument && *argument; argument++)
		free(*argument);
	free(arguments);
}

const struct refused_argument *guest_argument_allowed(const char *argument)
{
	ssize_t index = refused_index(argument);

	/* The sandbox's own arguments are recognised by their position. */
	return index < 0 || strstr(argument, SANDBOX_PREFIX_MARK) ? NULL
								  : &refused_table[index].refused;
}
