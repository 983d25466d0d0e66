/* SPDX-License-Identifier: MIT */
#ifndef API_CALL_CALL_PRIVATE_H
#define API_CALL_CALL_PRIVATE_H

/* What call.c and call_judge.c share: a call as it is read from its record. */

#include "sources/api_call/api_call.h"
#include "sources/api_call/call.h"

/* What is being read: the record, and the call that comes of it. */
struct reading {
	struct record *record;
	const struct api_call_event *event;
	struct api_call *call;
	uint64_t bits; /* of a key, where an argument tells; 0: not */
	bool is_aes;   /* the mode of the function is one of AES */
};

static inline bool has_value(const struct reading *reading, size_t i)
{
	return reading->event->marks & API_VALUE(i);
}

static inline int32_t value_at(const struct reading *reading, size_t i)
{
	return (int32_t)reading->event->values[i];
}

/* Finds what is to be said against the call, whose algorithms and result are known by now. */
void call_judge(struct reading *reading, bool is_server);

#endif /* API_CALL_CALL_PRIVATE_H */
