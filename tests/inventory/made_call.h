/* SPDX-License-Identifier: MIT */
#ifndef TESTS_INVENTORY_MADE_CALL_H
#define TESTS_INVENTORY_MADE_CALL_H

/* Calls of crypto functions in made profiles, without records. As inventory/made_profile.h. */

#include "inventory/made_profile.h"
#include "support/guard.h"

#define NO_RESULT INT64_MIN

/* A call that is made by hand; what it points to lives as long. */
struct made_call {
	struct api_call call;
	struct api_function function;
};

static inline struct api_call *made_call(struct made_call *made, const char *name)
{
	*made = (struct made_call){ .function = { .name = name } };
	made->call = (struct api_call){ .function = &made->function, .count = 1 };
	return &made->call;
}

static inline int take(uint32_t pid, const struct api_call *call)
{
	struct profile_member *member = profile_find_member(profiles, pid, 0);

	assert_non_null(member);
	return profile_calls_take(&profiles->entries[member->profile]->calls, &member->image,
				  &profiles->pool, call);
}

/* Process PID calls NAME, COUNT times, with RESULT unless that is NO_RESULT. */
static inline void called(uint32_t pid, const char *name, uint64_t count, int64_t result)
{
	struct made_call made;
	struct api_call *call = made_call(&made, name);

	call->count = count;
	call->has_result = result != NO_RESULT;
	call->result = call->has_result ? result : 0;
	assert_int_equal(take(pid, call), 0);
}

/* The same with the algorithms A and B, which are known; NULL: none. */
static inline void called_with(uint32_t pid, const char *name, uint64_t count, const char *a,
			       const char *b)
{
	const struct algorithm known[] = { { .name = a }, { .name = b } };
	struct made_call made;
	struct api_call *call = made_call(&made, name);

	call->count = count;
	call->name = a;
	call->name_size = a ? strlen(a) : 0;
	call->algorithms[0] = &known[0];
	call->algorithms[1] = &known[1];
	call->nr_algorithms = (a != NULL) + (b != NULL);
	assert_int_equal(take(pid, call), 0);
}

/* The same with an algorithm that the catalogue does not have. */
static inline void called_unknown(uint32_t pid, const char *name, const char *bytes, size_t size)
{
	struct made_call made;
	struct api_call *call = made_call(&made, name);

	call->name = bytes;
	call->name_size = size;
	assert_int_equal(take(pid, call), 0);
}

static inline void called_init(uint32_t pid, const char *flags)
{
	struct made_call made;
	struct api_call *call = made_call(&made, "gnutls_init");

	call->argument[0] = (struct api_call_argument){ "flags", guard_copy(flags, strlen(flags)),
							strlen(flags) };
	call->arguments = (struct item_list){ call->argument, 1, sizeof(call->argument[0]), false };
	assert_int_equal(take(pid, call), 0);
}

static inline void found(uint32_t pid, enum finding_rule rule, const char *evidence)
{
	struct made_call made;
	struct api_call *call = made_call(&made, "f");

	call->finding[0] = (struct finding){
		.rule = finding_rules[rule].name,
		.severity = finding_rules[rule].severity,
		.why = finding_rules[rule].why,
		.evidence = evidence,
	};
	call->findings = (struct item_list){ call->finding, 1, sizeof(call->finding[0]), false };
	assert_int_equal(take(pid, call), 0);
}

static inline const struct profile_function *function_at(const struct profile *profile, size_t nr)
{
	assert_true(nr < profile->api_calls.count);
	return (const struct profile_function *)profile->api_calls.items + nr;
}

static inline const struct profile_algorithm *algorithm_at(const struct profile *profile, size_t nr)
{
	assert_true(nr < profile->algorithms.count);
	return (const struct profile_algorithm *)profile->algorithms.items + nr;
}

static inline const struct finding *finding_at(const struct profile *profile, size_t nr)
{
	assert_true(nr < profile->findings.count);
	return (const struct finding *)profile->findings.items + nr;
}

#endif /* TESTS_INVENTORY_MADE_CALL_H */
