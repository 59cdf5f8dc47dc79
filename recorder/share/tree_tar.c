// SPDX-License-Identifier: BSD-3-Clause
/* A tar archive as the source of a tree. */
#include "recorder/share/tree_tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "format/base/cleanup.h"
#include "format/base/transfer.h"

#define READ_SIZE (256u * 1024)

struct tar {
	const char *path;
	struct archive *archive;
	struct tree *tree;
	int spool;
	uint64_t size; /* of the spool */
	locale_t locale, before;
	struct diagnosis *why;
};

/* ---- Messages ------------------------------------------------------------------------------- */

static int refuse(struct tar *tar, const char *name, const char *what)
{
	return diagnose(tar->why, EXIT_CANNOT, -EINVAL,
			"make it again, such as with `podman export` or tar --numeric-owner",
			"cannot use the archive %s: '%.120s' %s", tar->path, name, what);
}

static int archive_problem(struct tar *tar)
{
	const char *what = archive_error_string(tar->archive);
	int err = archive_errno(tar->archive);

	if (err == ENOMEM)
		return -ENOMEM;
	return diagnose(tar->why, EXIT_CANNOT, -EINVAL,
			"give a tar archive that is complete, such as `podman export` writes",
			"cannot read the archive %s: %s", tar->path, what ?: "it is damaged");
}

/* ---- Names ---------------------------------------------------------------------------------- */

/* The next part of *@path, which moves behind it: NULL at the end; "." and "" are no parts. */
static char *next_part(char **path)
{
	char *part;

	do
		part = strsep(path, "/");
	while (part && (!*part || !strcmp(part, ".")));
	return part;
}

/* What an archive does not say of a directory that its names lead through. */
static const struct tree_attr directory_attr = { .mode = S_IFDIR | 0755 };

static int enter(struct tar *tar, struct tree_node *directory, const char *part,
		 struct tree_node **node)
{
	int err = tree_find(tar->tree, directory, part, node);

	if (err == -ENOENT)
		err = tree_add(tar->tree, directory, part, &directory_attr, NULL, node);
	return err;
}

/*
 * The directory of @name and its last part, in @name, which is changed; *@last is NULL for the
 * root.
 */
static int find_place(struct tar *tar, const char *shown, char *name, struct tree_node **directory,
		      char **last)
{
	char *rest = name, *part;
	int err = 0;

	*directory = tree_root(tar->tree);
	*last = next_part(&rest);
	while (!err && *last && (part = next_part(&rest))) {
		if (!strcmp(*last, ".."))
			break;
		err = enter(tar, *directory, *last, directory);
		if (!err && !S_ISDIR((*directory)->attr.mode))
			return refuse(tar, shown, "leads through what is not a directory");
		*last = part;
	}
	if (*last && !strcmp(*last, ".."))
		return refuse(tar, shown, "leads out of it");
	if (err == -ENAMETOOLONG || (*last && strlen(*last) > TREE_NAME_MAX))
		return refuse(tar, shown, "has a part of more than 255 bytes");
	return err;
}

/* ---- Entries -------------------------------------------------------------------------------- */

static struct tree_attr attr_of(struct archive_entry *entry)
{
	struct tree_attr attr = {
		.mode = archive_entry_filetype(entry) | (archive_entry_perm(entry) & 07777),
		.uid = (uint32_t)archive_entry_uid(entry),
		.gid = (uint32_t)archive_entry_gid(entry),
		.mtime = { .tv_sec = archive_entry_mtime(entry),
			   .tv_nsec = archive_entry_mtime_nsec(entry) },
	};
	uint32_t major = (uint32_t)archive_entry_rdevmajor(entry);
	uint32_t minor = (uint32_t)archive_entry_rdevminor(entry);

