// SPDX-License-Identifier: BSD-3-Clause
/* The memory of a guest as an ELF core, for debuggers. */
#include "kernel/guest/guest_core.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "format/base/transfer.h"
#include "format/base/array.h"
#include "format/base/cleanup.h"
#include "format/base/write_error.h"
#include "kernel/host/mapping.h"
#include "kernel/memory/memory_map.h"

#define CHUNK_SIZE (1u << 20)
/*
 * Segments of the core, one per mapping of the process: Linux allows 65530 mappings, and this is
 * the limit of e_phnum.
 */
#define AREAS_MAX (PN_XNUM - 2)
#define AUXV_MAX  1024
#define NOTES_MAX 4096

#define NOTE_NAME "CORE"
/* Sizes in notes are rounded up to this, bytes. */
#define NOTE_ALIGN 4

struct area {
	uint64_t begin, end;
	uint32_t flags;
	bool physical;
	uint64_t offset; /* in the guest's physical memory */
};

struct core {
	pid_t pid;
	int fd;
	int ram_fd; /* the guest's physical memory; -1 when it has none yet */
	ino_t ram_inode;
	struct area *area;
	size_t area_count;
	struct elf_prstatus status;
	uint8_t auxv[AUXV_MAX];
	uint8_t notes[NOTES_MAX];
	size_t notes_size;
	uint8_t *chunk;
};

/* ---- The process ----------------------------------------------------------------------------- */

static int stop_process(pid_t pid)
{
	int status;

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) || ptrace(PTRACE_INTERRUPT, pid, NULL, NULL))
		return -errno;
	while (waitpid(pid, &status, __WALL) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFSTOPPED(status) ? 0 : -ESRCH;
}

static int read_registers(struct core *core)
{
	struct iovec registers = { core->status.pr_reg, sizeof(core->status.pr_reg) };

	core->status.pr_pid = core->pid;
	return ptrace(PTRACE_GETREGSET, core->pid, NT_PRSTATUS, &registers) ? -errno : 0;
}

static int read_auxv(struct core *core)
{
	char path[64];
	auto_fd fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/auxv", core->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	/* At the end there is AT_NULL. */
	return fd < 0 || read(fd, core->auxv, AUXV_MAX - 2 * sizeof(uint64_t)) < 0 ? -errno : 0;
}

static int add_area(struct core *core, const struct area *area)
{
	if (core->area_count == AREAS_MAX)
		return -E2BIG;
	return array_push(core->area, core->area_count, *area);
}

static int add_line(struct core *core, const char *line)
{
	struct mapping mapping;
	struct area area;

	if (mapping_parse(line, &mapping))
		return -EBADMSG;
	area.begin = mapping.begin;
	area.end = mapping.end;
	area.offset = mapping.offset;
	area.flags = (mapping.permissions[0] == 'r' ? PF_R : 0) |
		     (mapping.permissions[1] == 'w' ? PF_W : 0) |
		     (mapping.permissions[2] == 'x' ? PF_X : 0);
	area.physical = core->ram_fd >= 0 && mapping.permissions[3] == 's' &&
			mapping.inode == core->ram_inode;
	return add_area(core, &area);
}

static int read_areas(struct core *core)
{
	char path[64], line[512];
	auto_file *maps = NULL;
	bool whole = true;
	int err = 0;

	snprintf(path, sizeof(path), "/proc/%d/maps", core->pid);
	maps = fopen(path, "re");
	if (!maps)
		return -errno;
	while (!err && fgets(line, sizeof(line), maps)) {
		/* The rest of a long path is not a mapping. */
		if (whole)
			err = add_line(core, line);
		whole = strchr(line, '\n');
	}
	return err;
}

/* ---- The file -------------------------------------------------------------------------------- */

static int write_at(const struct core *core, const void *data, size_t size, uint64_t offset)
{
	return transfer_all(data, size,
			    pwrite(core->fd, place, left, (off_t)(offset + size - left)));
}

static bool is_zero(const uint8_t *page, size_t size)
{
	return !*page && !memcmp(page, page + 1, size - 1);
}

