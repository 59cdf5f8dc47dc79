// SPDX-License-Identifier: BSD-3-Clause
/* The tree of a share: names, numbers, contents, and a directory of the host as its source. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "recorder/share/tree_host.h"

#define BLOCK 65536u /* what is copied at a write */

static const struct tree_attr directory_attr = { .mode = S_IFDIR | 0755 };
static const struct tree_attr file_attr = { .mode = S_IFREG | 0644 };

static struct tree *tree;
static struct tree_node *root;

static int open_empty(void **state)
{
	(void)state;
	assert_int_equal(tree_create(&directory_attr, &tree), 0);
	root = tree_root(tree);
	return 0;
}

static int close_tree(void **state)
{
	(void)state;
	tree_destroy(tree);
	return 0;
}

static struct tree_node *add(struct tree_node *directory, const char *name,
			     const struct tree_attr *attr)
{
	struct tree_node *node;

	assert_int_equal(tree_add(tree, directory, name, attr, NULL, &node), 0);
	return node;
}

static struct tree_node *find(struct tree_node *directory, const char *name)
{
	struct tree_node *node;

	return tree_find(tree, directory, name, &node) ? NULL : node;
}

/* The names in @directory, in order, with blanks between. */
static const char *names(struct tree_node *directory)
{
	static char text[4096];
	const struct tree_entry *entry;
	uint64_t position = 0;

	*text = 0;
	while (!tree_next(tree, directory, position, &entry) && entry) {
		strcat(strcat(text, *text ? " " : ""), entry->name);
		position = entry->position;
	}
	return text;
}

/* ---- Names ---------------------------------------------------------------------------------- */

static void names_are_checked(void **state)
{
	static const char *const wrong[] = { "", ".", "..", "a/b", "/" };
	char name[TREE_NAME_MAX + 2] = "";
	struct tree_node *node;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(tree_add(tree, root, wrong[i], &file_attr, NULL, &node), -EINVAL);
	memset(name, 'x', TREE_NAME_MAX + 1);
	assert_int_equal(tree_add(tree, root, name, &file_attr, NULL, &node), -ENAMETOOLONG);
	name[TREE_NAME_MAX] = 0;
	add(root, name, &file_attr);
	assert_int_equal(tree_add(tree, root, name, &file_attr, NULL, &node), -EEXIST);
	add(root, "\xff\x80 \n", &file_attr);
	assert_non_null(find(root, "\xff\x80 \n"));
	assert_int_equal(tree_find(tree, find(root, name), "x", &node), -ENOTDIR);
	assert_int_equal(
		tree_add(tree, root, "link", &(struct tree_attr){ .mode = S_IFLNK }, "", &node),
		-EINVAL);
	assert_int_equal(tree_add(tree, root, "odd", &(struct tree_attr){ .mode = 0 }, NULL, &node),
			 -EINVAL);
}

/* An entry that is removed while a directory is listed moves no other. */
static void listing_goes_on(void **state)
{
	const struct tree_entry *entry;

	(void)state;
	for (char name[] = "a"; *name < 'f'; ++*name)
		add(root, name, &file_attr);
	assert_int_equal(tree_next(tree, root, 0, &entry), 0);
	assert_int_equal(tree_next(tree, root, entry->position, &entry), 0);
	assert_string_equal(entry->name, "b");
	assert_int_equal(tree_remove(tree, root, "a"), 0);
	assert_int_equal(tree_remove(tree, root, "c"), 0);
	add(root, "aa", &file_attr);
	assert_int_equal(tree_next(tree, root, 2, &entry), 0);
	assert_string_equal(entry->name, "d");
	assert_string_equal(names(root), "b d e aa");
}

static void links(void **state)
{
	struct tree_node *node = add(root, "one", &file_attr);

	(void)state;
	assert_int_equal(tree_add_link(tree, root, "two", node), 0);
	assert_int_equal(node->links, 2);
	assert_ptr_equal(find(root, "two"), node);
	assert_int_equal(tree_remove(tree, root, "one"), 0);
	assert_int_equal(node->links, 1);
	assert_int_equal(tree_add_link(tree, root, "three", root), -EPERM);
	/* Both names are of one file: nothing happens. */
	assert_int_equal(tree_add_link(tree, root, "one", node), 0);
	assert_int_equal(tree_rename(tree, root, "one", root, "two", TREE_REPLACE), 0);
	assert_string_equal(names(root), "two one");
}

