/* SPDX-License-Identifier: MIT */
#ifndef CMD_VALUES_H
#define CMD_VALUES_H

/*
 * What the values of options can be, for struct option.value_at: the I-th, NULL after the last.
 */

#include <stddef.h>

const char *values_event(size_t i);
const char *values_severity(size_t i);
const char *values_api(size_t i);
const char *values_stream_format(size_t i);
const char *values_document_format(size_t i);
const char *values_profile_format(size_t i);
const char *values_check_format(size_t i);
const char *values_schema_format(size_t i);
/* Of `syscalls`. */
const char *values_engine(size_t i); /* by enum option_engine */
const char *values_on_exit(size_t i);
const char *values_action(size_t i);
const char *values_policy_format(size_t i);
const char *values_report_format(size_t i);

#endif /* CMD_VALUES_H */
