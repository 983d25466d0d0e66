/* SPDX-License-Identifier: MIT */
/*
 * A library with static probes of crypto-auditing, made by hand: a "nop" in the code and a note
 * beside it, as sys/sdt.h of SystemTap has them. Arguments are wherever the compiler has put them.
 * One of them has a counter of those who look.
 */

#define TEXT(s)	 #s
#define VALUE(s) TEXT(s)

#if defined(__x86_64__)
#define ANY "nor"
#else
#define ANY "nr"
#endif

/* NAME with arguments as in ARGUMENTS; the counter is at COUNTER, an address or 0. */
#define PROBE(name, counter, arguments, ...)                                                       \
	__asm__ volatile("990: nop\n"                                                              \
			 ".pushsection .note.stapsdt,\"\",\"note\"\n.balign 4\n"                   \
			 ".4byte 992f-991f, 994f-993f, 3\n"                                        \
			 "991: .asciz \"stapsdt\"\n"                                               \
			 "992: .balign 4\n"                                                        \
			 "993: .8byte 990b, made_base, " counter "\n"                              \
			 ".asciz \"crypto_auditing\"\n.asciz \"" #name "\"\n"                      \
			 ".asciz \"" arguments "\"\n"                                              \
			 "994: .balign 4\n.popsection\n" ::__VA_ARGS__                             \
			 : "memory")

__asm__(".pushsection .stapsdt.base,\"a\",\"progbits\"\nmade_base: .space 1\n.popsection\n");

volatile unsigned short made_counter __attribute__((section(".probes"), visibility("hidden")));

static void word(long context, const char *key, long value)
{
	PROBE(word_data, "0", "8@%0 8@%1 -8@%2", ANY(context), ANY(key), ANY(value));
}

static void string(long context, const char *key, const char *value)
{
	PROBE(string_data, "0", "8@%0 8@%1 8@%2", ANY(context), ANY(key), ANY(value));
}

/* Those who look would have to raise the counter. */
__attribute__((noinline)) static void counted(long context, const char *key, long value)
{
	PROBE(word_data, "made_counter", "8@%0 8@%1 -8@%2", ANY(context), ANY(key), ANY(value));
}

static void blob(long context, const char *key, const void *value, long size)
{
	PROBE(blob_data, "0", "8@%0 8@%1 8@%2 -8@%3", ANY(context), ANY(key), ANY(value),
	      ANY(size));
}

struct item {
	const char *key;
	const void *value;
	unsigned long size;
};

static void data(long context, const struct item *items, long nr)
{
	PROBE(data, "0", "8@%0 8@%1 -8@%2", ANY(context), ANY(items), ANY(nr));
}

static void context_with(long context, long parent, const struct item *items, long nr)
{
	PROBE(new_context_with_data, "0", "8@%0 8@%1 8@%2 -8@%3", ANY(context), ANY(parent),
	      ANY(items), ANY(nr));
}

/* What a handshake by GnuTLS tells. Returns how many looked at the counter. */
int made_handshake(void)
{
	const struct item sign[] = {
		{ "name", "pk::sign", -1UL },	      { "pk::algorithm", "ECDSA", -1UL },
		{ "pk::hash", "SHA1", -1UL },	      { "pk::bits", (const void *)256, -2UL },
		{ "pk::secret", "never told", -1UL },
	};
	const struct item more[] = {
		{ "pk::curve", "P-256", -1UL },
		{ "blob", "0123456789", 10 },
	};
	char key[64] = "tls::group"; /* not a constant */

	string(0x1000, "name", "tls::handshake");
	word(0x1000, "tls::protocol_version", 0x0304);
	word(0x1000, "tls::ciphersuite", 0x1302);
	string(0x2000, "name", "tls::key_exchange");
	word(0x2000, key, 0x11ec);
	blob(0x1000, "tls::ciphersuite", "secret", 6);
	word(0x3000, "tls::signature_algorithm", 0x0403);
	context_with(0x4000, 0x1000, sign, 5);
	data(0x4000, more, 2);
	counted(0x4000, "pk::bits", 128);
	return made_counter;
}