static void removal(void **state)
{
	struct tree_node *directory = add(root, "d", &directory_attr);
	struct tree_node *node, *file = add(directory, "f", &file_attr);

	(void)state;
	assert_int_equal(tree_remove(tree, root, "d"), -ENOTEMPTY);
	assert_int_equal(tree_remove(tree, directory, "f"), 0);
	assert_int_equal(tree_remove(tree, directory, "f"), -ENOENT);
	tree_number(tree, directory);
	tree_hold(directory);
	assert_int_equal(tree_remove(tree, root, "d"), 0);
	/* It is still held, and takes no names. */
	assert_int_equal(tree_add(tree, directory, "f", &file_attr, NULL, &node), -ENOENT);
	file = add(root, "f", &file_attr);
	assert_int_equal(tree_rename(tree, root, "f", directory, "f", TREE_REPLACE), -ENOENT);
	assert_int_equal(tree_add_link(tree, directory, "g", file), -ENOENT);
	assert_ptr_equal(tree_numbered(tree, directory->number), directory);
	tree_forget(tree, directory, 5);
	assert_null(tree_numbered(tree, 2));
}

static void renames(void **state)
{
	struct tree_node *a = add(root, "a", &directory_attr), *b = add(a, "b", &directory_attr);
	struct tree_node *file = add(b, "file", &file_attr), *other = add(root, "o", &file_attr);

	(void)state;
	assert_int_equal(tree_rename(tree, root, "a", b, "a", TREE_REPLACE), -EINVAL);
	assert_int_equal(tree_rename(tree, root, "a", a, "a", TREE_REPLACE), -EINVAL);
	assert_int_equal(tree_rename(tree, root, "x", b, "a", TREE_REPLACE), -ENOENT);
	assert_int_equal(tree_rename(tree, root, "a", root, "o", TREE_REPLACE), -ENOTDIR);
	assert_int_equal(tree_rename(tree, root, "o", root, "a", TREE_REPLACE), -EISDIR);
	assert_int_equal(tree_rename(tree, b, "file", root, "o", TREE_NOREPLACE), -EEXIST);
	assert_int_equal(tree_rename(tree, root, "o", b, "file", TREE_EXCHANGE), 0);
	assert_ptr_equal(find(root, "o"), file);
	assert_ptr_equal(find(b, "file"), other);
	assert_int_equal(tree_rename(tree, root, "o", root, "a", TREE_EXCHANGE), 0);
	assert_ptr_equal(find(root, "o"), a);
	assert_int_equal(tree_rename(tree, root, "a", a, "a", TREE_REPLACE), 0);
	assert_string_equal(names(root), "o");
	assert_int_equal(tree_rename(tree, b, "file", a, "a", TREE_REPLACE), 0);
	assert_ptr_equal(find(a, "a"), other);
	assert_int_equal(tree_rename(tree, root, "o", a, "b", TREE_EXCHANGE), -EINVAL);
	/* A directory moves up, with what is in it. */
	assert_int_equal(tree_rename(tree, a, "b", root, "b", TREE_REPLACE), 0);
	assert_ptr_equal(b->parent, root);
	assert_int_equal(tree_rename(tree, root, "o", b, "in", TREE_REPLACE), 0);
}

static void changes_are_dated(void **state)
{
	const struct timespec now = { 100, 5 }, later = { 200, 0 };
	struct tree_node *node = add(root, "undated", &file_attr);

	(void)state;
	assert_int_equal(root->attr.mtime.tv_sec, 0);
	tree_set_time(tree, &now);
	node = add(root, "a", &file_attr);
	assert_int_equal(root->attr.mtime.tv_sec, 100);
	assert_int_equal(root->attr.ctime.tv_nsec, 5);
	tree_set_time(tree, &later);
	assert_int_equal(tree_write(tree, node, 0, "x", 1), 0);
	assert_int_equal(node->attr.mtime.tv_sec, 200);
	assert_int_equal(root->attr.mtime.tv_sec, 100);
}