	attr.atime = attr.ctime = attr.mtime;
	if (S_ISCHR(attr.mode) || S_ISBLK(attr.mode))
		attr.device = (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
	return attr;
}

/* At its offset in the spool: what is between blocks is a hole. */
static int spool_block(struct tar *tar, const void *data, size_t size, int64_t offset)
{
	off_t at = (off_t)tar->size + offset;

	return transfer_all(data, size, pwrite(tar->spool, place, left, at + (off_t)(size - left)));
}

static int spool_content(struct tar *tar, const char *name, uint64_t size)
{
	int64_t offset;
	const void *data;
	size_t count;
	int got, err = 0;

	while (!err && (got = archive_read_data_block(tar->archive, &data, &count, &offset)) !=
			       ARCHIVE_EOF) {
		if (got < ARCHIVE_WARN || got == ARCHIVE_RETRY)
			return archive_problem(tar);
		if (offset < 0 || (uint64_t)offset > size || count > size - (uint64_t)offset)
			return refuse(tar, name, "has more content than its size says");
		err = spool_block(tar, data, count, offset);
	}
	if (!err && ftruncate(tar->spool, (off_t)(tar->size + size)))
		err = -errno;
	return err;
}

static int add_content(struct tar *tar, const char *name, struct tree_node *node, int64_t size)
{
	int err;

	if (size < 0 || (uint64_t)size > (uint64_t)INT64_MAX - tar->size)
		return refuse(tar, name, "has an impossible size");
	if (!size)
		return 0;
	err = spool_content(tar, name, (uint64_t)size);
	if (!err)
		err = tree_set_range(tar->tree, node, tar->size, (uint64_t)size);
	tar->size += (uint64_t)size;
	return err;
}

/* Of several entries with a name the last counts; what a directory has remains. */
static int make_room(struct tar *tar, const char *name, struct tree_node *directory,
		     const char *last, const struct tree_attr *attr, bool *done)
{
	struct tree_node *there;
	int err = tree_find(tar->tree, directory, last, &there);

	*done = false;
	if (err)
		return err == -ENOENT ? 0 : err;
	if (attr && S_ISDIR(there->attr.mode) && S_ISDIR(attr->mode)) {
		there->attr = *attr;
		*done = true;
		return 0;
	}
	err = tree_remove(tar->tree, directory, last);
	return err == -ENOTEMPTY ? refuse(tar, name, "replaces a directory that is not empty")
				 : err;
}

static int add_hard_link(struct tar *tar, const char *name, struct tree_node *directory,
			 const char *last, const char *target)
{
	auto_free char *copy = strdup(target);
	struct tree_node *where, *node = NULL;
	char *target_last;
	bool done;
	int err = copy ? find_place(tar, target, copy, &where, &target_last) : -ENOMEM;

	if (!err)
		err = target_last ? tree_find(tar->tree, where, target_last, &node) : -ENOENT;
	if (err == -ENOENT || (!err && S_ISDIR(node->attr.mode)))
		return refuse(tar, name, "is a hard link to something that is not a file of it");
	/* A link to itself is there already. */
	if (err || (where == directory && !strcmp(target_last, last)))
		return err;
	err = make_room(tar, name, directory, last, NULL, &done);
	return err ? err : tree_add_link(tar->tree, directory, last, node);
}

static bool is_known_type(mode_t mode)
{
	return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode) || S_ISCHR(mode) || S_ISBLK(mode) ||
	       S_ISFIFO(mode) || S_ISSOCK(mode);
}

static int add_node(struct tar *tar, const char *name, struct tree_node *directory,
		    const char *last, struct archive_entry *entry)
{
	const struct tree_attr attr = attr_of(entry);
	const char *target = archive_entry_symlink(entry);
	struct tree_node *node;
	bool done;
	int err;

	if (!is_known_type(attr.mode))
		return refuse(tar, name, "is of an unknown type");
	if (S_ISLNK(attr.mode) && (!target || !*target))
		return refuse(tar, name, "is a symbolic link to nothing");
	err = make_room(tar, name, directory, last, &attr, &done);
	if (err || done)
		return err;
	err = tree_add(tar->tree, directory, last, &attr, S_ISLNK(attr.mode) ? target : NULL,
		       &node);
	if (err == -ENAMETOOLONG || err == -EINVAL)
		return refuse(tar, name, "has a target that is too long");
	if (!err && S_ISREG(attr.mode))
		err = add_content(tar, name, node, archive_entry_size(entry));
	return err;
}

