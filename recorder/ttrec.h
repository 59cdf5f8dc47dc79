/* SPDX-License-Identifier: BSD-3-Clause */
/* The verbs of the ttrec command. Each parses its own arguments and returns an exit status. */
#ifndef TTREC_COMMAND_H
#define TTREC_COMMAND_H

int ttrec_run(int argc, char **argv);
int ttrec_serve(int argc, char **argv);
int ttrec_doctor(int argc, char **argv);

#endif