static void numbers(void **state)
{
	struct tree_node *a = add(root, "a", &file_attr), *b = add(root, "b", &file_attr);

	(void)state;
	assert_int_equal(root->number, 1);
	assert_int_equal(tree_number(tree, b), 0);
	assert_int_equal(tree_number(tree, a), 0);
	assert_int_equal(tree_number(tree, b), 0);
	assert_int_equal(b->number, 2);
	assert_int_equal(a->number, 3);
	assert_null(tree_numbered(tree, 0));
	assert_null(tree_numbered(tree, 4));
	assert_null(tree_numbered(tree, UINT64_MAX));
	tree_hold(a);
	tree_hold(a);
	assert_int_equal(tree_remove(tree, root, "a"), 0);
	tree_forget(tree, a, 1);
	assert_ptr_equal(tree_numbered(tree, 3), a);
	tree_forget_all(tree);
	assert_null(tree_numbered(tree, 3));
	/* A number is not given again. */
	a = add(root, "a", &file_attr);
	assert_int_equal(tree_number(tree, a), 0);
	assert_int_equal(a->number, 4);
}

/* ---- Content -------------------------------------------------------------------------------- */

static void expect_content(struct tree_node *node, uint64_t offset, size_t size,
			   const uint8_t *wanted, size_t wanted_size)
{
	uint8_t *data = malloc(size + 1);

	assert_int_equal(tree_read(tree, node, offset, data, size), wanted_size);
	assert_memory_equal(data, wanted, wanted_size);
	free(data);
}

static void content(void **state)
{
	struct tree_node *node = add(root, "f", &file_attr);
	uint8_t zeros[16] = { 0 };
	char data[16];

	(void)state;
	assert_int_equal(tree_read(tree, node, 0, data, 16), 0);
	assert_int_equal(tree_write(tree, node, 5, "hello", 5), 0);
	assert_int_equal(node->attr.size, 10);
	expect_content(node, 0, 16, (const uint8_t *)"\0\0\0\0\0hello", 10);
	assert_int_equal(tree_write(tree, node, 1ULL << 40, "x", 1), 0);
	expect_content(node, (1ULL << 40) - 4, 16, (const uint8_t *)"\0\0\0\0x", 5);
	expect_content(node, 1ULL << 39, 16, zeros, 16);
	/* What was cut away does not come back. */
	assert_int_equal(tree_resize(tree, node, 7), 0);
	assert_int_equal(tree_resize(tree, node, 12), 0);
	expect_content(node, 0, 16, (const uint8_t *)"\0\0\0\0\0he\0\0\0\0\0", 12);
	assert_int_equal(tree_write(tree, node, UINT64_MAX, "x", 1), -EFBIG);
	assert_int_equal(tree_write(tree, node, INT64_MAX, "x", 1), -EFBIG);
	assert_int_equal(tree_resize(tree, node, UINT64_MAX), -EFBIG);
	assert_int_equal(tree_write(tree, root, 0, "x", 1), -EISDIR);
	assert_int_equal(tree_read(tree, root, 0, data, 1), -EISDIR);
}

/* A file as an array of bytes, beside one with a base. */
#define MODEL (4 * BLOCK + 100)

static uint8_t model[MODEL + BLOCK];
static uint64_t model_size;

static struct tree_node *add_range(const char *name, size_t offset, size_t size)
{
	struct tree_node *node = add(root, name, &file_attr);
	char path[] = "/tmp/test_tree.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	for (size_t i = 0; i < MODEL; i++)
		model[i] = (uint8_t)(i * 7 + i / 251);
	assert_int_equal(write(fd, model, MODEL), MODEL);
	tree_set_archive(tree, fd);
	assert_int_equal(tree_set_range(tree, node, offset, size), 0);
	memmove(model, model + offset, size);
	memset(model + size, 0, sizeof(model) - size);
	model_size = size;
	return node;
}

static uint32_t draw(uint32_t below)
{
	static uint32_t value = 1;

	value = value * 1664525 + 1013904223;
	return (value >> 8) % below;
}

