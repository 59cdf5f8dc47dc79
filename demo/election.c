// SPDX-License-Identifier: BSD-3-Clause
/*
 * The guest program of the lab's demo: three nodes elect a leader, and take silence for consent.
 *
 * A node that has not heard of a leader for a while claims to be it. A leader objects to that; when
 * nobody has objected after a moment, the node leads, and says so. Who hears of a leader follows
 * it. When two nodes claim in the same moment, the first to lead tells the other, which follows.
 * But the network loses frames: when that one is lost, silence is no consent and there are two
 * leaders, which needs two to lose patience together and the wrong frame to be lost. Nothing here
 * decides to fail.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT 4711
#define MS   1000000
/* In ms: without a leader until a node claims to be it, and up to as many more. */
#define PATIENCE 150
#define CONSENT	 40   /* others may object */
#define BEAT	 50   /* between the signs of life of a leader */
#define TERM	 1000 /* until all is over */

enum role { FOLLOWS, CLAIMS, LEADS };

enum kind { CLAIM, OBJECTION, SIGN_OF_LIFE };

struct message {
	uint8_t kind, from, to;
};

struct node {
	int socket, number, leader, rivals;
	enum role role;
	int64_t deadline;
};

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000 * (int64_t)MS + time.tv_nsec;
}

static void say(const struct node *node, const char *what, int whom)
{
	printf("%.4f s  n%d  ", (double)now() / MS / 1000, node->number);
	printf(what, whom);
	printf("\n");
}

static int64_t lose_patience(void)
{
	uint32_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		exit(2);
	return now() + PATIENCE * MS + random % (PATIENCE * MS);
}

static void tell_all(const struct node *node, enum kind kind, int to)
{
	struct sockaddr_in all = { .sin_family = AF_INET,
				   .sin_port = htons(PORT),
				   .sin_addr.s_addr = inet_addr("10.0.0.255") };
	struct message message = { .kind = kind, .from = node->number, .to = to };

	if (sendto(node->socket, &message, sizeof(message), 0, (struct sockaddr *)&all,
		   sizeof(all)) != sizeof(message))
		exit(2);
}

static void follow(struct node *node, int leader)
{
	if (node->leader != leader)
		say(node, "follows n%d", leader);
	node->role = FOLLOWS;
	node->leader = leader;
	node->deadline = lose_patience();
}

static void hear_claim(struct node *node, int from)
{
	if (node->role != LEADS)
		return;
	say(node, "objects to n%d", from);
	tell_all(node, OBJECTION, from);
}

static void hear_sign_of_life(struct node *node, int from)
{
	if (node->role != LEADS)
		follow(node, from);
	else if (!node->rivals++)
		say(node, "leads, and hears that n%d does, too", from);
}

static void hear(struct node *node)
{
	struct message message;

	if (recv(node->socket, &message, sizeof(message), 0) != sizeof(message))
		exit(2);
	if (message.from == node->number)
		return;
	if (message.kind == CLAIM)
		hear_claim(node, message.from);
	else if (message.kind == SIGN_OF_LIFE)
		hear_sign_of_life(node, message.from);
	else if (message.to == node->number && node->role == CLAIMS)
		follow(node, message.from);
}

static void act(struct node *node)
{
	switch (node->role) {
	case FOLLOWS:
		say(node, "hears of no leader and claims to be it", 0);
		node->role = CLAIMS;
		node->deadline = now() + CONSENT * MS;
		tell_all(node, CLAIM, 0);
		return;
	case CLAIMS:
		say(node, "hears no objection and leads", 0);
		node->role = LEADS;
		node->leader = node->number;
		break;
	case LEADS:
		break;
	}
	node->deadline = now() + BEAT * MS;
	tell_all(node, SIGN_OF_LIFE, 0);
}

static void join_network(struct node *node)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	char command[80];
	int yes = 1;

	snprintf(command, sizeof(command), "ifconfig eth0 10.0.0.%d netmask 255.255.255.0 up",
		 node->number);
	if (system(command))
		exit(2);
	node->socket = socket(AF_INET, SOCK_DGRAM, 0);
	if (node->socket < 0 ||
	    setsockopt(node->socket, SOL_SOCKET, SO_BROADCAST, &yes, sizeof(yes)) ||
	    bind(node->socket, (struct sockaddr *)&here, sizeof(here)))
		exit(2);
}

int main(void)
{
	/* The kernel hands node=N of its command line to init. */
	const char *number = getenv("node");
	struct node node = { .number = number ? atoi(number) : 0 };

	setlinebuf(stdout);
	join_network(&node);
	node.deadline = lose_patience();
	while (now() < TERM * (int64_t)MS) {
		struct pollfd poll_socket = { .fd = node.socket, .events = POLLIN };
		int64_t left = node.deadline - now();

		if (left <= 0)
			act(&node);
		else if (poll(&poll_socket, 1, (int)(left / MS) + 1) > 0)
			hear(&node);
	}
	printf("%s 1 - n%d %s\n", node.rivals ? "not ok" : "ok", node.number,
	       node.rivals	    ? "is not the only leader"
	       : node.role == LEADS ? "leads"
				    : "follows");
	return 0;
}