static int add_entry(struct tar *tar, struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry), *link = archive_entry_hardlink(entry);
	auto_free char *copy = name ? strdup(name) : NULL;
	struct tree_node *directory;
	char *last;
	int err;

	if (!name)
		return refuse(tar, "?", "has a name that cannot be read");
	if (!copy)
		return -ENOMEM;
	err = find_place(tar, name, copy, &directory, &last);
	if (err)
		return err;
	if (!last && !S_ISDIR(archive_entry_filetype(entry)))
		return refuse(tar, name, "is not a valid name");
	if (!last)
		tree_root(tar->tree)->attr = attr_of(entry);
	else if (link)
		err = add_hard_link(tar, name, directory, last, link);
	else
		err = add_node(tar, name, directory, last, entry);
	return err;
}

/* ---- The archive ---------------------------------------------------------------------------- */

/* Without filters that are programs of this machine. */
static int open_archive(const char *path, struct archive **archive)
{
	*archive = archive_read_new();
	if (!*archive)
		return -ENOMEM;
	archive_read_support_filter_gzip(*archive);
	archive_read_support_filter_bzip2(*archive);
	archive_read_support_filter_xz(*archive);
	archive_read_support_filter_zstd(*archive);
	archive_read_support_filter_lz4(*archive);
	archive_read_support_format_tar(*archive);
	return archive_read_open_filename(*archive, path, READ_SIZE) == ARCHIVE_OK ? 0 : -EINVAL;
}

/* Names in archives are bytes or UTF-8: in this locale libarchive leaves both as they are. */
static void use_locale(struct tar *tar)
{
	tar->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
	if (tar->locale)
		tar->before = uselocale(tar->locale);
}

static void restore_locale(struct tar *tar)
{
	if (!tar->locale)
		return;
	uselocale(tar->before);
	freelocale(tar->locale);
}

/* Where there is more room than in memory. */
static int open_spool(void)
{
	const char *directory = getenv("TMPDIR");
	int fd = open(directory && *directory ? directory : "/var/tmp",
		      O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		fd = memfd_create("archive", MFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int read_entries(struct tar *tar)
{
	struct archive_entry *entry;
	int got = ARCHIVE_OK, err = 0;

	while (!err) {
		got = archive_read_next_header(tar->archive, &entry);
		if (got == ARCHIVE_EOF)
			return 0;
		if (got < ARCHIVE_WARN || got == ARCHIVE_RETRY)
			return archive_problem(tar);
		err = add_entry(tar, entry);
	}
	return err;
}

static int fill_tree(struct tar *tar)
{
	int err = open_archive(tar->path, &tar->archive);

	if (err)
		return err == -ENOMEM ? err : archive_problem(tar);
	tar->spool = open_spool();
	if (tar->spool < 0)
		return tar->spool;
	err = tree_create(&directory_attr, &tar->tree);
	return err ? err : read_entries(tar);
}

int tree_tar_open(const char *path, struct tree **tree, struct diagnosis *why)
{
	struct tar tar = { .path = path, .spool = -1, .why = why };
	int err;

	use_locale(&tar);
	err = fill_tree(&tar);
	restore_locale(&tar);
	archive_read_free(tar.archive);
	if (err && tar.tree)
		tree_destroy(tar.tree);
	if (!err) {
		tree_set_archive(tar.tree, take_fd(&tar.spool));
		*tree = tar.tree;
	}
	close_fd(&tar.spool);
	return err;
}

bool tree_tar_probe(const char *path)
{
	struct archive_entry *entry;
	struct archive *archive;
	bool is_tar = !open_archive(path, &archive);
	int got = is_tar ? archive_read_next_header(archive, &entry) : ARCHIVE_FATAL;

	archive_read_free(archive);
	return got == ARCHIVE_OK || got == ARCHIVE_WARN;
}