static void act(struct tree_node *node)
{
	static uint8_t data[2 * BLOCK];
	uint32_t offset = draw(MODEL), size = draw(draw(4) ? 200 : 2 * BLOCK);

	size = offset + size > sizeof(model) ? (uint32_t)sizeof(model) - offset : size;
	switch (draw(5)) {
	case 0:
		assert_int_equal(tree_resize(tree, node, offset), 0);
		if (offset < model_size)
			memset(model + offset, 0, model_size - offset);
		model_size = offset;
		break;
	case 1:
		assert_int_equal(tree_zero(tree, node, offset, size), 0);
		memset(model + offset, 0, size);
		break;
	default:
		memset(data, (int)draw(256), size);
		assert_int_equal(tree_write(tree, node, offset, data, size), 0);
		memcpy(model + offset, data, size);
		if (size && offset + size > model_size)
			model_size = offset + size;
	}
}

static void content_with_base(void **state)
{
	struct tree_node *node;

	(void)state;
	for (unsigned int round = 0; round < 20; round++) {
		char name[16];

		snprintf(name, sizeof(name), "f%u", round);
		node = add_range(name, draw(100), MODEL - 100 - draw(BLOCK));
		for (unsigned int i = 0; i < 40; i++) {
			act(node);
			assert_int_equal(node->attr.size, model_size);
			expect_content(node, 0, MODEL + BLOCK, model, model_size);
		}
		assert_int_equal(tree_remove(tree, root, name), 0);
	}
}

/* ---- The host ------------------------------------------------------------------------------- */

static char place[] = "/tmp/test_tree.XXXXXX";
static char reported[1024];

static void note(void *user, const char *path, const char *what)
{
	(void)user;
	snprintf(reported + strlen(reported), sizeof(reported) - strlen(reported), "%s %s\n", path,
		 what);
}

static void put(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0640);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static int open_host(void **state)
{
	(void)state;
	strcpy(strrchr(place, '.'), ".XXXXXX");
	assert_non_null(mkdtemp(place));
	assert_int_equal(chdir(place), 0);
	put("zebra", "stripes");
	put("apple", "");
	put("bad\xff", "x");
	assert_int_equal(mkdir("dir", 0700), 0);
	put("dir/inner", "deep");
	assert_int_equal(link("dir/inner", "dir/outer"), 0);
	assert_int_equal(symlink("/etc/passwd", "out"), 0);
	assert_int_equal(symlink("dir/../dir", "lnk"), 0);
	assert_int_equal(mkfifo("pipe", 0600), 0);
	*reported = 0;
	assert_int_equal(tree_host_open(place, false, &tree), 0);
	tree_host_set_report(tree, note, NULL);
	root = tree_root(tree);
	return 0;
}

static int close_host(void **state)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", place);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(system(command), 0);
	return close_tree(state);
}

static void host_directory(void **state)
{
	struct tree_node *dir, *inner;

	(void)state;
	assert_string_equal(names(root), "apple bad\xff dir lnk out pipe zebra");
	assert_string_equal(find(root, "out")->target, "/etc/passwd");
	assert_int_equal(find(root, "out")->attr.size, strlen("/etc/passwd"));
	expect_content(find(root, "zebra"), 0, 100, (const uint8_t *)"stripes", 7);
	expect_content(find(root, "apple"), 0, 100, NULL, 0);
	assert_int_equal(find(root, "zebra")->attr.uid, 0);
	assert_int_equal(find(root, "zebra")->attr.mode, S_IFREG | 0640);
	dir = find(root, "dir");
	inner = find(dir, "inner");
	assert_ptr_equal(find(dir, "outer"), inner);
	assert_int_equal(inner->links, 2);
	expect_content(inner, 1, 2, (const uint8_t *)"ee", 2);
	assert_string_equal(reported, "");
}

/* A directory is read once; the tree is the truth from then on. */
static void host_is_read_once(void **state)
{
	(void)state;
	assert_non_null(find(root, "zebra"));
	put("new", "");
	assert_null(find(root, "new"));
	/* Its own name was known, its entries were not. */
	put("dir/new", "");
	assert_string_equal(names(find(root, "dir")), "inner new outer");
}

