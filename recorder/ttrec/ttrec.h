/* SPDX-License-Identifier: BSD-3-Clause */
/* The verbs of the ttrec command. Each parses its own arguments and returns an exit status. */
#ifndef TTREC_COMMAND_H
#define TTREC_COMMAND_H

int ttrec_run(int argc, char **argv);
int ttrec_explore(int argc, char **argv);
int ttrec_tap(int argc, char **argv);
int ttrec_serve(int argc, char **argv);
int ttrec_doctor(int argc, char **argv);
int ttrec_store(int argc, char **argv);

struct run_options;

/* Record the guests that @options describes. */
int ttrec_record(struct run_options *options);

/* Record only clients that come by themselves. */
int ttrec_record_clients(struct run_options *options);

struct diagnosis;

/* Listen where clients are to come. */
int ttrec_listen(const char *path, int *fd, struct diagnosis *why);

#endif
