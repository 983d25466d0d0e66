/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_STAGE_H
#define TESTS_SUPPORT_STAGE_H

/*
 * What the test of a source begins with: a record, the pipeline that takes it, and the line that
 * comes out. To be included by the test itself, after cmocka.h.
 */

#include "support/raw.h"
#include "support/scene.h"

static struct raw raw;
static struct scene scene;

static int begin(void **state)
{
	(void)state;
	scene_open(&scene, "json-lines", true);
	return 0;
}

static int end(void **state)
{
	(void)state;
	scene_close(&scene);
	return 0;
}

/* What becomes of RAW. */
static const char *taken(void)
{
	assert_int_equal(scene_take(&scene, &raw), 0);
	return scene_text(&scene);
}

#endif /* TESTS_SUPPORT_STAGE_H */