/* Pages of zeros stay holes. */
static int write_pages(const struct core *core, size_t size, uint64_t offset)
{
	int err = 0;

	for (size_t at = 0; !err && at < size; at += PAGE_SIZE) {
		size_t part = size - at < PAGE_SIZE ? size - at : PAGE_SIZE;

		if (!is_zero(core->chunk + at, part))
			err = write_at(core, core->chunk + at, part, offset + at);
	}
	return err;
}

/* Pages that the guest never touched do not exist, and are not made by looking at them. */
static int copy_physical(struct core *core, const struct area *area, uint64_t offset)
{
	off_t limit = (off_t)(area->offset + (area->end - area->begin));
	off_t at = (off_t)area->offset, end;
	int err = 0;

	while (!err && at < limit && (at = lseek(core->ram_fd, at, SEEK_DATA)) >= 0 && at < limit) {
		ssize_t got;

		end = lseek(core->ram_fd, at, SEEK_HOLE);
		end = end < 0 || end > limit ? limit : end;
		for (; !err && at < end; at += got) {
			size_t part = (size_t)(end - at);

			part = part < CHUNK_SIZE ? part : CHUNK_SIZE;
			got = pread(core->ram_fd, core->chunk, part, at);
			if (got <= 0)
				return got ? -errno : 0; /* it became shorter */
			err = write_pages(core, (size_t)got, offset + (uint64_t)at - area->offset);
		}
	}
	return err;
}

/* What cannot be read (pages of the host's kernel) is left out. */
static int copy_area(struct core *core, const struct area *area, uint64_t offset)
{
	int err = 0;

	for (uint64_t at = area->begin; !err && at < area->end; at += CHUNK_SIZE) {
		uint64_t part = area->end - at < CHUNK_SIZE ? area->end - at : CHUNK_SIZE;
		struct iovec local = { core->chunk, part }, remote = { (void *)at, part };
		ssize_t got = process_vm_readv(core->pid, &local, 1, &remote, 1, 0);

		if (got > 0)
			err = write_pages(core, (size_t)got, offset + at - area->begin);
	}
	return err;
}

static bool has_content(const struct area *area)
{
	return area->physical || area->flags & PF_R;
}

static void put(struct core *core, const void *data, size_t size)
{
	memcpy(core->notes + core->notes_size, data, size);
	core->notes_size += (size + NOTE_ALIGN - 1) / NOTE_ALIGN * NOTE_ALIGN;
}

static void put_note(struct core *core, uint32_t type, const void *content, size_t size)
{
	Elf64_Nhdr header = { .n_namesz = sizeof(NOTE_NAME),
			      .n_descsz = (uint32_t)size,
			      .n_type = type };

	put(core, &header, sizeof(header));
	put(core, NOTE_NAME, sizeof(NOTE_NAME));
	put(core, content, size);
}

static void put_notes(struct core *core, const char *name)
{
	struct elf_prpsinfo info = { .pr_pid = core->pid, .pr_fname = "linux" };

	_Static_assert(sizeof(core->status) + sizeof(info) + AUXV_MAX + 3 * 64 < NOTES_MAX,
		       "there is room for all notes");
	snprintf(info.pr_psargs, sizeof(info.pr_psargs), "linux (%s)", name);
	put_note(core, NT_PRSTATUS, &core->status, sizeof(core->status));
	put_note(core, NT_PRPSINFO, &info, sizeof(info));
	put_note(core, NT_AUXV, core->auxv, sizeof(core->auxv));
}

static Elf64_Ehdr file_header(const struct core *core)
{
	return (Elf64_Ehdr){ .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
					  ELFDATA2LSB, EV_CURRENT },
			     .e_type = ET_CORE,
			     .e_machine = EM_X86_64,
			     .e_version = EV_CURRENT,
			     .e_phoff = sizeof(Elf64_Ehdr),
			     .e_ehsize = sizeof(Elf64_Ehdr),
			     .e_phentsize = sizeof(Elf64_Phdr),
			     .e_phnum = (Elf64_Half)(core->area_count + 1) };
}

