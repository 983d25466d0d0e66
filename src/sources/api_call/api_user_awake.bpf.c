/* SPDX-License-Identifier: MIT */
/*
 * The programs of api_user.bpf.c for kernels below 6.0, whose uprobes may not sleep. Of a function
 * that is verified alone newer ones ask whether anything in it could, reached or not.
 */
#define CAN_SLEEP false

#include "api_user.bpf.c"