static void host_is_not_written(void **state)
{
	struct tree_node *zebra = find(root, "zebra"), *node;
	char text[16] = "";
	int fd;

	(void)state;
	assert_int_equal(tree_write(tree, zebra, 0, "S", 1), 0);
	expect_content(zebra, 0, 100, (const uint8_t *)"Stripes", 7);
	assert_int_equal(tree_rename(tree, root, "zebra", find(root, "dir"), "z", TREE_REPLACE), 0);
	assert_int_equal(tree_remove(tree, root, "apple"), 0);
	assert_int_equal(
		tree_add(tree, root, "null", &(struct tree_attr){ .mode = S_IFCHR }, NULL, &node),
		0);
	fd = open("zebra", O_RDONLY);
	assert_int_equal(read(fd, text, sizeof(text)), 7);
	close(fd);
	assert_string_equal(text, "stripes");
	assert_int_equal(access("apple", F_OK), 0);
	assert_int_equal(access("null", F_OK), -1);
}

static void host_changes_are_reported(void **state)
{
	struct tree_node *zebra = find(root, "zebra"), *bad = find(root, "bad\xff");
	char data[16];

	(void)state;
	put("zebra", "spots");
	assert_int_equal(tree_read(tree, zebra, 0, data, sizeof(data)), 7);
	assert_memory_equal(data, "spots\0\0", 7);
	assert_int_equal(tree_read(tree, zebra, 0, data, sizeof(data)), 7);
	assert_string_equal(reported, "zebra was changed while it was used\n");
	unlink("bad\xff");
	assert_int_equal(symlink("/etc/passwd", "bad\xff"), 0);
	*reported = 0;
	assert_int_equal(tree_read(tree, bad, 0, data, 1), -EIO);
	assert_int_equal(tree_read(tree, bad, 0, data, 1), -EIO);
	assert_string_equal(reported, "bad\xff cannot be read\n");
}

/* A directory is replaced by a link that leads out. */
static void host_is_not_left(void **state)
{
	struct tree_node *dir = find(root, "dir"), *inner = find(dir, "inner"), *node;
	char data[16];

	(void)state;
	assert_int_equal(rename("dir", "moved"), 0);
	assert_int_equal(symlink("/etc", "dir"), 0);
	assert_int_equal(tree_read(tree, inner, 0, data, 1), -EIO);
	tree_destroy(tree);
	assert_int_equal(tree_host_open(place, false, &tree), 0);
	root = tree_root(tree);
	assert_true(S_ISLNK(find(root, "dir")->attr.mode));
	assert_int_equal(tree_find(tree, find(root, "dir"), "passwd", &node), -ENOTDIR);
}

/* Of a directory with a link that cannot be read the rest is there. */
static void links_that_cannot_be_read(void **state)
{
	char target[16];

	(void)state;
	if (access("/proc/2", X_OK) || readlink("/proc/2/exe", target, sizeof(target)) >= 0)
		skip();
	tree_destroy(tree);
	assert_int_equal(tree_host_open("/proc/2", false, &tree), 0);
	tree_host_set_report(tree, note, NULL);
	root = tree_root(tree);
	assert_non_null(find(root, "status"));
	assert_null(find(root, "exe"));
	assert_string_equal(reported, ". has a link that cannot be read\n");
}

static void expect_file(const char *path, const char *wanted)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) >= 0);
	close(fd);
	assert_string_equal(text, wanted);
}

/* The same tree, with changes that go to the directory. */
static void open_through(void)
{
	tree_destroy(tree);
	assert_int_equal(tree_host_open(place, true, &tree), 0);
	tree_host_set_report(tree, note, NULL);
	root = tree_root(tree);
}

static void changes_go_through(void **state)
{
	struct tree_attr attr = { .mode = S_IFREG | 0600 };
	struct tree_node *dir, *node, *zebra;
	struct stat status;

	(void)state;
	open_through();
	dir = find(root, "dir");
	zebra = find(root, "zebra");
	node = add(dir, "new", &attr);
	assert_int_equal(tree_write(tree, node, 2, "xy", 2), 0);
	assert_int_equal(tree_resize(tree, node, 3), 0);
	expect_content(node, 0, 9, (const uint8_t *)"\0\0x", 3);
	assert_int_equal(tree_zero(tree, node, 0, 1), -EOPNOTSUPP);
	attr.mode = S_IFREG | 0751;
	attr.size = node->attr.size;
	assert_int_equal(tree_set_attr(tree, node, &attr), 0);
	assert_int_equal(stat("dir/new", &status), 0);
	assert_true(status.st_mode == (S_IFREG | 0751) && status.st_size == 3);
	/* What is in a directory moves with it. */
	assert_int_equal(tree_rename(tree, root, "dir", root, "moved", TREE_NOREPLACE), 0);
	assert_int_equal(tree_write(tree, node, 0, "in", 2), 0);
	expect_file("moved/new", "inx");
	assert_int_equal(tree_rename(tree, root, "zebra", dir, "new", TREE_EXCHANGE), 0);
	assert_int_equal(tree_write(tree, zebra, 0, "S", 1), 0);
	expect_file("moved/new", "Stripes");
	expect_file("zebra", "inx");
	assert_string_equal(reported, "");
	/* What the host refuses is not done. */
	assert_int_equal(mkdir("apples", 0700), 0);
	assert_int_equal(tree_add(tree, root, "apples", &directory_attr, NULL, &node), -EEXIST);
	assert_null(find(root, "apples"));
	assert_int_equal(tree_remove(tree, root, "zebra"), 0);
	assert_int_equal(access("zebra", F_OK), -1);
}