static int write_area(struct core *core, size_t number, uint64_t offset)
{
	const struct area *area = &core->area[number];
	uint64_t size = area->end - area->begin;
	Elf64_Phdr segment = { .p_type = PT_LOAD,
			       .p_flags = area->flags,
			       .p_offset = offset,
			       .p_vaddr = area->begin,
			       .p_paddr = area->physical ? area->offset : 0,
			       .p_filesz = has_content(area) ? size : 0,
			       .p_memsz = size,
			       .p_align = PAGE_SIZE };
	int err = write_at(core, &segment, sizeof(segment),
			   sizeof(Elf64_Ehdr) + (number + 1) * sizeof(segment));

	if (err || !has_content(area))
		return err;
	return area->physical ? copy_physical(core, area, offset) : copy_area(core, area, offset);
}

static int write_file(struct core *core)
{
	Elf64_Ehdr header = file_header(core);
	uint64_t offset = sizeof(header) + header.e_phnum * sizeof(Elf64_Phdr);
	Elf64_Phdr notes = {
		.p_type = PT_NOTE, .p_offset = offset, .p_filesz = core->notes_size, .p_align = 4
	};
	int err = write_at(core, &header, sizeof(header), 0);

	if (!err)
		err = write_at(core, &notes, sizeof(notes), sizeof(header));
	if (!err)
		err = write_at(core, core->notes, core->notes_size, offset);
	offset = (offset + core->notes_size + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE;
	for (size_t i = 0; !err && i < core->area_count; i++) {
		err = write_area(core, i, offset);
		if (has_content(&core->area[i]))
			offset += core->area[i].end - core->area[i].begin;
	}
	return !err && ftruncate(core->fd, (off_t)offset) ? -errno : err;
}

/* ---- Both ------------------------------------------------------------------------------------ */

static int open_ram(struct core *core)
{
	struct stat status;
	uint64_t size;
	int err = memory_map_open_ram(core->pid, &core->ram_fd, &size);

	if (err)
		return err == -ENOENT ? 0 : err;
	if (fstat(core->ram_fd, &status))
		return -errno;
	core->ram_inode = status.st_ino;
	return 0;
}

static int read_process(struct core *core)
{
	int err = open_ram(core);

	if (!err)
		err = read_registers(core);
	if (!err)
		err = read_auxv(core);
	return err ? err : read_areas(core);
}

/* A truncated core is removed. */
static int write_whole_file(struct core *core, const char *path)
{
	struct stat status;
	int err = core->chunk ? write_file(core) : -ENOMEM;

	if (err && !fstat(core->fd, &status) && S_ISREG(status.st_mode))
		unlink(path);
	return err;
}

static int write_core(struct core *core, const char *name, const char *path, struct diagnosis *why)
{
	char text[WRITE_ERROR_TEXT];
	int err = read_process(core);

	if (err)
		return err;
	core->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	core->chunk = malloc(CHUNK_SIZE);
	put_notes(core, name);
	err = core->fd < 0 ? -errno : write_whole_file(core, path);
	return err ? diagnose(why, exit_status_of_file(err), err,
			      err == -ENOSPC || err == -EDQUOT
				      ? "give a file on a file system with free space"
				      : "check the path of the file",
			      "cannot write %s: %s", path, write_error_text(path, err, text))
		   : 0;
}

int guest_write_core(const struct guest *guest, const char *path, struct diagnosis *why)
{
	struct core core = { .pid = guest->sandbox.guest, .fd = -1, .ram_fd = -1 };
	int err = stop_process(core.pid);

	if (!err) {
		err = write_core(&core, guest->spec->name, path, why);
		ptrace(PTRACE_DETACH, core.pid, NULL, NULL);
	}
	close_fd(&core.fd);
	close_fd(&core.ram_fd);
	free(core.area);
	free(core.chunk);
	if (err == -ESRCH)
		return diagnose(why, EXIT_CANNOT, err, "stop earlier",
				"%s has ended: no memory to read", guest->spec->name);
	if (err && !why->status)
		return diagnose(
			why, EXIT_CANNOT, err, "`ttrec doctor` reports what this machine supports",
			"cannot read the memory of %s: %s", guest->spec->name, strerror(-err));
	return err;
}
