// SPDX-License-Identifier: BSD-3-Clause
/* A program for rooms: says what it finds there. Linked statically, so that it needs no other. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Say @number at the socket @path. */
static int knock(const char *path, int number)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return errno;
	return write(fd, &number, sizeof(number)) == sizeof(number) ? 0 : EIO;
}

/* The descriptors stay open up to the end. */
static int knock_at_doors(char *const *path)
{
	for (int number = 0; path[number]; number++) {
		int error = knock(path[number], number);

		printf("%s: %s\n", path[number], strerror(error));
		if (error)
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "knock"))
		return knock_at_doors(argv + 2);
	if (argc > 1 && !strcmp(argv[1], "sleep"))
		return pause();
	return 2;
}