/* Names of one file, of which some go, and a file that the guest has open when its name goes. */
static void names_go_through(void **state)
{
	struct tree_node *dir, *inner, *zebra;

	(void)state;
	open_through();
	dir = find(root, "dir");
	inner = find(dir, "inner");
	assert_int_equal(tree_remove(tree, dir, "inner"), 0);
	assert_int_equal(tree_write(tree, inner, 0, "D", 1), 0);
	expect_file("dir/outer", "Deep");
	assert_int_equal(tree_add_link(tree, root, "third", inner), 0);
	assert_int_equal(tree_remove(tree, dir, "outer"), 0);
	assert_int_equal(tree_write(tree, inner, 4, "er", 2), 0);
	expect_file("third", "Deeper");
	zebra = find(root, "zebra");
	tree_hold(zebra);
	assert_int_equal(tree_remove(tree, root, "zebra"), 0);
	expect_content(zebra, 0, 9, (const uint8_t *)"stripes", 7);
	assert_int_equal(tree_write(tree, zebra, 0, "S", 1), 0);
	expect_content(zebra, 0, 9, (const uint8_t *)"Stripes", 7);
	/* A new file of that name is another one. */
	put("zebra", "host");
	assert_int_equal(tree_add_link(tree, root, "again", zebra), -ENOENT);
	tree_forget(tree, zebra, 1);
	expect_file("zebra", "host");
	assert_string_equal(reported, "");
}

static void what_cannot_be_shared(void **state)
{
	struct tree *other;

	(void)state;
	assert_int_equal(tree_host_open("zebra", false, &other), -ENOTDIR);
	assert_int_equal(tree_host_open("nothing", false, &other), -ENOENT);
	if (!geteuid())
		return;
	assert_int_equal(chmod("dir", 0600), 0);
	assert_int_equal(tree_host_open("dir", false, &other), -EACCES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names_are_checked, open_empty, close_tree),
		cmocka_unit_test_setup_teardown(listing_goes_on, open_empty, close_tree),
		cmocka_unit_test_setup_teardown(links, open_empty, close_tree),
		cmocka_unit_test_setup_teardown(removal, open_empty, close_tree),
		cmocka_unit_test_setup_teardown(renames, open_empty, close_tree),
		cmocka_unit_test_setup_teardown(changes_are_dated, open_empty, close_tree),
		cmocka_unit_test_setup_teardown(numbers, open_empty, close_tree),
		cmocka_unit_test_setup_teardown(content, open_empty, close_tree),
		cmocka_unit_test_setup_teardown(content_with_base, open_empty, close_tree),
		cmocka_unit_test_setup_teardown(host_directory, open_host, close_host),
		cmocka_unit_test_setup_teardown(host_is_read_once, open_host, close_host),
		cmocka_unit_test_setup_teardown(host_is_not_written, open_host, close_host),
		cmocka_unit_test_setup_teardown(host_changes_are_reported, open_host, close_host),
		cmocka_unit_test_setup_teardown(host_is_not_left, open_host, close_host),
		cmocka_unit_test_setup_teardown(links_that_cannot_be_read, open_host, close_host),
		cmocka_unit_test_setup_teardown(changes_go_through, open_host, close_host),
		cmocka_unit_test_setup_teardown(names_go_through, open_host, close_host),
		cmocka_unit_test_setup_teardown(what_cannot_be_shared, open_host, close_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
