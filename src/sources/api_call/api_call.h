/* SPDX-License-Identifier: MIT */
#ifndef API_CALL_H
#define API_CALL_H

#include "../../wire.h"

/*
 * Calls of crypto functions. Every probe has a slot, by which user space knows the function and the
 * copy of the library; what is to be read there is in the probe's cookie, so that the program needs
 * no table.
 */

#define API_SLOTS_MAX  16384
#define API_COUNTS_MAX 16384 /* a power of two */
#define API_TEXT_MAX   512   /* bytes of all strings of a record, a power of two */
#define API_NAME_MAX   64    /* of the name of an algorithm, a power of two */
#define API_VALUES_MAX 3

/* How an argument is read. */
enum api_wire_reader {
	API_WIRE_none,
	API_WIRE_text,	   /* a string */
	API_WIRE_name,	   /* a string of at most API_NAME_MAX bytes: an algorithm */
	API_WIRE_number,   /* the register itself */
	API_WIRE_int_at,   /* a pointer to an int: the NID of an EVP_CIPHER or EVP_MD */
	API_WIRE_int_in,   /* a pointer to such a pointer */
	API_WIRE_long_at,  /* a pointer to an unsigned long */
	API_WIRE_method,   /* a pointer to an EVP_MAC or EVP_KDF, which has a name */
	API_WIRE_versions, /* a pointer to two uint16_t */
	API_WIRE_control,  /* a command of SSL_ctrl(), and what it allows to be read */
	API_WIRE_key_of,   /* a pointer to an EVP_PKEY_CTX, where it has a name */
	API_WIRE_setting, /* the name of a setting, and the string after it where it is no secret */
};

/* What a call is, besides its arguments. */
#define API_COOKIE_RESULT     (1ULL << 14) /* the result is told: a second probe at the return */
#define API_COOKIE_QUIET      (1ULL << 15) /* what is called inside is not the program's own use */
#define API_COOKIE_NAMED      (1ULL << 16) /* of OpenSSL 3: what has no number has a name */
#define API_COOKIE_COUNT      (1ULL << 17) /* counted, not told */
#define API_COOKIE_REQUIRED   (1ULL << 18) /* without its first argument it is no use of its own */
#define API_COOKIE_HASH	      (1ULL << 19) /* of a hash, not of a cipher */
#define API_COOKIE_OUTSIDE    (1ULL << 20) /* told where the caller is in another file */
#define API_COOKIE_SITE	      (1ULL << 21) /* a static probe; in place of arguments its number */
#define API_COOKIE_SLOT_MASK  0x3fffULL
#define API_COOKIE_ARGUMENTS  32 /* first bit of the arguments, 8 bits each */
#define API_COOKIE_GENERATION 56 /* first bit of api_slot.generation */

static inline __u64 api_cookie_argument(unsigned int i, unsigned int reader, unsigned int index)
{
	return (__u64)(reader | index << 4) << (API_COOKIE_ARGUMENTS + 8 * i);
}

/* Where a static probe has an argument: as inspect/usdt.h reads it. */
struct api_site_argument {
	__s32 number;
	__u16 place;
	__u8 where; /* enum usdt_where */
	__s8 size;
};

#define API_SITES_MAX	   1024 /* a power of two */
#define API_SITE_ARGUMENTS 4
/* Those of "crypto_auditing" that tell data: a key, which is a string, and a value. */
#define API_SITE_word	 1  /* (context, key, number) */
#define API_SITE_string	 2  /* (context, key, string) */
#define API_SITE_data	 3  /* (context, array, how many) */
#define API_SITE_context 4  /* (context, parent, array, how many) */
#define API_ITEMS_MAX	 16 /* of an array; further ones are not told */

/* A static probe, in memory that BPF and user space share. */
struct api_site {
	struct api_site_argument arguments[API_SITE_ARGUMENTS];
	__u32 kind; /* API_SITE_* */
	__u32 reserved;
};

/* Bytes around api_slot.also in which functions belong to it. */
#define API_ALSO_NEAR 2048

/* A probe, in memory that BPF and user space share. */
struct api_slot {
	__u64 window_ns; /* begin of the second that is counted */
	__u32 hits;	 /* in that second */
	__u32 limit;	 /* beyond it the probe is to be detached; 0: no limit */
	__u16 is_off;	 /* the limit was passed */
	__u16 stack;	 /* bytes that the return address is above the stack pointer; x86-64 */
	__u8 is_known;	 /* and user space has seen it */
	__u8 generation; /* cookies of another one are of a set that is let go of */
	__u16 only;	 /* calls with another first argument are not told; 0: all */
	__s32 also;	 /* a caller this far behind the probe is told as one outside; 0: none */
	__u32 before;	 /* bytes of code in the same file before the probe, and behind it */
	__u32 behind;
	__u32 reserved;
};

_Static_assert(sizeof(struct api_slot) == 40, "struct api_slot has changed");

/* Calls of one function by one process that are only counted; shared in the same way. */
struct api_count {
	__u64 key; /* (tgid << 32 | slot) + 1; 0: free */
	__u64 start_ns;
	__u64 count;
};

/* A word or two beside them. */
struct api_shared {
	__u64 counts_lost; /* calls for which API_COUNTS_MAX was not enough */
	__u64 frames_lost; /* calls that were nested too deeply for their result */
	__u64 faults;	   /* arguments whose memory could not be read */
};

/* api_call_event.marks */
#define API_HAS_RESULT 0x1
#define API_CUT	       0x2 /* a string was longer */
#define API_FAULT      0x4 /* an argument could not be read */
#define API_COUNTED    0x8 /* made in user space, of a struct api_count */
#define API_VALUE(i)   (0x10 << (i))
/* Of a static probe: texts[0] is the key, at 1 its value, values[2] the context. */
#define API_OF_SITE 0x80

/* api_call_event.slot of calls of the kernel's own crypto, with api_call_event.function. */
#define API_SLOT_KERNEL 0xffffffff

struct api_call_event {
	struct event_hdr hdr;
	__u64 result;
	__u64 count;
	__u64 values[API_VALUES_MAX]; /* of the arguments that are numbers */
	__u32 slot;
	__u32 function; /* with API_SLOT_KERNEL: number in the kernel's table */
	__u32 marks;
	struct tail texts[API_VALUES_MAX]; /* of the arguments that are strings */
	struct tail method;		   /* the name of a method, or of what has no number */
	__u32 reserved;
};

_Static_assert(sizeof(struct api_call_event) == 168, "struct api_call_event has changed");

#endif /* API_CALL_H */
